"""An estimate of the Facial Nerve Grading System 2.0 (Vrabec and others 2009) from measured excursions.

Four regions of 1 (normal) to 6 (no movement) and the whole face's secondary movement of 0 to 3 are added up; the sum gives the
grade. The nasolabial fold's region is not measured: it is empty until the clinician enters it.
"""

from collections.abc import Mapping
from dataclasses import replace

from realtime.clinic.eface import NO_FOLD
from realtime.clinic.items import Item, Score, overrule, sum_of
from realtime.clinic.sunnybrook import no_share, shares
from realtime.clinic.synkinesis import SynkinesisMatrix
from realtime.clinic.trials import CLOSED, View, pair, trials, views
from realtime.clinic.types import Examination, Movement, Snapshot

GRADES = ((4, "I"), (9, "II"), (14, "III"), (19, "IV"), (23, "V"), (24, "VI"))
"""Highest sum of each grade; more than 24 is VI too."""
_NORMAL, _SLIGHT, _OBVIOUS, _TRACE = 0.875, 0.75, 0.5, 0.125
_NOTHING = 0.05
_REGIONS: dict[str, tuple[Movement, str, str]] = {
    "brow": ("brow_raise", "brow", "raising the eyebrow"),
    "eye": ("tight_closure", "eye", "closing the eye"),
    "oral": ("open_smile", "oral", "smiling"),
}


def fngs(examination: Examination, matrix: SynkinesisMatrix, at_rest: Mapping[str, float | None]) -> Score:
    """Estimate the scale.

    Args:
        examination: the examination.
        matrix: of the same examination.
        at_rest: whether eye ("eye") and mouth ("oral") are asymmetric at rest: 1 yes, 0 no, None unknown.
    """
    regions = [_region(examination, name, at_rest.get(name)) for name in _REGIONS]
    fold = replace(
        _item("fold", "nasolabial fold", "fold between nose and mouth", 1, 6),
        reason=f"{NO_FOLD[:-1]}; the clinician can enter the item.",
    )
    items = overrule((*regions[:2], fold, regions[2], _secondary(matrix)), examination.overruled)
    total = Item("fngs.total", "sum (grade I to VI)", "all together", None, lowest=4, highest=27, whole=True)
    return Score(
        "fngs",
        "Facial Nerve Grading System 2.0",
        True,
        items,
        (sum_of(total, items, [1.0] * len(items)),),
        ("Nobody has published how well one rater agrees with himself on this scale.",),
    )


def grade(total: float) -> str:
    """I to VI, for a sum."""
    return next((name for most, name in GRADES if total <= most), "VI")


def _item(name: str, term: str, words: str, lowest: int, highest: int) -> Item:
    return Item(f"fngs.{name}", term, words, None, lowest=lowest, highest=highest, whole=True, replaceable=True)


def _region(examination: Examination, name: str, at_rest: float | None) -> Item:
    movement, term, words = _REGIONS[name]
    item = _item(name, term, words, 1, 6)
    found = shares(examination, movement)
    if found is None:
        return replace(item, reason=no_share(examination, movement))
    value = region_grade(found.mean)
    if at_rest or (name == "eye" and _stays_open(examination)):
        value = max(value, 4)
    return replace(item, value=float(value))


def region_grade(share: float) -> int:
    """1 normal to 6 none, for a share of the healthy side's excursion."""
    steps = ((_NORMAL, 1), (_SLIGHT, 2), (_OBVIOUS, 3), (_TRACE, 4), (_NOTHING, 5))
    return next((value for least, value in steps if share >= least), 6)


def _stays_open(examination: Examination) -> bool:
    """Whether an eye that should be judged does not shut in tight closure, in most repetitions.

    The other eye shows what a shut eye reads: lids that touch may read as a gap of a millimetre.
    """
    ways = views(examination.affected)
    found = trials(examination, "tight_closure")
    opened = [any(_gapes(trial.peak, view) for view in ways) for trial in found]
    return sum(opened) * 2 > len(opened)


def _gapes(peak: Snapshot, view: View) -> bool:
    gap, other = pair(peak, "fissure_height", view)
    return gap >= CLOSED and gap - other >= CLOSED


def _secondary(matrix: SynkinesisMatrix) -> Item:
    item = _item("secondary", "secondary movement (whole face)", "unwanted movements", 0, 3)
    worst = matrix.worst(matrix.cells)
    if worst is None or worst.grade is None:
        return replace(item, reason="In no movement a region was judged for synkinesis.")
    return replace(item, value=float(worst.grade))
