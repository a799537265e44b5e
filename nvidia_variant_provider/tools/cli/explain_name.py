"""``explain NAME``: a bare word is a package, installed or on the configured indexes."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable
from typing import Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tools.cli import checking, options, output
from nvidia_variant_provider.tools.cli.cmd_properties import describe

# ``explain`` itself, for other arguments.
Again = Callable[[argparse.Namespace], int]

_FILES: Final = (".whl", ".json", ".toml")
_NAME: Final = re.compile(r"[A-Za-z0-9]+(?:[-_.]?[A-Za-z0-9]+)*")


def read_name(args: argparse.Namespace) -> bool:
    """Take a bare name, ``explain torch``, for what is installed under it; tell whether it is."""
    if args.source is None and args.installed is None:
        raise InvalidValueError(
            "no SOURCE; expected a package, a folder, a file or an index",
            hint="nvidia-variant-provider explain torch",
        )
    if args.source is not None and args.installed is not None:
        raise InvalidValueError("--installed: expected without a SOURCE")
    source = args.source
    if source is None or not _NAME.fullmatch(source) or os.path.exists(source):
        return False
    if source.endswith(_FILES):
        return False
    args.source, args.installed = None, source
    return True


def run(
    args: argparse.Namespace, machines: list[tuple[str, argparse.Namespace]], again: Again
) -> int:
    """Explain a bare name that is not installed: what indexes have, unless a folder was meant."""
    _check_folders(args.installed)
    # The view knows the builds by CUDA version of these; it has no document and no labels.
    is_text = args.output_format == checking.TEXT
    if _is_known(args.installed) and is_text and not args.expect:
        return _run_configured(args, machines)
    return _run_indexes(args, again)


def _is_known(name: str) -> bool:
    """Tell whether a project has builds by CUDA version."""
    from nvidia_variant_provider.tables.cuda_indexes import COMPANIONS, FAMILY

    return name.lower().replace("_", "-") in {*FAMILY, *COMPANIONS}


def _check_folders(name: str) -> None:
    """Raise ``InvalidValueError`` if a word is more likely the name of a folder, misspelt."""
    import difflib

    sources = [
        entry.name for entry in os.scandir() if entry.is_dir() or entry.name.endswith(_FILES)
    ]
    near = difflib.get_close_matches(name, sources, n=1, cutoff=0.75)
    if near:
        raise InvalidValueError(f"{name}: not installed, and not here; did you mean {near[0]}?")


def _run_indexes(args: argparse.Namespace, again: Again) -> int:
    """Explain what the configured indexes have of a project, as it is not installed."""
    name = args.installed
    output.note(f"{name} is not installed here. This is what the configured indexes have")
    args.source, args.installed, args.configured = name, None, True
    try:
        return again(args)
    except InvalidValueError as error:
        import difflib

        from nvidia_variant_provider.tables.cuda_indexes import COMPANIONS, FAMILY

        near = difflib.get_close_matches(name, [*FAMILY, *COMPANIONS], n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise InvalidValueError(f"{error}{meant}") from error


def _run_configured(
    args: argparse.Namespace, machines: list[tuple[str, argparse.Namespace]]
) -> int:
    """Explain what pip gets of the indexes that are configured, as nothing is installed."""
    from nvidia_variant_provider.tools.cli import run_view

    output.note(
        f"{args.installed} is not installed here. This is what pip gets from the configured "
        f"indexes with 'nvidia-variant-provider run -- pip install {args.installed}'"
    )
    codes = []
    for name, named in machines:
        machine = options.answer_for(named).detection.machine
        output.emit_text([f"{name}: {describe(machine)}"])
        # What ``run`` repeats in its hints names the machine as it was named here.
        asked = argparse.Namespace(
            dry_run=True,
            require_gpu=args.require_gpu,
            any_version=False,
            through_view=False,
            cuda_index=args.cuda_index,
            cuda_project=[],
            **{option: getattr(named, option, None) for option in ("target", "machine", "gpu")},
        )
        codes.append(run_view.run(asked, ["pip", "install", args.installed], machine))
    return max(codes)
