"""Lines over time as SVG: panels one above the other that share an axis of seconds. Knows no measurement.

Colours are left to the page: a series is drawn in the class that it names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

Points = Sequence[tuple[float, float | None]]  # None: there is no value, the line has a gap

WIDTH, LEFT, RIGHT = 1000, 70, 16
SAMPLE, LETTER = 26, 6.8  # a line in the legend; about the width of a letter, which SVG does not tell
HEAD, GAP = 38, 34  # above a panel for its title, below it for the axis


class Series(NamedTuple):
    label: str
    css: str
    points: Points
    steps: bool = False  # a filled staircase instead of a line


class Span(NamedTuple):
    """Something that lasted, drawn as a bar above the panels."""

    label: str
    css: str
    began: float
    ended: float


class Scale(NamedTuple):
    """From values to 0..1, with the marks of an axis."""

    low: float
    high: float
    logarithmic: bool
    marks: list[tuple[float, str]]

    def place(self, value: float) -> float:
        if not self.logarithmic:
            return (value - self.low) / (self.high - self.low)
        value = max(value, self.low)
        return math.log(value / self.low) / math.log(self.high / self.low)


def linear(highest: float, unit: str = "", marks: int = 5) -> Scale:
    """From nought to a round number above `highest`, with at most so many marks above nought."""
    rough = max(highest, 1e-9) / marks
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    count = math.ceil(highest / step - 1e-9)
    return Scale(0, step * count, False, [(step * n, f"{step * n:,g}{unit}") for n in range(count + 1)])


def decades(values: Sequence[float]) -> Scale:
    """Powers of ten, in seconds, around these values; what is below 100 µs is drawn on the floor."""
    lowest, highest = max(min(values, default=1e-3), 1e-4), max(*values, 1e-2)
    first, last = math.floor(math.log10(lowest)), math.ceil(math.log10(highest))
    return Scale(10.0**first, 10.0**last, True, [(10.0**n, in_words(n)) for n in range(first, last + 1)])


def in_words(power: int) -> str:
    return f"{10**power} s" if power >= 0 else f"{10.0 ** (power + 3):g} ms"


@dataclass
class Panel:
    title: str
    height: int
    scale: Scale
    series: list[Series]


@dataclass
class Chart:
    """Panels of `seconds` each; `notes` says for each moment what a reader who points at it is told."""

    seconds: float
    panels: list[Panel]
    spans: list[Span]
    notes: list[tuple[float, float, str]]
    caption: str

    def svg(self) -> str:
        parts, top = [self.draw_spans()], 14 + 20 * len(self.spans)
        for panel in self.panels:
            top += HEAD
            parts.append(self.draw_panel(panel, top))
            top += panel.height + GAP
        height = top + 8
        inside = "\n".join([*parts, self.draw_notes(height)])
        return (
            f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(self.caption)}" '
            f'xmlns="http://www.w3.org/2000/svg">\n{inside}\n</svg>'
        )

    def x(self, seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(seconds / self.seconds, 1.0)

    def draw_spans(self) -> str:
        parts = []
        for row, span in enumerate(self.spans):
            y, left, right = 8 + 20 * row, self.x(span.began), self.x(span.ended)
            parts.append(
                f'<rect class="span {span.css}" x="{left:.1f}" y="{y}" width="{max(right - left, 2):.1f}" height="15" '
                'rx="3"/>'
            )
            inside = right - left > LETTER * len(span.label) + 12
            parts.append(text((left if inside else right) + 7, y + 12, span.label, css="inside" if inside else "label"))
        return "\n".join(parts)

    def draw_panel(self, panel: Panel, top: float) -> str:
        bottom = top + panel.height
        parts = [text(0, top - 16, panel.title, css="title"), self.draw_legend(panel, top - 16)]
        for value, label in panel.scale.marks:
            y = bottom - panel.height * panel.scale.place(value)
            parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
            parts.append(text(LEFT - 8, y + 4, label, "end"))
        for value, label in linear(self.seconds, " s", marks=12).marks:
            if value <= self.seconds:
                parts.append(text(self.x(value), bottom + 18, label, "middle"))
        for series in panel.series:
            places = [
                (self.x(at), None if value is None else bottom - panel.height * panel.scale.place(value))
                for at, value in series.points
            ]
            parts.append(staircase(series.css, places, bottom) if series.steps else line(series.css, places))
        return "\n".join(parts)

    def draw_legend(self, panel: Panel, y: float) -> str:
        """A sample of each line and its name, flush right."""
        widths = [SAMPLE + 6 + LETTER * len(series.label) + 18 for series in panel.series]
        x, parts = WIDTH - RIGHT - sum(widths) + 18, []
        for series, width in zip(panel.series, widths, strict=True):
            parts.append(f'<path class="line {series.css}" d="M{x:.1f} {y - 4:.1f}h{SAMPLE}"/>')
            parts.append(text(x + SAMPLE + 6, y, series.label))
            x += width
        return "\n".join(parts)

    def draw_notes(self, height: float) -> str:
        return "\n".join(
            f'<rect class="note" x="{self.x(began):.1f}" y="0" width="{self.x(ended) - self.x(began):.1f}" '
            f'height="{height}"><title>{escape(note)}</title></rect>'
            for began, ended, note in self.notes
        )


def text(x: float, y: float, content: str, anchor: str = "start", css: str = "label") -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}</text>'


def line(css: str, places: Sequence[tuple[float, float | None]]) -> str:
    """A line through the places that there are; dotted where something is missing between them."""
    path, bridges, previous, whole = "", "", None, False
    for x, y in places:
        if y is None:
            whole = False
            continue
        path += f"{'L' if whole else 'M'}{x:.1f} {y:.1f}"
        if not whole and previous:
            bridges += f"M{previous}L{x:.1f} {y:.1f}"
        previous, whole = f"{x:.1f} {y:.1f}", True
    return f'<path class="bridge {css}" d="{bridges}"/><path class="line {css}" d="{path}"/>'


def staircase(css: str, places: Sequence[tuple[float, float | None]], bottom: float) -> str:
    known = [(x, bottom if y is None else y) for x, y in places]
    if not known:
        return ""
    outline = f"M{known[0][0]:.1f} {known[0][1]:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in known[1:])
    area = f"{outline}V{bottom:.1f}H{known[0][0]:.1f}Z"
    return f'<path class="area {css}" d="{area}"/><path class="line {css}" d="{outline}"/>'
