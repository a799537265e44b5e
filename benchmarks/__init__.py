"""Measurements that the documentation quotes; see docs/cost.md."""
