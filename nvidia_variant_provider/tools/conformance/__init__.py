"""Hold any implementation of the namespace to the same cases; docs/conformance.md is its page."""
