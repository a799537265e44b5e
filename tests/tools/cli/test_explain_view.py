"""``explain --through-view``: what pip gets through ``run``, and the checks on it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.tools.views.stand_in import cuda_index, main_index


def explain(*arguments: str) -> subprocess.CompletedProcess[str]:
    with main_index().serving() as main, cuda_index().serving() as cuda:
        return subprocess.run(
            [
                *(sys.executable, "-m", "nvidia_variant_provider", "explain", f"{main}/simple/"),
                *("--through-view", "--cuda-index", f"{cuda}/whl", *arguments),
            ],
            env={name: text for name, text in os.environ.items() if name != "COLUMNS"},
            capture_output=True,
            text=True,
            check=False,
        )


def test_the_version_and_the_build_are_named_for_each_machine() -> None:
    done = explain("--package", "torch", "--target", "v100@580", "--target", "gh200@580")
    verdicts = [line for line in done.stdout.splitlines() if "pip installs" in line]

    hints = re.sub(r"http://127\.0\.0\.1:\d+", "HOST", done.stderr)

    assert done.returncode == 0
    # Without a view pip takes 2.15.0, which is hidden from the V100 alone.
    assert hints == (
        "hint: nvidia-variant-provider run --target v100@580 --cuda-index HOST/whl -- "
        "pip install --index-url HOST/simple/ torch\n"
    )
    assert verdicts == [
        "v100@580: pip installs torch-2.14.1+cu126-cp310-abi3-manylinux_2_28_x86_64.whl (cu126)",
        "gh200@580: pip installs torch-2.15.0-cp310-abi3-manylinux_2_28_aarch64.whl (cu132)",
    ]
    assert "no build for this GPU" in done.stdout


def test_a_pinned_version_that_is_hidden_is_not_found() -> None:
    done = explain("--package", "torch==2.15.0", "--target", "v100@580", "--require-gpu")

    assert done.returncode == 1
    assert "v100@580: pip installs nothing" in done.stdout
    assert "--require-gpu: v100@580" in done.stderr


def test_a_build_that_is_asked_for_by_its_label_is_judged_as_run_shows_it() -> None:
    done = explain("--package", "torch==2.14.1+cu130", "--target", "v100@580", "--require-gpu")

    assert done.returncode == 1
    assert "v100@580: pip installs torch-2.14.1+cu130-" in done.stdout
    assert "torch 2.14.1+cu130 is asked for by name, and is no build for this GPU" in done.stderr


def test_an_expected_label_is_checked() -> None:
    done = explain("--package", "torch", "--target", "v100@580", "--expect", "cu130")

    assert done.returncode == 1
    assert "--expect cu130" in done.stderr


def test_a_project_has_to_be_named() -> None:
    assert explain().returncode == 2


def test_a_project_that_the_index_lacks_is_said_to_be_missing() -> None:
    done = explain("--package", "tocrh", "--target", "v100@580")

    assert done.returncode == 2
    assert "tocrh: no such project on http://" in done.stderr


def test_versions_of_one_fate_stand_in_one_row() -> None:
    done = explain("--package", "torch", "--target", "v100@580")
    rows = [line.split("  ")[0] for line in done.stdout.splitlines()[2:]]

    assert rows == ["2.15.0", "2.13.0 to 2.14.1"]


def test_what_uv_takes_is_not_said_in_pip_s_words() -> None:
    done = explain("--package", "torch", "--target", "v100@580", "--installer", "uv")

    assert (done.returncode, done.stdout) == (2, "")
    assert "--through-view: expected --installer pip, whose choice is worked out" in done.stderr
