"""Machines as documents: records, detection, properties, targets."""
