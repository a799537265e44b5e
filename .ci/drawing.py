"""A few shapes in SVG, legible on light and dark pages: what the pictures of the docs are made of.

A drawing has its own background, and its colours follow the reader's preference; where a page has
another scheme than the reader's system, the background keeps it legible. Units are pixels at the
drawing's own size.
"""

from __future__ import annotations

from html import escape
from typing import Final

LINE: Final = 18

# Text has a contrast of at least 4.5 to what lies behind it, in both schemes.
_STYLE: Final = """\
text { font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1c2126; }
.small { font-size: 12.5px; fill: #4b5560; }
.strong { font-weight: 600; }
.code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 13px; }
.paper { fill: #ffffff; stroke: #d5dbe1; }
.plain { fill: #f3f5f7; stroke: #98a2ad; }
.good { fill: #d8f0c6; stroke: #4e8a1d; }
.half { fill: #ffe9b8; stroke: #a8730a; }
.bad { fill: #fbdcd8; stroke: #b3423a; }
.group { fill: none; stroke: #98a2ad; stroke-dasharray: 5 4; }
.arrow { fill: none; stroke: #5a6570; stroke-width: 1.5; }
.head { fill: #5a6570; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6eaee; }
  .small { fill: #b3bdc7; }
  .paper { fill: #1e2329; stroke: #3a424b; }
  .plain { fill: #2a3139; stroke: #77828e; }
  .good { fill: #24421a; stroke: #86bf5a; }
  .half { fill: #4c3a0d; stroke: #d9a53a; }
  .bad { fill: #4f2421; stroke: #e08a82; }
  .group { stroke: #77828e; }
  .arrow { stroke: #aeb8c2; }
  .head { fill: #aeb8c2; }
}
"""


class Drawing:
    """Collects shapes and renders them; ``title`` is read to who cannot see the picture."""

    def __init__(self, width: int, height: int, title: str) -> None:
        """Begin with an empty sheet."""
        self.width, self.height, self.title = width, height, title
        self._shapes: list[str] = []

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "middle") -> None:
        """Write one line; ``y`` is the middle of it."""
        self._shapes.append(
            f'<text x="{x:g}" y="{y + 5:g}" text-anchor="{anchor}"{_class(kind)}>'
            f"{escape(words)}</text>"
        )

    def box(
        self, x: float, y: float, width: float, height: float, lines: str = "", kind: str = "plain"
    ) -> None:
        """Draw a box with lines of text in its middle; the first is strong if more follow."""
        self._shapes.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6"'
            f"{_class(kind)}/>"
        )
        rows = lines.split("\n") if lines else []
        top = y + height / 2 - LINE * (len(rows) - 1) / 2
        for number, row in enumerate(rows):
            strong = "strong" if number == 0 and len(rows) > 1 else ""
            self.text(
                x + width / 2, top + LINE * number, row, strong or ("small" if number else "")
            )

    def arrow(self, *points: tuple[float, float], words: str = "") -> None:
        """Draw an arrow through the points; ``words`` stand beside its first part."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        self._shapes.append(f'<polyline points="{path}" marker-end="url(#head)"{_class("arrow")}/>')
        (x, y), (to_x, to_y) = points[0], points[1]
        if words and x == to_x:
            self.text(x + 8, (y + to_y) / 2, words, "small", "start")
        elif words:
            self.text((x + to_x) / 2, y - 10, words, "small")

    def render(self) -> str:
        """Return the file."""
        size = f'width="{self.width}" height="{self.height}"'
        view = f'viewBox="0 0 {self.width} {self.height}"'
        head = (
            '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
            'markerHeight="8" orient="auto"><path d="M0,0 L8,4 L0,8 z" class="head"/></marker>'
        )
        paper = f'<rect x="0.5" y="0.5" width="{self.width - 1}" height="{self.height - 1}" rx="8"'
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} role="img">',
            f"<title>{escape(self.title)}</title>",
            f"<style>\n{_STYLE}</style>",
            f"<defs>{head}</defs>",
            f'{paper} class="paper"/>',
            *self._shapes,
            "</svg>",
        ]
        return "\n".join(lines) + "\n"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
