"""The figures as bars: one self-contained SVG, a panel a work, shorter is better."""

from __future__ import annotations

from html import escape

from bench.catalog import CONTESTANTS, WORKS
from bench.report import Report, heading, number, title
from bench.runner import Outcome

WIDTH, LEFT, RIGHT = 900, 230, 110
BAR, GAP, HEAD, FOOT = 16, 5, 44, 14
OWN, OTHER, INK, FAINT = "#0b7285", "#adb5bd", "#212529", "#6c757d"
LINE = 110


def svg(report: Report) -> str:
    parts: list[str] = []
    y = 30
    parts.append(_text(20, y, "mizzle beside the other drivers: shorter is better", size=17, weight="bold"))
    for text in (piece for line in heading(report) for piece in _wrapped(line)):
        y += 17
        parts.append(_text(20, y, text, size=11, colour=FAINT))
    y += 20
    for work, outcomes in report.outcomes.items():
        panel, height = _panel(work, title(work, report.sizes), outcomes, y)
        parts += panel
        y += height
    style = "font-family:system-ui,sans-serif"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 10}" '
        f'viewBox="0 0 {WIDTH} {y + 10}" style="{style}">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _panel(work: str, name: str, outcomes: dict[str, Outcome], y: int) -> tuple[list[str], int]:
    metric = WORKS[work].metric
    medians = sorted((o.median(metric), n) for n, o in outcomes.items() if o.rounds)
    parts = [_text(20, y + 26, name, size=13, weight="bold"), _text(WIDTH - 20, y + 26, WORKS[work].unit, anchor="end")]
    top = max((median for median, _ in medians), default=0) or 1
    row = y + HEAD
    for median, contestant in medians:
        colour = OWN if CONTESTANTS[contestant].driver == "mizzle" else OTHER
        length = max(1.5, median / top * (WIDTH - LEFT - RIGHT))
        parts.append(_text(LEFT - 8, row + 12, CONTESTANTS[contestant].label, anchor="end"))
        parts.append(f'<rect x="{LEFT}" y="{row}" width="{length:.1f}" height="{BAR}" fill="{colour}" rx="2"/>')
        parts.append(_text(LEFT + length + 6, row + 12, number(median)))
        low, high = (value / top * (WIDTH - LEFT - RIGHT) for value in outcomes[contestant].spread(metric))
        high = min(high, WIDTH - LEFT - 20)
        parts.append(f'<path d="M{LEFT + low:.1f} {row + BAR / 2}H{LEFT + high:.1f}" stroke="{INK}" opacity=".5"/>')
        row += BAR + GAP
    for contestant, outcome in outcomes.items():
        if not outcome.rounds:
            parts.append(_text(LEFT - 8, row + 12, CONTESTANTS[contestant].label, anchor="end", colour=FAINT))
            parts.append(_text(LEFT, row + 12, (outcome.error or "")[: LINE - 20], colour=FAINT))
            row += BAR + GAP
    return parts, row + FOOT - y


def _text(
    x: float, y: float, text: str, *, size: int = 12, weight: str = "normal", anchor: str = "start", colour: str = INK
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{colour}">{escape(text)}</text>'
    )


def _wrapped(line: str) -> list[str]:
    """Break at spaces, because SVG does not."""
    lines = [""]
    for word in line.split(" "):
        if len(lines[-1]) + len(word) > LINE + 20:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
