"""What makes a real installer refuse variant metadata or silently pass a build over."""
