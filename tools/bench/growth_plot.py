"""Small multiples as one SVG: a panel for each figure and each thing that grows."""

from collections.abc import Mapping, Sequence
from html import escape

_STEP, _HEIGHT, _GAP, _LEFT, _TOP, _BOTTOM = 50, 120, 24, 24, 46, 30
"""Pixels; a step is the width of one situation with its label."""
_COLOUR = "#0b62a4"

Panel = Sequence[tuple[str, float | None]]
"""(label, value) of each situation, in order; None: not measured."""


def growth_svg(title: str, panels: Mapping[str, Mapping[str, Panel]], units: Mapping[str, str]) -> str:
    """Rows are what is measured, columns what grows.

    Args:
        title: of the picture.
        panels: by what is measured, then by what grows.
        units: by what is measured.
    """
    columns = list(dict.fromkeys(axis for row in panels.values() for axis in row))
    widths = {axis: _STEP * max(len(row.get(axis, ())) for row in panels.values()) for axis in columns}
    width = _LEFT + sum(widths.values()) + _GAP * len(columns)
    height = _TOP + len(panels) * (_HEIGHT + _BOTTOM + _GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{_LEFT}" y="20" font-size="14">{escape(title)}</text>',
    ]
    x = _LEFT
    for axis in columns:
        parts.append(f'<text x="{x}" y="{_TOP - 8}" font-weight="bold">{escape(axis)}</text>')
        for j, (what, row) in enumerate(panels.items()):
            if axis in row:
                y = _TOP + j * (_HEIGHT + _BOTTOM + _GAP)
                parts += _panel(x, y, f"{what} ({units[what]})" if units[what] else what, row[axis])
        x += widths[axis] + _GAP
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(x: float, y: float, name: str, values: Panel) -> list[str]:
    known = [value for _, value in values if value is not None]
    top = max(known, default=1.0) * 1.1 or 1.0
    parts = [
        f'<rect x="{x}" y="{y}" width="{_STEP * len(values)}" height="{_HEIGHT}" fill="none" stroke="#ccc"/>',
        f'<text x="{x + 4}" y="{y + 13}" fill="#555">{escape(name)}</text>',
    ]
    places = []
    for k, (label, value) in enumerate(values):
        middle = x + (k + 0.5) * _STEP
        parts.append(
            f'<text x="{middle:.1f}" y="{y + _HEIGHT + 13}" text-anchor="middle" font-size="9">{escape(label)}</text>'
        )
        if value is None:
            continue
        height = y + _HEIGHT - value / top * (_HEIGHT - 18)
        places.append(f"{middle:.1f},{height:.1f}")
        parts.append(f'<circle cx="{middle:.1f}" cy="{height:.1f}" r="3" fill="{_COLOUR}"/>')
        parts.append(
            f'<text x="{middle:.1f}" y="{height - 5:.1f}" text-anchor="middle" font-size="9">{value:.3g}</text>'
        )
    if len(places) > 1:
        parts.insert(2, f'<polyline points="{" ".join(places)}" fill="none" stroke="{_COLOUR}" stroke-width="1.5"/>')
    return parts
