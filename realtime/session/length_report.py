"""The report's section on lengths in millimetres: a table of both sides and curves of those that move most."""

from collections.abc import Mapping
from html import escape
from typing import Any, Literal

import numpy as np

from realtime.clinic.measures import MIDLINE, SIDED, Measure, share_of_healthy
from realtime.session.svg_chart import Curve, Plot
from realtime.types import F64, Sides

_DRAWN = ("brow_height", "fissure_height", "commissure")
_UNITS = {"mm": "mm", "mm2": "mm²", "degrees": "°"}


def lengths_section(
    lengths: Mapping[str, F64],
    source: str,
    affected: str,
    plot: Plot,
    colours: Sides[str],
) -> str:
    """Make the section; empty where no length was measured.

    Args:
        lengths: (N,) by column name without its mm_.
        source: what the scale comes from.
        affected: the affected side chosen last; "left", "right", or anything else for none.
        plot: the frame of the curves.
        colours: of left and right, as CSS writes them.
    """
    if not any(np.isfinite(values).any() for values in lengths.values()):
        return ""
    side: Literal["left", "right"] | None = "left" if affected == "left" else "right" if affected == "right" else None
    curves = "".join(_curves(measure, lengths, plot, colours) for measure in SIDED if measure.name in _DRAWN)
    guess = " This mean is a guess for any one person: compare the sides, not people." if "mean" in source else ""
    return (
        f"<section><h2>Lengths</h2><p>Millimetres from the {escape(source)}.{guess} Medians over all measured frames, and the "
        f"5th and 95th percentile.</p>{_table(lengths, side)}</section>{curves}"
    )


def _table(lengths: Mapping[str, F64], affected: Literal["left", "right"] | None) -> str:
    columns = ["length", "unit", "left", "left, 5 to 95 %", "right", "right, 5 to 95 %"]
    if affected is not None:
        columns.append(f"{affected} of {'right' if affected == 'left' else 'left'}")
    rows = []
    for measure in SIDED:
        left, right = (_known(lengths, f"{measure.name}_{side}") for side in ("left", "right"))
        cells = [measure.words, _UNITS[measure.unit], _median(left), _range(left), _median(right), _range(right)]
        if affected is not None:
            both = Sides(*(float(np.median(v)) if len(v) else float("nan") for v in (left, right)))
            share = share_of_healthy(both, affected) if measure.share else float("nan")
            cells.append("" if np.isnan(share) else f"{100 * share:.0f} %")
        rows.append(cells)
    empty = [""] if affected is not None else []
    for measure in MIDLINE:
        values = _known(lengths, measure.name)
        rows.append([measure.words, _UNITS[measure.unit], _median(values), _range(values), "", "", *empty])
    head = "".join(f"<th>{escape(column)}" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}" for cell in cells) + "</tr>" for cells in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _curves(measure: Measure, lengths: Mapping[str, F64], plot: Plot, colours: Sides[str]) -> str:
    sides = Sides(*(lengths[f"{measure.name}_{side}"] for side in ("left", "right")))
    top = max((float(np.max(v[np.isfinite(v)])) for v in sides if np.isfinite(v).any()), default=0.0)
    if top <= 0:
        return ""
    drawn = [
        Curve("patient's right", sides.right, colours.right, expected=True),
        Curve("patient's left", sides.left, colours.left, expected=True),
    ]
    title = f"{measure.words} in {_UNITS[measure.unit]}, left and right, over time, up to {top:.0f}"
    return (
        f"<section><h2>{escape(measure.words)} <small>{escape(measure.meaning)}; 0 to {top:.0f} {_UNITS[measure.unit]}</small></h2>"
        f"{plot.svg(title, drawn, top)}</section>"
    )


def _known(lengths: Mapping[str, F64], name: str) -> F64:
    values = lengths[name]
    return values[np.isfinite(values)]


def _median(values: F64) -> str:
    return f"{float(np.median(values)):.1f}" if len(values) else "–"


def _range(values: F64) -> str:
    if not len(values):
        return ""
    low, high = np.percentile(values, (5, 95))
    return f"{low:.1f} to {high:.1f}"


def affected_side(stored: Mapping[str, Any] | None) -> str:
    """The affected side chosen last, by session.json's entry."""
    return str(stored.get("value", "none")) if stored else "none"
