"""An estimate of the Sunnybrook Facial Grading System (Ross, Fradet and Nedzelski 1996) from measured excursions.

Composite = 4 x voluntary movement - 5 x resting symmetry - 1 x synkinesis. Clinicians judge by eye; the steps below are this
program's own translation of their words into shares and millimetres. The nasolabial fold is not measured: its item is empty until
the clinician enters it, and the composite says what it lies between.
"""

import math
from dataclasses import replace

from realtime.clinic.eface import NO_FOLD
from realtime.clinic.excursion import TARGETS, excursion, share, unit_share
from realtime.clinic.items import Item, Score, overrule, sum_of
from realtime.clinic.statistics import SDC_OF_SEM, Spread, spread
from realtime.clinic.synkinesis import GRADES, SynkinesisMatrix
from realtime.clinic.trials import NO_HEALTHY_SIDE, WORDS, View, missing, pair, resting, trials, views
from realtime.clinic.types import Examination, Movement

VOLUNTARY: tuple[Movement, ...] = ("brow_raise", "gentle_closure", "open_smile", "snarl", "pucker")
STEPS = (0.125, 0.375, 0.625, 0.875)
"""Shares of the healthy side's excursion from which a movement is slight, mild, almost complete and complete."""
VOLUNTARY_WORDS = ("", "none", "slight", "mild excursion", "almost complete", "complete")
EYE_MM = 1.5
"""Difference of the palpebral fissures at rest from which the eye counts as narrow or wide."""
MOUTH_MM = 2.0
"""Difference of the corners' heights at rest from which the mouth counts as dropped or pulled up."""
RATER_SDC = 20.0
"""Points by which two judgements of one experienced rater may differ: 2.77 x 25 x sqrt(1 - 0.915)."""


def voluntary_grade(found: float) -> int:
    """1 none to 5 complete, for a share of the healthy side's excursion."""
    return 1 + sum(found >= step for step in STEPS)


def sunnybrook(examination: Examination, matrix: SynkinesisMatrix) -> Score:
    """Estimate the scale.

    Args:
        examination: where no side is affected, the weaker side counts in each item.
        matrix: of the same examination.
    """
    rest = overrule([_rest_eye(examination), _rest_cheek(), _rest_mouth(examination)], examination.overruled)
    moves = overrule([_voluntary(examination, one) for one in VOLUNTARY], examination.overruled)
    along = overrule([_synkinesis(matrix, one) for one in VOLUNTARY], examination.overruled)
    totals = (
        sum_of(
            Item("sunnybrook.rest", "resting symmetry (x 5)", "face at rest", None, highest=20, whole=True),
            rest,
            [5.0] * len(rest),
        ),
        sum_of(
            Item("sunnybrook.voluntary", "voluntary movement (x 4)", "movement", None, lowest=20, whole=True),
            moves,
            [4.0] * len(moves),
        ),
        sum_of(
            Item("sunnybrook.synkinesis", "synkinesis (x 1)", "unwanted movements", None, highest=15, whole=True),
            along,
            [1.0] * len(along),
        ),
    )
    composite = Item("sunnybrook.composite", "composite", "all together", None, whole=True)
    remarks = [
        f"One experienced rater who judges twice may differ by {RATER_SDC:g} points.",
        "Healthy people reach 65 to 100 with clinicians: no figure here is a threshold of health.",
    ]
    if examination.scale is None:
        remarks.append("There are no millimetres: voluntary movement is judged by Action Units.")
    elif by_action_units := _judged_by_units(examination):
        remarks.append(
            f"Judged by Action Units, because lengths were not measured at the peak: {', '.join(by_action_units)}. "
            "Do not compare that with sittings that were judged by lengths."
        )
    if examination.affected == "none":
        remarks.append("No side is affected: in each item the weaker side was judged.")
    return Score(
        "sunnybrook",
        "Sunnybrook Facial Grading System",
        True,
        (*rest, *moves, *along),
        (*totals, sum_of(composite, [totals[1], totals[0], totals[2]], [1.0, -1.0, -1.0])),
        tuple(remarks),
    )


def _item(name: str, term: str, words: str, lowest: int, highest: int) -> Item:
    return Item(f"sunnybrook.{name}", term, words, None, lowest=lowest, highest=highest, whole=True, replaceable=True)


def _rest_eye(examination: Examination) -> Item:
    item = _item("rest.eye", "eye at rest", "opening of the eye at rest", 0, 1)
    return _rest(examination, item, "fissure_height", "the palpebral fissure", EYE_MM)


def _rest_mouth(examination: Examination) -> Item:
    item = _item("rest.mouth", "mouth at rest", "corner of the mouth at rest", 0, 1)
    return _rest(examination, item, "corner_height", "the corner of the mouth", MOUTH_MM)


def _rest_cheek() -> Item:
    item = _item("rest.cheek", "cheek at rest (nasolabial fold)", "fold between nose and mouth at rest", 0, 2)
    return replace(item, reason=f"{NO_FOLD[:-1]}; the clinician can enter the item.")


def _rest(examination: Examination, item: Item, measure: str, what: str, least: float) -> Item:
    """0 balanced, 1 not: the sides differ by more than `least` and than this examination's noise."""
    if examination.affected == "both":
        return replace(item, reason=NO_HEALTHY_SIDE)
    found = spread(a - h for a, h in (pair(one, measure, View("left", "right")) for one in resting(examination)))
    if found is None:
        return replace(item, reason=missing(examination, "rest", what))
    noise = SDC_OF_SEM / math.sqrt(2) * found.sd if found.count > 1 else 0.0
    return replace(item, value=float(abs(found.mean) > max(least, noise)))


def shares(examination: Examination, movement: Movement) -> Spread | None:
    """The affected side's share of the healthy excursion over the repetitions; of the weaker side where none is affected.

    Args:
        examination: that was made.
        movement: what was asked for.

    Returns:
        None where no repetition gives one.
    """
    found = trials(examination, movement)
    measure = unit_share if by_units(examination, movement) else share
    # The weaker side is chosen once, by all repetitions: choosing it in each would count noise as weakness.
    each = [spread(measure(trial, movement, view) for trial in found) for view in views(examination.affected)]
    return min((one for one in each if one is not None), key=lambda one: one.mean, default=None)


def by_units(examination: Examination, movement: Movement) -> bool:
    """Whether Action Units tell the shares: there are no millimetres, or none of the lengths that this movement is judged by.

    A healthy side that was measured and hardly moved is no reason.

    Args:
        examination: finished or not.
        movement: one of those that are judged.
    """
    if examination.scale is None:
        return True
    region = TARGETS[movement].region
    found = trials(examination, movement)
    return not any(all(math.isfinite(excursion(one, region, side)) for side in ("left", "right")) for one in found)


def _judged_by_units(examination: Examination) -> list[str]:
    """Movements that Action Units tell although there are millimetres."""
    lacking = [one for one in VOLUNTARY if TARGETS[one].region != "nose" and by_units(examination, one)]
    return [WORDS[one] for one in lacking if shares(examination, one) is not None]


def no_share(examination: Examination, movement: Movement) -> str:
    """Say why there is no share.

    Args:
        examination: that was made.
        movement: what was asked for.
    """
    if examination.affected == "both":
        return NO_HEALTHY_SIDE
    if trials(examination, movement):
        return f"The healthy side hardly moved in {WORDS[movement]}, or was not measured."
    return missing(examination, movement, f"the {TARGETS[movement].region}")


def _voluntary(examination: Examination, movement: Movement) -> Item:
    item = _item(f"voluntary.{movement}", f"{WORDS[movement]} ({TARGETS[movement].term})", WORDS[movement], 1, 5)
    found = shares(examination, movement)
    if found is None:
        return replace(item, reason=no_share(examination, movement))
    # In the scale's steps, but not rounded to them: four steps from no movement to all of the healthy side's.
    steps = Spread(1 + 4 * min(max(found.mean, 0.0), 1.0), 4 * found.sd, found.count)
    return replace(item, value=float(voluntary_grade(found.mean)), spread=steps)


def _synkinesis(matrix: SynkinesisMatrix, movement: Movement) -> Item:
    item = _item(f"synkinesis.{movement}", f"synkinesis in {WORDS[movement]}", f"unwanted, in {WORDS[movement]}", 0, 3)
    worst = matrix.during(movement)
    if worst is None or worst.grade is None:
        cells = [one for one in matrix.cells if one.movement == movement and not one.intended]
        reason = cells[0].reason if cells else f"In {WORDS[movement]} no region is judged."
        return replace(item, reason=reason)
    return replace(item, value=float(worst.grade))


def words_of(item: Item) -> str:
    """An item's value in the scale's own words; empty where there is none."""
    if item.used is None:
        return ""
    if ".voluntary." in item.name:
        return VOLUNTARY_WORDS[round(item.used)]
    if ".synkinesis." in item.name:
        return GRADES[round(item.used)]
    return ""
