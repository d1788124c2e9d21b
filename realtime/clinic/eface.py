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

from realtime.clinic.excursion import TARGETS, closure, happened
from realtime.clinic.items import Item, Score, mean_item, sum_of
from realtime.clinic.trials import (
    CLOSED,
    NAN,
    NO_HEALTHY_SIDE,
    WORDS,
    Side,
    Trial,
    View,
    corner,
    length,
    missing,
    pair,
    resting,
    trials,
    views,
)
from realtime.clinic.types import Examination, Movement, Snapshot

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
    """Why an item is empty."""
    if name == "ocular_synkinesis":
        return next(
            (reason for movement in _MOUTH if (reason := _no_fissure_ratio(examination, movement))),
            missing(examination, "open_smile", "the palpebral fissure"),
        )
    movement, what = _SOURCES[name]
    found = trials(examination, movement)
    if name in _LEAST and any(_still(trial, name) for trial in found):
        return _hardly_moved(name, movement)
    if name in _CLOSURES and any(
        _shut(trial.rest, view.affected) for trial in found for view in views(examination.affected)
    ):
        return f"The eye was shut at rest, before {WORDS[movement]}."
    return missing(examination, movement, what)


def _no_fissure_ratio(examination: Examination, movement: Movement) -> str:
    """Why a movement of the mouth says nothing of the eyes; empty where it does."""
    view, found = View("left", "right"), trials(examination, movement)
    if any(math.isfinite(_fissure_ratio(trial, movement, view)) for trial in found):
        return ""
    if any(happened(trial, movement) is False for trial in found):
        return f"Neither side moved in {WORDS[movement]}: nothing could move along."
    if any(_shut(trial.peak, side) for trial in found for side in view):
        return f"An eye was shut in {WORDS[movement]}."
    return missing(examination, movement, "the palpebral fissure")


def _hardly_moved(name: str, movement: Movement) -> str:
    least = _LEAST[name]
    if name in _CLOSURES:
        return (
            f"Neither eye closed by {100 * least:g} % of its opening in {WORDS[movement]}: the movement was not made."
        )
    return f"Neither side moved by {least:g} mm in {WORDS[movement]}: a share of less would be noise."


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
_MEASURES = {"brow_raise": ("brow_height", 1), "smile": ("commissure", 1), "lower_lip": ("lower_lip_height", -1)}
"""Of the dynamic items that compare both sides: which length, and whether it grows (1) or shrinks (-1) in the movement."""
_CLOSURES = ("gentle_closure", "full_closure")
_MOUTH: tuple[Movement, ...] = ("open_smile", "pucker")
_LEAST = {
    "brow_raise": TARGETS["brow_raise"].least,
    "gentle_closure": TARGETS["gentle_closure"].least,
    "full_closure": TARGETS["tight_closure"].least,
    "smile": TARGETS["open_smile"].least,
    "lower_lip": 1.0,
}
"""What the side that moves more must reach, or the movement was not made: mm, or share of the eye's opening."""


def _values(examination: Examination, name: str, view: View) -> list[float]:
    """One value for each repetition, NaN where it was not measured or the movement was not made."""
    if name in ("brow", "fissure", "commissure"):
        return [_static(name, snapshot, view) for snapshot in resting(examination)]
    if name == "ocular_synkinesis":
        smile, pucker = (
            [clip(_fissure_ratio(trial, movement, view)) for trial in trials(examination, movement)]
            for movement in _MOUTH
        )
        return [a + b if math.isnan(a + b) else min(a, b) for a, b in zip(smile, pucker, strict=False)]
    return [_dynamic(trial, name, view) for trial in trials(examination, _SOURCES[name][0])]


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


def _dynamic(trial: Trial, name: str, view: View) -> float:
    """D1, D4 and D5: the affected side's share of the healthy side's excursion. D2 and D3: of the eye's own opening.

    Where the side that moves more stays below `_LEAST`, the movement was not made, and there is no share to be had. Where only
    the healthy side does, the affected side moves farther than it: the whole share.
    """
    affected, healthy = (_moved(trial, name, side) for side in view)
    if math.isnan(affected) or _still(trial, name):
        return NAN
    if name in _CLOSURES:
        return clip(100 * affected)
    return 100.0 if healthy < _LEAST[name] else clip(_ratio(affected, healthy))


def _moved(trial: Trial, name: str, side: Side) -> float:
    """How far a side moves in the movement's own direction, in the unit of `_LEAST`."""
    if name in _CLOSURES:
        return closure(trial, side)
    measure, direction = _MEASURES[name]
    return direction * (length(trial.peak, measure, side) - length(trial.rest, measure, side))


def _still(trial: Trial, name: str) -> bool:
    """Whether it was measured that neither side moves far enough to be compared with."""
    moved = [_moved(trial, name, side) for side in View("left", "right")]
    return all(math.isfinite(one) for one in moved) and max(moved) < _LEAST[name]


def _fissure_ratio(trial: Trial, movement: Movement, view: View) -> float:
    """The affected eye's opening while the mouth moves, in % of the healthy one's.

    NaN where the movement was not made, or that eye is shut.
    """
    affected, healthy = pair(trial.peak, "fissure_height", view)
    if happened(trial, movement) is False or healthy < CLOSED:
        return NAN
    return _ratio(affected, healthy)


def _shut(snapshot: Snapshot, side: Side) -> bool:
    return length(snapshot, "fissure_height", side) < CLOSED
