"""Why installers refuse a wheel that they select: what only the wheel itself shows.

Wheels of a folder are opened, those of an index are not. Of the wheels of one label the first that
fits the platform is looked at: which interpreter will be used is not known.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.metadata.bake import marked_requirements
from nvidia_variant_provider.tools.metadata.readers import UV
from nvidia_variant_provider.tools.metadata.reading import parse_wheel_metadata
from nvidia_variant_provider.tools.wheels.open_wheel import OpenWheel
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
        with OpenWheel(path) as wheel:
            marked = marked_requirements(wheel.metadata, wheel.path.name)
            if marked:
                first = marked[0]
                return f"{wheel.path.name} requires {first.requirement} with {first.tests[0]}"
            if label and wheel.variant_json is None:
                return f"{wheel.path.name} has no variant.json in its .dist-info"
            if label and wheel.variant_json is not None:
                parse_wheel_metadata(wheel.variant_json, wheel.path.name, label, UV)
    except OSError:
        return ""
    except InvalidValueError as error:
        return str(error)
    return ""


def _path(release: Release, label: str, machine: Machine) -> str:
    wheels = release.groups().get(label) or ()
    fitting = [it for it in wheels if admits(it.platforms, machine.platform)]
    if not fitting:
        return ""
    if os.path.isdir(release.origin):
        return os.path.join(release.origin, str(fitting[0]))
    return release.origin if os.path.isfile(release.origin) else ""
