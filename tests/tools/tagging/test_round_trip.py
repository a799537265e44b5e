"""What ``tag`` writes passes ``verify``: of every wheel that can be made of some libraries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.binaries.inspector import inspect_path
from nvidia_variant_provider.tools.findings.model import Severity
from nvidia_variant_provider.tools.findings.selection import EVERYTHING
from nvidia_variant_provider.tools.tagging.inference import from_code
from nvidia_variant_provider.tools.tagging.variant import build_variant
from nvidia_variant_provider.tools.tagging.wheels import write_variant
from nvidia_variant_provider.tools.verify.engine import verify_wheel
from nvidia_variant_provider.tools.verify.wheel import examine_wheel
from tests.tools.binaries import packing
from tests.wheel_maker import cuda_library, make_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA: Final = Path(__file__).resolve().parents[2] / "data" / "binaries"
THRESHOLD: Final = 0.75

REAL: Final = (52, 60, 70, 75, 80, 86, 87, 89, 90, 100, 103, 110, 121)
ARCHS: Final = (
    *(str(number) for number in REAL),
    *("90a", "100a", "100f", "107a", "120a", "52p", "80p", "86p", "90p", "90ap", "100fp"),
)
TARGETS: Final = st.sets(
    st.sampled_from(ARCHS),
    min_size=1,
    max_size=5,
)
NEEDED: Final = st.sampled_from(
    ("libcudart.so.11.0", "libcudart.so.12", "libcudart.so.13", "libc.so.6", "libcufft.so.11")
)
NAMES: Final = st.sampled_from(
    (
        "demo/_ext.so",
        "demo/libdemo_cuda118.so",
        "demo/libdemo_cuda128.so",
        "demo/libdemo_cuda128_nocublaslt.so",
        "demo/libstatic.a",
        "demo/tests/x.so",
        "demo.libs/libcudart-41118559.so.12",
        "other/_ext.so",
    )
)
ISAS: Final = st.sampled_from(((7, 8), (8, 4), (8, 7), (9, 0), (9, 5)))


@st.composite
def libraries(draw: st.DrawFn) -> bytes:
    """A shared object with containers of some targets, and perhaps a loose cubin of its own."""
    found = cuda_library(
        *draw(TARGETS), isa=draw(ISAS), containers=draw(st.integers(1, 4)), needed=draw(NEEDED)
    )
    loose = packing.cubin(80, toolkit=draw(st.sampled_from((118, 121, 129))))
    return found + (loose if draw(st.booleans()) else b"")


def failures(folder: Path, members: Mapping[str, bytes], *, use_ptx: bool) -> list[str] | None:
    """Tag a wheel and return what ``verify`` fails on; ``None`` where ``tag`` refuses it."""
    wheel = make_wheel(folder, members)
    try:
        statement = from_code(inspect_path(str(wheel)), THRESHOLD, None, use_ptx=use_ptx)
        variant = build_variant(statement.label or "demo", statement.features)
    except InvalidValueError:
        return None
    path, _ = write_variant(wheel, folder, variant, force=True)
    found = verify_wheel(examine_wheel(str(path), THRESHOLD), EVERYTHING)
    return [str(it) for it in found if it.rule.severity is not Severity.NOTE]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(members=st.dictionaries(NAMES, libraries(), min_size=1, max_size=3), use_ptx=st.booleans())
def test_what_tag_writes_passes_verify(
    tmp_path: Path,
    members: dict[str, bytes],
    use_ptx: bool,  # noqa: FBT001 - a drawn value
) -> None:
    found = failures(tmp_path, members, use_ptx=use_ptx) or []

    # Libraries for several CUDA majors are a warning whatever is stated.
    assert [it for it in found if "NV311" not in it] == []


@pytest.mark.parametrize(
    "name", sorted(path.name for path in DATA.iterdir() if path.suffix not in {".sh", ".cu"})
)
@pytest.mark.parametrize("use_ptx", [True, False])
def test_what_tag_writes_of_a_fixture_passes_verify(
    tmp_path: Path,
    name: str,
    use_ptx: bool,  # noqa: FBT001 - a case
) -> None:
    found = failures(tmp_path, {f"demo/{name}": (DATA / name).read_bytes()}, use_ptx=use_ptx)

    assert not found
