"""Variant metadata: what a file holds, reading one, combining a release's, what uv makes of it."""
