"""The page "Which wheel would I get?" as its readers use it, in Chromium."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.site.conftest import ROOT, SCHEMES, WIDTHS

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.site


def opened(browser: Browser, site: str, width: str = "desktop", scheme: str = "light") -> Page:
    dark: Literal["dark", "light"] = "dark" if scheme == "dark" else "light"
    context = browser.new_context(
        viewport={"width": WIDTHS[width], "height": 900}, color_scheme=dark
    )
    page = context.new_page()
    page.goto(f"{site}/which.html")
    page.wait_for_selector("#which-answer table")
    return page


def verdict(page: Page) -> str:
    text: str = page.inner_text("#which-answer p >> nth=0")
    return text


def choose(page: Page, gpu: str, driver: str, release: str) -> None:
    page.fill("#which-gpu", gpu)
    if driver:
        page.select_option("#which-driver", label=driver)
    page.select_option("#which-release", label=release)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_everybody_can_use_it(
    width: str, scheme: str, browser: Browser, site: str, axe: str
) -> None:
    page = opened(browser, site, width, scheme)
    page.evaluate(axe)
    report = page.evaluate(
        "axe.run('#which', {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
    )
    page.screenshot(path=ROOT / ".cache" / "site" / f"which-{width}-{scheme}.png", full_page=True)

    assert [(row["id"], row["nodes"][0]["html"]) for row in report["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0


@pytest.mark.parametrize(
    ("gpu", "driver", "release", "label"),
    [
        ("RTX 4090", "R580 (CUDA 13.0)", "torch 2.14.1", "cu132"),
        ("GTX 1080 Ti", "R580 (CUDA 13.0)", "torch 2.14.1", "cu126"),
        ("V100", "R550 (CUDA 12.4)", "torch 2.14.1", "cu126"),
        ("RTX 5090", "R570 (CUDA 12.8)", "torch 2.8.0", "cu129"),
    ],
)
def test_it_names_the_build(
    gpu: str, driver: str, release: str, label: str, browser: Browser, site: str
) -> None:
    page = opened(browser, site)
    choose(page, gpu, driver, release)

    assert verdict(page).startswith(f"{label} is selected for {release}")
    assert f"--index-url {page_index()}/{label}" in page.inner_text("#which-answer")


def page_index() -> str:
    data = json.loads((ROOT / "docs" / "data" / "nvidia-data.json").read_text("utf-8"))
    return str(data["torch_index"])


def test_a_gpu_without_a_build_is_told_so(browser: Browser, site: str) -> None:
    page = opened(browser, site)
    choose(page, "V100", "R580 (CUDA 13.0)", "torch 2.15.0")

    assert verdict(page).startswith("The CPU build (cpu) is selected for torch 2.15.0")
    assert "no toolkit after 12.9 builds for this GPU" in page.inner_text("#which-answer table")
    answer = page.inner_text("#which-answer")
    assert "torch 2.14.1 has a build that fits: cu126." in answer
    assert f"pip install torch==2.14.1 --index-url {page_index()}/cu126" in answer
    assert "/cpu" not in answer


@pytest.mark.parametrize(
    ("typed", "selected", "command"),
    [
        ("gh200@580", "cu132", "run --target gh200@580 -- pip install torch==2.14.1"),
        ("a10+t4@550", "cu126", "run --target a10+t4@550 -- pip install torch==2.14.1"),
        ("NVIDIA GeForce RTX 5090", "cu132", "run --target rtx-5090@580 -- pip"),
        # PyTorch's wheels for server Arm have no code for this board.
        ("jetson-orin@jetpack6", "The CPU build (cpu)", "no device code for 8.7"),
    ],
)
def test_the_gpu_field_takes_targets_and_names_of_products(
    typed: str, selected: str, command: str, browser: Browser, site: str
) -> None:
    page = opened(browser, site)
    choose(page, typed, "", "torch 2.14.1")

    assert verdict(page).startswith(f"{selected} is selected for torch 2.14.1")
    assert command in page.inner_text("#which-answer")


def test_a_name_that_means_no_gpu_or_several_is_said_and_answers_nothing(
    browser: Browser, site: str
) -> None:
    page = opened(browser, site)
    page.fill("#which-gpu", "rtx6000")
    ambiguous = page.inner_text("#which-answer")
    page.fill("#which-gpu", "4090 oops")

    assert ambiguous.startswith("rtx6000 can mean ")
    assert page.inner_text("#which-answer") == "there is no 4090 oops"
    assert page.query_selector("#which-answer table") is None


def test_a_link_to_an_answer_opens_it_again(browser: Browser, site: str) -> None:
    page = opened(browser, site)
    choose(page, "V100", "R550 (CUDA 12.4)", "torch 2.13.0")
    again = browser.new_page()
    again.goto(page.url)
    again.wait_for_selector("#which-answer table")

    assert verdict(again) == verdict(page)
    assert again.input_value("#which-driver") == "550"


def test_a_command_is_copied_as_it_stands(browser: Browser, site: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{site}/which.html#gpu=h100@580&release=2.14.1")
    page.get_by_label("Copy the command for uv").click()

    assert page.evaluate("navigator.clipboard.readText()") == (
        "uv pip install torch==2.14.1 --torch-backend cu132"
    )


def test_it_reads_a_release_and_a_machine_from_files(
    browser: Browser, site: str, tmp_path: Path
) -> None:
    release = tmp_path / "demo-1.0-variants.json"
    stated = {"nvidia": {"cuda_version_lower_bound": ["13.0"], "sm_arch": ["90_real"]}}
    release.write_text(
        json.dumps(
            {
                "default-priorities": {"namespace": ["nvidia"]},
                "providers": {"nvidia": {"requires": ["nvidia-variant-provider"]}},
                "variants": {"null": {}, "mine": stated},
            }
        )
    )
    machine = tmp_path / "machine.json"
    machine.write_text(json.dumps(an_h100("13.0")))
    page = opened(browser, site)
    page.set_input_files("#which-file", [release, machine])
    page.wait_for_selector("text=mine is selected for demo-1.0-variants.json")
    named = page.inner_text("#which-answer")
    field = page.input_value("#which-gpu")
    machine.write_text(json.dumps(an_h100("12.8")))
    page.set_input_files("#which-file", [machine])
    page.wait_for_selector("text=The CPU build (null) is selected")

    assert "needs CUDA 13.0 or newer" in page.inner_text("#which-answer table")
    assert field == "capability 9.0"
    assert "nvidia-variant-provider run --machine machine.json -- pip install demo==1.0" in named
    page.fill("#which-gpu", "H100")
    assert verdict(page).startswith("mine is selected for demo-1.0")
    page.select_option("#which-release", label="torch 2.14.1")
    assert verdict(page).startswith("cu132 is selected for torch 2.14.1")


def an_h100(cuda: str) -> dict[str, object]:
    return {"cuda_driver_version": cuda, "gpus": [{"compute_capability": "9.0"}]}


def test_the_keyboard_alone_is_enough(browser: Browser, site: str) -> None:
    page = opened(browser, site)
    page.focus("#which-gpu")
    page.keyboard.press("Control+A")
    page.keyboard.type("Tesla P100")
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))

    assert reached == ["which-driver", "which-platform", "which-release", "which-file"]
    assert "P100" in page.inner_text("#which-gpu-note")
