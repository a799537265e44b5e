"""The variables that point each installer at one index, and leave everything else as it was.

One recipe an installer, measured with the versions in ``table.py``; docs/views.md lists them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider import overrides
from nvidia_variant_provider.tools.installers.project_tools import virtualenvs_of_poetry
from nvidia_variant_provider.tools.installers.uv_files import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvidia_variant_provider.tools.installers.table import Installer


# What names indexes: pip's and uv's other settings stay with the command.
INDEX_VARIABLES: Final = frozenset({
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "UV_INDEX",
    "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX",
    "UV_TORCH_BACKEND", "UV_INDEX_STRATEGY", "PDM_PYPI_URL",
    "PIPENV_PYPI_MIRROR", "POETRY_PYPI_MIRROR_URL",
})  # fmt: skip


def with_facts(environ: Mapping[str, str], forced: Mapping[str, str]) -> dict[str, str]:
    """Return an environment that tells of a machine by the forced facts alone.

    They take the place of everything else that describes a machine. Where none can be given the
    environment stays as it is, so that the command looks for itself.
    """
    child = dict(environ)
    if forced:
        for row in overrides.VARIABLES:
            if row.of_machine:
                child.pop(row.name, None)
    child.update(forced)
    return child


def switches_of(installer: Installer, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without which an installer reads no variants, by name.

    What an environment already switches on stays on: the value is a list of features.
    """
    switches = {}
    for name, feature in installer.switches:
        others = [other for other in environ.get(name, "").split(",") if other not in {"", feature}]
        switches[name] = ",".join((*others, feature))
    return switches


def view_environment(environ: Mapping[str, str], url: str, cache: str, cwd: str) -> dict[str, str]:
    """Return the environment in which every installer sees the index at ``url``.

    ``cache`` is a folder of the view's own, for the installers that remember files by name alone.
    What was configured before is the view's upstream, so it is taken out here.
    """
    child = dict(environ)
    _set_pip(child, url)
    _set_uv(child, url)
    child["PDM_PYPI_URL"] = url
    child["PDM_CACHE_DIR"] = os.path.join(cache, "pdm")
    child["PIPENV_PYPI_MIRROR"] = url
    child["POETRY_PYPI_MIRROR_URL"] = url
    child["POETRY_VIRTUALENVS_PATH"] = virtualenvs_of_poetry(environ, cwd)
    child["POETRY_CACHE_DIR"] = os.path.join(cache, "poetry")
    _set_proxies(child)
    return child


def _set_pip(child: dict[str, str], url: str) -> None:
    # An empty variable counts as unset for pip, and a file's setting would be used.
    child.update(PIP_INDEX_URL=url, PIP_EXTRA_INDEX_URL=" ", PIP_FIND_LINKS=" ", PIP_NO_INDEX="0")


def _set_uv(child: dict[str, str], url: str) -> None:
    for name in INDEX_VARIABLES:
        if name.startswith("UV_"):
            child.pop(name, None)
    child["UV_DEFAULT_INDEX"] = url


def _set_proxies(child: dict[str, str]) -> None:
    """Keep requests to this machine from a proxy; all installers read one of the two names."""
    for name in ("NO_PROXY", "no_proxy"):
        listed = [host for host in child.get(name, "").split(",") if host.strip()]
        if "*" not in listed:
            child[name] = ",".join([*listed, *(host for host in LOOPBACK if host not in listed)])
