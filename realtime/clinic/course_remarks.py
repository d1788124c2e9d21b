"""What stands in the way of comparing one person's examinations with each other, in sentences for the page of the course."""

from collections.abc import Callable, Iterator, Sequence

from realtime.clinic.dates import day_labels
from realtime.clinic.items import Score
from realtime.clinic.scores import score_examination
from realtime.clinic.sheet_rows import measures
from realtime.clinic.side_check import mixed_up_sides
from realtime.clinic.types import Examination

Visit = tuple[str, Examination]


def course_remarks(examinations: Sequence[Visit]) -> list[str]:
    """Say what differs between the examinations beside the face, and what single ones lack.

    Args:
        examinations: (name of the session's folder, examination), in order of time.
    """
    changed = _changing_versions([one for _, one in examinations])
    days = day_labels([one.begun for _, one in examinations])
    examinations = [(day or session, one) for day, (session, one) in zip(days, examinations, strict=True)]
    found = [
        *_unlike(
            examinations,
            "Millimetres do not all come from the same ruler",
            lambda one: one.scale or "none",
            "compare shares of the healthy side, not lengths",
        ),
        *_unlike(
            examinations,
            "The affected side is not the same",
            lambda one: one.affected,
            "scores tell of another side and are not compared",
        ),
        *_unlike(
            examinations,
            "The age group is not the same",
            lambda one: one.age_group,
            "another iris diameter was assumed",
        ),
        *_unlike(
            examinations,
            "The program or a model is not the same",
            lambda one: " ".join(f"{name} {one.versions.get(name, 'none')[:10]}" for name in changed),
            "part of a change may be theirs; raw frames can be measured again with `replay`",
        ),
    ]
    for day, examination in examinations:
        found += [f"{day}: {sentence}" for sentence in _alone(examination)]
    return found


def _unlike(examinations: Sequence[Visit], what: str, key: Callable[[Examination], str], so: str) -> Iterator[str]:
    """One sentence where a property is not the same in all of them."""
    values: dict[str, list[str]] = {}
    for day, examination in examinations:
        values.setdefault(key(examination), []).append(day)
    if len(values) > 1:
        told = ", ".join(f"{value} ({', '.join(dates)})" for value, dates in values.items())
        yield f"{what}: {told}; {so}."


def _changing_versions(examinations: Sequence[Examination]) -> list[str]:
    """Names of what has not the same version in all of them."""
    names = sorted({name for one in examinations for name in one.versions})
    return [name for name in names if len({one.versions.get(name) for one in examinations}) > 1]


def _alone(examination: Examination) -> Iterator[str]:
    """What a single examination lacks."""
    if not examination.finished:
        yield "it was broken off."
    if asked := mixed_up_sides(examination, measures(examination)):
        yield asked
    scores = score_examination(examination)
    yield from _judged_by_units(scores.sunnybrook)


def _judged_by_units(score: Score) -> Iterator[str]:
    yield from (remark for remark in score.remarks if "udged by Action Units" in remark)
