"""A wheel as a file: its name, its RECORD, its zip archive, and writing it anew."""
