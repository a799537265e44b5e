"""PyTorch: which of its per-CUDA builds a machine can run."""
