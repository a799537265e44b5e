"""Stand-in wheels of torch, for trying the commands without gigabytes and without a GPU."""
