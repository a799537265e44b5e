"""Print the virtual packages ``__cuda`` and ``__cuda_arch`` that rattler finds on this machine."""

from __future__ import annotations

import os

from rattler import VirtualPackage, VirtualPackageOverrides

for package in VirtualPackage.detect(VirtualPackageOverrides.from_env()):
    found = package.into_generic()
    if found.name.normalized.startswith("__cuda"):
        print(f"{found.name.normalized}={found.version}", flush=True)  # noqa: T201 - its answer
# rattler 0.28.0 at times crashes when the interpreter ends.
os._exit(0)
