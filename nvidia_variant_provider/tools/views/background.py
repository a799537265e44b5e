"""The view of a run: made and served by a thread while the command runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvidia_variant_provider.tools.views.loopback import Loopback
    from nvidia_variant_provider.tools.views.place import Place
    from nvidia_variant_provider.tools.views.service import ViewService


class Background:
    """Serves at a place what ``make`` returns.

    Nothing of the server is imported before ``start``: that takes longer than all that comes
    before the command.
    """

    def __init__(self, make: Callable[[], ViewService], place: Place) -> None:
        self._make = make
        self._place = place
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._is_made = threading.Event()
        self._server: Loopback | None = None
        self._error: BaseException | None = None

    def start(self) -> None:
        """Make the view and serve it."""
        self._thread.start()

    def stop(self) -> ViewService:
        """Serve no longer; return what was served, or raise why there was none."""
        self._is_made.wait()
        if self._server is None:
            assert self._error is not None  # noqa: S101 - for the type checker
            raise self._error
        self._server.shutdown()
        self._server.server_close()
        return self._server.service

    def _serve(self) -> None:
        try:
            from nvidia_variant_provider.tools.views.loopback import Loopback

            self._server = Loopback(self._make(), self._place)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self._error = error
            # Refused at once, instead of waiting for an answer that does not come.
            self._place.listener.close()
            return
        finally:
            self._is_made.set()
        self._server.serve()
