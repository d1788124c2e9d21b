"""The sheet: one examination on one A4 page, as HTML without scripts that prints cleanly."""

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from string import Template

from realtime.clinic.dates import day_labels
from realtime.clinic.excursion import REGIONS
from realtime.clinic.fngs import grade as fngs_grade
from realtime.clinic.house_brackmann import grade as hb_grade
from realtime.clinic.items import Item, Score
from realtime.clinic.plain_words import sentences
from realtime.clinic.scores import OF_AFFECTED_SIDE, SHORT_NAMES, Scores, score_examination
from realtime.clinic.sheet_rows import Measure, deviation, measures
from realtime.clinic.side_check import mixed_up_sides
from realtime.clinic.statistics import Change, Spread, change
from realtime.clinic.sunnybrook import VOLUNTARY, words_of
from realtime.clinic.synkinesis import GRADES, MOVING, Cell
from realtime.clinic.trials import NO_MILLIMETRES, WORDS, missing
from realtime.clinic.types import MOVEMENTS, Examination, Movement
from realtime.files import counted

_LENGTH_OF = {
    "rest.brow_height": "brow_height",
    "rest.fissure_height": "fissure_height",
    "rest.mrd1": "mrd1",
    "rest.mrd2": "mrd2",
    "rest.corner_height": "corner_height",
    "rest.commissure": "commissure",
}
BETWEEN_SITTINGS = (
    "Light, distance and pose differ between sittings as well: in rendered people they alone changed one repetition by up to 1.7 mm "
    "(commissure), 1.2 mm (fissure) and 1.6 mm (brow) in 95 of 100 cases."
)
"""SDC95 of one repetition, by `python -m tools.evaluate clinic --lengths-only`."""
_AFFECTED = {
    "left": "left side affected",
    "right": "right side affected",
    "both": "both sides affected",
    "none": "no side affected",
}


@dataclass(frozen=True, slots=True)
class SheetContent:
    """What a sheet is made of.

    Attributes:
        examination: with what the clinician overruled.
        before: the same person's examination before, to compare with; None: there is none.
        pictures: PNG or JPEG files by movement.
        floor: the method's own left minus right, by length at rest and by measure at the peaks (see `noise_floor`); empty: not
            measured.
        remarks: sentences about this session that the examination does not know.
    """

    examination: Examination
    before: Examination | None = None
    pictures: Mapping[Movement, bytes] = field(default_factory=dict)
    floor: Mapping[str, float] = field(default_factory=dict)
    remarks: Sequence[str] = ()


def sheet_page(content: SheetContent) -> str:
    """Make the whole page.

    Args:
        content: what to show.

    Returns:
        HTML.
    """
    examination = content.examination
    found, rows = score_examination(examination), measures(examination)
    before = None if content.before is None else (measures(content.before), score_examination(content.before))
    return _asset("sheet.html").substitute(
        title=escape(f"{examination.person}, {examination.begun[:10]}"),
        style=_asset("sheet.css").template,
        person=escape(examination.person),
        facts=escape(" · ".join(_facts(examination))),
        plain="".join(
            f"<p>{escape(one)}</p>" for one in [" ".join(sentences(examination, rows, found, _changes(rows, before)))]
        ),
        scores="".join(_score(score, before and before[1], _other_side(content, score)) for score in found.scales),
        compared="compared" if before else "",
        pictures="".join(_picture(content.pictures.get(one), one) for one in MOVEMENTS if one in _asked(content)),
        lengths=_lengths(content, rows, before and before[0]),
        legend=_legend(content),
        synkinesis=_synkinesis(found, _asked(content)),
        sunnybrook=_sunnybrook(found.sunnybrook),
        eface=_in_pairs(found.eface),
        fngs=_in_pairs(found.fngs),
        remarks="".join(f"<p>{escape(' '.join(part))}</p>" for part in (_remarks(content, found, rows), _about(found))),
        versions=escape(", ".join(f"{name} {version[:12]}" for name, version in examination.versions.items())),
    )


def _asked(content: SheetContent) -> frozenset[Movement]:
    """Movements that were asked for, and rest: the others have nothing to show."""
    return frozenset({"rest", *(one.movement for one in content.examination.repetitions)})


def _asset(name: str) -> Template:
    return Template(files("realtime.clinic").joinpath("assets", name).read_text(encoding="utf-8"))


def _facts(examination: Examination) -> Iterator[str]:
    yield examination.begun[:16].replace("T", " ")
    yield _AFFECTED[examination.affected]
    yield f"protocol {examination.protocol}"
    yield (
        "no millimetres"
        if examination.scale is None
        else f"millimetres from the {examination.scale} ({examination.age_group})"
    )
    count = sum(one.outcome == "counted" for one in examination.repetitions)
    yield counted(count, "repetition counts", "repetitions count")
    if not examination.finished:
        yield "BROKEN OFF"


def _changes(rows: Sequence[Measure], before: tuple[Sequence[Measure], Scores] | None) -> list[tuple[str, Change]]:
    if before is None:
        return []
    earlier = {row.name: row for row in before[0]}
    found = []
    for row in rows:
        for side, now, then in zip(("left", "right"), row.sides, earlier[row.name].sides, strict=True):
            compared = change(then, now)
            if compared is not None and row.moving:
                found.append((f"{row.words} ({side})", compared))
    return found


def number(value: float, digits: int = 1) -> str:
    """A figure, or a dash where there is none.

    Args:
        value: the figure.
        digits: after the point.
    """
    return f"{value:z.{digits}f}" if math.isfinite(value) else "–"


def shown(item: Item) -> str:
    """An item's figure as people read it: its value, else what it would lie between, else a dash."""
    digits = 0 if item.whole or item.highest > 50 else 1
    if item.used is not None:
        return number(item.used, digits)
    if item.least is not None and item.most is not None and (item.least, item.most) != (item.lowest, item.highest):
        return f"{number(item.least, digits)} to {number(item.most, digits)}"
    return "–"


def _noise(spread: Spread | None) -> str:
    return f"±\u00a0{number(spread.sdc_of_mean)}" if spread is not None and math.isfinite(spread.sd) else ""


def _other_side(content: SheetContent, score: Score) -> bool:
    """Does the scale's figure of the examination before tell of another side?"""
    before = content.before
    return before is not None and before.affected != content.examination.affected and score.name in OF_AFFECTED_SIDE


def _score(score: Score, before: Scores | None, other_side: bool) -> str:
    """One box: the main figure, its noise, what it is made of, and what changed."""
    earlier = None if before is None else next(one for one in before.scales if one.name == score.name)
    lines = []
    for total in _headline(score):
        text = f"<b>{shown(total)}{_grade(total)}</b><i>{escape(total.term)} {_noise(total.spread)}</i>"
        since = "<br><i>not compared: another side last time</i>" if other_side else _since(total, earlier)
        lines.append(f"<div>{text}{since}</div>")
    kind = "estimate" if score.estimate else "measured"
    return f'<div class="score">{escape(score.title)} <i>({kind})</i><div class="figures">{"".join(lines)}</div></div>'


def _headline(score: Score) -> Sequence[Item]:
    if score.name == "eface":
        return [score.item("eface.nine")]
    return score.totals if score.name == "house_brackmann" else score.totals[-1:]


def _grade(total: Item) -> str:
    if total.used is None:
        return ""
    if total.name == "fngs.total":
        return f" = {fngs_grade(total.used)}"
    return f" / 8 = {hb_grade(total.used)}" if total.name.startswith("house_brackmann") else ""


def _since(total: Item, earlier: Score | None) -> str:
    if earlier is None:
        return ""
    compared = change(earlier.item(total.name).spread, total.spread)
    if compared is None:
        return ""
    mark = ' class="changed"' if compared.verdict == "changed" else ""
    return f"<br><i{mark}>{compared.difference:+z.1f} since last time: {compared.verdict}</i>"


def _picture(picture: bytes | None, movement: Movement) -> str:
    caption = f"<figcaption>{escape(WORDS[movement])}</figcaption>"
    if picture is None:
        return f'<figure><div class="none">no picture</div>{caption}</figure>'
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    data = base64.b64encode(picture).decode("ascii")
    return f'<figure><img alt="{escape(WORDS[movement])}" src="data:image/{kind};base64,{data}">{caption}</figure>'


def _lengths(content: SheetContent, rows: Sequence[Measure], before: Sequence[Measure] | None) -> str:
    earlier = {row.name: row for row in before or ()}
    head = ["mm", '<span class="left">left</span>', '<span class="right">right</span>', "share", "± SDC"]
    head += ["error"] if content.floor else []
    head += ["Δ left", "Δ right"] if before else []
    body = ["<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
    for row in rows:
        if row.movement not in _asked(content):
            continue
        cells = [escape(row.term + (" (0–5)" if row.unit != "mm" else ""))]
        cells += [
            f'<span class="{side}">{_mean(one)}</span>' for side, one in zip(("left", "right"), row.sides, strict=True)
        ]
        share = row.share(content.examination.affected)
        cells += [f"{100 * share:.0f} %" if math.isfinite(share) else "", number(row.sdc_of_mean)]
        if content.floor:
            error = content.floor.get(_LENGTH_OF.get(row.name, row.name), math.nan)
            cells.append(f"{error:+z.1f}" if math.isfinite(error) else "")
        if before:
            cells += [_change(then, now) for then, now in zip(earlier[row.name].sides, row.sides, strict=True)]
        title = f' title="{escape(row.reason)}" class="empty"' if row.reason else ""
        body.append(f"<tr{title}>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    middle = deviation(content.examination)
    if middle is not None:
        side = "left" if middle.mean > 0 else "right"
        text = f"{abs(middle.mean):.1f} to the {side} {_noise(middle)}"
        body.append(f'<tr><td>philtrum off the middle, rest</td><td colspan="{len(head) - 1}">{text}</td></tr>')
    return f'<table class="numbers">{"".join(body)}</table>'


def _legend(content: SheetContent) -> str:
    error = " Error: left − right on which a picture and its mirror image disagree, each by itself: no property of the face."
    since = ""
    if content.before:
        then = day_labels([content.before.begun, content.examination.begun])[0]
        since = f" Δ: change since {escape(then)}; *: more than noise (2.77 SEM of both sittings, or Student's t)."
    return (error if content.floor else "") + since


def _mean(spread: Spread | None) -> str:
    return "–" if spread is None else number(spread.mean)


def _change(before: Spread | None, after: Spread | None) -> str:
    compared = change(before, after)
    if compared is None:
        return "–"
    text = f"{compared.difference:+z.1f}"
    return f'<span class="changed">{text} *</span>' if compared.verdict == "changed" else text


def _synkinesis(found: Scores, asked: frozenset[Movement]) -> str:
    units = {
        "brow": "mm",
        "eye": "%",
        "lids": "AU 45",
        "nose": "AU 9+10",
        "mouth": "mm",
        "corner": "AU 12",
        "chin": "AU 17",
    }
    body = [
        "<tr><th>left | right</th>" + "".join(f"<th>{region}<br>{units[region]}</th>" for region in REGIONS) + "</tr>"
    ]
    for movement in (one for one in MOVING if one in asked):
        cells = [found.synkinesis.cell(movement, region) for region in REGIONS]
        body.append(f"<tr><td>{escape(WORDS[movement])}</td>{''.join(_cell(cell) for cell in cells)}</tr>")
    note = (
        '<p class="note">Shaded: one side moves along more than the other, beyond noise; '
        '<span class="mild">mild</span> <span class="moderate">moderate</span> <span class="severe">severe</span>. '
        "In brackets: moves in the movement itself. Eye: share of its opening that is lost.</p>"
    )
    return f'<table class="synkinesis">{"".join(body)}</table>{note}'


def _cell(cell: Cell) -> str:
    left, right = cell.moved
    if not (math.isfinite(left) and math.isfinite(right)):
        return f'<td class="empty" title="{escape(cell.reason)}">–</td>'
    digits, factor = (0, 100) if cell.region == "eye" else (1, 1)
    text = f"{number(factor * left, digits)} | {number(factor * right, digits)}"
    if cell.intended:
        return f'<td class="empty">({text})</td>'
    if cell.grade is None:
        return f'<td class="empty" title="{escape(cell.reason)}">{text}</td>'
    if not cell.grade:
        return f"<td>{text}</td>"
    return f'<td class="{GRADES[cell.grade]}" title="{GRADES[cell.grade]}, {cell.side}">{text}</td>'


def _figure(item: Item) -> str:
    """An item's figure; the estimate stands beside a clinician's value."""
    if item.overruled is None:
        return f'<span title="{escape(item.reason)}">{shown(item)}</span>'
    estimate = "" if item.value is None else f", estimate {number(item.value, 0)}"
    return f"{shown(item)} <i>(clinician{estimate})</i>"


def _sunnybrook(score: Score) -> str:
    """Movements with their two items a row, then rest and the sums."""
    body = ["<tr><th>movement<th>voluntary (1–5)<th>synkinesis (0–3)</tr>"]
    for movement in VOLUNTARY:
        moved, along = (score.item(f"sunnybrook.{part}.{movement}") for part in ("voluntary", "synkinesis"))
        words = [escape(moved.term), *(f"{escape(words_of(one))} {_figure(one)}" for one in (moved, along))]
        body.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in words) + "</tr>")
    rest = ", ".join(f"{one} {_figure(score.item(f'sunnybrook.rest.{one}'))}" for one in ("eye", "cheek", "mouth"))
    sums = [f"{name} {_figure(score.item(f'sunnybrook.{name}'))}" for name in ("voluntary", "rest", "synkinesis")]
    body.append(f'<tr><td>at rest</td><td colspan="2">{rest}</td></tr>')
    body.append(f'<tr><td>sums (x 4, x 5, x 1)</td><td colspan="2">{", ".join(sums)}</td></tr>')
    return f"<table>{''.join(body)}</table>"


def _in_pairs(score: Score) -> str:
    """Items two a row."""
    cells = [f"<td>{escape(one.term)}</td><td>{_figure(one)}</td>" for one in (*score.items, *score.totals)]
    cells += ["<td></td><td></td>"] * (len(cells) % 2)
    half = len(cells) // 2
    rows = "".join(f"<tr>{cells[i]}{cells[half + i]}</tr>" for i in range(half))
    return f'<table class="pairs">{rows}</table>'


def _remarks(content: SheetContent, found: Scores, rows: Sequence[Measure]) -> Iterator[str]:
    examination = content.examination
    if asked := mixed_up_sides(examination, rows):
        yield asked
    rejected = [one for one in examination.repetitions if one.outcome == "rejected"]
    if rejected:
        reasons: dict[str, int] = {}
        for one in rejected:
            reasons[one.reason] = reasons.get(one.reason, 0) + 1
        told = "; ".join(
            f"{reason.rstrip('.')} ({count} x)" for reason, count in sorted(reasons.items(), key=lambda r: -r[1])[:3]
        )
        tries = "1 try" if len(rejected) == 1 else f"{len(rejected)} tries"
        yield f"{tries} did not count: {told}."
    skipped = sorted({WORDS[one.movement] for one in examination.repetitions if one.outcome == "skipped"})
    if skipped:
        yield f"Skipped: {', '.join(skipped)}."
    if examination.scale == "population mean":
        yield "The millimetres rest on the population's mean pupil distance: a guess of this person's size."
    if found.synkinesis.noisy:
        yield "Too few moments of rest: synkinesis was judged without this sitting's own noise."
    yield from _empty(found, examination)
    if content.before is not None:
        yield BETWEEN_SITTINGS
    yield from content.remarks


def _about(found: Scores) -> Iterator[str]:
    """What to know of each scale."""
    for score in found.scales:
        if score.remarks:
            yield f"{SHORT_NAMES[score.name]}: {' '.join(score.remarks)}"


def _empty(found: Scores, examination: Examination) -> Iterator[str]:
    """Why items are empty, each reason once."""
    reasons: dict[str, list[str]] = {}
    without = [one for score in found.scales for one in score.items if one.reason.startswith(NO_MILLIMETRES)]
    if without:
        yield f"{NO_MILLIMETRES}: what rests on lengths is empty."
    made = {one.movement for one in examination.repetitions}
    never = {missing(examination, one): WORDS[one] for one in MOVING if one not in made and examination.finished}
    if never:
        yield f"Not part of this examination: {', '.join(never.values())}; items that need them are empty."
    for score in found.scales:
        for item in score.items:
            if item.used is None and item not in without and item.reason not in never:
                reasons.setdefault(item.reason, []).append(item.term)
    for reason, terms in reasons.items():
        more = f" and {len(terms) - 3} more" if len(terms) > 3 else ""
        yield f"Empty: {', '.join(terms[:3])}{more}. {reason}"
