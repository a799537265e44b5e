"""The tags of variant wheels held to the device code inside."""
