"""``inspect``: the device code inside wheels, folders, libraries, archives, cubins and PTX."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tables.sm_archs import TEGRA_CAPABILITIES
from nvidia_variant_provider.tools.cli import checking, output
from nvidia_variant_provider.tools.cli.paths import wheels_in
from nvidia_variant_provider.tools.files import missing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from nvidia_variant_provider.tools.binaries.json_model import (
        FileModel,
        GpuModel,
        GpuSharesModel,
        ImageModel,
        LibraryModel,
    )
    from nvidia_variant_provider.tools.binaries.report import Contents
    from nvidia_variant_provider.tools.findings.selection import Selection

_EPILOG: Final = """\
Nothing is extracted, loaded or run, and neither a GPU nor a CUDA toolkit is needed.

examples:
  nvidia-variant-provider inspect dist/*.whl
  nvidia-variant-provider inspect --images libfoo.so
  nvidia-variant-provider inspect --json wheel.whl | jq '.files[].coverage.full'
  nvidia-variant-provider inspect build/lib/

exit codes:
  0  everything was read, or device code was found
  2  a path could not be read, or a part of it in which all device code may be
"""
_EXIT_UNREADABLE: Final = 2
_TEGRA: Final = frozenset(map(str, TEGRA_CAPABILITIES))
# One large member is inflated by one thread, so that more than a few rarely help.
_MOST_JOBS: Final = 4


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "inspect",
        help="show the device code inside wheels and libraries",
        description=(
            "Show which SM architectures each library holds code for, how much of it serves"
            " which GPU, and the CUDA driver version it needs."
        ),
        epilog=_EPILOG,
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="FILE",
        help="wheel, folder, shared object, static archive, fatbin, cubin or PTX",
    )
    checking.add_arguments(parser)
    parser.add_argument("--images", action="store_true", help="also list every kind of image")
    parser.add_argument(
        "--jobs",
        type=_positive,
        default=min(os.cpu_count() or 1, _MOST_JOBS),
        metavar="N",
        help="number of members of a wheel to read at once [default: %(default)s]",
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 64:  # noqa: PLR2004 - each job holds some memory
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 64, not {text}")
    return number


def run(args: argparse.Namespace) -> int:
    """Read every path, print what was found, and name what could not be read."""
    from nvidia_variant_provider.tools.binaries.findings import RULES

    selection = checking.selection_of(checking.configuration_for(args, RULES))
    if args.list:
        return checking.show_rules(RULES, selection)
    if not args.paths:
        raise InvalidValueError("no file to inspect; expected a wheel, a library or a folder")
    contents, failures = _read(args.paths, args.jobs)
    _emit(args, contents, failures, selection)
    for path, error in failures:
        output.fail("inspect", error if path in error else f"{path}: {error}")
    hidden = [read for read in contents if read.unread and not read.has_device_code]
    for read in hidden:
        output.fail("inspect", f"{read.path}: no device code found, and a part could not be read")
    return _EXIT_UNREADABLE if failures or hidden else 0


def _emit(
    args: argparse.Namespace,
    contents: list[Contents],
    failures: list[tuple[str, str]],
    selection: Selection,
) -> None:
    from nvidia_variant_provider.tools.binaries.findings import findings_of

    if args.output_format in {checking.TEXT, checking.JSON}:
        from nvidia_variant_provider.tools.binaries.json_model import Inspection

        document = Inspection.of(contents, failures, selection)
        if args.output_format == checking.JSON:
            output.emit_document(document)
            return
        for read, file in zip(contents, document.files, strict=True):
            _show(file, images=args.images)
            checking.emit_findings(findings_of(read, selection))
            output.emit_text([""])
        return
    from nvidia_variant_provider.tools.findings.formats import Run, failure

    listed = [finding for read in contents for finding in findings_of(read, selection)]
    listed += [failure(path, error) for path, error in failures]
    files = (*(read.path for read in contents), *(path for path, _ in failures))
    checking.emit_run(args.output_format, Run("inspect", files, tuple(listed)))


def _read(paths: list[str], jobs: int) -> tuple[list[Contents], list[tuple[str, str]]]:
    from nvidia_variant_provider.errors import DamagedFileError
    from nvidia_variant_provider.tools.binaries.inspector import inspect_path

    contents, failures = [], []
    for path in (inner for given in paths for inner in wheels_in(given) or [given]):
        with _Progress(path) as progress:
            try:
                contents.append(inspect_path(path, jobs=jobs, progress=progress))
            except DamagedFileError as error:
                failures.append((path, str(error)))
            except FileNotFoundError:
                failures.append((path, missing(path)))
            except OSError as error:
                failures.append((path, error.strerror or str(error)))
    return contents, failures


class _Progress:
    """A line on stderr that counts what was read; silent unless stderr is a terminal."""

    def __init__(self, path: str) -> None:
        self._name = output.one_line(os.path.basename(path) or path)
        self._done = 0
        self._total = os.path.getsize(path) if os.path.isfile(path) else 0
        self._live = output.has_cursor(sys.stderr)

    def __enter__(self) -> Callable[[str, int], None]:
        return self._add

    def __exit__(self, *_: object) -> None:
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _add(self, _name: str, size: int) -> None:
        self._done += size
        if self._live:
            share = f"{min(self._done * 100 // self._total, 100)} %" if self._total else ""
            sys.stderr.write(f"\r\x1b[K{self._name}: {self._done >> 20} MB {share}")
            sys.stderr.flush()


def _show(file: FileModel, *, images: bool) -> None:
    """Print one file for people: libraries, coverage, bounds, findings."""
    output.emit_text([file.path])
    columns = ("library", "containers", "real", "PTX", "toolkit", "CUDA runtime")
    names = _names(file)
    rows = [_library_row(names[library.path], library) for library in file.libraries]
    if rows:
        output.emit_table(columns, rows)
    if images:
        _show_images(file)
    if file.coverage.containers:
        _show_coverage(file)
    output.emit_text(_summary(file))


def _names(file: FileModel) -> dict[str, str]:
    """Choose what to call each library: its file name, the path where that is not enough."""
    last = {library.path: library.path.rpartition("/")[2] for library in file.libraries}
    seen = Counter(last.values())
    return {path: name if seen[name] == 1 else path for path, name in last.items()}


def _library_row(name: str, library: LibraryModel) -> tuple[str, ...]:
    places = ", ".join(f"{name} {count}" for name, count in library.places.items())
    kernels = library.coverage.containers
    return (
        f"{name} ({library.machine or library.form}{_role(library)})",
        f"{kernels} of {library.containers}: {places}" if library.containers else "-",
        _targets(library, "cubin"),
        _targets(library, "ptx"),
        " ".join(library.toolkits) or "-",
        _runtime(library),
    )


def _role(library: LibraryModel) -> str:
    if library.role == "own":
        return ""
    return ", copy" if library.vendored else f", {library.role}"


def _targets(library: LibraryModel, kind: str) -> str:
    """List the targets with kernels, each once; PTX with its ISA version."""
    targets: dict[str, None] = {}
    for mark, images in (("", library.images), (" (bare)", library.bare_images)):
        for image in images:
            if image.kind == kind and not image.content.endswith("stub"):
                isa = f"@{image.ptx_isa}" if image.ptx_isa else ""
                targets[f"{image.target}{isa}{mark}"] = None
    return " ".join(targets) or "-"


def _runtime(library: LibraryModel) -> str:
    named = [link.file for link in library.cuda_libraries if link.library in {"cudart", "cuda"}]
    if library.cudart in {"static", "hybrid"}:
        named.insert(0, f"{library.cudart} cudart")
    return ", ".join(named) or ", ".join(link.file for link in library.cuda_libraries) or "-"


def _show_images(file: FileModel) -> None:
    columns = ("library", "kind", "target", "content", "compression", "count", "bytes")
    names = _names(file)
    rows = [
        (names[library.path], *_image_row(image))
        for library in file.libraries
        for image in (*library.images, *library.bare_images)
    ]
    output.emit_table(columns, rows)


def _image_row(image: ImageModel) -> tuple[str, ...]:
    needs = f", CUDA {image.needs_cuda or 'unknown'}" if image.ptx_isa else ""
    target = f"{image.target} (ISA {image.ptx_isa}{needs})" if image.ptx_isa else image.target
    return (
        image.kind,
        target,
        image.content,
        image.compression,
        str(image.count),
        str(image.bytes),
    )


def _show_coverage(file: FileModel) -> None:
    """Print the shares of containers per GPU: of all own libraries, and of each if several."""
    title = "containers with code for a GPU, in %: native, +PTX that the driver compiles"
    libraries = [library for library in file.libraries if library.coverage.containers]
    # Tegra parts sit beside ARM cores: on other wheels they would only split the ranges.
    hidden = () if {library.machine for library in libraries} - {"x86_64"} else _TEGRA
    shares = _shares(file.coverage, hidden)
    rows = [("all own libraries", str(file.coverage.containers), shares)]
    if len(libraries) > 1:
        names = _names(file)
        rows += [
            (
                names[library.path],
                str(library.coverage.containers),
                _shares(library.coverage, hidden),
            )
            for library in libraries
        ]
    output.emit_table(("library", "containers", "GPU: share"), rows, title=title)


def _shares(coverage: GpuSharesModel, hidden: Collection[str]) -> str:
    """Write the shares of all GPUs, with neighbours of equal share put together.

    Hidden GPUs are shown only if there are cubins for them.
    """
    gpus = [gpu for gpu in coverage.gpus if gpu.native or gpu.compute_capability not in hidden]
    runs = groupby(gpus, key=lambda gpu: _share(gpu, coverage.containers))
    words = []
    for share, alike in runs:
        numbers = [gpu.compute_capability for gpu in alike]
        span = numbers[0] if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"
        words.append(f"{span}: {share}")
    return ", ".join(words)


def _share(gpu: GpuModel, containers: int) -> str:
    # Rounded down: 100 is to mean every container.
    native = f"{100 * gpu.native // containers}"
    return native + (f" +{100 * gpu.jit // containers}" if gpu.jit else "")


def _summary(file: FileModel) -> Iterator[str]:
    coverage, bounds = file.coverage, file.bounds
    if coverage.containers:
        yield f"in every container: {' '.join(coverage.full) or 'none'}"
        yield f"in most containers: {' '.join(coverage.dominant)}"
        yield f"in some container:  {' '.join(coverage.union)}"
    elif file.device_code != "embedded":
        yield from _nothing(file)
    if bounds.compatible or bounds.evidence:
        yield (
            f"oldest driver: CUDA {bounds.compatible or 'unknown'}"
            f" ({bounds.strict or 'unknown'} without minor-version compatibility)"
        )
        yield from textwrap.wrap("because: " + "; ".join(bounds.evidence), 100)
    if len(file.alternatives) > 1:
        yield f"libraries for several CUDA majors: {', '.join(file.alternatives)}"
    if file.device_code == "embedded":
        yield from (f"beside that: {text}" for text in file.cuda_evidence)
    for requirement in file.requirements:
        yield f"requires: {requirement.text}"


def _nothing(file: FileModel) -> Iterator[str]:
    """Say that no device code was found, and whether that is all there is to say."""
    if file.device_code == "unknown" or not file.is_complete:
        yield "no device code in what could be read; the findings name the rest"
    elif any(library.images and library.role == "own" for library in file.libraries):
        yield "no container holds kernels"
    elif any(library.images or library.bare_images for library in file.libraries):
        yield "no device code of its own"
    else:
        yield "no embedded device code"
    if file.device_code == "elsewhere":
        yield "not a CPU wheel by that: the device code comes from elsewhere"
    elif file.cuda_evidence:
        yield "perhaps not a CPU wheel"
    yield from (f"  {text}" for text in file.cuda_evidence)
