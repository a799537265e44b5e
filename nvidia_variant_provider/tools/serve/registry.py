"""The services of a server by target, and how often they were asked."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.releases.upstream_error import UpstreamError
from nvidia_variant_provider.tools.serve import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nvidia_variant_provider.tools.views.service import ViewService
    from nvidia_variant_provider.tools.views.upstream import Upstream

_MOST_VIEWS: Final = 64
_KEPT_S: Final = 600.0
_MOST_LINES: Final = 10_000


class Views:
    """The services by target, at most 64; the one that was not asked for longest goes first."""

    def __init__(
        self, service_for: Callable[[str], ViewService], say: Callable[[str], None]
    ) -> None:
        """``service_for`` makes the service of a target and raises ``InvalidValueError``.

        ``say`` is told what operators should know, each line once.
        """
        self._service_for = service_for
        self._say = say
        self._told: set[str] = set()
        self._services: OrderedDict[str, ViewService] = OrderedDict()
        self._lock = threading.Lock()
        self._names_lock = threading.Lock()
        self._names: tuple[float, list[str] | UpstreamError] | None = None
        self.counts: Counter[tuple[str, int]] = Counter()

    def service(self, target: str) -> ViewService:
        """Return the service of a target; raises ``InvalidValueError`` for a name of none."""
        with self._lock:
            if target not in self._services:
                self._services[target] = self._service_for(target)
            self._services.move_to_end(target)
            if len(self._services) > _MOST_VIEWS:
                self._services.popitem(last=False)
            return self._services[target]

    def tell(self, target: str, service: ViewService) -> None:
        """Say what the service of a target warns of, and has not been said before."""
        for warning in tuple(service.log.warnings):
            line = f"{target}: {warning}"
            with self._lock:
                is_new = line not in self._told and len(self._told) < _MOST_LINES
                self._told.add(line)
            if is_new:
                self._say(line)

    def projects(self, upstream: Upstream) -> list[str]:
        """Return the names of all projects, read every ten minutes; raises ``UpstreamError``."""
        with self._names_lock:
            if self._names is None or time.monotonic() - self._names[0] > _KEPT_S:
                self._names = time.monotonic(), _listed(upstream)
            names = self._names[1]
        if isinstance(names, UpstreamError):
            raise names
        return names

    def metrics(self) -> Iterator[str]:
        """Yield the lines of ``/metrics``."""
        name = "nvidia_variant_provider_requests_total"
        yield f"# TYPE {name} counter\n"
        for (kind, status), count in sorted(self.counts.items()):
            yield f'{name}{{kind="{kind}",status="{status}"}} {count}\n'
        yield "# TYPE nvidia_variant_provider_views gauge\n"
        yield f"nvidia_variant_provider_views {len(self._services)}\n"


def _listed(upstream: Upstream) -> list[str] | UpstreamError:
    try:
        return listing.list_projects(upstream)
    except UpstreamError as error:
        return error
