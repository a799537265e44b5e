"""Detection: from a ``Host`` to a ``Machine`` and the trail of how it became known."""
