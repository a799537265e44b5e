"""Older drafts of the variant metadata to the current schemas, explained or refused."""
