"""What is mutated, and the few fast tests that are to notice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PACKAGE: Final = "nvidia_variant_provider"


@dataclass(frozen=True, slots=True)
class Group:
    """Modules that are killed by the same tests; all paths are relative to the two roots.

    ``tables`` names variables that hold sourced data and are not mutated: what they should say is
    in their sources, and tests repeat no table.
    """

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    tables: frozenset[str] = frozenset()


def _binaries(*names: str) -> tuple[str, ...]:
    return tuple(f"tools/binaries/{name}.py" for name in names)


def _binary_tests(*names: str) -> tuple[str, ...]:
    return (*(f"tools/binaries/test_{name}.py" for name in names), "test_value_types.py")


# Marked tests need files from elsewhere.
MARKS: Final = "not wheels and not large and not gpu and not clients"
# These start other processes, which see the module as it is on disk, or are slow by intent.
LEFT_OUT: Final = (
    "memory_is_bounded_for_any_wheel",
    "without_a_zstd_decoder",
    "has_not_drifted",
    "does_not_pay_for",
    "in_many_cases",
    "countless_tiny_containers",
)

# A record of a machine goes through all of detection, from its files to the answer.
_DETECT_TESTS: Final = (
    "test_recorded_machines.py",
    *(
        f"detect/test_{name}.py"
        for name in (
            "cascade",
            "diagnose",
            "kernel",
            "libraries",
            "masking",
            "reconcile",
            "surroundings",
        )
    ),
)
_LINT_CHECKS: Final = (
    "document",
    "lock",
    "property",
    "provider",
    "pypi",
    "release",
    "requirement",
    "selection",
)

GROUPS: Final = (
    Group(
        "rules",
        tuple(
            f"rules/{name}.py"
            for name in (
                "__init__",
                "bounds",
                "catalogue",
                "device_code",
                "gpus",
                "verdict",
                "version0",
                "version1",
            )
        ),
        ("rules", "test_value_types.py"),
    ),
    Group("model", ("model.py",), ("test_model.py", "test_value_types.py", "rules")),
    Group("value_types", ("value_types.py",), ("test_value_types.py", "test_model.py")),
    Group("overrides", ("overrides.py",), ("test_overrides.py", "test_value_types.py")),
    Group("ordering", ("tools/metadata/ordering.py",), ("test_ordering.py", "test_value_types.py")),
    Group(
        "tables",
        ("tables/sm_archs.py", "tables/driver_branches.py", "tables/pci.py"),
        ("test_tables.py", "rules"),
        frozenset({"BRANCHES"}),
    ),
    Group("decoders", _binaries("lz4", "zstd"), _binary_tests("decoders", "images", "fixtures")),
    Group("ptx", _binaries("ptx"), _binary_tests("ptx", "library", "fixtures")),
    Group("cursor", _binaries("cursor"), _binary_tests("cursor", "images", "library")),
    Group("cubin", _binaries("cubin"), _binary_tests("cubin", "images", "library", "fixtures")),
    Group(
        "fatbin",
        _binaries("fatbin", "images"),
        _binary_tests("fatbin", "images", "fixtures", "library"),
    ),
    Group(
        "standalone", _binaries("standalone"), _binary_tests("standalone", "library", "fixtures")
    ),
    Group(
        "hosts",
        _binaries("elf", "pe"),
        _binary_tests("host", "host_layouts", "library", "fixtures"),
    ),
    Group("source", ("tools/wheels/source.py",), _binary_tests("source", "wheel")),
    Group("gpu_shares", _binaries("gpu_shares"), _binary_tests("gpu_shares")),
    Group("runtime", _binaries("runtime"), _binary_tests("runtime")),
    Group("reconcile", ("detect/reconcile.py",), _DETECT_TESTS),
    Group(
        "detect",
        tuple(
            f"detect/{name}.py"
            for name in ("kernel", "libraries", "masking", "refine", "surroundings")
        ),
        _DETECT_TESTS,
    ),
    Group("health", ("detect/health.py",), ("detect/test_advice.py",)),
    Group(
        "verify",
        tuple(f"tools/verify/{name}.py" for name in ("checks", "code", "wheel", "release")),
        ("tools/verify",),
    ),
    Group(
        "tagging",
        tuple(
            f"tools/tagging/{name}.py"
            for name in ("claims", "groups", "inference", "local_version", "spelling", "statement")
        ),
        ("tools/tagging", "tools/verify/test_verify.py"),
    ),
    Group(
        "lint",
        (
            *(f"tools/lint/checks_{name}.py" for name in _LINT_CHECKS),
            "tools/lint/machine_grid.py",
        ),
        ("tools/lint",),
    ),
    Group(
        "explain",
        tuple(
            f"tools/explain/{name}.py"
            for name in ("answering", "caveats", "fitness", "here", "inside", "ordinary", "words")
        ),
        ("tools/explain",),
    ),
)
