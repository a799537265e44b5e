"""What lies inside wheels and libraries: device code, containers, needed libraries.

Files are parsed, never loaded, and nothing here writes to disk.
"""
