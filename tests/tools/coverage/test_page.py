from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from nvidia_variant_provider.tools.coverage import (
    Entry,
    Release,
    StatedGpu,
    StatedMachine,
    cover,
    find,
    tally,
)
from nvidia_variant_provider.tools.coverage.catalogue import catalogue
from nvidia_variant_provider.tools.coverage.mirror import smallest
from nvidia_variant_provider.tools.coverage.page import render_page
from nvidia_variant_provider.tools.demo.releases import release as torch_release
from tests.tools.coverage.samples import fleet, stated

if TYPE_CHECKING:
    from pathlib import Path

    from nvidia_variant_provider.tools.coverage import Coverage, Fleet

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

# Asks the browser what a reader would notice: overflow, contrast, the dialog, the arrow keys.
PROBE = """
<script>
addEventListener("load", () => {
  const parse = (text) => {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => rgb.map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => {
    const [hi, lo] = [light(parse(a)), light(parse(b))].sort((x, y) => y - x);
    return (hi + 0.05) / (lo + 0.05);
  };
  const root = getComputedStyle(document.documentElement);
  const colour = (name) => root.getPropertyValue(name);
  let least = ratio(colour("--soft"), colour("--card"));
  least = Math.min(least, ratio(colour("--ink"), colour("--page")));
  for (const cell of document.querySelectorAll("td button, .legend li")) {
    const style = getComputedStyle(cell);
    const backs = cell.className === "hole"
      ? [colour("--alarm-bg"), colour("--alarm-stripe")] : [style.backgroundColor];
    for (const back of backs) least = Math.min(least, ratio(style.color, back));
  }
  const buttons = [...document.querySelectorAll("td button")];
  const hole = document.querySelector("td button.hole");
  hole.click();
  const dialog = document.querySelector("dialog");
  const said = dialog.open ? dialog.textContent : "";
  dialog.close();
  buttons[0].focus();
  buttons[0].dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true}));
  const moved = document.activeElement !== buttons[0] && document.activeElement.dataset.details;
  const input = document.querySelector("#find");
  const rowsFor = (words) => {
    input.value = words; input.dispatchEvent(new Event("input"));
    return [...document.querySelectorAll(".map tbody tr")].filter((row) => !row.hidden)
      .map((row) => row.querySelector("th").firstChild.textContent);
  };
  const holes = rowsFor("hole"), drivers = rowsFor("r470"), variants = rowsFor("cuda12.6_sbsa");
  const left = rowsFor("h100 aarch64").length;
  let saved = ""; const made = URL.createObjectURL;
  URL.createObjectURL = (blob) => { saved = blob.size; return made.call(URL, blob); };
  document.querySelector("#csv").click();
  document.title = JSON.stringify({
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    overflow: document.documentElement.scrollWidth - innerWidth, width: innerWidth,
    holes, drivers, variants, saved,
    command: document.querySelector("p.command code").textContent,
    least, said, moved: Boolean(moved), left, stops: buttons.filter((b) => b.tabIndex === 0).length,
  });
});
</script>
"""


def torch_coverage(machines: Fleet) -> Coverage:
    return cover(Release("torch", "2.14.1", "test", None, torch_release("2.14.1")), machines)


def page_of(coverage: Coverage) -> str:
    return render_page(coverage, find(coverage), smallest([coverage]))


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_page_refers_to_nothing_outside_itself() -> None:
    page = page_of(torch_coverage(tally(catalogue())))
    reader = Reader()
    reader.feed(page)

    outside = {"src", "href", "action", "poster", "data"}
    assert not [attrs for _, attrs in reader.tags if outside & set(attrs)]
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_table_has_headers_for_rows_and_columns_and_a_cell_per_kind() -> None:
    coverage = torch_coverage(tally(catalogue()))
    reader = Reader()
    reader.feed(page_of(coverage))

    scopes = [attrs["scope"] for tag, attrs in reader.tags if tag == "th"]
    details = [attrs["data-details"] or "" for _, attrs in reader.tags if "data-details" in attrs]
    assert set(scopes) == {"row", "col"}
    assert sum(len(numbers.split()) for numbers in details) == len(coverage.rows)
    assert [tag for tag, _ in reader.tags].count("h1") == 1


def test_hostile_names_stay_text() -> None:
    evil = "</script><script>alert(1)</script>\"'><img src=x>"
    entry = Entry(StatedMachine((StatedGpu(evil, "9.0"),), "580"), 2, evil, "test", "1")
    page = page_of(torch_coverage(tally([entry])))
    reader = Reader()
    reader.feed(page)

    assert [tag for tag, _ in reader.tags].count("script") == 2
    assert "img" not in [tag for tag, _ in reader.tags]
    embedded = re.search(r'id="details">(.*?)</script>', page)
    assert embedded is not None
    assert evil in json.loads(embedded[1])[0]["facts"]


def test_every_cell_says_how_many_machines_it_stands_for() -> None:
    page = page_of(torch_coverage(fleet(stated("h100", driver="580"))))

    assert "<span>cuda13.2</span><small>1</small>" in page
    assert 'data-find="h100 9.0 x86_64 linux r580 cuda13.2"' in page


def test_page_of_machines_without_gpu() -> None:
    page = page_of(torch_coverage(fleet(StatedMachine())))

    assert "no GPU" in page
    assert "⚠" not in page


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize(
    ("width", "dark"),
    [
        pytest.param(500, True, id="narrow-dark"),
        pytest.param(1400, False, id="desktop-light"),
        pytest.param(500, False, id="narrow-light", marks=pytest.mark.deep),
        pytest.param(1400, True, id="desktop-dark", marks=pytest.mark.deep),
    ],
)
def test_page_in_chromium(width: int, dark: bool, tmp_path: Path) -> None:  # noqa: FBT001
    coverage = torch_coverage(tally(catalogue(branches=(470, 535, 570, 580, 620))))
    page = render_page(coverage, find(coverage), smallest([coverage]), command="made & by")
    path = tmp_path / "page.html"
    path.write_text(page.replace("</body>", PROBE + "</body>"), encoding="utf-8")

    found = ask_chromium(path, width, dark=dark)

    assert found["width"] == width
    assert found["dark"] is dark
    assert found["overflow"] <= 0
    assert found["least"] >= 4.5
    assert "Hole: null" in found["said"]
    assert "the nearest build is" in found["said"]
    assert found["moved"] is True
    assert found["left"] == 1
    assert {"B200", "GeForce RTX 5090"} <= set(found["holes"])
    assert "L4" not in found["holes"]
    assert "Tesla V100" in found["drivers"]
    assert "B200" not in found["drivers"]
    assert set(found["variants"]) <= set(found["holes"]) | {
        "H100",
        "A100",
        "L40S",
        "GH200 Grace Hopper",
    }
    assert found["saved"] > 100
    assert found["command"] == "made & by"
    assert "nvidia-variant-provider explain SOURCE --target sm_" in found["said"]
    assert found["stops"] == 1


def ask_chromium(path: Path, width: int, *, dark: bool) -> dict[str, Any]:
    assert CHROMIUM is not None
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-dev-shm-usage", "--disable-sync"),
            *("--hide-scrollbars", f"--user-data-dir={path.parent / 'profile'}"),
            *(f"--window-size={width},900", "--virtual-time-budget=3000"),
            *(("--blink-settings=preferredColorScheme=0",) if dark else ()),
            *("--dump-dom", path.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title is not None
    from html import unescape

    answer: dict[str, Any] = json.loads(unescape(title[1]))
    return answer
