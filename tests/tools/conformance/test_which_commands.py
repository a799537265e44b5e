"""The commands that the page "Which wheel would I get?" offers are read by their tools."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from examples.torch.clients import uv_executable
from nvidia_variant_provider.tables.cuda_indexes import TORCH_INDEX
from nvidia_variant_provider.tables.torch_builds import BUILDS
from nvidia_variant_provider.tools.cli.main import build_parser
from nvidia_variant_provider.tools.torch.builds import index_path

ROOT: Final = Path(__file__).resolve().parents[3]
COMMANDS: Final = """
import { readFileSync } from "node:fs";
import { torchCommands, variantCommands } from "ROOT/docs/which/commands.js";
const asked = JSON.parse(readFileSync(0));
const rows = [...asked.torch.flatMap(torchCommands), ...variantCommands(asked.variants)];
console.log(JSON.stringify(rows));
"""
OUR_NAME: Final = "nvidia-variant-provider"


def offered() -> list[tuple[str, list[str]]]:
    """Return the commands of the page for every label of the table, split as a shell would."""
    labels = sorted({index_path(build.cuda) for build in BUILDS})
    machine = {
        "option": "--target gh200@580",
        "capabilities": ["9.0"],
        "cuda": "13.0",
        "tegra": True,
    }
    torch = [
        {"label": label, "release": "2.14.1", "index": TORCH_INDEX, "machine": machine,
         "system": "linux"}
        for label in ("cpu", *labels)
    ]  # fmt: skip
    file = "my_pkg-1.0-variants.json"
    variants = {
        "file": file,
        "machine": machine | {"option": "--machine 'a node.json'"},
        "system": "linux",
    }
    done = subprocess.run(
        ["node", "--input-type=module", "-e", COMMANDS.replace("ROOT", str(ROOT))],
        input=json.dumps({"torch": torch, "variants": variants}),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [(title, shlex.split(text)) for title, text in json.loads(done.stdout)]


@pytest.mark.clients
@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_every_command_of_the_page_is_one_that_its_tool_reads() -> None:
    uv = subprocess.run(
        [uv_executable(), "pip", "install", "--help"], capture_output=True, check=True
    )
    listed = re.sub(r"\s+", " ", uv.stdout.decode()).partition("<TORCH_BACKEND>")[2]
    backends = listed.partition("[possible values: ")[2].partition("]")[0].split(", ")
    for title, words in offered():
        plain = words[1:] if title == "Dockerfile" else words
        if plain[0] == OUR_NAME:
            build_parser().parse_args(plain[1:])
        elif plain[0] == "uv":
            assert plain[-1] in backends, words
        elif plain[0] == "pip":
            assert plain[1:4] == ["install", "torch==2.14.1", "--index-url"], words
        else:
            assert words[0].startswith("CONDA_OVERRIDE_CUDA="), words
