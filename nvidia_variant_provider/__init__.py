"""Variant provider for NVIDIA GPUs: the namespace ``nvidia`` of wheel variants."""

__version__ = "0.1.0"
