"""Findings: stable codes and the pages that explain them."""
