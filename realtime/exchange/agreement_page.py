"""The page and the table of a comparison: agreement of two series per Action Unit and side, with Bland-Altman plots."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template

import numpy as np

from realtime.action_units.names import name_of
from realtime.clinic.agreement import Limits, icc_agreement, icc_consistency, limits_of_agreement, pearson
from realtime.exchange.raters import RaterAgreement
from realtime.exchange.series import Key, Paired
from realtime.render.palette import INK, LEFT, NEUTRAL, RIGHT, WARNING
from realtime.session.report import css
from realtime.spreadsheet import guarded
from realtime.types import F64

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 440, 190, 36, 10, 12, 26
_MOST_POINTS = 400
_REACHES = (0.5, 1.0, 2.0, 3.0, 5.0)
_FULL = 5.0
_UNIT_COLUMNS = (
    *("au", "side", "moments", "mean_a", "mean_b", "icc_2_1", "icc_3_1", "pearson_r"),
    *("bias", "sd_of_differences", "limit_lower", "limit_upper"),
)
_UNIT_HEADS = (
    *("AU", "movement", "side", "moments", "mean A", "mean B", "ICC(2,1)", "ICC(3,1)", "r"),
    *("bias", "limits of agreement"),
)
_CODE_COLUMNS = (
    *("code", "kind", "kappa", "both_s", "only_a_s", "only_b_s", "neither_s"),
    *("events_a", "events_b", "matched", "event_f1"),
)
_CODE_HEADS = (
    *("code", "kind", "kappa", "both, s", "only A, s", "only B, s", "neither, s"),
    *("events A", "events B", "matched", "F1"),
)


@dataclass(frozen=True, slots=True)
class UnitAgreement:
    """One Action Unit on one side.

    Attributes:
        key: unit and side.
        moments: at which both have a value.
        means: of the first and of the second.
        icc21: absolute agreement; None: not defined.
        icc31: consistency; likewise.
        r: Pearson's; likewise.
        limits: of agreement, second minus first; None: fewer than two moments.
    """

    key: Key
    moments: int
    means: tuple[float, float]
    icc21: float | None
    icc31: float | None
    r: float | None
    limits: Limits | None

    @property
    def name(self) -> str:
        """Of the unit and side."""
        return f"AU{self.key[0]:02d}_{self.key[1]}"


def agreements(paired: Paired) -> list[UnitAgreement]:
    """The figures of every unit and side that has moments at which both have a value.

    Args:
        paired: the series.
    """
    found = []
    for key, (first, second) in paired.pairs.items():
        known = np.isfinite(first) & np.isfinite(second)
        a, b = first[known], second[known]
        if len(a):
            figures = icc_agreement(a, b), icc_consistency(a, b), pearson(a, b)
            means = float(a.mean()), float(b.mean())
            found.append(UnitAgreement(key, len(a), means, *figures, limits_of_agreement(a, b)))
    return found


def agreement_csv(found: Sequence[UnitAgreement]) -> bytes:
    """The figures as CSV; an empty cell is not defined.

    Args:
        found: of `agreements`.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_UNIT_COLUMNS)
    for one in found:
        limits: Sequence[float | None] = one.limits or (None,) * 4
        cells = [*one.means, one.icc21, one.icc31, one.r, *limits]
        table.writerow([*one.key, one.moments, *("" if cell is None else f"{cell:.6f}" for cell in cells)])
    return text.getvalue().encode()


def rater_csv(found: RaterAgreement) -> bytes:
    """Two coders' figures as CSV.

    Args:
        found: of `compare_raters`.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_CODE_COLUMNS)
    for one in found.codes:
        seconds = [f"{part:.3f}" for part in one.seconds] or [""] * 4
        figures = ["" if cell is None else f"{cell:.6f}" for cell in (one.kappa, one.f1)]
        table.writerow([guarded(one.code), one.kind, figures[0], *seconds, *one.events, figures[1]])
    return text.getvalue().encode()


def agreement_page(names: tuple[str, str], paired: Paired, found: Sequence[UnitAgreement]) -> str:
    """The page of two series.

    Args:
        names: of the first and of the second.
        paired: the series.
        found: their figures.
    """
    body = [
        [
            str(one.key[0]),
            name_of(one.key[0]),
            one.key[1],
            f"{one.moments:,}",
            *(_figure(value) for value in (*one.means, one.icc21, one.icc31, one.r)),
            _figure(one.limits and one.limits.bias),
            f"{_figure(one.limits.lower)} to {_figure(one.limits.upper)}" if one.limits else "–",
        ]
        for one in found
    ]
    plots = "".join(
        f"<figure><figcaption>AU {one.key[0]} {escape(name_of(one.key[0]))}, {one.key[1]}: bias "
        f"{_figure(one.limits.bias)}, limits {_figure(one.limits.lower)} to {_figure(one.limits.upper)}</figcaption>"
        f"{bland_altman(*paired.pairs[one.key], one.limits, _colour(one.key[1]))}</figure>"
        for one in found
        if one.limits is not None
    )
    words = (
        "Differences are B - A in units of intensity (0 to 5). The line is the bias, the dashed lines are the limits of "
        "agreement (bias ± 1.96 standard deviations). Neighbouring frames are not independent: these figures describe this "
        "recording, they are no test, and say nothing about other people."
    )
    content = f"{_table(_UNIT_HEADS, body)}<p>{words}</p><div class='plots'>{plots}</div>"
    return _page(names, paired.notes, content)


def rater_page(names: tuple[str, str], found: RaterAgreement, notes: Sequence[str]) -> str:
    """The page of two coders.

    Args:
        names: of the first and of the second.
        found: their figures.
        notes: what was compared.
    """
    body = [
        [
            one.code,
            one.kind,
            _figure(one.kappa),
            *([f"{part:.1f}" for part in one.seconds] or ["–"] * 4),
            *(str(count) for count in one.events),
            _figure(one.f1),
        ]
        for one in found.codes
    ]
    words = (
        "Kappa is Cohen's, over time: each code is said or not said at every millisecond. Labels are one event where they overlap "
        "by half of their common span or more, markers where they are at most 0.5 s apart; F1 = 2 matched / (A + B)."
    )
    return _page(names, notes, f"{_table(_CODE_HEADS, body)}<p>{words}</p>")


def bland_altman(first: F64, second: F64, limits: Limits | None, colour: str) -> str:
    """A Bland-Altman plot as one SVG element: the mean of both along, the difference second - first up.

    Args:
        first: (M,).
        second: likewise; NaN: not measured.
        limits: None: nothing is drawn.
        colour: of the points, as CSS writes it.
    """
    known = np.isfinite(first) & np.isfinite(second)
    mean, difference = (first[known] + second[known]) / 2, second[known] - first[known]
    if limits is None:
        return ""
    largest = max(float(np.abs(difference).max()), abs(limits.lower), abs(limits.upper))
    reach = next((level for level in _REACHES if largest <= level), largest)
    shown = np.unique(np.linspace(0, len(mean) - 1, min(len(mean), _MOST_POINTS)).round().astype(int))

    def x(value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(max(value / _FULL, 0.0), 1.0)

    def y(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (reach - value) / (2 * reach)

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Bland-Altman plot">']
    for level, kind in ((0.0, "grid"), (limits.bias, "bias"), (limits.lower, "limit"), (limits.upper, "limit")):
        place = f'x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(level):.1f}" y2="{y(level):.1f}"'
        parts.append(f'<line class="{kind}" {place}/>')
    parts += [
        f'<text x="{_LEFT - 5}" y="{y(level) + 4:.1f}" text-anchor="end">{level:g}</text>'
        for level in (-reach, 0.0, reach)
    ]
    parts += [f'<text x="{x(tick):.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{tick:g}</text>' for tick in range(6)]
    parts.append(f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 24}" text-anchor="end">mean of A and B</text>')
    parts.append(f'<text x="{_LEFT + 4}" y="{_TOP + 8}">B - A</text>')
    parts += [
        f'<circle cx="{x(at):.1f}" cy="{y(apart):.1f}" r="2" fill="{colour}"/>'
        for at, apart in zip(mean[shown].tolist(), difference[shown].tolist(), strict=True)
    ]
    return "".join([*parts, "</svg>"])


def _colour(side: str) -> str:
    return css({"left": LEFT, "right": RIGHT}.get(side, NEUTRAL))


def _figure(value: float | None) -> str:
    return "–" if value is None or not np.isfinite(value) else f"{round(value, 2) + 0.0:.2f}"  # no -0.00


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}" for cell in row) + "</tr>" for row in body)
    return f"<table><tr>{''.join(f'<th>{escape(cell)}' for cell in head)}</tr>{rows}</table>"


def _page(names: tuple[str, str], notes: Sequence[str], content: str) -> str:
    style = Template(files("realtime.session").joinpath("assets", "report.css").read_text(encoding="utf-8")).substitute(
        left=css(LEFT), right=css(RIGHT), ink=css(INK), light=css(NEUTRAL), mark=css(WARNING)
    )
    page = Template(files("realtime.exchange").joinpath("assets", "compare.html").read_text(encoding="utf-8"))
    return page.substitute(
        style=style, a=escape(names[0]), b=escape(names[1]), notes=escape("; ".join(notes)), content=content
    )
