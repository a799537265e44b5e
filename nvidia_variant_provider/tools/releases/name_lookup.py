"""The addresses of a host, within a time: a name server may never answer.

The system's own look-up cannot be given a limit or be interrupted. By its defaults it gives up
after half a minute for each name server and each domain that is searched.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    # Of host and port, as ``socket.getaddrinfo`` has it.
    LookUp = Callable[..., list[Any]]

# Time for a second name server where the first is silent: resolvers wait 5 s for each.
_LONGEST_S: Final = 15.0
# Look-ups that hang go on in their threads until the system gives up; there are never more.
_MOST_AT_ONCE: Final = 8
# An installer asks for dozens of pages at once: they share an answer, and soon ask anew.
_KEPT_S: Final = 30.0


class Resolver:
    """Looks up hosts, each in a thread that nobody has to wait for, and keeps answers for 30 s.

    ``look_up`` is how the system does it, ``longest_s`` how long it may take. The threads are
    daemons: a command ends without them.
    """

    def __init__(
        self,
        look_up: LookUp = socket.getaddrinfo,
        longest_s: float = _LONGEST_S,
        most: int = _MOST_AT_ONCE,
    ) -> None:
        self._look_up = look_up
        self._longest_s = longest_s
        self._free = threading.Semaphore(most)
        self._kept: dict[tuple[str, int], tuple[float, list[str]]] = {}

    def addresses(self, host: str, port: int, left_s: float) -> list[str]:
        """Return the numeric addresses of a host, each once, in the system's order.

        ``left_s`` is the time left for the request. Raises ``TimeoutError`` when it takes longer,
        and what the look-up raises.
        """
        with contextlib.suppress(ValueError):
            return [str(ipaddress.ip_address(host))]
        seconds = max(0.0, min(self._longest_s, left_s))
        late = f"looking up {host} took longer than {seconds:g} s: does the name server answer?"
        if known := self._known(host, port):
            return known
        if not self._free.acquire(timeout=seconds):
            raise TimeoutError(late)
        # Whoever had the turn before may have asked for the same host.
        if known := self._known(host, port):
            self._free.release()
            return known
        answers: list[list[Any] | Exception] = []
        is_done = threading.Event()

        def look_up() -> None:
            try:
                answers.append(self._look_up(host, port, type=socket.SOCK_STREAM))
            except Exception as error:  # noqa: BLE001 - raised again where it is waited for
                answers.append(error)
            finally:
                self._free.release()
                is_done.set()

        threading.Thread(target=look_up, daemon=True).start()
        if not is_done.wait(seconds):
            raise TimeoutError(late)
        answer = answers[0]
        if isinstance(answer, Exception):
            raise answer
        addresses = list(dict.fromkeys(str(row[4][0]) for row in answer))
        self._kept[host, port] = time.monotonic() + _KEPT_S, addresses
        return addresses

    def _known(self, host: str, port: int) -> list[str]:
        until, addresses = self._kept.get((host, port), (0.0, []))
        return addresses if time.monotonic() < until else []
