"""The built site as a reader meets it, in Chromium; ``.ci/run docs`` builds it and runs this."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.site.conftest import SCHEMES, SITE, WIDTHS

if TYPE_CHECKING:
    from typing import Literal

    from playwright.sync_api import Browser, Page, Request

# Where a reader begins, a page of pictures, and a long one; axe looks at all pages.
PAGES = ("index", "cuda-compatibility", "cli")

# What a reader would notice: a page that can be pushed aside, an image that is not there, text that
# is hard to read against what lies behind it.
PROBE = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let outer = element; outer; outer = outer.parentElement) {
      const back = parse(getComputedStyle(outer).backgroundColor);
      if (back.length === 3 || back[3] === 1) return back;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("article :is(p, a, td, li, h1, h2, code span)")) {
    const ink = parse(getComputedStyle(element).color), back = behind(element);
    if (ink.length === 4 && ink[3] < 1)
      for (let i = 0; i < 3; i++) ink[i] = ink[i] * ink[3] + back[i] * (1 - ink[3]);
    const [hi, lo] = [light(ink), light(back)].sort((x, y) => y - x);
    const ratio = (hi + 0.05) / (lo + 0.05);
    if (ratio < 4.5 && element.textContent.trim() && !element.matches(".headerlink"))
      faint.push(`${element.tagName} ${element.className} ${ratio.toFixed(2)}`);
  }
  return {
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    scheme: document.body.dataset.mdColorScheme,
    overflow: document.documentElement.scrollWidth - innerWidth,
    broken: [...document.images]
      .filter((image) => !image.complete || !image.naturalWidth).map((image) => image.src),
    unnamed: [...document.images].filter((image) => !image.alt).map((image) => image.src),
    faint: [...new Set(faint)],
  };
}"""

pytestmark = pytest.mark.site


def failure_of(request: Request) -> list[str]:
    """Say what failed; not what the next page cut short, such as an icon that nobody waited for."""
    aborted = request.failure == "net::ERR_ABORTED"
    return [] if aborted else [f"failed: {request.url}: {request.failure}"]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_pages_in_chromium(width: str, scheme: str, browser: Browser, site: str) -> None:
    context = browser.new_context(
        viewport={"width": WIDTHS[width], "height": 900}, color_scheme=scheme
    )
    page = context.new_page()
    troubles: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda got: troubles.extend([got.url] if got.status >= 400 else []))
    page.on("requestfailed", lambda request: troubles.extend(failure_of(request)))
    pictures = SITE.parent / ".cache" / "site"
    pictures.mkdir(parents=True, exist_ok=True)
    for name in PAGES:
        page.goto(f"{site}/{name}.html", wait_until="load")
        seen = page.evaluate(PROBE)
        # For whoever wants to look; the tests go by what the browser answers.
        page.screenshot(path=pictures / f"{name.replace('/', '-')}-{width}-{scheme}.png")

        assert seen == {
            "dark": scheme == "dark",
            "scheme": "slate" if scheme == "dark" else "default",
            "overflow": 0,
            "broken": [],
            "unnamed": [],
            "faint": [],
        }, name
    assert troubles == []
    assert [url for url in asked if not url.startswith((site, "data:", "blob:"))] == []


# Every page in one of them here, and in all of them with the tests that take minutes.
VIEWS = [(scheme, width) for scheme in SCHEMES for width in (1280, 390)]
NAMES = sorted(
    path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if path.stem != "404"
)
# The pages of schemas are made alike: here one for each view is enough.
DIFFERENT = [name for name in NAMES if not name.startswith("schemas/")]
ALIKE = [name for name in NAMES if name.startswith("schemas/")]
# The theme and site.js let the keyboard reach what scrolls, each when the browser has told them of
# its size: later than "load", the more so on a machine that is busy.
REACHABLE = """async () => {
  const isReachable = (box) => box.scrollWidth <= box.clientWidth || box.tabIndex === 0;
  const isReady = () =>
    [...document.querySelectorAll("article table:not([class])")]
      .every((table) => table.closest(".md-typeset__scrollwrap"))
    && [...document.querySelectorAll(
      ".md-typeset__scrollwrap, .md-typeset p:has(> img[src*='pictures/'])",
    )].every(isReachable);
  const deadline = performance.now() + 60_000;
  while (!isReady() && performance.now() < deadline) await new Promise(requestAnimationFrame);
}"""
# Boxes that hide a part of a table on a desktop.
CUT = """() => [...document.querySelectorAll("article .md-typeset__scrollwrap")]
  .filter((box) => box.scrollWidth > box.clientWidth)
  .map((box) => box.innerText.slice(0, 60))"""


def check_with_axe(page: Page, address: str, scheme: str, width: int, axe: str) -> None:
    dark: Literal["dark", "light"] = "dark" if scheme == "dark" else "light"
    page.emulate_media(color_scheme=dark)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address, wait_until="load")
    # Where nothing makes a box reachable, axe names the box.
    page.evaluate(REACHABLE)
    page.evaluate(axe)
    report = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
    )

    assert [(row["id"], row["nodes"][0]["html"]) for row in report["violations"]] == [], address
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, address
    assert width == 390 or page.evaluate(CUT) == [], address


@pytest.mark.parametrize("number", range(len(VIEWS)))
def test_everybody_can_read_every_page(number: int, tab: Page, site: str, axe: str) -> None:
    for name in (*DIFFERENT[number :: len(VIEWS)], *ALIKE[number : number + 1]):
        check_with_axe(tab, f"{site}/{name}", *VIEWS[number], axe)


@pytest.mark.deep
@pytest.mark.parametrize("view", VIEWS)
def test_everybody_can_read_every_page_in_every_view(
    view: tuple[str, int], tab: Page, site: str, axe: str
) -> None:
    for name in NAMES:
        check_with_axe(tab, f"{site}/{name}", *view, axe)


@pytest.mark.parametrize(
    ("words", "page"),
    [("NV301", "verify.html"), ("NV_VARIANT_PROVIDER_GPU", "environment.html")],
)
def test_search_finds_a_code_and_a_variable(words: str, page: str, tab: Page, site: str) -> None:
    tab.goto(f"{site}/index.html")
    tab.click(".md-search__input")
    # What is typed before the index is there would be lost.
    tab.get_by_text("Type to start searching").wait_for(state="attached")
    tab.locator(".md-search__input").press_sequentially(words)

    tab.wait_for_selector(f".md-search-result__link[href*='{page}']", state="attached")


def test_copy_takes_commands_without_prompts_and_output(browser: Browser, site: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{site}/how-to/docker.html")
    page.locator(
        ".md-clipboard, .md-code__button[data-clipboard-target], [title='Copy to clipboard']"
    ).first.click()
    copied = page.evaluate("navigator.clipboard.readText()")

    assert copied.strip() == "nvidia-variant-provider targets grace"


def test_no_page_refers_to_another_host_for_what_it_needs() -> None:
    foreign = re.compile(
        r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']?(https?:)?//[^\"'> ]+"
    )
    hits = {
        path.relative_to(SITE).as_posix(): foreign.findall(path.read_text("utf-8"))
        for path in SITE.rglob("*.html")
    }

    assert {name: links for name, links in hits.items() if links} == {}
