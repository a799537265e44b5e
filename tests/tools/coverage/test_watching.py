"""The recipes of docs/how-to/watch-a-fleet.md, run as they stand on recorded inputs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from nvidia_variant_provider.tools.demo.releases import release as torch_release

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "how-to" / "watch-a-fleet.md").read_text("utf-8")
DATA = ROOT / "tests" / "data" / "inventory"


def block(language: str) -> str:
    match = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert match is not None
    return match[1]


def run(command: list[str], folder: Path, program: str, recorded: str, **said: str) -> int:
    """Run a recipe where ``program`` prints a recorded input; return its exit code."""
    tools = folder / "bin"
    tools.mkdir()
    stub = tools / program
    stub.write_text(f"#!/bin/sh\nexec cat '{DATA / recorded}'\n")
    stub.chmod(0o755)
    ours = tools / "nvidia-variant-provider"
    ours.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m nvidia_variant_provider \"$@\"\n")
    ours.chmod(0o755)
    release = folder / "torch-2.14.1-variants.json"
    release.write_text(torch_release("2.14.1").to_json())
    environ = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    environ |= {"RELEASE": str(release), "PYTHONPATH": str(ROOT), **said}
    return subprocess.run(command, cwd=folder, env=environ, timeout=60, check=False).returncode


def test_cron_job_writes_metrics_and_fails_for_a_hole(tmp_path: Path) -> None:
    documents = list(yaml.safe_load_all(block("yaml")))
    (job,) = [document for document in documents if document["kind"] == "CronJob"]
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    metrics = tmp_path / "metrics.prom"
    command = [*container["command"], *container["args"]]

    code = run(command, tmp_path, "kubectl", "k13-gfd-gpuless-driver.json", METRICS=str(metrics))

    assert code == 1
    assert 'nvidia_variant_coverage_holes{package="torch",version="2.14.1"} 1' in (
        metrics.read_text("utf-8")
    )


def test_cron_job_may_read_what_it_reads() -> None:
    documents = {document["kind"]: document for document in yaml.safe_load_all(block("yaml"))}
    allowed = {name for rule in documents["ClusterRole"]["rules"] for name in rule["resources"]}
    job = documents["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]

    assert allowed == {"nodes", "resourceslices"}
    assert documents["ServiceAccount"]["metadata"]["name"] == job["serviceAccountName"]


def test_script_for_slurm_names_the_holes_of_an_older_driver(tmp_path: Path) -> None:
    script = tmp_path / "check-builds.sh"
    script.write_text(block("text"))

    code = run(["sh", str(script)], tmp_path, "scontrol", "s06-scontrol-2411.json", DRIVER="570")

    assert code == 1
    assert "B200" in (tmp_path / "coverage.txt").read_text("utf-8")
    assert (tmp_path / "coverage.html").exists()


def test_script_for_slurm_is_content_with_the_default_driver(tmp_path: Path) -> None:
    script = tmp_path / "check-builds.sh"
    script.write_text(block("text"))

    code = run(["sh", str(script)], tmp_path, "scontrol", "s21-gres-nvml-names.json")

    assert code == 0
