"""Facts about CUDA as data: every table names its source and is held to invariants by tests."""
