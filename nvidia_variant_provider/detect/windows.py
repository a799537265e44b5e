"""The NVIDIA GPUs that Windows has at this moment; its registry also keeps those removed for good.

Microsoft: "Enumerating installed devices" asks for the configuration manager instead of a walk
through the registry. It is asked by the worker, as every library is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.detect.files import raise_foreign
from nvidia_variant_provider.detect.kernel import PciGpu

if TYPE_CHECKING:
    from nvidia_variant_provider.detect.child import ChildReply

API: Final = "devices"
LIBRARY: Final = "C:\\Windows\\System32\\cfgmgr32.dll"


def parse_devices(reply: ChildReply) -> tuple[PciGpu, ...] | None:
    """Return the GPUs that are present, with the number of their problem, 0 if they have none.

    ``None`` where Windows did not say: it starts with ``init 0``, goes on with lines such as
    ``device 0 2684 22``, and the last one is ``end``.
    """
    gpus, words = [], set[str]()
    for line in reply.text.splitlines():
        word, *fields = line.split("\t")
        words.add(line if word == "init" else word)
        if word == "device":
            try:
                gpus.append(PciGpu("", int(fields[1], 16), "", problem=int(fields[2])))
            except (ValueError, IndexError) as error:
                raise_foreign(error)
    return known_gpus(gpus) if words >= {"init\t0", "end"} else None


def known_gpus(gpus: list[PciGpu]) -> tuple[PciGpu, ...]:
    """Return those that are GPUs by their id: the maker's audio and USB functions have ids too."""
    return tuple(gpu for gpu in gpus if gpu.as_gpu().capability is not None)
