"""What installers do, and what makes them see a machine."""
