"""auto-eFACE: the automated eFACE of Miller et al. 2021, by the formulas of its published program (Emotrics+).

A is the affected and H the healthy side. Every item is computed for each repetition, and the mean of the repetitions counts.
Lengths are taken in the axes of both eyes' centres, where Emotrics+ takes the irises', which follow the gaze.
The nasolabial fold's item needs four points on each fold, which 98 points do not hold: it stays empty. The published total is
the mean of ten items, so it stays empty too; what it would lie between is given, and the mean of the nine others under a name
of its own.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from realtime.clinic.items import Item, Score, mean_item, sum_of
from realtime.clinic.trials import (
    NAN,
    NO_HEALTHY_SIDE,
    Side,
    Trial,
    View,
    length,
    missing,
    pair,
    resting,
    trials,
    views,
)
from realtime.clinic.types import Examination, Movement, Snapshot

CLOSED = 1.0
"""Lid gaps below this count as 0, millimetres."""
NO_FOLD = "The nasolabial fold is not among the points that are measured."
_NAMES = (
    ("brow", "brow at rest (S1)", "height of the eyebrow at rest"),
    ("fissure", "palpebral fissure at rest (S2)", "opening of the eye at rest"),
    ("commissure", "oral commissure at rest (S3)", "corner of the mouth at rest"),
    ("fold", "nasolabial fold at rest (S4)", "fold between nose and mouth at rest"),
    ("brow_raise", "brow elevation (D1)", "raising the eyebrow"),
    ("gentle_closure", "gentle eye closure (D2)", "closing the eye gently"),
    ("full_closure", "full eye closure (D3)", "closing the eye tightly"),
    ("smile", "oral commissure with smile (D4)", "smiling"),
    ("lower_lip", 'lower lip with "eee" (D5)', "moving the lower lip"),
    ("ocular_synkinesis", "ocular synkinesis (Y)", "eye staying open while the mouth moves"),
)


def eface(examination: Examination) -> Score:
    """Compute auto-eFACE.

    Args:
        examination: with millimetres. Where no side is affected, each is taken as affected once, and the mean counts.
    """
    ways = views(examination.affected)
    items = [_empty(name, term, words) for name, term, words in _NAMES]
    items = [_filled(examination, item, ways) for item in items]
    remarks = ["Scores of healthy people: 93.8 ± 4.4 (published, all ten items)."]
    if examination.affected == "none":
        remarks.append("No side is affected: each was taken as affected once, and the mean is shown.")
    return Score("eface", "auto-eFACE", False, tuple(items), _totals(items), tuple(remarks))


def _empty(name: str, term: str, words: str) -> Item:
    return Item(f"eface.{name}", term, words, None)


def _totals(items: Sequence[Item]) -> tuple[Item, ...]:
    static, dynamic, synkinesis = items[:4], items[4:9], items[9]
    without_fold = [one for one in items if not one.name.endswith(".fold")]
    return (
        sum_of(_empty("static", "static score", "face at rest"), static, [0.25] * 4),
        sum_of(_empty("dynamic", "dynamic score", "face in motion"), dynamic, [0.2] * 5),
        replace(synkinesis, name="eface.synkinesis", term="synkinesis score", words="unwanted movements"),
        sum_of(
            _empty("static3", "static without the fold", "face at rest, without the fold"),
            static[:3],
            [1 / 3] * 3,
        ),
        sum_of(
            _empty("nine", "mean of nine (no fold; not the published total)", "all but the fold"),
            without_fold,
            [1 / 9] * 9,
        ),
        sum_of(_empty("total", "total (mean of ten)", "all together"), items, [0.1] * 10),
    )


def _filled(examination: Examination, item: Item, ways: Sequence[View]) -> Item:
    name = item.name.removeprefix("eface.")
    if not ways:
        return replace(item, reason=NO_HEALTHY_SIDE)
    if name == "fold":
        return replace(item, reason=NO_FOLD)
    by_view = [_values(examination, name, view) for view in ways]
    values = [sum(each) / len(each) for each in zip(*by_view, strict=True)]
    return mean_item(item, values, _reason(examination, name))


def _reason(examination: Examination, name: str) -> str:
    if name == "ocular_synkinesis":
        return next(
            (
                missing(examination, movement, "the palpebral fissure")
                for movement in ("open_smile", "pucker")
                if not _fissure_ratios(examination, movement, View("left", "right"))
            ),
            missing(examination, "open_smile", "the palpebral fissure"),
        )
    movement, what = _SOURCES[name]
    return missing(examination, movement, what)


_SOURCES: dict[str, tuple[Movement, str]] = {
    "brow": ("rest", "the brow's height"),
    "fissure": ("rest", "the palpebral fissure"),
    "commissure": ("rest", "the corner of the mouth"),
    "brow_raise": ("brow_raise", "the brow's height"),
    "gentle_closure": ("gentle_closure", "the palpebral fissure"),
    "full_closure": ("tight_closure", "the palpebral fissure"),
    "smile": ("open_smile", "the corner of the mouth"),
    "lower_lip": ("eee", "the lower lip's height"),
}


def _values(examination: Examination, name: str, view: View) -> list[float]:
    """One value for each repetition, NaN where it was not measured."""
    if name in ("brow", "fissure", "commissure"):
        return [_static(name, snapshot, view) for snapshot in resting(examination)]
    if name == "ocular_synkinesis":
        smile = _fissure_ratios(examination, "open_smile", view)
        pucker = _fissure_ratios(examination, "pucker", view)
        return [min(clip(a), clip(b)) for a, b in zip(smile, pucker, strict=False)]
    found = trials(examination, _SOURCES[name][0])
    if name in ("gentle_closure", "full_closure"):
        return [_closure(trial, view) for trial in found]
    measure = {"brow_raise": "brow_height", "smile": "commissure", "lower_lip": "lower_lip_height"}[name]
    return [_dynamic(trial, measure, view) for trial in found]


def clip(value: float, top: float = 100.0) -> float:
    """Keep a value on the scale; NaN stays NaN.

    Args:
        value: of the item.
        top: of the scale.
    """
    return value if math.isnan(value) else min(max(value, 0.0), top)


def _ratio(above: float, below: float) -> float:
    return NAN if not below else 100 * above / below


def _static(name: str, snapshot: Snapshot, view: View) -> float:
    """S1, S2 or S3: 100 is balance, whichever side is the larger one."""
    if name == "brow":
        affected, healthy = pair(snapshot, "brow_height", view)
        balance = _ratio(affected, healthy)
    elif name == "fissure":
        affected, healthy = pair(snapshot, "fissure_height", view)
        balance = _ratio(healthy, affected)
    else:
        (across_a, up_a), (across_h, up_h) = (corner(snapshot, side) for side in view)
        balance = _ratio(up_a, up_h) if 0 < up_a < up_h else _ratio(across_a, across_h)
    return 100 - abs(100 - clip(balance, 200))


def corner(snapshot: Snapshot | None, side: Side) -> tuple[float, float]:
    """Where the mouth corner lies from where the lower lip crosses the midline: millimetres across and up.

    Args:
        snapshot: of the face, or None.
        side: the patient's.
    """
    position, angle = length(snapshot, "commissure", side), length(snapshot, "smile_angle", side)
    turn = math.radians(angle - 90)
    return position * math.cos(turn), position * math.sin(turn)


def _dynamic(trial: Trial, measure: str, view: View) -> float:
    """D1, D4 and D5: the affected side's share of the healthy side's excursion; 0 where the healthy side does not move."""
    (rest_a, rest_h), (peak_a, peak_h) = pair(trial.rest, measure, view), pair(trial.peak, measure, view)
    healthy = peak_h - rest_h
    return 0.0 if healthy == 0 else clip(_ratio(peak_a - rest_a, healthy))


def _closure(trial: Trial, view: View) -> float:
    """D2 and D3: by how much of its opening the affected eye closes."""
    rest, _ = pair(trial.rest, "fissure_height", view)
    gap, _ = pair(trial.peak, "fissure_height", view)
    return clip(_ratio(rest - (0.0 if gap < CLOSED else gap), rest))


def _fissure_ratios(examination: Examination, movement: Movement, view: View) -> list[float]:
    pairs = [pair(trial.peak, "fissure_height", view) for trial in trials(examination, movement)]
    return [_ratio(affected, healthy) for affected, healthy in pairs]
