"""report.html: one page over all recordings of a batch. No script and no network, any browser."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

import numpy as np

from realtime.action_units.names import name_of
from realtime.batch.inputs import Input
from realtime.batch.ledger import Ledger
from realtime.batch.plan import Plan, problems_of
from realtime.batch.tables import columns_of, done_of
from realtime.errors import DeviceError
from realtime.files import reason, write_atomically
from realtime.render.palette import INK, LEFT, NEUTRAL, RIGHT, WARNING
from realtime.session.report import css
from realtime.session.schema import AUS

NAME = "report.html"
_MOST_ROWS = 500
_MOST_GROUPS = 12
_FULL = 5.0
_Done = Sequence[tuple[Input, Mapping[str, Any]]]


def write_page(ledger: Ledger, plan: Plan) -> Path:
    """Write the page.

    Args:
        ledger: of the batch.
        plan: of the batch.

    Returns:
        The file.

    Raises:
        DeviceError: it cannot be written; what was there before stays.
    """
    target = ledger.out / NAME
    try:
        with write_atomically(target) as file:
            file.write(page(ledger, plan).encode("utf-8", "replace"))
    except OSError as error:
        raise DeviceError(f"{target} cannot be written ({reason(error)}).") from None
    return target


def page(ledger: Ledger, plan: Plan) -> str:
    """Make the whole page, as HTML.

    Args:
        ledger: of the batch.
        plan: of the batch.
    """
    done, columns = done_of(ledger, plan), columns_of(plan.inputs)
    units = [au for au in AUS if any(_mean(figures, au, "left") is not None for _, figures in done)]
    colours = {"left": css(LEFT), "right": css(RIGHT)}
    style = _asset("realtime.session", "report.css").substitute(
        ink=css(INK), light=css(NEUTRAL), mark=css(WARNING), **colours
    )
    return _asset("realtime.batch", "page.html").substitute(
        style=style,
        name=escape(ledger.out.name),
        facts=_facts(ledger, plan, done),
        remarks=_remarks(problems_of(ledger, plan)),
        groups="".join(_group_table(done, column, units) for column in columns),
        charts="".join(_chart(done, au) for au in units) or "<p>No Action Unit was measured.</p>",
        table=_table(done, columns, units),
        **colours,
    )


def _asset(package: str, name: str) -> Template:
    return Template(files(package).joinpath("assets", name).read_text(encoding="utf-8"))


def _facts(ledger: Ledger, plan: Plan, done: _Done) -> str:
    states = list(ledger.states().values())
    seconds = sum(float(figures.get("seconds", 0)) for _, figures in done)
    frames = sum(int(figures.get("frames", 0)) for _, figures in done)
    faces = sum(int(figures.get("face_frames", 0)) for _, figures in done)
    fingerprint, _, _ = ledger.head()
    rest = [str(figures.get("rest", "")) for _, figures in done]
    words = {word: rest.count(word) for word in ("calibrated", "settled", "provisional")}
    facts = {
        "recordings": f"{len(done):,} measured of {len(states):,}",
        "not measured": ", ".join(
            f"{count} {word}"
            for word, count in (
                ("failed", states.count("failed")),
                ("put aside", states.count("aside")),
                ("changed since", len(plan.changed)),
                ("waiting", states.count("waiting") + states.count("claimed")),
            )
            if count
        )
        or "none",
        "length": f"{seconds / 60:,.1f} min, {frames:,} frames, a face on {100 * faces / max(frames, 1):.0f} %",
        "rest": ", ".join(f"{count} {word}" for word, count in words.items() if count) or "unknown",
        "program": f"facemirror-live {fingerprint.program['facemirror-live']}, fingerprint {fingerprint.hash[:12]}",
    }
    return "".join(f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in facts.items())


def _remarks(problems: Sequence[str]) -> str:
    if not problems:
        return ""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in problems)
    return f"<section><h2>Needs a look</h2><ul>{items}</ul></section>"


def _group_table(done: _Done, column: str, units: Sequence[int]) -> str:
    """Means over the recordings with the same value in a column, where it makes groups."""
    values = [one.columns.get(column, "") for one, _ in done]
    groups = sorted(set(values))
    if not 1 < len(groups) <= _MOST_GROUPS or len(groups) == len(values):
        return ""
    head = _cells("th", [escape(column), "recordings", *(_unit(au) for au in units)])
    body = []
    for group in groups:
        inside = [figures for (_, figures), value in zip(done, values, strict=True) if value == group]
        cells = [escape(group) or "–", str(len(inside))]
        for au in units:
            sides = [[m for f in inside if (m := _mean(f, au, side)) is not None] for side in ("left", "right")]
            cells.append(_pair(*(float(np.mean(side)) if side else None for side in sides)))
        body.append(f"<tr>{_cells('td', cells)}</tr>")
    return (
        f'<section><h2>By {escape(column)}</h2><div class="wide"><table><tr>{head}</tr>{"".join(body)}</table></div>'
        "<p><small>Each recording counts once, however long it is.</small></p></section>"
    )


def _chart(done: _Done, au: int) -> str:
    """Left and right mean of every recording, side by side."""
    width, height, left, bottom = 1200, 70, 30, 8
    step = (width - left - 10) / max(len(done), 1)
    radius = max(1.5, min(4.0, step / 3))
    marks = []
    for place, (one, figures) in enumerate(done):
        x = left + (place + 0.5) * step
        pair = {side: _mean(figures, au, side) for side in ("left", "right")}
        ys = {s: height - bottom - (height - bottom - 6) * v / _FULL for s, v in pair.items() if v is not None}
        title = escape(f"{one.name}: left {_number(pair['left'])}, right {_number(pair['right'])}")
        line = ""
        if len(ys) == 2:
            ends = f'x1="{x - radius:.1f}" x2="{x + radius:.1f}" y1="{ys["left"]:.1f}" y2="{ys["right"]:.1f}"'
            line = f'<line class="grid" {ends}/>'
        places = {"left": x - radius, "right": x + radius}
        dots = "".join(
            f'<circle class="{s[0]}" cx="{places[s]:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>' for s, y in ys.items()
        )
        marks.append(f"<g><title>{title}</title>{line}{dots}</g>")
    grid = "".join(
        f'<line class="grid" x1="{left}" x2="{width - 10}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
        for value in (0, _FULL)
        for y in [height - bottom - (height - bottom - 6) * value / _FULL]
    )
    label = escape(f"AU {au}, {name_of(au)}: means of all recordings")
    return (
        f"<h2>AU {au} <small>{escape(name_of(au))}</small></h2>"
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{grid}{"".join(marks)}</svg>'
    )


def _table(done: _Done, columns: Sequence[str], units: Sequence[int]) -> str:
    head = ["recording", *map(escape, columns), "length", "face", "rest", *(_unit(au) for au in units)]
    body = []
    for one, figures in done[:_MOST_ROWS]:
        share = 100 * int(figures.get("face_frames", 0)) / max(int(figures.get("frames", 0)), 1)
        cells = [
            f'<a href="recordings/{quote(one.name)}/">{escape(one.name)}</a>',
            *(escape(one.columns.get(column, "")) for column in columns),
            f"{float(figures.get('seconds', 0)):.1f} s",
            f"{share:.0f} %",
            escape(str(figures.get("rest", "")) or "–"),
            *(_pair(_mean(figures, au, "left"), _mean(figures, au, "right")) for au in units),
        ]
        body.append(f"<tr>{_cells('td', cells)}</tr>")
    more = len(done) - _MOST_ROWS
    rest = f"<p>{more:,} more are in recordings.csv.</p>" if more > 0 else ""
    return f"<table><tr>{_cells('th', head)}</tr>{''.join(body)}</table>{rest}"


def _cells(kind: str, cells: Sequence[str]) -> str:
    return "".join(f"<{kind}>{cell}</{kind}>" for cell in cells)


def _unit(au: int) -> str:
    return f'<abbr title="{escape(name_of(au))}">AU {au}</abbr>'


def _pair(left: float | None, right: float | None) -> str:
    return f'<span class="left">{_number(left)}</span> <span class="right">{_number(right)}</span>'


def _mean(figures: Mapping[str, Any], au: int, side: str) -> float | None:
    value = figures.get("action_units", {}).get(f"AU{au:02d}_{side}_mean")
    return None if value is None else float(value)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
