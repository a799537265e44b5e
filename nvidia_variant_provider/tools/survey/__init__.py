"""Thousands of wheels: ``inspect`` or ``verify`` mapped over them, one line of JSON a wheel."""
