"""Which variant of a release each installer takes on a machine, and why not another."""
