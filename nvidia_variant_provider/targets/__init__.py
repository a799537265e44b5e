"""Machines by name: ``gh200@580``; its GPUs in ``devices``, its driver in ``drivers``."""
