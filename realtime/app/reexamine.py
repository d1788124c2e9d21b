"""An examination computed again from a session's analysed frames and the log of what it was given."""

from dataclasses import replace
from pathlib import Path

from realtime.clinic.examination import ExaminationMachine
from realtime.clinic.input_log import NAME as LOG
from realtime.clinic.input_log import read_inputs
from realtime.clinic.observation import observe
from realtime.clinic.store import as_json, read_examination, write_examination
from realtime.types import Analysis


class Reexamination:
    """Takes a session's analyses in their order, as the live examination did.

    Args:
        session: the session's folder, with an examination.

    Raises:
        UserInputError: the examination or its log is damaged.
    """

    def __init__(self, session: Path) -> None:
        self._recorded = read_examination(session)
        self._begin, inputs = read_inputs(session)
        self._inputs = list(reversed(inputs))
        begin = self._begin
        self._machine = ExaminationMachine(
            begin.protocol,
            begin.affected,
            starts_itself=begin.starts_itself,
            calibrates=begin.calibrates,
            earlier=self._recorded.repetitions[: begin.earlier],
        )
        self._light: float | None = None
        self._faces: int | None = None

    def seen(self, analysis: Analysis) -> None:
        """Take the next analysis."""
        begin = self._begin
        if analysis.sequence < begin.first:
            return
        while self._inputs and self._inputs[-1].sequence <= analysis.sequence:
            given = self._inputs.pop()
            if given.command is not None:
                self._machine.command(given.command)
            else:
                self._light, self._faces = given.light, given.faces
        found = observe(analysis, begin.height, begin.width, self._light)
        self._machine.step(replace(found, faces=self._faces))

    def write(self, out: Path) -> tuple[bool, str]:
        """Write examination.json into a folder.

        Returns:
            Whether it is the session's, and a sentence for the user.

        Raises:
            DeviceError: it cannot be written.
        """
        machine, recorded = self._machine, self._recorded
        again = replace(
            recorded, repetitions=tuple(machine.repetitions), finished=machine.finished, scale=machine.scale
        )  # fmt: skip
        write_examination(out, again)
        if as_json(again) == as_json(recorded):
            return True, f"The examination is the same: {len(again.repetitions)} tries with the same values."
        for number, (was, became) in enumerate(zip(recorded.repetitions, again.repetitions, strict=False), 1):
            if repr(was) != repr(became):
                return False, f"The examination differs from try {number} on ({was.movement} {was.number})."
        return False, (
            f"The examination has {len(again.repetitions)} tries instead of {len(recorded.repetitions)}; the others are the same."
        )


def reexamination_of(session: Path) -> Reexamination | None:
    """What computes a session's examination again; None: the session has none."""
    return Reexamination(session) if (session / LOG).exists() and (session / "examination.json").exists() else None
