"""Every command in a page of the project is run by a test, or marked where readers see it."""
