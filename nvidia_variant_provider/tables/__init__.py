"""Facts about CUDA as data: every table names its source and is held to invariants by tests."""

# The day on which the sources that come as packages were last read: ``.ci/refresh --accept``.
READ = "2026-11-25"
