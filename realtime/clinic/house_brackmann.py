"""HB-8: the measured part of the House-Brackmann scale (1985).

The brow's way upward and the mouth corner's way sideways count one point for each full 0.25 cm, up to 1 cm each: at most 8.
"""

from dataclasses import replace

from realtime.clinic.excursion import corner_place, happened
from realtime.clinic.items import Item, Score, mean_item, sum_of
from realtime.clinic.trials import WORDS, Side, Trial, length, missing, trials
from realtime.clinic.types import Examination, Movement

STEP_MM = 2.5
MOST = 4
GRADES = ((8, "I"), (7, "II"), (5, "III"), (3, "IV"), (1, "V"), (0, "VI"))
"""Fewest points of each grade."""


def house_brackmann(examination: Examination) -> Score:
    """Count the points of both sides; what the affected side reaches is read beside the healthy side.

    Args:
        examination: with millimetres.
    """
    sides: tuple[Side, ...] = ("left", "right")
    items = [_item(examination, side, part) for side in sides for part in ("brow", "mouth")]
    totals = [
        sum_of(
            Item(f"house_brackmann.{side}", f"HB-8, {side} side", f"{side} side", None, highest=2 * MOST, whole=True),
            items[2 * number : 2 * number + 2],
            [1.0, 1.0],
        )
        for number, side in enumerate(sides)
    ]
    remarks = [
        "A healthy side seldom reaches 8: brows rise by 10.6 ± 2.5 mm, corners move by 9.3 ± 2.8 mm (published)."
    ]
    return Score(
        "house_brackmann", "House-Brackmann, measured (HB-8)", False, tuple(items), tuple(totals), tuple(remarks)
    )


def grade(points: float) -> str:
    """I to VI, for the points of one side."""
    return next(name for least, name in GRADES if points >= least)


def _item(examination: Examination, side: Side, part: str) -> Item:
    movement: Movement = "brow_raise" if part == "brow" else "open_smile"
    term = f"{'brow upward' if part == 'brow' else 'mouth corner sideways'}, {side}"
    item = Item(f"house_brackmann.{side}.{part}", term, term, None, highest=MOST, whole=True)
    made, reason = trials(examination, movement), missing(examination, movement, f"the {part}")
    if examination.affected != "both" and any(happened(trial, movement) is False for trial in made):
        # Where a side is healthy and none moves, the movement was not made: that is no grade VI of either side.
        made = [trial for trial in made if happened(trial, movement) is not False]
        reason = f"Neither side moved in {WORDS[movement]}: the movement was not made."
    # Whole quarter centimetres of the mean count; the spread is that of the length itself, in points.
    found = mean_item(item, [_way(trial, side, part) / STEP_MM for trial in made], reason)
    return found if found.value is None else replace(found, value=float(points(found.value * STEP_MM)))


def points(way: float) -> int:
    """0 to 4, for a way in millimetres."""
    # A length of exactly 2.5 mm may come out of floating point as a little less.
    return int(min(max((way + 1e-9) // STEP_MM, 0), MOST))


def _way(trial: Trial, side: Side, part: str) -> float:
    if part == "brow":
        return length(trial.peak, "brow_height", side) - length(trial.rest, "brow_height", side)
    return corner_place(trial.peak, side).outward - corner_place(trial.rest, side).outward
