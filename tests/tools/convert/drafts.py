"""The metadata of torch 2.8, 2.9 and 2.10 as it was published, in the draft of its time.

Re-stated from the releases' own variant files, with fewer AMD and Intel targets than they list.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

ROOT = "https://variants-schema.wheelnext.dev"
ON_PC = "platform_system == 'Linux' or platform_system == 'Windows'"
ON_LINUX = "platform_system == 'Linux'"

UP_TO_HOPPER = ["50_real", "60_real", "70_real", "75_real", "80_real", "86_real", "90_real"]
FROM_VOLTA = ["70_real", "75_real", "80_real", "86_real", "90_real", "100_real", "120_real"]
FROM_TURING = ["75_real", "80_real", "86_real", "90_real", "100_real", "120_real", "120_virtual"]


def torch_28() -> Json:
    """Return the unversioned draft: three builds apart in their lower bounds, a null of zeros."""
    return {
        "$schema": f"{ROOT}/",
        "default-priorities": {"namespace": ["nvidia"]},
        "providers": {"nvidia": plugin("nvidia", "NvidiaVariantPlugin", "0.0.1", ON_PC)},
        "variants": {
            "00000000": {},
            "cu126": nvidia("12.0", UP_TO_HOPPER),
            "cu128": nvidia("12.8", FROM_VOLTA),
            "cu129": nvidia("12.9", [*FROM_VOLTA, "120_virtual"]),
        },
    }


def torch_29() -> Json:
    """Return draft 0.0.2: the order of the made-up namespace is a priority of the package."""
    document = torch_of_three_vendors(["rocm6.3", "rocm6.4"])
    document["$schema"] = f"{ROOT}/v0.0.2.json"
    document["default-priorities"]["property"] = {"priority": {"order": ["1", "2", "3"]}}
    document["providers"]["priority"] = {"plugin-use": "none", "requires": []}
    return document


def torch_210() -> Json:
    """Return draft 0.0.3: the same order in a table of its own."""
    document = torch_of_three_vendors(["rocm7.0", "rocm7.1"])
    document["$schema"] = f"{ROOT}/v0.0.3.json"
    document["static-properties"] = {"priority": {"order": ["1", "2", "3"]}}
    document["providers"]["priority"] = {"install-time": False, "requires": []}
    return document


def torch_of_three_vendors(rocms: list[str]) -> Json:
    """Return what 2.9 and 2.10 share."""
    amd = {
        rocm: {"amd": {"gfx_arch": ["gfx90a", "gfx942"], "rocm_version": [rocm[-3:]]}}
        for rocm in rocms
    }
    return {
        "default-priorities": {"namespace": ["nvidia", "intel", "amd", "priority"]},
        "providers": {
            "nvidia": plugin("nvidia", "NvidiaVariantPlugin", "0.0.2", ON_PC),
            "intel": plugin("intel", "IntelVariantPlugin", "0.0.2", ON_PC),
            "amd": plugin("amd", "AMDVariantPlugin", "0.0.2", ON_LINUX),
        },
        "variants": {
            "null": {},
            "cuda12.6": nvidia("12.0", UP_TO_HOPPER) | order("3"),
            "cuda12.8": nvidia("12.0", FROM_VOLTA) | order("2"),
            "cuda13.0": nvidia("13.0", FROM_TURING) | order("1"),
            "xpu": {"intel": {"device_ip": ["12.55.8", "20.1.0"]}},
            **amd,
        },
    }


def plugin(vendor: str, attribute: str, version: str, condition: str) -> Json:
    """Return a provider entry of the drafts."""
    return {
        "enable-if": condition,
        "plugin-api": f"{vendor}_variant_provider.plugin:{attribute}",
        "requires": [f"{vendor}-variant-provider>={version},<1.0.0"],
    }


def nvidia(lower_bound: str, archs: list[str]) -> Json:
    """Return the NVIDIA properties of a build."""
    return {"nvidia": {"cuda_version_lower_bound": [lower_bound], "sm_arch": archs}}


def order(place: str) -> Json:
    """Return the property that breaks ties, 1 first."""
    return {"priority": {"order": [place]}}
