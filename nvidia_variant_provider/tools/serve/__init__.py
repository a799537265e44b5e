"""Views for a team: one server, the machine in the address."""
