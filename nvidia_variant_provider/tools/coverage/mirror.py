"""What a mirror must carry so that nothing changes for a fleet, and a lock with its hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.coverage.matrix import Ending
from nvidia_variant_provider.tools.coverage.release import fits, hash_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nvidia_variant_provider.tools.coverage.matrix import Coverage, Row
    from nvidia_variant_provider.tools.wheels.name import WheelName


def smallest(coverages: Iterable[Coverage]) -> tuple[str, ...]:
    """Return the fewest labels that leave every choice as it is; ``""`` is the ordinary wheel.

    Each choice must stay, and once it does the rest of the list below it cannot win: so the set is
    exactly what is chosen, by any of the rule sets.
    """
    chosen = {
        row.choice.label
        for coverage in coverages
        for row in coverage.rows
        if row.choice.ending is not Ending.NOTHING
    }
    return tuple(sorted(chosen))


def chosen_wheels(coverages: Sequence[Coverage]) -> tuple[WheelName, ...]:
    """Return the wheels that machines of the fleet can choose, for every Python there is one."""
    release = coverages[0].release
    wanted = {
        (row.choice.label, row.kind.system, row.kind.architecture)
        for coverage in coverages
        for row in coverage.rows
        if row.choice.ending is not Ending.NOTHING
    }
    return tuple(
        wheel
        for wheel in release.wheels or ()
        if any(
            wheel.label == label and fits(wheel, system, architecture)
            for label, system, architecture in wanted
        )
    )


def requirements(coverages: Sequence[Coverage], command: str = "") -> Iterator[str]:
    """Yield the lines of a requirements file that admits every wheel the fleet can choose.

    An installer takes a file if any of the hashes is its own, so the one lock serves machines that
    choose different variants. Raises ``InvalidValueError`` where only metadata is at hand.
    """
    release = coverages[0].release
    if release.wheels is None or not release.is_folder:
        raise InvalidValueError("hashes need the wheels: give the folder instead of its metadata")
    wheels = chosen_wheels(coverages)
    if not wheels:
        raise InvalidValueError("no machine of the fleet can install a wheel of this release")
    hashes = {wheel: hash_of(release, wheel) for wheel in wheels}
    yield f"# {release.name} {release.version}: every wheel that the fleet can choose"
    if command:
        yield f"# made by: {command}"
    for wheel, digest in hashes.items():
        yield f"#   {digest[:12]}  {wheel}  {_machines(coverages[0].rows, wheel)}"
    parts = [f"{release.name}=={release.version}"]
    parts += [f"    --hash=sha256:{digest}" for digest in dict.fromkeys(hashes.values())]
    yield " \\\n".join(parts)


def _machines(rows: Iterable[Row], wheel: WheelName) -> str:
    count = sum(
        row.group.machines
        for row in rows
        if row.choice.label == wheel.label
        and row.choice.ending is not Ending.NOTHING
        and fits(wheel, row.kind.system, row.kind.architecture)
    )
    return f"{count} {'machine' if count == 1 else 'machines'}"
