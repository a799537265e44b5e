"""Record what NVIDIA's cuobjdump lists of public wheels, as ``truths.json``.

Run as ``python -m tests.tools.survey.record_truths``. Nothing of our readers is used: every byte of
every member is searched for containers, each is cut out, and ``cuobjdump`` says what is in it. What
the file has already stays; the wheels of projects that are named are recorded anew. To add a wheel,
add a row with ``null`` for its members.
"""

from __future__ import annotations

import json
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvidia_variant_provider.tools.binaries.report import Kind
from tests.tools.binaries import downloads, oracle

if TYPE_CHECKING:
    from collections.abc import Iterator

TRUTHS: Final = Path(__file__).parent / "truths.json"
_NAMES: Final = {Kind.CUBIN: "cubin", Kind.PTX: "ptx", Kind.LTO: "lto"}


def main(names: list[str]) -> None:
    """Record every wheel that has no truth yet, the smallest first, and write after each."""
    truths = json.loads(TRUTHS.read_text("utf-8"))
    for truth in tuple(truths):
        if truth["members"] is not None and truth["requirement"].partition("==")[0] not in names:
            continue
        path = downloads.wheel(truth["requirement"], truth["platform"])
        truth["size"] = path.stat().st_size
        truth["members"] = dict(members_of(path))
        truths.sort(key=lambda one: (one["size"] or 0, one["requirement"], one["platform"]))
        TRUTHS.write_text(text_of(truths), "utf-8")


def text_of(truths: list[dict[str, object]]) -> str:
    """Write one wheel a line, so that a change of one is one line of a comparison."""
    return "[\n" + ",\n".join(json.dumps(truth) for truth in truths) + "\n]\n"


def members_of(path: Path) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield each member with containers, and its images by kind and target: ``cubin 90a``."""
    seen: dict[bytes, oracle.Images] = {}
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        piece, member = Path(folder) / "one.fatbin", Path(folder) / "member"
        for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
            if entry.file_size == 0:
                continue
            with archive.open(entry) as opened, member.open("wb") as file:
                while data := opened.read(1 << 20):
                    file.write(data)
            total: oracle.Images = Counter()
            for container in oracle.containers(member):
                if container not in seen:
                    piece.write_bytes(container)
                    found = oracle.listed(downloads.cuobjdumps(), piece)
                    if found is None:
                        raise SystemExit(f"{path.name}: {entry.filename}: no cuobjdump reads it")
                    seen = {container: found} if len(seen) > 100 else {**seen, container: found}
                total += seen[container]
            if total:
                yield (
                    entry.filename,
                    {
                        f"{_NAMES[kind]} {number}{suffix}": count
                        for (kind, number, suffix), count in sorted(
                            total.items(), key=lambda item: (item[0][0].value, *item[0][1:])
                        )
                    },
                )


if __name__ == "__main__":
    main(sys.argv[1:])
