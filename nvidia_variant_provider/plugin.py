"""The API endpoint that variant-aware installers load: ``NvidiaVariantPlugin``.

An installer's worker speaks JSON on standard output: nothing here prints. On a machine without a
sign of NVIDIA nothing beyond this module and the gate is loaded.
"""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock

# Type checkers know the name; importing it from typing would cost half a bare interpreter start.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    from nvidia_variant_provider.rules import Feature

_OVERRIDE_PREFIX = "NV_VARIANT_PROVIDER_"
# EAGAIN, ENFILE, EMFILE, ENOMEM: what other threads of the host may give back within a moment.
_WANTS = frozenset({11, 12, 23, 24})
_PAUSES = (0.05, 0.2, 0.75)


class VariantFeatureConfig:
    """One feature as installers take it: its name and its values, the most preferred first."""

    __slots__ = ("multi_value", "name", "values")

    def __init__(self, name: str, values: list[str], multi_value: bool) -> None:  # noqa: FBT001
        self.name = name
        self.values = values
        self.multi_value = multi_value

    def __repr__(self) -> str:
        """Show a config as the call that makes it."""
        return f"{type(self).__name__}({self.name!r}, {self.values!r}, {self.multi_value!r})"

    def __eq__(self, other: object) -> bool:
        """Compare by content."""
        if not isinstance(other, VariantFeatureConfig):
            return NotImplemented
        mine = (self.name, self.values, self.multi_value)
        return mine == (other.name, other.values, other.multi_value)

    __hash__ = None  # type: ignore[assignment]  # the values are a list


if TYPE_CHECKING:
    Ask: TypeAlias = Callable[["_Memory"], list[VariantFeatureConfig]]


class _Memory:
    """What this machine supports, once it is known: detection runs once per process.

    A process that was forked while another thread asked inherits a lock that nobody will release
    and an answer that nobody will bring, so each process has a memory of its own.
    """

    __slots__ = ("asking", "collecting", "process", "supported")

    def __init__(self, process: int) -> None:
        self.process = process
        self.asking = allocate_lock()
        self.supported: list[VariantFeatureConfig] | None = None
        # Whether the garbage collector is off for as long as detection takes.
        self.collecting = False


_memory = _Memory(os.getpid())


class NvidiaVariantPlugin:
    """Answers for the namespace ``nvidia``; works as a class and as an instance.

    The attributes serve the drafts of the plugin API from variantlib 0.0.1 to 0.2.x.
    """

    namespace = "nvidia"
    is_build_plugin = False
    is_aot_plugin = False
    all_properties_compatible = False

    @classmethod
    def get_supported_configs(cls) -> list[VariantFeatureConfig]:
        """Return what this machine supports, the most preferred feature and value first.

        Empty where no NVIDIA driver works. Raises ``OverrideError``, a ``ValueError``, for a
        malformed ``NV_VARIANT_PROVIDER_...`` variable, and ``WantError``, an ``OSError``, where
        this process has no descriptor or process left to ask a driver with; never for the machine's
        condition.
        """
        memory = _memory_of_this_process()
        with memory.asking:
            if memory.supported is None:
                memory.supported = _patiently(_find_supported, memory)
        return _configs(memory.supported)

    @classmethod
    def get_all_configs(cls) -> list[VariantFeatureConfig]:
        """Return every feature with every valid value, whatever the machine."""
        from nvidia_variant_provider.rules import catalogue

        return _configs(catalogue())


def _memory_of_this_process() -> _Memory:
    global _memory  # noqa: PLW0603 - the one cache, at the edge
    process = os.getpid()
    if _memory.process != process:
        if _memory.collecting:
            import gc

            gc.enable()
        _memory = _Memory(process)
    return _memory


def _find_supported(memory: _Memory) -> list[VariantFeatureConfig]:
    from nvidia_variant_provider.detect.files import Files
    from nvidia_variant_provider.detect.gate import has_sign

    overridden = any(name.startswith(_OVERRIDE_PREFIX) for name in os.environ)
    if not overridden and not has_sign(Files(), sys.platform):
        return []
    import gc

    # Detection leaves no garbage, and the collector would walk all that this process holds.
    memory.collecting = gc.isenabled()
    try:
        gc.disable()
        from nvidia_variant_provider.provider import answer

        return _configs(answer(os.environ).decision.features)
    finally:
        if memory.collecting:
            gc.enable()
        memory.collecting = False


def _patiently(ask: Ask, memory: _Memory) -> list[VariantFeatureConfig]:
    """Ask again a few times where this process has too little to ask with; raises ``WantError``."""
    for pause in (*_PAUSES, 0):
        try:
            return ask(memory)
        except OSError as error:
            if error.errno not in _WANTS or _is_foreign(error):
                raise
            if not _may_have_driver():
                return []
            want = error
        import time  # Built in, so that no descriptor is needed to load it.

        time.sleep(pause)
    raise _want_of(want) from want


def _want_of(error: OSError) -> OSError:
    text = (
        f"the NVIDIA driver could not be asked: {error.strerror}; raise the limits of this process "
        f"(ulimit -n 1024, ulimit -u), or name the target: {_OVERRIDE_PREFIX}"
        f"FORCE_CUDA_DRIVER_VERSION and {_OVERRIDE_PREFIX}FORCE_SM_ARCH"
    )
    try:
        from nvidia_variant_provider.errors import WantError
    except OSError:
        return OSError(error.errno, text)  # Not even a module can be loaded.
    return WantError(error.errno, text)


def _is_foreign(error: OSError) -> bool:
    """Tell whether an exception of the host came through; without our own modules it did not."""
    files = sys.modules.get("nvidia_variant_provider.detect.files")
    return files is not None and files.is_foreign(error)


def _may_have_driver() -> bool:
    """Tell whether there may be a driver to ask, as far as that can be told without opening."""
    if any(name.startswith(_OVERRIDE_PREFIX) for name in os.environ):
        return True
    try:
        from nvidia_variant_provider.detect.files import Files
        from nvidia_variant_provider.detect.gate import has_driver
    except OSError:
        return True
    return has_driver(Files())


def _configs(features: Iterable[Feature | VariantFeatureConfig]) -> list[VariantFeatureConfig]:
    return [
        VariantFeatureConfig(feature.name, list(feature.values), feature.multi_value)
        for feature in features
    ]


class NvidiaVariantPluginV0(NvidiaVariantPlugin):
    """Answers by rule set 0 for ever, whatever the default becomes: as 0.0.x does, and uv's copy.

    For packages that were tested with those answers; docs/rule-sets.md says which endpoint is for
    whom. Unlike them it finds drivers and GPUs as every endpoint of this package does.
    """

    @classmethod
    def get_supported_configs(cls) -> list[VariantFeatureConfig]:
        """Return what this machine supports by rule set 0; raises as the default endpoint does.

        Nothing is remembered: the machine is asked at every call.
        """
        return _patiently(_find_supported_by_rule_set_0, _Memory(os.getpid()))


def _find_supported_by_rule_set_0(_: _Memory) -> list[VariantFeatureConfig]:
    from nvidia_variant_provider.provider import answer

    return _configs(answer({**os.environ, f"{_OVERRIDE_PREFIX}RULES": "0"}).decision.features)
