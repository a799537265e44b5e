"""Machines by their names, as the tests of views know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.provider import answer

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine

NOWHERE = "/var/empty-no-such-root"


def machine(target: str) -> Machine:
    """Return a machine by its target, "" for one without a GPU."""
    environ = {"NV_VARIANT_PROVIDER_TARGET": target} if target else {}
    return answer({"NV_VARIANT_PROVIDER_ROOT": NOWHERE, **environ}).detection.machine
