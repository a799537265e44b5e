"""Lines at the width of a terminal: at words, in their column, with commands whole."""

from __future__ import annotations

import pytest

from nvidia_variant_provider.tools.cli.wrapping import reflow, wrap


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param("a few words", ["a few words"], id="fits"),
        pytest.param("a few words that go on and on", ["a few words that go", "  on and on"]),
        pytest.param("  a list entry that goes on", ["  a list entry that", "    goes on"]),
        pytest.param(
            "CUDA   12.8 of the library", ["CUDA   12.8 of the", "       library"], id="a column"
        ),
        pytest.param(
            "written: torch-2.14.1-py3-none-any.whl",
            ["written:", "  torch-2.14.1-py3-none-any.whl"],
            id="a long name",
        ),
        pytest.param(
            "hint: to see it: nvidia-variant-provider detect -v (no network)",
            ["hint: to see it:", "  nvidia-variant-provider detect -v", "  (no network)"],
            id="a command",
        ),
        pytest.param(
            "nvidia-variant-provider lint: error: no such file",
            ["nvidia-variant-provider", "  lint: error: no", "  such file"],
            id="the head of an error is no command",
        ),
        pytest.param(
            "for good: sudo ldconfig -v -n /opt/lib; or reboot",
            ["for good:", "  sudo ldconfig -v -n /opt/lib;", "  or reboot"],
            id="a command ends at a semicolon",
        ),
    ],
)
def test_a_line_wraps_at_words(line: str, shown: list[str]) -> None:
    assert wrap(line, 20).splitlines() == shown


def test_text_of_help_flows_and_its_lists_and_examples_do_not() -> None:
    text = """\
A sentence that was wrapped
for a wider terminal.

examples:
  program --with many --options and words

exit codes:
  0  it went well in every way
  1  not"""

    assert reflow(text, 24).splitlines() == [
        "A sentence that was",
        "  wrapped for a wider",
        "  terminal.",
        "",
        "examples:",
        "  program --with many --options and words",
        "",
        "exit codes:",
        "  0  it went well in",
        "     every way",
        "  1  not",
    ]
