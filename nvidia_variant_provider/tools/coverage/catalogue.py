"""The catalogue of targets as a fleet: every product with every driver branch that serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import FleetError, InvalidValueError
from nvidia_variant_provider.tables.driver_branches import data_centre_branches
from nvidia_variant_provider.targets.devices import products
from nvidia_variant_provider.targets.target import parse_target
from nvidia_variant_provider.tools.coverage.fleet import Record
from nvidia_variant_provider.tools.coverage.kinds import Facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvidia_variant_provider.targets.devices import Device

BRANCHES: Final = data_centre_branches()
SOURCE: Final = "catalogue"


def facts_of_target(text: str) -> Facts:
    """Return what ``gh200@580`` says; raises ``InvalidValueError`` for an unknown target.

    Without a driver in the target none is stated, so that one for all can be.
    """
    target = parse_target(text)
    driver, said = target.driver, "@" in text
    return Facts(
        devices=tuple(device.name for device in target.devices),
        capabilities=tuple(sorted({str(device.capability) for device in target.devices})),
        driver=str(driver.release or driver.branch or "") if said else "",
        cuda=str(driver.cuda) if said else "",
        architecture=target.architectures[0],
    )


def target_record(text: str) -> Record:
    """Return the record of one target, for example ``gh200@580``."""
    try:
        return Record(facts_of_target(text), 1, text, "target", text)
    except InvalidValueError as error:
        raise FleetError("target", "", "", repr(text), f"a target: {error}") from error


def catalogue(branches: Sequence[int] = BRANCHES) -> Iterator[Record]:
    """Yield a record per product, driver branch that serves it, and CPU architecture of it."""
    for device in products():
        for architecture in device.architectures:
            facts = Facts((device.name,), (str(device.capability),), architecture=architecture)
            for driver, cuda in _drivers(device, branches):
                name = f"{device.name}@{driver}"
                said = facts._replace(driver="" if cuda else driver, cuda=cuda)
                yield Record(said, 1, name, SOURCE, name)


def _drivers(device: Device, branches: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Yield the drivers that serve a device, with the CUDA version where no branch tells it."""
    for jetpack in device.jetpacks:
        yield f"jetpack{jetpack.version}", str(jetpack.cuda)
    first, last = device.first_branch, device.last_branch
    for branch in branches:
        if first is not None and first <= branch and (last is None or branch <= last):
            yield str(branch), ""
