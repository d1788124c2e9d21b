"""One page about a session: curves of every Action Unit on both sides, symmetry, gaps and markers. Needs no network."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, get_args

import numpy as np

from realtime.action_units.names import muscle_of, name_of
from realtime.action_units.symmetry import QUIET
from realtime.errors import DeviceError
from realtime.files import reason, write_atomically
from realtime.render.palette import INK, LEFT, NEUTRAL, RIGHT, WARNING, Colour
from realtime.session.choices import history
from realtime.session.folder import FRAMES, SESSION
from realtime.session.length_report import affected_side, lengths_section
from realtime.session.manifest import session_of
from realtime.session.markers import Mark, read_markers
from realtime.session.read_frames import GAP, Rows, read_rows
from realtime.session.svg_chart import Curve, Plot, bridged, stretches
from realtime.types import F64, FacePart, Sides

_FULL = 5.0
_NAMED = 12
_ENDINGS = {
    "ended": "with its source",
    "duration": "after the time that was set",
    "interrupted": "by an interruption (Ctrl-C or a signal)",
    "failed": "by a failure",
}
_AGAINST = {
    "none": "the mean face",
    "running": "the person's running median",
    "recording": "the person's rest over the whole recording",
    "calibrated": "a calibration",
}


def write_report(session: Path, target: Path) -> Path:
    """Write the page.

    Args:
        session: the session's folder.
        target: the page's file; one that exists is replaced.

    Returns:
        `target`.

    Raises:
        UserInputError: there is no session, or it is damaged.
        DeviceError: the page cannot be written.
    """
    described = session_of(session)
    rows = read_rows(session / FRAMES)
    page = report_page(session.resolve().name, described, rows, read_markers(session / "markers.csv"))
    try:
        with write_atomically(target) as file:
            file.write(page.encode("utf-8", "replace"))
    except OSError as error:
        raise DeviceError(f"{target} cannot be written ({reason(error)}).") from None
    return target


def report_page(name: str, described: Mapping[str, Any], rows: Rows, markers: Sequence[Mark]) -> str:
    """Make the whole page.

    Args:
        name: the session's name.
        described: the content of session.json, as `session_of` gives it.
        rows: of frames.csv.
        markers: of markers.csv.

    Returns:
        HTML.
    """
    length = float(rows.times[-1]) if len(rows.times) else 0.0
    marks = [(mark.capture_time - rows.start, number) for number, mark in enumerate(markers, 1)]
    shown = [(at, n) for at, n in marks if 0 <= at <= length]
    plot = Plot(rows.times, length, rows.gaps(), shown, seen=rows.face)
    units = rows.units()
    none = "<p>No Action Unit was measured in this session.</p>"
    style = _asset("report.css").substitute(
        left=css(LEFT), right=css(RIGHT), ink=css(INK), light=css(NEUTRAL), mark=css(WARNING)
    )
    return _asset("report.html").substitute(
        style=style,
        name=escape(name),
        full=f"{_FULL:g}",
        quiet=QUIET,
        facts=_facts(described, rows, length, len(markers)),
        symmetry=plot.svg("Symmetry over time", [Curve("symmetry", rows.overall_symmetry(), css(NEUTRAL))], 1.0),
        table=_table(rows, units) if units else none,
        curves="".join(_section(plot, rows, au) for au in units)
        + lengths_section(
            rows.lengths,
            rows.scale_source,
            affected_side(described.get("affected_side")),
            plot,
            Sides(css(LEFT), css(RIGHT)),
        ),
        gaps=_gaps(rows),
        hidden=_hidden(rows),
        markers=_markers(markers, rows.start),
    )


def css(colour: Colour) -> str:
    """A BGR colour as CSS writes it."""
    blue, green, red = colour
    return f"#{red:02x}{green:02x}{blue:02x}"


def _asset(name: str) -> Template:
    return Template(files("realtime.session").joinpath("assets", name).read_text(encoding="utf-8"))


def _section(plot: Plot, rows: Rows, au: int) -> str:
    curves = [
        Curve("patient's right", rows.right[au], css(RIGHT), expected=True),
        Curve("patient's left", rows.left[au], css(LEFT), expected=True),
    ]
    svg = plot.svg(f"Action Unit {au}, {name_of(au)}, left and right, over time", curves, _FULL)
    return f"<section><h2>AU {au} {escape(name_of(au))} <small>{escape(muscle_of(au))}</small></h2>{svg}</section>"


def _facts(described: Mapping[str, Any], rows: Rows, length: float, markers: int) -> str:
    count = len(rows.times)
    measured = int(rows.face.sum())
    states = {word: rows.neutral.count(word) for word in _AGAINST}
    summary = described.get("summary") or {}
    facts = {
        "recorded": _begin(described),
        "length": f"{length:.1f} s",
        "frames": f"{count:,}, a face measured on {100 * measured / count if count else 0:.0f} %",
        "dropped": f"{rows.status.count('dropped'):,}",
        "gaps": f"{len(rows.gaps())} ({sum(b - a for a, b in rows.gaps()):.1f} s)",
        "markers": str(markers),
        "affected side": history(described.get("affected_side"), rows.start),
        "measured against": ", ".join(f"{_AGAINST[word]} ({n:,} frames)" for word, n in states.items() if n)
        or "nothing",
        "ended": _ending(summary),
    }
    return "".join(f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in facts.items() if value)


def _begin(described: Mapping[str, Any]) -> str:
    """Date and time of the first moment, not of the file's last writing; empty where a recording does not tell."""
    try:
        return datetime.fromisoformat(described["started"]["utc"]).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (KeyError, TypeError, ValueError, OverflowError):
        return ""


def _ending(summary: Mapping[str, Any]) -> str:
    if "ended" not in summary:
        return f"not in order: {SESSION} holds no figures"
    return _ENDINGS.get(str(summary["ended"]), str(summary["ended"]))


def _table(rows: Rows, units: Sequence[int]) -> str:
    columns = ("AU", "movement", "muscle", "mean left", "mean right", "peak left", "peak right", "symmetry (median)")
    head = "<tr>" + "".join(f"<th>{column}" for column in columns) + "</tr>"
    body = []
    for au in units:
        left, right = rows.left[au], rows.right[au]
        numbers = (_number(left, "mean"), _number(right, "mean"), _number(left, "peak"), _number(right, "peak"))
        cells = [str(au), name_of(au), muscle_of(au), *numbers, _number(rows.symmetry(au), "median")]
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


def _hidden(rows: Rows) -> str:
    """Which parts were hidden, for how long, and when."""
    if not rows.face.any():
        return "<p>No face was measured.</p>"
    if not rows.tells_hidden:
        return "<p>Not told: an earlier version wrote the rows, or the landmark network does not judge it.</p>"
    seen = int(rows.face.sum())
    items = []
    for part in get_args(FacePart):
        there = np.array([part in parts for parts in rows.hidden], bool)
        if there.any():
            found = stretches(rows.times, bridged(rows.times, rows.face, there, GAP))
            named = ", ".join(f"{a:.1f} to {b:.1f} s" for a, b in found[:_NAMED])
            more = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
            items.append(
                f"<li>{part}: {100 * int(there.sum()) / max(seen, 1):.1f} % of the measured frames ({named}{more})</li>"
            )
    return f"<ul>{''.join(items)}</ul>" if items else "<p>None was found.</p>"


def _markers(markers: Sequence[Mark], start: float) -> str:
    if not markers:
        return "<p>None was set.</p>"
    body = "".join(
        f"<tr><td>{number}<td>{mark.capture_time - start:.2f} s<td>{escape(mark.wall_time)}"
        f"<td>{escape(mark.text)}<td>{escape(mark.source)}</tr>"
        for number, mark in enumerate(markers, 1)
    )
    return f"<table><tr><th>#<th>at<th>date and time<th>text<th>by</tr>{body}</table>"
