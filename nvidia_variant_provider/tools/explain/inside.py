"""Why installers refuse a wheel that they select: what only the wheel itself shows.

Wheels of a folder are opened, and of an index the end of the selected ones. Of the wheels of one
label the first that fits the platform is looked at, those for any platform last: which interpreter
will be used is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.model import Platform
from nvidia_variant_provider.tools.installers.table import PIP
from nvidia_variant_provider.tools.metadata.bake import marked_requirements
from nvidia_variant_provider.tools.metadata.readers import UV
from nvidia_variant_provider.tools.metadata.reading import parse_wheel_metadata
from nvidia_variant_provider.tools.wheels.platform import admits

# Only wheels for every platform fit there.
_NOWHERE: Final = Platform("none", "")

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.installers.table import Installer
    from nvidia_variant_provider.tools.metadata.model import VariantMetadata
    from nvidia_variant_provider.tools.releases.files import WheelFile
    from nvidia_variant_provider.tools.releases.release import Release
    from nvidia_variant_provider.tools.wheels.name import WheelName


def why_refused(
    release: Release,
    label: str,
    machine: Machine,
    fits: Callable[[VariantMetadata], bool] = lambda _: True,
) -> str:
    """Say why uv refuses its wheel with a label, or pip the one without; empty if not known.

    uv reads the METADATA of the wheel it selects, and judges it once more by its own
    ``variant.json``, which ``fits`` is asked for. pip 26.3 reads METADATA.
    """
    file = _first(release, label, machine)
    if file is None or file.unread:
        return ""
    try:
        reason = file.fault or _on_metadata(file) or (_on_variant(file, fits) if label else "")
    except InvalidValueError as error:
        return str(error)
    return f"{file.name}: {reason}" if reason else ""


def why_excluded(release: Release, label: str, machine: Machine, pythons: Mapping[str, str]) -> str:
    """Say that every wheel with a label excludes the interpreter; empty if one does not.

    ``pythons`` are the wheels that do, by file name, with the reason.
    """
    wheels = _fitting(release, label, machine)
    reasons = [f"{wheel}: {pythons.get(str(wheel), '')}" for wheel in wheels]
    return reasons[0] if wheels and all(str(wheel) in pythons for wheel in wheels) else ""


def why_refuses_lock(installer: Installer, release: Release) -> str:
    """Say why uv or pip refuses the whole lock file of a release; empty if it does not."""
    lock = release.lock
    if lock is not None and lock.variant_marker:
        return f"{installer.called} refuses the whole lock file: {lock.variant_marker}"
    if lock is not None and lock.labelled and installer is PIP:
        return f"{installer.called} refuses the whole lock file: {lock.labelled} has a label"
    return ""


def _on_metadata(file: WheelFile) -> str:
    marked = marked_requirements(file.metadata, str(file.name))
    return f"requires {marked[0].requirement} with {marked[0].tests[0]}" if marked else ""


def _on_variant(file: WheelFile, fits: Callable[[VariantMetadata], bool]) -> str:
    if file.variant is None:
        return "has no variant.json"
    own = parse_wheel_metadata(file.variant, str(file.name), file.name.label, UV)
    return "" if fits(own) else "its own variant.json states properties that do not fit here"


def why_unread(release: Release, label: str, machine: Machine) -> str:
    """Say why the wheel with a label could not be looked at; empty if it was, or is not here."""
    file = _first(release, label, machine)
    return f"{file.name}: {file.unread}" if file is not None and file.unread else ""


def _first(release: Release, label: str, machine: Machine) -> WheelFile | None:
    """Return the wheel that is looked at; ``None`` where there is none that can be opened."""
    wheels = _fitting(release, label, machine)
    return release.open_wheel(wheels[0]) if wheels and release.open_wheel else None


def _fitting(release: Release, label: str, machine: Machine) -> list[WheelName]:
    wheels = [
        wheel
        for wheel in release.groups().get(label) or ()
        if admits(wheel.platforms, machine.platform) and str(wheel) not in release.barred
    ]
    return sorted(wheels, key=lambda wheel: admits(wheel.platforms, _NOWHERE))
