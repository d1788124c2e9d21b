"""The guided examination in a run: commands come in from keys and pages, every try is stored at once, and cues go out."""

import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from realtime.app.examination_request import ExaminationRequest
from realtime.app.examination_view import Shown, message_of
from realtime.clinic.examination import ExaminationMachine
from realtime.clinic.input_log import NAME as LOG
from realtime.clinic.input_log import Begin, InputLog
from realtime.clinic.language import words_of
from realtime.clinic.observation import Observation
from realtime.clinic.status import COMMANDS, Command, Event, Status
from realtime.clinic.store import write_examination
from realtime.clinic.types import Examination
from realtime.errors import DeviceError, FacemirrorError, UserInputError
from realtime.session.calibration_store import checked_name

Cue = Callable[[Event, Shown], None]
_SOURCE = "examination"
_REMEMBERED = 900
_FAREWELL = 6.0
"""Seconds for which the end is shown."""
_NO_FOLDER = "An examination is kept in a session folder; start with --session DIR."
_NO_PERSON = "An examination needs the person's name; start with --person NAME."
_ONE_ONLY = "This session holds an examination already; start another session for the next one."
_RUNNING = "An examination is running already; stop it before another one begins."
_NOT_BEGUN = (
    "The examination did not begin, and nothing was measured: no face was well placed for three seconds. "
    "Sit in front of the camera, or press the space bar to begin at once."
)
_NOT_RUNNING = "No examination is running."


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the examination uses of its run.

    Attributes:
        folder: the session's; None: nothing is stored, and no examination can be made.
        mark: puts a marker into the session: text, source, capture time, frame number.
        calibrate: asks for a calibration; None: none can be made.
        say: called with what the user should read.
        cue: called with each event; plays sounds.
        publish: called with what the pages should know, whenever it has changed.
        ended: called some seconds after an examination is over, when everybody has read so.
        finished: called when an examination is over and stored.
        versions: of the program and its models.
        claim: takes the person for this run; raises UserInputError where another run examines the same person.
        close: lets go of the person and of what sounds.
    """

    folder: Path | None
    mark: Callable[[str, str, float, int], None]
    calibrate: Callable[[], None] | None
    say: Callable[[str], None]
    cue: Cue = lambda _event, _shown: None
    publish: Callable[[Mapping[str, Any]], None] = lambda _message: None
    ended: Callable[[], None] = lambda: None
    finished: Callable[[], None] = lambda: None
    versions: Mapping[str, str] = field(default_factory=dict)
    claim: Callable[[str], None] = lambda _person: None
    close: Callable[[], None] = lambda: None


class GuidedExamination:
    """At most one examination in a run. `ask` may be called from any thread; `seen` on the graph's.

    Be ready.

    Args:
        around: see `Surroundings`.
        request: what the command line asks for.
        begins: wait for a well-placed face and begin by itself.

    Raises:
        UserInputError: the protocol or the language is unknown, or the person is examined elsewhere.
    """

    def __init__(self, around: Surroundings, request: ExaminationRequest, *, begins: bool) -> None:
        self._around = around
        self._lock = threading.Lock()
        self._commands: deque[Command] = deque()
        self._times: deque[tuple[float, int]] = deque(maxlen=_REMEMBERED)
        self._machine: ExaminationMachine | None = None
        self._log: InputLog | None = None
        self._begun = ""
        self._stored = 0
        self._over_since: float | None = None
        self._request = request
        self._shown = Shown(Status(), words_of(request.language))
        if begins:
            self._take(request, itself=True)

    @property
    def shown(self) -> Shown:
        """What screens show now."""
        return self._shown

    @property
    def guides(self) -> bool:
        """Whether there is something to show: an examination waits, runs or is over."""
        return self._machine is not None

    @property
    def request(self) -> ExaminationRequest:
        """What the examination is begun with."""
        return self._request

    def _message(self) -> dict[str, Any]:
        return message_of(self._shown, self._request, guides=self.guides)

    def ask(self, word: str, changes: Mapping[str, str] | None = None) -> None:
        """Carry out a command with the next frame.

        Args:
            word: one of `COMMANDS`; "toggle" starts, pauses and goes on.
            changes: for "start": another person, protocol, affected or language than the command line named.

        Raises:
            UserInputError: it cannot be carried out; the sentence says why.
        """
        command = self._meant(word)
        with self._lock:
            machine = self._machine
            if command == "start" and (machine is None or machine.begun is None):
                if machine is None:
                    self._take(self._request.with_changes(changes or {}), itself=False)
            elif command == "start":
                raise UserInputError(_ONE_ONLY if machine is not None and machine.over else _RUNNING)
            elif machine is None or machine.over:
                raise UserInputError(_NOT_RUNNING)
            self._commands.append(command)

    def _meant(self, word: str) -> Command:
        if word == "toggle":
            return {"waiting": "start", "paused": "continue"}.get(self._shown.status.phase, "pause")  # type: ignore[return-value]
        for known in COMMANDS:
            if word == known:
                return known
        raise UserInputError(f"An examination does not know {word[:20]!r}; it knows {', '.join(COMMANDS)}.")

    def _take(self, request: ExaminationRequest, *, itself: bool) -> None:
        """Make the machine; the log is opened with the first frame."""
        if self._around.folder is None:
            raise UserInputError(_NO_FOLDER)
        if not request.person:
            raise UserInputError(_NO_PERSON)
        words = words_of(request.language)
        self._around.claim(checked_name(request.person))
        self._request = request
        machine = ExaminationMachine(
            request.protocol,
            request.affected,
            starts_itself=itself,
            calibrates=self._around.calibrate is not None,
            earlier=request.earlier,
        )
        self._shown = Shown(machine.status, words)
        self._machine = machine
        self._around.publish(self._message())

    def seen(self, observation: Observation, height: int, width: int) -> None:
        """Take the next analysed frame.

        Args:
            observation: of the frame.
            height: of the picture, pixels.
            width: likewise.
        """
        machine = self._machine
        if machine is None:
            return
        if self._log is None:
            self._open_log(machine, observation.sequence, height, width)
        log = self._log
        if log is not None:
            log.seen(observation.sequence, observation.light, observation.faces)
        self._times.append((observation.time, observation.sequence))
        while True:
            with self._lock:
                command = self._commands.popleft() if self._commands else None
            if command is None:
                break
            if log is not None:
                log.command(observation.sequence, command)
            machine.command(command)
        events = machine.step(observation)
        self._show(machine.status, events)
        for event in events:
            self._happened(machine, event)
        if self._over_since is not None and observation.time - self._over_since > _FAREWELL:
            self._over_since = None
            self._around.ended()

    def _open_log(self, machine: ExaminationMachine, first: int, height: int, width: int) -> None:
        assert self._around.folder is not None
        request, itself = self._request, machine.starts_itself
        begin = Begin(
            request.protocol, request.affected, itself, machine.calibrates, height, width, len(request.earlier), first
        )  # fmt: skip
        self._begun = datetime.now().astimezone().isoformat(timespec="seconds")
        self._stored = len(request.earlier)
        try:
            self._log = InputLog(self._around.folder / LOG, begin)
        except DeviceError as error:
            self._around.say(str(error))

    def _show(self, status: Status, events: list[Event]) -> None:
        before, cue, number = self._shown, self._shown.cue, self._shown.cue_number
        for event in events:
            if event not in ("stored", "calibrate"):
                cue, number = event, number + 1
        shown = Shown(status, before.words, cue, number)
        if shown != before:
            self._shown = shown
            self._around.publish(self._message())

    def _happened(self, machine: ExaminationMachine, event: Event) -> None:
        around = self._around
        if event == "calibrate":
            if around.calibrate is not None:
                around.calibrate()
            return
        if event in ("started", "stored", "ended"):
            self._store(machine)
        if event == "started":
            self._mark("examination: begin", machine.begun or 0.0)
        elif event == "stored":
            self._mark_tries(machine)
        elif event == "ended":
            self._mark(f"examination: {'end' if machine.finished else 'stopped'}", self._times[-1][0])
            self._over_since = self._times[-1][0]
            around.finished()
        around.cue(event, self._shown)

    def _store(self, machine: ExaminationMachine) -> None:
        assert self._around.folder is not None
        try:
            write_examination(self._around.folder, self.examination(machine))
        except DeviceError as error:
            self._around.say(str(error))

    def examination(self, machine: ExaminationMachine) -> Examination:
        """What is stored as of now."""
        request = self._request
        return Examination(
            checked_name(request.person),
            request.affected,
            request.protocol.name,
            self._begun,
            machine.scale,
            request.age_group,
            machine.finished,
            tuple(machine.repetitions),
            {},
            dict(self._around.versions),
        )

    def _mark_tries(self, machine: ExaminationMachine) -> None:
        """Markers for what has been stored since the last time."""
        start = (machine.begun or 0.0) - machine.offset
        for one in machine.repetitions[self._stored :]:
            name = f"{one.movement} {one.number}"
            if one.outcome == "counted":
                for what, moment in (("onset", one.onset), ("peak", one.peak), ("return", one.returned)):
                    if moment is not None:
                        self._mark(f"{name}: {what}", start + moment)
                if one.movement == "rest" and one.ended is not None:
                    self._mark(f"{name}: measured", start + one.ended)
            elif one.ended is not None:
                self._mark(f"{name}: {one.outcome}: {one.reason}", start + one.ended)
        self._stored = len(machine.repetitions)

    def _mark(self, text: str, moment: float) -> None:
        times = self._times
        place = min(bisect_left(times, (moment - 1e-6, -1)), len(times) - 1)
        try:
            self._around.mark(text, _SOURCE, *times[place])
        except FacemirrorError as error:
            self._around.say(str(error))

    def close(self) -> None:
        """The run ends: an examination that is not over stays as far as it came."""
        if self._log is not None:
            self._log.close()
        machine = self._machine
        if machine is not None and machine.begun is None and machine.starts_itself and self._times:
            self._around.say(_NOT_BEGUN)
        self._around.close()
