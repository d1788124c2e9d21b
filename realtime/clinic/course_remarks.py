"""What stands in the way of comparing one person's examinations with each other, in sentences for the page of the course."""

from collections.abc import Callable, Iterator, Sequence

from realtime.clinic.items import Score
from realtime.clinic.scores import score_examination
from realtime.clinic.types import Examination

Visit = tuple[str, Examination]


def course_remarks(examinations: Sequence[Visit]) -> list[str]:
    """Say what differs between the examinations beside the face, and what single ones lack.

    Args:
        examinations: (name of the session's folder, examination), in order of time.
    """
    found = [
        *_unlike(
            examinations,
            "Millimetres",
            "come from",
            _scale,
            "lengths of these sittings are not comparable in millimetres",
        ),
        *_unlike(examinations, "The affected side", "was", lambda one: one.affected, "scores compare other sides"),
        *_unlike(examinations, "The age group", "was", lambda one: one.age_group, "the assumed iris is another one"),
        *_unlike(
            examinations,
            "The program and its models",
            "were",
            _versions,
            "part of a change may be the program's; replay the earlier sitting's raw frames with this version",
        ),
    ]
    for session, examination in examinations:
        found += [f"{_when(session, examination)}: {sentence}" for sentence in _alone(examination)]
    return found


def _unlike(
    examinations: Sequence[Visit], what: str, verb: str, key: Callable[[Examination], str], so: str
) -> Iterator[str]:
    """One sentence where a property is not the same in all of them."""
    values: dict[str, list[str]] = {}
    for session, examination in examinations:
        values.setdefault(key(examination), []).append(_when(session, examination))
    if len(values) > 1:
        told = ", ".join(f"{value} ({', '.join(dates)})" for value, dates in values.items())
        yield f"{what} {verb} not the same: {told}; {so}."


def _scale(examination: Examination) -> str:
    return examination.scale or "nothing"


def _versions(examination: Examination) -> str:
    """Program and models, checksums shortened to what tells them apart."""
    return " ".join(f"{name} {version[:10]}" for name, version in sorted(examination.versions.items())) or "not told"


def _alone(examination: Examination) -> Iterator[str]:
    """What a single examination lacks."""
    if not examination.finished:
        yield "it was broken off."
    scores = score_examination(examination)
    yield from _judged_by_units(scores.sunnybrook)


def _judged_by_units(score: Score) -> Iterator[str]:
    yield from (remark for remark in score.remarks if "udged by Action Units" in remark)


def _when(session: str, examination: Examination) -> str:
    return examination.begun[:10] or session
