"""The course of one person over several examinations: every figure with its noise, as a table and as a page of charts."""

import csv
import io
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template

from realtime.clinic.dates import day_labels
from realtime.clinic.scores import OF_AFFECTED_SIDE, SHORT_NAMES, score_examination
from realtime.clinic.sheet_rows import measures
from realtime.clinic.statistics import LEAST_CHANGE, Spread, change, limit_of_change
from realtime.clinic.types import Examination
from realtime.spreadsheet import guarded

COLUMNS = (
    *("date", "session", "measure", "term", "side", "unit", "value", "repetitions", "sd", "sdc95"),
    *("change_since_first", "since_first", "change_since_last", "since_last", "overruled", "sdc95_of_mean"),
)
ANOTHER_SIDE = "another side affected"
"""In the place of a change, where two figures of a scale tell of different sides."""
_CHARTS = (
    "sunnybrook.voluntary",
    "sunnybrook.composite",
    "eface.nine",
    "brow_raise.elevation",
    "rest.fissure_height",
    "gentle_closure.gap",
    "open_smile.commissure",
    "pucker.commissure",
)
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 460, 130, 44, 10, 22


@dataclass(frozen=True, slots=True)
class Point:
    """One figure of one examination.

    Attributes:
        date: ISO 8601.
        session: name of its folder.
        value: what counts; None: not to be had.
        spread: over the repetitions; None: unknown.
        overruled: a clinician's values are in it.
        affected: the side that was called affected.
    """

    date: str
    session: str
    value: float | None
    spread: Spread | None
    overruled: bool = False
    affected: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """One figure over all examinations, in order of time.

    Attributes:
        name: for example "open_smile.commissure".
        term: for the clinician.
        words: for the person.
        side: "left", "right" or "" where it has no side.
        unit: "mm", "of 5" or "points".
        points: one for each examination.
    """

    name: str
    term: str
    words: str
    side: str
    unit: str
    points: tuple[Point, ...]

    @property
    def limit(self) -> float:
        """By what the first and the last value must differ to be more than noise, that of all examinations together; NaN: unknown."""
        known = [one.spread for one in self.points if one.spread is not None]
        return limit_of_change(known[0], known[-1], known) if known else math.nan

    @property
    def alike(self) -> bool:
        """Whether all points tell of the same: a scale's do not where another side was called affected."""
        return all(self.comparable(self.points[0], one) for one in self.points)

    def comparable(self, before: Point, after: Point) -> bool:
        """Whether two points tell of the same.

        Args:
            before: one of them.
            after: the other.
        """
        return before.affected == after.affected or self.name.partition(".")[0] not in OF_AFFECTED_SIDE


def course(examinations: Sequence[tuple[str, Examination]]) -> list[Series]:
    """Follow every figure.

    Args:
        examinations: (name of the session's folder, examination), in order of time.
    """
    series: dict[tuple[str, str], list[Point]] = {}
    named: dict[tuple[str, str], tuple[str, str, str]] = {}
    for session, examination in examinations:
        for key, names, value, found, overruled in _figures(examination):
            named[key] = names
            series.setdefault(key, []).append(
                Point(examination.begun, session, value, found, overruled, examination.affected)
            )
    return [
        Series(name, *named[name, side][:2], side, named[name, side][2], tuple(points))
        for (name, side), points in series.items()
    ]


_Figure = tuple[tuple[str, str], tuple[str, str, str], float | None, Spread | None, bool]


def _figures(examination: Examination) -> Iterator[_Figure]:
    for score in score_examination(examination).scales:
        for item in (*score.totals, *score.items):
            overruled = item.overruled is not None
            yield (item.name, ""), (item.term, item.words, "points"), item.used, item.spread, overruled
    for row in measures(examination):
        for side, found in zip(("left", "right"), row.sides, strict=True):
            value = None if found is None else found.mean
            yield (row.name, side), (row.term, row.words, row.unit), value, found, False


def course_csv(series: Sequence[Series]) -> str:
    """Give the course as a table: one row for each figure of each examination. What is not known is empty."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for one in series:
        for number, point in enumerate(one.points):
            found = point.spread
            table.writerow(
                (
                    guarded(point.date),
                    guarded(point.session),
                    one.name,
                    one.term,
                    one.side,
                    one.unit,
                    _cell(point.value),
                    found.count if found is not None else "",
                    _cell(found.sd if found is not None else None),
                    _cell(found.sdc if found is not None else None),
                    *_against(one, one.points[0], point, number > 0),
                    *_against(one, one.points[number - 1], point, number > 0),
                    "yes" if point.overruled else "",
                    _cell(found.sdc_of_mean if found is not None else None),
                )
            )
    return text.getvalue()


def _against(one: Series, before: Point, after: Point, asked: bool) -> tuple[str, str]:
    if asked and not one.comparable(before, after):
        return "", ANOTHER_SIDE
    compared = change(before.spread, after.spread) if asked else None
    return ("", "") if compared is None else (_cell(compared.difference), compared.verdict)


def _cell(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:z.3f}"


def course_page(person: str, series: Sequence[Series], remarks: Sequence[str] = ()) -> str:
    """Draw the course: points, and round the first examination the band of what noise explains.

    Args:
        person: whose it is.
        series: from `course`.
        remarks: what stands in the way of comparing, from `course_remarks`.

    Returns:
        HTML without scripts.
    """
    shown = [one for name in _CHARTS for one in series if one.name == name]
    groups: dict[str, list[Series]] = {}
    for one in shown:
        if any(point.value is not None for point in one.points):
            groups.setdefault(one.name, []).append(one)
    dates = day_labels([point.date for point in series[0].points]) if series else []
    return _asset("course.html").substitute(
        style=_asset("course.css").template,
        person=escape(person),
        facts=escape(f"{len(dates)} examinations, {dates[0]} to {dates[-1]}" if dates else "no examination"),
        remarks=_remarks(remarks),
        charts="".join(_chart(group) for group in groups.values()),
        table=_table(series),
    )


def _remarks(remarks: Sequence[str]) -> str:
    if not remarks:
        return ""
    return "<h2>Before you compare</h2><ul>" + "".join(f"<li>{escape(one)}</li>" for one in remarks) + "</ul>"


def _asset(name: str) -> Template:
    return Template(files("realtime.clinic").joinpath("assets", name).read_text(encoding="utf-8"))


def _chart(group: Sequence[Series]) -> str:
    first = group[0]
    values = [point.value for one in group for point in one.points if point.value is not None]
    bands = [
        (one, start, one.limit)
        for one in group
        if one.alike and (start := _start(one)) is not None and math.isfinite(one.limit)
    ]
    ends = [*values, *(start + sign * limit for _, start, limit in bands for sign in (-1, 1))]
    low, high = min(ends), max(ends)
    low, high = (low - 1, high + 1) if high - low < 1e-9 else (low, high)

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (value - low) / (high - low)

    count, days = len(first.points), day_labels([point.date for point in first.points])

    def x(number: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - 14) * ((number + 0.5) / count)

    parts = [
        f'<rect class="band {one.side}" x="{_LEFT}" width="{_WIDTH - _LEFT - 14}" y="{y(start + limit):.1f}" '
        f'height="{y(start - limit) - y(start + limit):.1f}"/>'
        for one, start, limit in bands
    ]
    parts += [
        f'<text x="{_LEFT - 5}" y="{y(value) + 4:.1f}" text-anchor="end">{value:z.1f}</text>' for value in (low, high)
    ]
    parts += [
        f'<text x="{x(i):.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(day)}</text>'
        for i, day in enumerate(days)
        if i % (1 + count // 6) == 0
    ]
    for one in group:
        known = [(x(i), y(point.value), point) for i, point in enumerate(one.points) if point.value is not None]
        for (a, b, before), (c, d, after) in itertools.pairwise(known):
            if one.comparable(before, after):
                parts.append(f'<polyline class="{one.side}" points="{a:.1f},{b:.1f} {c:.1f},{d:.1f}"/>')
        parts += [f'<circle class="{one.side}" cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b, _ in known]
    title = f"{_title(first)}, {first.unit}"
    return (
        f"<section><h2>{escape(title)} <small>{escape(first.words)}</small></h2>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg></section>'
    )


def _title(one: Series) -> str:
    """What a reader calls it: an item or a total of a scale says of which."""
    scale = SHORT_NAMES.get(one.name.partition(".")[0])
    return one.term if scale is None or scale in one.term else f"{scale}: {one.term}"


def _start(one: Series) -> float | None:
    return next((point.value for point in one.points if point.value is not None), None)


def _table(series: Sequence[Series]) -> str:
    """First and last examination side by side, where both have the figure."""
    rows = ["<tr><th>measure<th>side<th>first<th>last<th>change<th>noise up to<th></tr>"]
    for one in series:
        first, last = one.points[0], one.points[-1]
        compared = change(first.spread, last.spread) if len(one.points) > 1 else None
        if compared is None or first.value is None or last.value is None:
            continue
        mark, told = "", f"<td>–<td>–<td>{ANOTHER_SIDE}"
        if one.comparable(first, last):
            mark = ' class="changed"' if compared.verdict == "changed" else ""
            limit = f"{compared.limit:.1f}" if math.isfinite(compared.limit) else "–"
            told = f"<td>{compared.difference:+z.1f}<td>{limit}<td>{compared.verdict}"
        rows.append(
            f"<tr{mark}><td>{escape(_title(one))}<td>{one.side}<td>{_with_noise(first)}<td>{_with_noise(last)}{told}</tr>"
        )
    return f"<table>{''.join(rows)}</table>" if len(rows) > 1 else "<p>One examination: nothing to compare yet.</p>"


def _with_noise(point: Point) -> str:
    """A value, the mean that it was rounded from or that a clinician overruled, and the SDC95 of that mean."""
    found = point.spread
    assert point.value is not None
    if found is None:
        return f"{point.value:z.1f}"
    other = abs(found.mean - point.value) >= LEAST_CHANGE
    noise = f" ± {found.sdc_of_mean:.1f}" if math.isfinite(found.sdc_of_mean) else ""
    return f"{point.value:z.0f} ({found.mean:.1f}{noise})" if other else f"{point.value:z.1f}{noise}"
