"""Examinations where sessions keep them: one session's with what was overruled since, and all of one person."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from realtime.clinic import Examination, read_examination
from realtime.clinic.score_file import read_overruled, score_file
from realtime.clinic.store import NAME, as_json
from realtime.errors import UserInputError
from realtime.files import one_line


@dataclass(frozen=True, slots=True)
class Kept:
    """One examination and the session folder that it lies in.

    Attributes:
        session: the folder.
        examination: that lies in it.
    """

    session: Path
    examination: Examination


def has_examination(session: Path) -> bool:
    """Whether a session holds an examination."""
    return (session / NAME).is_file()


def open_examination(session: Path) -> Examination:
    """Read a session's examination, and what the clinician overruled afterwards.

    Raises:
        UserInputError: there is none, or a file is damaged.
    """
    found = read_examination(session)
    return replace(found, overruled={**found.overruled, **read_overruled(score_file(session))})


def examinations_in(folder: Path) -> tuple[list[Kept], list[str]]:
    """Every examination in the sessions of a folder, in order of time.

    Args:
        folder: holds session folders; one that is itself a session is looked at as well.

    Returns:
        The examinations, and a sentence for each one that cannot be read.

    Raises:
        UserInputError: there is no such folder.
    """
    if not folder.is_dir():
        raise UserInputError(f"{folder} is not a folder; name the one that holds the sessions with --sessions DIR.")
    kept, troubles = [], []
    for session in _sessions(folder):
        try:
            kept.append(Kept(session, open_examination(session)))
        except UserInputError as error:
            troubles.append(str(error))
    return sorted(kept, key=lambda one: _moment(one.examination)), troubles


def _sessions(folder: Path) -> Iterator[Path]:
    candidates = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    return (path for path in candidates if has_examination(path))


def _moment(examination: Examination) -> float:
    try:
        return datetime.fromisoformat(examination.begun).timestamp()
    except (ValueError, OverflowError):  # no date, or one before the year 2
        return 0.0


def of_person(kept: list[Kept], person: str) -> list[Kept]:
    """The examinations of one person. One that was broken off and gone on with counts once, as the one that went on.

    Args:
        kept: every examination, in order of time.
        person: whose are wanted.

    Raises:
        UserInputError: there is none; the sentence says who is there.
    """
    found = [one for one in kept if one.examination.person == person]
    if not found:
        names = sorted({one.examination.person for one in kept})
        there = f"there are examinations of {one_line(', '.join(names))}" if names else "there is no examination at all"
        raise UserInputError(f"No examination of {person!r} is there; {there}.")
    return [
        one for number, one in enumerate(found) if not any(_takes_over(later, one) for later in found[number + 1 :])
    ]


def _takes_over(later: Kept, earlier: Kept) -> bool:
    """Did the later examination go on with the earlier one, whose tries it then begins with?"""
    tries = _tries(earlier.examination)
    return bool(tries) and not earlier.examination.finished and _tries(later.examination)[: len(tries)] == tries


def _tries(examination: Examination) -> list[str]:
    """Each try as its file holds it, without the numbers of its frames: they lie in the first session."""

    def without_frames(content: dict[str, Any]) -> dict[str, Any]:
        return {
            key: {name: part for name, part in value.items() if name != "sequence"}
            if isinstance(value, dict)
            else value
            for key, value in content.items()
        }

    return [json.dumps(without_frames(one)) for one in as_json(examination)["repetitions"]]


def before(session: Path, examination: Examination) -> Examination | None:
    """The same person's examination before this one, in the sessions beside this one; None: there is none.

    Args:
        session: the folder.
        examination: that lies in it.
    """
    kept, _ = examinations_in(session.resolve().parent)
    earlier = [
        one.examination
        for one in kept
        if one.examination.person == examination.person
        and one.session.resolve() != session.resolve()
        and _moment(one.examination) < _moment(examination)
        and one.examination.finished
    ]
    return earlier[-1] if earlier else None
