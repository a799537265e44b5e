"""Why installers refuse a wheel that they select: what only the wheel itself shows.

Wheels of a folder are opened, those of an index are not. Of the wheels of one label the first that
fits the platform is looked at: which interpreter will be used is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.metadata.bake import marked_requirements
from nvidia_variant_provider.tools.metadata.readers import UV
from nvidia_variant_provider.tools.metadata.reading import parse_wheel_metadata
from nvidia_variant_provider.tools.releases.files import read_wheel_file
from nvidia_variant_provider.tools.releases.release import check_wheel
from nvidia_variant_provider.tools.wheels.platform import admits

if TYPE_CHECKING:
    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.tools.releases.release import Release


def why_refused(release: Release, label: str, machine: Machine) -> str:
    """Say why uv refuses its wheel with a label, or pip the one without; empty if not known.

    uv 0.13.9 reads the METADATA of the wheel it selects, and its ``variant.json`` once more when
    the wheel is there. pip 26.3 reads METADATA.
    """
    path = _path(release, label, machine)
    if not path:
        return ""
    try:
        file = read_wheel_file(path)
        check_wheel(release, file)
        marked = marked_requirements(file.metadata, str(file.name))
        if marked:
            first = marked[0]
            return f"{file.name} requires {first.requirement} with {first.tests[0]}"
        if label:
            parse_wheel_metadata(file.variant or b"", str(file.name), label, UV)
    except InvalidValueError as error:
        return str(error)
    return ""


def _path(release: Release, label: str, machine: Machine) -> str:
    wheels = release.groups().get(label) or ()
    fitting = (it for it in wheels if admits(it.platforms, machine.platform))
    wheel = next(fitting, None)
    return "" if wheel is None else release.path_of(wheel)
