"""What the figures say, in sentences for the person who was examined. Nothing here judges or diagnoses."""

import math
from collections.abc import Iterator, Sequence

from realtime.clinic.scores import Scores
from realtime.clinic.sheet_rows import Measure
from realtime.clinic.statistics import Change
from realtime.clinic.synkinesis import Cell
from realtime.clinic.types import Examination

_MOVEMENTS = ("brow_raise.elevation", "open_smile.commissure", "pucker.commissure")
_LID_GAP = 1.0
_FEW = 4
_HARDLY, _ALIKE = 5, 90
"""Percent of the other side's movement below which a side hardly moves, and from which it moves about as far."""


def sentences(
    examination: Examination,
    rows: Sequence[Measure],
    found: Scores,
    changes: Sequence[tuple[str, Change]] = (),
) -> list[str]:
    """Tell the examination in plain words.

    Args:
        examination: the examination.
        rows: its measures.
        found: its scores.
        changes: what is compared with the sitting before, by its plain words.
    """
    by_name = {row.name: row for row in rows}
    said = [*_movements(examination, [by_name[name] for name in _MOVEMENTS]), *_eyes(examination, by_name)]
    said += _along(found)
    said += _changed(changes)
    return said or ["Too little was measured to say anything in words."]


def _movements(examination: Examination, rows: Sequence[Measure]) -> Iterator[str]:
    for row in rows:
        share = row.share(examination.affected)
        if math.isfinite(share) and _is_more_than_noise(row):
            percent = round(100 * min(max(share, 0.0), 1.5))
            named = examination.affected in ("left", "right")
            side = f"your {examination.affected} side" if named else "the weaker side"
            other = "the other" if named else "the stronger one"
            far = "about as far as" if percent >= _ALIKE else f"{percent} % as far as"
            yield f"When {row.words}, {side} " + ("hardly moves." if percent < _HARDLY else f"moves {far} {other}.")


def _is_more_than_noise(row: Measure) -> bool:
    """Whether a side moves by more than one repetition may differ from another."""
    return any(one is not None and not abs(one.mean) <= row.sdc for one in row.sides)


def _eyes(examination: Examination, by_name: dict[str, Measure]) -> Iterator[str]:
    """Lids that touch may read as a gap of a millimetre: what counts is how much wider than the other eye's it is."""
    row = by_name["gentle_closure.gap"]
    for side, gap, other in zip(("left", "right"), row.sides, reversed(row.sides), strict=True):
        if gap is None or gap.mean < _LID_GAP or examination.affected not in (side, "both", "none"):
            continue
        alike = other is not None and gap.mean - other.mean < _LID_GAP
        if examination.affected == "both" or not alike:
            yield f"When you close your eyes gently, a gap of {gap.mean:.0f} mm stays open on your {side} side."


def _along(found: Scores) -> Iterator[str]:
    for name, what in (
        ("oral-ocular", "eye narrows when the mouth moves"),
        ("ocular-oral", "corner of the mouth moves when the eyes close"),
    ):
        cell: Cell | None = found.synkinesis.pattern(name)  # type: ignore[arg-type]
        if cell is not None and cell.grade and cell.side is not None:
            yield f"Your {cell.side} {what}, more than on the other side."


def _changed(changes: Sequence[tuple[str, Change]]) -> Iterator[str]:
    if not changes:
        return
    moved = [words for words, change in changes if change.verdict == "changed"]
    if moved:
        more = f" and {len(moved) - _FEW} more" if len(moved) > _FEW else ""
        yield f"Since last time, more than noise has changed in: {', '.join(moved[:_FEW])}{more}."
    else:
        yield "Since last time, nothing has changed by more than the noise of the measurement."
