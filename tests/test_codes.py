"""Every code that the tools print has a section that the command ``code`` shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nvidia_variant_provider.errors import InvalidValueError
from nvidia_variant_provider.tables.status_codes import CUDA, NVML, WINDOWS
from nvidia_variant_provider.tools.binaries.findings import RULES as INSPECT
from nvidia_variant_provider.tools.cli import main
from nvidia_variant_provider.tools.cli.advice import STATUSES
from nvidia_variant_provider.tools.coverage.findings import RULES as COVERAGE
from nvidia_variant_provider.tools.explain.findings import RULES as EXPLAIN
from nvidia_variant_provider.tools.findings import code_pages as codes
from nvidia_variant_provider.tools.findings.error_texts import NAMES, TEXTS
from nvidia_variant_provider.tools.lint.engine import RULES
from nvidia_variant_provider.tools.verify.engine import RULES as VERIFY

DOCS = Path(__file__).resolve().parents[1] / "docs"
PRINTED = {
    **{words.code: "status" for words in STATUSES.values()},
    **{rule.code: "lint" for rule in RULES},
    **{rule.code: "verify" for rule in VERIFY},
    **{rule.code: "inspect" for rule in INSPECT},
    **{rule.code: "coverage" for rule in COVERAGE},
    **{rule.code: "explain" for rule in EXPLAIN},
}


@pytest.mark.parametrize("code", PRINTED)
def test_a_code_that_is_printed_has_a_section(code: str) -> None:
    section = codes.find(code)

    assert section.page == PRINTED[code]
    assert section.text
    assert section.meaning


def test_a_section_is_of_one_code() -> None:
    text = "".join((DOCS / f"{page}.md").read_text("utf-8") for page in codes.PAGES)
    headings = re.findall(r"^(?:## NVP-\S+|### (?:NV\d+|[a-z-]+)\b.*)$", text, re.MULTILINE)

    assert len(codes.sections()) == len(headings)


def test_a_section_is_of_a_code_that_is_printed() -> None:
    unprinted = {
        code
        for code, section in codes.sections().items()
        if section.page in {"coverage", "inspect"}
    }

    assert unprinted - PRINTED.keys() == set()


def test_the_text_of_a_section_ends_before_the_next() -> None:
    section = codes.find("NVP-OK")

    assert section.text.startswith("**Meaning.**")
    assert "**How to fix it.**" in section.text
    assert not re.search(r"^#+ ", section.text, re.MULTILINE)


@pytest.mark.parametrize("typed", ["nv214", "NV214"])
def test_the_case_of_a_code_does_not_matter(typed: str) -> None:
    assert codes.find(typed).title == "the versions exclude uv's copy"


def test_an_unknown_code_is_answered_with_near_ones() -> None:
    with pytest.raises(InvalidValueError, match="no code 'wsl-drive', did you mean wsl-driver"):
        codes.find("wsl-drive")


def test_several_codes_are_shown_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["code", "wsl-driver", "NV305"]) == 0

    shown = re.findall(r"^## (\S+)", capsys.readouterr().out, re.MULTILINE)
    assert shown == ["wsl-driver", "NV305"]


def test_without_a_code_all_are_listed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    assert main.main(["code"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert set(PRINTED) <= {line.split()[0] for line in lines if line.strip()}


def test_an_unknown_code_shows_nothing_of_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["code", "NV305", "NV999"]) == 2
    out, err = capsys.readouterr()

    assert out == ""
    assert "NV999" in err


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("RuntimeError: CUDA error: no kernel image is available for execution", "no-kernel-image"),
        ("AssertionError: Torch not compiled with CUDA enabled", "torch-without-cuda"),
        ("CUDA driver version is insufficient for CUDA runtime version", "driver-insufficient"),
        ("Failed to initialize NVML: Driver/library version mismatch", "library-mismatch"),
        ("Failed to initialize NVML:  Unknown Error", "devices-lost"),
        ("Error 802: system not yet initialized", "fabric-not-ready"),
        ("torch.cuda: CUDA_ERROR_NO_DEVICE", "no-cuda-device"),
        ("cudaErrorNoKernelImageForDevice or CUDA_ERROR_NO_BINARY_FOR_GPU", "no-kernel-image"),
        ("NVML_ERROR_GPU_IS_LOST", "gpu-lost"),
        ("ImportError: libcudart.so.12: cannot open shared object", "runtime-library-missing"),
        ("ImportError: libcuda.so.1: cannot open shared object file: No such", "libcuda-missing"),
        ("WantError: [Errno 24] the NVIDIA driver could not be asked: Too many open files",
         "driver-not-asked"),
        ("modprobe: could not insert 'nvidia': Key was rejected by service",
         "module-not-signed"),
    ],
)  # fmt: skip
def test_a_pasted_error_text_finds_its_section(text: str, code: str) -> None:
    assert codes.find_all(text)[0].code == code


def test_every_text_and_name_leads_to_a_section() -> None:
    named = {code for _, code in TEXTS} | {*NAMES.values()}
    causes = {cause for table in (CUDA, NVML, WINDOWS) for *_, cause in table.values() if cause}

    assert (named | causes) - codes.sections().keys() == set()
    assert [words for words, _ in TEXTS if words != words.lower()] == []


def test_a_text_about_nothing_known_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="no code 'the printer is on fire'"):
        codes.find_all("the printer is on fire")
