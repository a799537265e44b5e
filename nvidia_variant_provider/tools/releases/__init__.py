"""Releases as they lie about: folders, metadata files, simple indexes."""
