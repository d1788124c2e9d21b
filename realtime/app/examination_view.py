"""What screens and pages show of an examination."""

from dataclasses import dataclass
from typing import Any

from realtime.app.examination_request import ExaminationRequest
from realtime.clinic.language import Words
from realtime.clinic.status import Status


@dataclass(frozen=True, slots=True)
class Shown:
    """What screens show.

    Attributes:
        status: the machine's.
        words: in which it is said.
        cue: the newest event, for sounds.
        cue_number: its number.
    """

    status: Status
    words: Words
    cue: str = ""
    cue_number: int = 0

    @property
    def title(self) -> str:
        """What is asked for, in two or three words; empty before and after."""
        movement = self.status.movement
        return "" if movement is None else self.words.movements[movement]

    @property
    def sentence(self) -> str:
        """What to do now."""
        status = self.status
        if status.phase == "instruction" and status.movement is not None:
            return self.words.instructions[status.movement]
        return self.words.phases[status.phase]

    @property
    def remark(self) -> str:
        """What is wrong; empty: nothing."""
        return "" if self.status.reason is None else self.words.reasons[self.status.reason]


def message_of(shown: Shown, request: ExaminationRequest, *, guides: bool) -> dict[str, Any]:
    """What the pages are told.

    Args:
        shown: what screens show.
        request: what the examination is begun with.
        guides: an examination waits, runs or is over.
    """
    status = shown.status
    return {
        "type": "examination",
        "guides": guides,
        "person": request.person,
        "protocol": request.protocol.name,
        "affected": request.affected,
        "language": shown.words.code,
        "phase": status.phase,
        "movement": status.movement,
        "title": shown.title,
        "sentence": shown.sentence,
        "remark": shown.remark,
        "number": status.number,
        "of": status.of,
        "count": status.count,
        "share": round(status.share, 2),
        "done": status.done,
        "total": status.total,
        "seconds_left": round(status.seconds_left),
        "cue": shown.cue,
        "cue_number": shown.cue_number,
    }
