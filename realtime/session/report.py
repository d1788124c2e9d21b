"""One page about a session: curves of every Action Unit on both sides, symmetry, gaps and markers. Needs no network."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from realtime.errors import DeviceError
from realtime.files import reason
from realtime.render.palette import INK, LEFT, NEUTRAL, RIGHT, WARNING, Colour
from realtime.session.choices import in_words
from realtime.session.manifest import session_of
from realtime.session.markers import Mark, read_markers
from realtime.session.read_frames import F64, QUIET, Rows, read_rows
from realtime.session.svg_chart import Curve, Plot

NAMES = {
    1: "inner brow raiser", 2: "outer brow raiser", 4: "brow lowerer", 5: "upper lid raiser", 6: "cheek raiser",
    7: "lid tightener", 9: "nose wrinkler", 10: "upper lip raiser", 12: "lip corner puller", 14: "dimpler",
    15: "lip corner depressor", 17: "chin raiser", 18: "lip pucker", 20: "lip stretcher", 23: "lip tightener",
    25: "lips part", 26: "jaw drop", 43: "eye closure", 45: "blink",
}  # fmt: skip
_FULL = 5.0
_AGAINST = {"none": "the mean face", "running": "the person's running median", "calibrated": "a calibration"}


def write_report(session: Path, target: Path) -> Path:
    """Write the page. Raises UserInputError (no session, damaged rows) or DeviceError (disk)."""
    described = session_of(session)
    rows = read_rows(session / "frames.csv")
    page = report_page(session.resolve().name, described, rows, read_markers(session / "markers.csv"))
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise DeviceError(f"{target} cannot be written ({reason(error)}).") from None
    return target


def report_page(name: str, described: Mapping[str, Any], rows: Rows, markers: Sequence[Mark]) -> str:
    """The whole page as text."""
    length = float(rows.times[-1]) if len(rows.times) else 0.0
    marks = [(mark.capture_time - rows.start, number) for number, mark in enumerate(markers, 1)]
    plot = Plot(rows.times, length, rows.gaps(), [(at, n) for at, n in marks if 0 <= at <= length])
    units = rows.units()
    sections = [
        f"<section><h2>AU {au} <small>{NAMES.get(au, '')}</small></h2>"
        + plot.svg(
            f"Action Unit {au}, left and right, over time",
            [
                Curve("patient's right", rows.right[au], css(RIGHT)),
                Curve("patient's left", rows.left[au], css(LEFT)),
            ],
            _FULL,
        )
        + "</section>"
        for au in units
    ]
    symmetry = plot.svg("Symmetry over time", [Curve("symmetry", rows.overall_symmetry(), css(NEUTRAL))], 1.0)
    none = "<p>No Action Unit was measured in this session.</p>"
    return _PAGE.format(
        style=_STYLE.format(left=css(LEFT), right=css(RIGHT), ink=css(INK), light=css(NEUTRAL), mark=css(WARNING)),
        name=escape(name),
        facts=_facts(described, rows, length, len(markers)),
        symmetry=f"<section><h2>Symmetry</h2><p>Weaker side's share of the stronger, mean over the Action Units that reach "
        f"{QUIET} on a side: 1 alike, 0 one side only; no line at rest.</p>{symmetry}</section>",
        table=_table(rows, units) if units else none,
        curves="".join(sections),
        gaps=_gaps(rows),
        markers=_markers(markers, rows.start),
    )


def css(colour: Colour) -> str:
    """A BGR colour as CSS writes it."""
    blue, green, red = colour
    return f"#{red:02x}{green:02x}{blue:02x}"


def _facts(described: Mapping[str, Any], rows: Rows, length: float, markers: int) -> str:
    count = len(rows.times)
    measured = int(rows.face.sum())
    states = {word: rows.neutral.count(word) for word in ("none", "running", "calibrated")}
    summary = described.get("summary") or {}
    facts = {
        "recorded": str(described.get("written", "")),
        "length": f"{length:.1f} s",
        "frames": f"{count:,}, a face measured on {100 * measured / count if count else 0:.0f} %",
        "dropped": f"{rows.status.count('dropped'):,}",
        "gaps": f"{len(rows.gaps())} ({sum(b - a for a, b in rows.gaps()):.1f} s)",
        "markers": str(markers),
        "affected side": in_words(described.get("affected_side"), rows.start),
        "measured against": ", ".join(f"{_AGAINST[word]} ({n:,} frames)" for word, n in states.items() if n)
        or "nothing",
        "ended": str(summary.get("ended", "not in order")),
    }
    return "".join(f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in facts.items())


def _table(rows: Rows, units: Sequence[int]) -> str:
    head = "<tr><th>AU<th>movement<th>mean left<th>mean right<th>peak left<th>peak right<th>symmetry (median)</tr>"
    body = []
    for au in units:
        left, right = rows.left[au], rows.right[au]
        numbers = (_number(left, "mean"), _number(right, "mean"), _number(left, "peak"), _number(right, "peak"))
        cells = [str(au), NAMES.get(au, ""), *numbers, _number(rows.symmetry(au), "median")]
        body.append("<tr>" + "".join(f"<td>{escape(cell)}" for cell in cells) + "</tr>")
    return f"<table>{head}{''.join(body)}</table>"


def _number(values: F64, what: str) -> str:
    known = values[np.isfinite(values)]
    if not len(known):
        return "–"
    ways: dict[str, Callable[[F64], Any]] = {"mean": np.mean, "peak": np.max, "median": np.median}
    return f"{float(ways[what](known)):.2f}"


def _gaps(rows: Rows) -> str:
    found = rows.gaps()
    if not found:
        return "<p>No gap: a face was measured throughout.</p>"
    return "<ul>" + "".join(f"<li>{a:.1f} to {b:.1f} s ({b - a:.1f} s)</li>" for a, b in found) + "</ul>"


def _markers(markers: Sequence[Mark], start: float) -> str:
    if not markers:
        return "<p>None was set.</p>"
    body = "".join(
        f"<tr><td>{number}<td>{mark.capture_time - start:.2f} s<td>{escape(mark.wall_time)}"
        f"<td>{escape(mark.text)}<td>{escape(mark.source)}</tr>"
        for number, mark in enumerate(markers, 1)
    )
    return f"<table><tr><th>#<th>at<th>date and time<th>text<th>by</tr>{body}</table>"


_STYLE = """
body{{background:{ink};color:{light};font:15px/1.45 system-ui,sans-serif;max-width:960px;margin:24px auto;padding:0 16px}}
h1{{font-size:24px}} h2{{font-size:17px;margin:18px 0 2px}} small{{font-weight:400;opacity:.75}} section{{break-inside:avoid}}
svg{{width:100%;height:auto;display:block}} path{{fill:none;stroke-width:1.5;stroke-linejoin:round}}
svg text{{fill:{light};font-size:11px}} .grid{{stroke:#444}} .gap{{fill:#3a3a3a}}
line.mark{{stroke:{mark};stroke-dasharray:3 3}} svg text.mark{{fill:{mark}}}
.left,.right{{font-weight:600}} .left{{color:{left}}} .right{{color:{right}}}
dl{{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px}} dt{{opacity:.75}} dd{{margin:0}}
table{{border-collapse:collapse;width:100%}} td,th{{text-align:left;padding:3px 10px 3px 0;border-bottom:1px solid #444}}
@media print{{body{{-webkit-print-color-adjust:exact;print-color-adjust:exact}}}}
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{name}</title><style>{style}</style></head><body>
<h1>{name}</h1><dl>{facts}</dl>
<p><span class="left">orange: the patient's left</span> · <span class="right">blue: the patient's right</span> ·
grey: gaps · dashed: markers. Intensity 0 to 5.</p>
{symmetry}{table}{curves}
<section><h2>Gaps</h2>{gaps}</section><section><h2>Markers</h2>{markers}</section>
<p><small>Measurements, not a diagnosis.</small></p>
</body></html>
"""
