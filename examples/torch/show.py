"""Installs torch's stand-in as several machines and shows who chooses what, and why.

Run by ``demo.py`` in an environment with this project, variantlib and uv.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packaging.tags import sys_tags

from examples.torch import clients
from examples.torch.cases import CASES, Case
from examples.torch.reasons import reason
from examples.torch.uv_view import machine_seen_by_uv
from nvidia_variant_provider.provider import answer
from nvidia_variant_provider.rules import decide
from nvidia_variant_provider.tools.cli import output
from nvidia_variant_provider.tools.demo import releases
from nvidia_variant_provider.tools.metadata.ordering import NULL_LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvidia_variant_provider.model import Machine
    from nvidia_variant_provider.rules import Feature
    from nvidia_variant_provider.tools.metadata.model import Variant

# Two installers at a time: a laptop stays usable and the rows take half as long.
WORKERS: Final = 2
INTERRUPTED: Final = 130
# ``run`` hides a CPU build from a GPU that another version serves; the installer finds nothing.
STOPS: Final = "stops"


@dataclass(frozen=True, slots=True)
class Row:
    """What came out for one case: labels as installed or chosen, and as predicted."""

    case: str
    machine: str
    torch: str
    uv: str | None
    uv_predicted: str | None
    variantlib: str
    variantlib_predicted: str
    through_run: str | None
    through_run_predicted: str | None
    why: str

    @property
    def as_predicted(self) -> bool:
        """Whether all did what our own ordering says they do."""
        done = (self.uv, self.variantlib, self.through_run)
        return done == (self.uv_predicted, self.variantlib_predicted, self.through_run_predicted)


def run_case(case: Case, wheels: Path, scratch: Path) -> Row:
    """Install as one machine with uv, ask variantlib, install through ``run``; predict each."""
    machine = _this_machine() if case.machine is None else case.machine
    metadata = releases.release(case.version)
    variants = labels_for(case.version, _platforms(case))
    installed = clients.install_with_uv(
        wheels,
        [f"{releases.NAME}=={case.version}"],
        case.uv_settings(),
        python_platform=case.python_platform,
    )
    index_metadata = wheels / f"{releases.NAME}-{case.version}-variants.json"
    through_run = clients.install_through_run(
        wheels,
        f"{releases.NAME}=={case.version}",
        case.run_settings(scratch),
        python_platform=case.python_platform,
    )
    ordered = clients.order_by_variantlib(index_metadata, case.provider_settings(scratch))
    chosen = next(label for label in ordered if label in variants)
    preferred = {
        rules: metadata.preferences({"nvidia": features}).order_wheels(variants)
        for rules, features in ((0, _seen_by_uv(case, machine)), (1, decide(machine).features))
    }
    return Row(
        case=case.key,
        machine=case.title,
        torch=case.version,
        uv=installed[releases.NAME],
        uv_predicted=preferred[0][0],
        variantlib=chosen,
        variantlib_predicted=str(preferred[1][0]),
        through_run=through_run,
        through_run_predicted=_shown_by_run(case, machine, str(preferred[1][0])),
        why=reason(machine, metadata, variants, chosen, uv_choice=installed[releases.NAME]),
    )


def labels_for(version: str, platforms: frozenset[str]) -> dict[str, Variant]:
    """Return the variants with a wheel for one of the platform tags."""
    builds = releases.RELEASES[version]
    fitting = {NULL_LABEL, *(build.label for build in builds if build.platform in platforms)}
    stated = releases.release(version).variants
    return {label: variant for label, variant in stated.items() if label in fitting}


def run_all(cases: Sequence[Case]) -> list[Row]:
    """Run every case against one folder of wheels; progress goes to stderr."""
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(WORKERS) as pool:
        wheels = Path(name, "wheels")
        wheels.mkdir()
        releases.write_releases(wheels)
        rows = []
        print(f"machines to install for: {len(cases)}", file=sys.stderr, flush=True)
        try:
            for row in pool.map(lambda case: run_case(case, wheels, Path(name)), cases):
                rows.append(row)
                done = f"{len(rows)} of {len(cases)}"
                print(f"{done}: {row.machine}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            # The installers that run have had the signal, too; no other one is started.
            pool.shutdown(cancel_futures=True)
            raise
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table or the JSON document; 1 if an installer did not do what was predicted."""
    parser = argparse.ArgumentParser(prog="demo.py", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument(
        "--case", action="append", choices=[case.key for case in CASES], help="run only this row"
    )
    arguments = parser.parse_args(argv)
    try:
        rows = run_all([case for case in CASES if case.key in (arguments.case or case.key)])
    except clients.ClientError as error:
        sys.stderr.write(f"demo.py: error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    return report(rows, as_json=arguments.json)


def report(rows: Sequence[Row], *, as_json: bool) -> int:
    """Print the rows and whatever was not as predicted; return the exit code."""
    if as_json:
        output.emit_json({"schema_version": 1, "rows": [asdict(row) for row in rows]})
    else:
        output.emit_table(
            ("machine", "uv installs", "variantlib + this provider", "through run", "why"),
            [
                (row.machine, _shown(row.uv), row.variantlib, row.through_run or STOPS, row.why)
                for row in rows
            ],
            # A machine that ends at the CPU build is what to look at.
            tone=lambda row: output.Tone.WARNING if NULL_LABEL in row else None,
        )
    unforeseen = [row for row in rows if not row.as_predicted]
    for row in unforeseen:
        sys.stderr.write(
            f"demo.py: {row.machine}: predicted {row.uv_predicted} (uv), "
            f"{row.variantlib_predicted} (variantlib) and {row.through_run_predicted or STOPS} "
            f"(through run), got {row.uv}, {row.variantlib} and {row.through_run or STOPS}\n"
        )
    return 1 if unforeseen else 0


def _this_machine() -> Machine:
    return answer(clients.clean_environment()).detection.machine


def _platforms(case: Case) -> frozenset[str]:
    if case.machine is None:
        return frozenset(tag.platform for tag in sys_tags())
    return frozenset({f"manylinux_2_28_{case.machine.platform.architecture}"})


def _seen_by_uv(case: Case, machine: Machine) -> tuple[Feature, ...]:
    seen = machine_seen_by_uv(machine.platform) if case.machine is None else machine
    return decide(seen, rule_set=0).features


def _shown_by_run(case: Case, machine: Machine, label: str) -> str | None:
    """Predict what ``run`` leaves: no CPU build where another version has one for the GPU."""
    if label != NULL_LABEL or machine.cuda is None or not machine.gpus:
        return label
    features = decide(machine).features
    others = (
        releases.release(version)
        .preferences({"nvidia": features})
        .order_wheels(labels_for(version, _platforms(case)))[0]
        for version in releases.RELEASES
        if version != case.version
    )
    return label if all(other == NULL_LABEL for other in others) else None


def _shown(label: str | None) -> str:
    return "(no variant)" if label is None else label


if __name__ == "__main__":
    sys.exit(main())
