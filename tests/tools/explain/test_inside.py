"""What only the wheel itself, or the lock file around it, shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.explain.inside import why_refused, why_refuses_lock
from nvidia_variant_provider.tools.explain.views import explain
from nvidia_variant_provider.tools.installers.table import PIP, PROVIDER, UV, Installer
from nvidia_variant_provider.tools.releases.files import WheelFile
from nvidia_variant_provider.tools.releases.release import Locked, Release, Several
from tests.tools.explain.releases import build, release_of

if TYPE_CHECKING:
    from nvidia_variant_provider.tools.wheels.name import WheelName

H100: Final = parse_target("h100@580").machine()
VARIANTS: Final = {"cu130": build("13.0", "90_real")}
HEAD: Final = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.2\n"


def opened(release: Release, metadata: bytes = HEAD, unread: str = "") -> Release:
    """Return the release with wheels that can be opened, and say what is in them."""
    carried = release.strict.to_json().encode()

    def read(wheel: WheelName) -> WheelFile:
        alone = carried if wheel.label else None
        return WheelFile(str(wheel), wheel, metadata, alone, unread=unread)

    return replace(release, open_wheel=read)


@pytest.mark.parametrize(
    ("lock", "refusing"),
    [
        pytest.param(None, [], id="no-lock"),
        pytest.param(Locked("", "", ("six is only for Linux",)), [], id="no-label"),
        pytest.param(Locked("demo-1.2-py3-none-any-x.whl", "", ()), [PIP], id="label"),
        pytest.param(Locked("", "packages[0]/marker", ()), [PROVIDER, UV, PIP], id="marker"),
    ],
)
def test_a_lock_file_is_refused_for_labels_by_pip_and_for_markers_by_all(
    lock: Locked | None, refusing: list[Installer]
) -> None:
    release = replace(release_of(VARIANTS), lock=lock)

    assert [it for it in (PROVIDER, UV, PIP) if why_refuses_lock(it, release)] == refusing


def test_what_decides_whether_a_locked_package_is_installed_is_told() -> None:
    condition = "demo is installed only where os_name == 'posix'"
    release = replace(release_of(VARIANTS), lock=Locked("", "", (condition,)))

    assert f"{condition}; that is not judged here" in explain(release, H100).warnings


def test_a_sound_wheel_is_not_refused() -> None:
    assert why_refused(opened(release_of(VARIANTS)), "cu130", H100) == ""


def test_the_first_requirement_with_a_variant_marker_is_named() -> None:
    lines = (
        b"Requires-Dist: six; variant_label == 'cu130'\n"
        b"Requires-Dist: attrs; variant_label == 'cu126'\n"
    )

    reason = why_refused(opened(release_of(VARIANTS), HEAD + lines), "cu130", H100)

    assert reason.endswith(": requires six with variant_label == 'cu130'")


def test_of_several_indexes_the_wheel_that_pip_takes_is_the_one_not_judged() -> None:
    far = opened(release_of({}), unread="too far away")
    release = replace(opened(release_of(VARIANTS)), several=Several(far, ()))

    warnings = [it for it in explain(release, H100).warnings if it.startswith("not judged")]

    assert warnings == ["not judged: demo-1.2-py3-none-any.whl: too far away"]
