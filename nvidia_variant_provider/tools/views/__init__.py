"""What an installer without variants may see of an index, for one machine."""
