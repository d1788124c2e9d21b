"""The words of an examination in the person's language, from languages.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from realtime.clinic.types import Movement
from realtime.errors import UserInputError

Phase = Literal["waiting", "instruction", "rest", "go", "hold", "relax", "paused", "finished", "stopped"]
Reason = Literal[
    "no_face",
    "no_face_for_a_minute",
    "second_face",
    "other_face",
    "turned",
    "too_near",
    "too_far",
    "dark",
    "unsure",
    "hidden",
    "not_at_rest",
    "no_movement",
    "asked_again",
    "skipped",
]
STORED = "en"
"""The language of sentences in files."""


@dataclass(frozen=True, slots=True)
class Words:
    """One language.

    Attributes:
        code: two letters.
        movements: a short title by movement.
        instructions: what to do, one sentence by movement.
        phases: what to do now, by phase.
        reasons: why a repetition does not count, one sentence by reason.
        labels: of buttons and figures.
    """

    code: str
    movements: Mapping[str, str]
    instructions: Mapping[str, str]
    phases: Mapping[str, str]
    reasons: Mapping[str, str]
    labels: Mapping[str, str]

    def instruction(self, movement: Movement) -> str:
        """What to do."""
        return self.instructions[movement]


@cache
def languages() -> Mapping[str, Words]:
    """Every language by its code."""
    text = files("realtime.clinic").joinpath("languages.toml").read_text("utf-8")
    return {code: Words(code, **tables) for code, tables in tomllib.loads(text).items()}


def words_of(code: str) -> Words:
    """One language.

    Raises:
        UserInputError: there are no words in it.
    """
    known = languages()
    if code not in known:
        raise UserInputError(f"The examination does not speak {code[:20]!r}; it speaks {', '.join(known)}.")
    return known[code]


def stored_sentence(reason: Reason) -> str:
    """The reason as files hold it."""
    return words_of(STORED).reasons[reason]
