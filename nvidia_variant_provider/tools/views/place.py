"""Where the view of a run answers: a port of 127.0.0.1, and a word that nobody else knows.

The socket listens before the command starts. Whoever connects before the view is made waits in the
queue of the kernel, so what the view needs is imported while the command starts.
"""

from __future__ import annotations

import hmac
import os
import socket
from typing import Final

from nvidia_variant_provider.value_types import dataclass

HOST: Final = "127.0.0.1"
_QUEUE: Final = 256
_TOKEN: Final = 40
# Below those that systems give to outgoing connections.
_PORTS: Final = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class Place:
    """A socket that listens, and the word in its addresses: without it nothing is answered."""

    listener: socket.socket
    token: str

    @property
    def prefix(self) -> str:
        """The start of every path that is answered."""
        return f"/{self.token}/"

    @property
    def port(self) -> int:
        """The port of 127.0.0.1."""
        return int(self.listener.getsockname()[1])

    @property
    def url(self) -> str:
        """The address of the index."""
        return f"http://{HOST}:{self.port}{self.prefix}simple/"


def open_place(token: str, port: int = 0) -> Place:
    """Listen on a port, 0 for any that is free; raises ``OSError`` if it is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name != "nt":
            # Waiting connections of an earlier run do not keep the port from this one.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(_QUEUE)
    except OSError:
        listener.close()
        raise
    return Place(listener, token)


def place_of(secret: str, digest: str) -> tuple[Place, bool]:
    """Listen on the port that belongs to a view, or on another; say whether it is the former."""
    # Installers print the address: it shows what belongs to this view, not the secret itself.
    token = hmac.new(secret.encode(), digest.encode(), "sha256").hexdigest()
    number = int(token[-8:], 16)
    try:
        return open_place(token[:_TOKEN], _PORTS[number % len(_PORTS)]), True
    except OSError:
        return open_place(token[:_TOKEN]), False
