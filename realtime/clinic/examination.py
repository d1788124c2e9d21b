"""The guided examination as a state machine: it is given analysed frames and commands, and says what the person should do.

Pure and deterministic: time is the frames' capture time, so the same frames and commands give the same examination, live, from
a replay, or in a test.
"""

import math
from collections.abc import Sequence
from typing import Literal

from realtime.clinic.activity import snapshot
from realtime.clinic.agenda import Agenda
from realtime.clinic.attempt import HOLD_SECONDS, Attempt
from realtime.clinic.countdown import CountDown
from realtime.clinic.gate import fault_of, problem
from realtime.clinic.language import Phase, Reason, stored_sentence
from realtime.clinic.observation import Observation
from realtime.clinic.protocol import SECONDS, Protocol
from realtime.clinic.recent_frames import RecentFrames
from realtime.clinic.status import Command, Event, Status
from realtime.clinic.timing import EASY, LOOK, REST_SPAN, Timing, timing
from realtime.clinic.types import Affected, Movement, Outcome, Repetition, Snapshot
from realtime.types import ScaleSource

_SETTLES = 1.5
_NO_FACE = 0.4
_MINUTE = 60.0
_STARTS_ITSELF = 3.0
_SHOWN_REASON = 2.5
_REDO_SECONDS = 10.0


class ExaminationMachine:
    """One examination.

    Wait for the start.

    Args:
        protocol: what is asked for.
        affected: where a side is healthy, a try without any movement is asked for once more.
        starts_itself: begin when a face has been well placed for some seconds.
        calibrates: ask for a calibration at the first rest, unless one is in force.
        earlier: tries of an examination that was broken off, which is gone on with.

    Attributes:
        protocol: what is asked for.
        starts_itself, calibrates: as given.
        begun: capture time of its begin, seconds; None: not begun.
        offset: seconds from the begin of the examination that is gone on with to this one's; 0 without one.
        scale: what the lengths come from; None: none were measured yet.
    """

    def __init__(
        self,
        protocol: Protocol,
        affected: Affected = "none",
        *,
        starts_itself: bool = False,
        calibrates: bool = False,
        earlier: Sequence[Repetition] = (),
    ) -> None:
        self.protocol = protocol
        self.starts_itself = starts_itself
        self.calibrates = calibrates
        self.begun: float | None = None
        self.scale: ScaleSource | None = None
        self._affected = affected
        self.offset = max((one.ended or one.started for one in earlier), default=0.0)
        self._agenda = Agenda(protocol, earlier)
        self._counting = CountDown(calibrates=calibrates)
        self._budget = SECONDS
        self._active = 0.0
        self._timing: Timing = EASY
        self._phase: Phase = "waiting"
        self._entered = 0.0
        self._recent = RecentFrames()
        self._ready: float | None = None
        self._tries = 0
        self._unmoved = 0
        self._started = 0.0
        self._attempt: Attempt | None = None
        self._rest: Snapshot | None = None
        self._level: Snapshot | None = None
        self._reason: Reason | None = None
        self._reason_until = -math.inf
        self._events: list[Event] = []
        self._early: list[Command] = []
        if earlier:
            self._level = next(
                (one.rest for one in earlier if one.movement == "rest" and one.outcome == "counted"), None
            )

    @property
    def repetitions(self) -> Sequence[Repetition]:
        """Every try so far, in order of time."""
        return self._agenda.repetitions

    @property
    def over(self) -> bool:
        """Finished or stopped."""
        return self._phase in ("finished", "stopped")

    @property
    def finished(self) -> bool:
        """Everything was asked for."""
        return self._phase == "finished"

    @property
    def status(self) -> Status:
        """What the person should see now."""
        agenda, left = self._agenda, max(0.0, self._budget - self._active)
        place, total, done = agenda.place, agenda.total, agenda.total - agenda.left
        reason = self._reason if self._recent.now <= self._reason_until else None
        if self.over or place is None or self._phase == "waiting":
            return Status(self._phase, reason=reason, done=done, total=total, seconds_left=left)
        return Status(
            self._phase,
            agenda.movement,
            place.number,
            self.protocol.repetitions,
            self._counting.count,
            self._share(),
            reason,
            done,
            total,
            left,
        )

    def command(self, command: Command) -> None:
        """Carry out a command at the time of the frame that came last; one that means nothing now changes nothing."""
        if not self._recent.begun:
            self._early.append(command)  # there is no time yet
            return
        if self.over:
            return
        if command == "stop":
            self._end("stopped")
        elif command == "start" and self._phase == "waiting":
            self._begin()
        elif command == "continue" and self._phase == "paused":
            self._reason = None
            self._prepare(instruct=True)
        elif self._phase == "waiting":
            return
        elif command == "pause":
            self._enter("paused")
        elif command == "skip":
            self._skip()
        elif command == "redo":
            self._redo()

    def step(self, observation: Observation) -> list[Event]:
        """Take the next analysed frame.

        Args:
            observation: later than the one before.

        Returns:
            What has happened since the last call, commands included.
        """
        passed = self._recent.add(observation)
        while self._early:
            self.command(self._early.pop(0))
        self.scale = self.scale or observation.scale
        if not self.over and self._phase not in ("waiting", "paused"):
            self._go_on(observation, passed)
        elif self._phase == "waiting" and self.starts_itself:
            self._wait_for_place()
        events, self._events = self._events, []
        return events

    def _go_on(self, observation: Observation, passed: float) -> None:
        absent = self._recent.absent
        if absent > _MINUTE:
            self._enter("paused")
            self._tell("no_face_for_a_minute", math.inf)
            return
        if absent <= _NO_FACE:
            self._active += passed
        else:
            # The time limits wait for the face as the examination's own time does.
            self._entered += passed
        if self._phase == "instruction":
            if self._since() >= self._timing.instruction:
                self._enter("rest")
        elif self._phase == "rest":
            self._count_down()
        else:
            self._follow(observation)

    # Before the signal.

    def _wait_for_place(self) -> None:
        found = self._recent.last(LOOK)
        place = problem(found, "rest") if found else "no_face"
        self._reason, self._reason_until = place, math.inf
        if place is not None:
            self._ready = None
            return
        self._ready = self._recent.now if self._ready is None else self._ready
        if self._recent.now - self._ready >= _STARTS_ITSELF:
            self._begin()

    def _begin(self) -> None:
        self.begun = self._recent.now
        self._reason = None
        self._events.append("started")
        if self._agenda.place is None:
            self._end("finished")
        else:
            self._prepare(instruct=True)

    def _prepare(self, *, instruct: bool) -> None:
        """Get ready for the repetition that is next."""
        agenda = self._agenda
        self._timing = timing(self._budget - self._active, agenda.movements_left, agenda.left)
        self._attempt = None
        self._counting.stop()
        self._started = self._recent.now
        self._enter("instruction" if instruct else "rest")
        if instruct:
            self._events.append("instruction")

    def _count_down(self) -> None:
        counting, movement = self._counting, self._agenda.movement
        step = counting.update(self._recent.last(LOOK), movement, self._level, self._entered)
        if counting.calibrating:
            self._entered = self._recent.now
        if step == "signal":
            self._signal(movement)
        elif step != "wait":
            self._events.append(step)
        elif counting.reason is not None:
            wrong = counting.reason
            # A face that comes down from the movement before is not told to rest twice.
            if wrong != "not_at_rest" or self._since() > _SETTLES:
                self._tell(wrong, LOOK)
            if self._since() >= self._timing.rest and wrong != "no_face":
                self._close("rejected", wrong)

    def _signal(self, movement: Movement) -> None:
        window = [one for one in self._recent.last(REST_SPAN) if one.face_id is not None]
        self._rest = snapshot(window)
        if movement == "rest":
            self._level = self._level or self._rest
            self._close("counted")
            return
        self._attempt = Attempt(movement, window, self._recent.now)
        self._enter("go")
        self._events.append("go")

    # After the signal.

    def _follow(self, observation: Observation) -> None:
        attempt = self._attempt
        assert attempt is not None
        attempt.update(observation)
        if observation.faces is not None and observation.faces > 1:
            self._close("rejected", "second_face")
        elif self._recent.absent > _NO_FACE:
            self._close("rejected", "no_face")
        elif self._phase == "go" and attempt.onset is not None:
            self._enter("hold", attempt.onset)
        elif self._phase == "go" and self._since() >= self._timing.go:
            self._judge(attempt)
        elif self._phase == "hold" and (self._since() >= HOLD_SECONDS or attempt.returned is not None):
            self._enter("relax")
            self._events.append("relax")
        elif self._phase == "relax" and (attempt.returned is not None or self._since() >= self._timing.relax):
            self._judge(attempt)

    def _judge(self, attempt: Attempt) -> None:
        """Whether a try that is over counts."""
        wrong = fault_of(attempt, self._rest)
        if wrong is not None:
            self._close("rejected", wrong)
        elif attempt.onset is None and self._affected != "both" and self._unmoved == 0 and self._timing.tries > 1:
            # One side is healthy, so something should have moved: perhaps the signal was missed. A second time it is
            # what this face can do, and counts.
            self._unmoved += 1
            self._close("rejected", "no_movement")
        else:
            self._close("counted")

    def _close(self, outcome: Outcome, reason: Reason | None = None) -> None:
        """Enter the try, and go on to the next one."""
        agenda, attempt = self._agenda, self._attempt
        assert agenda.place is not None
        peak = attempt.peak() if attempt is not None and outcome == "counted" else None
        agenda.add(
            Repetition(
                agenda.movement,
                agenda.place.number,
                outcome,
                "" if reason is None else stored_sentence(reason),
                self._moment(self._started),
                None if attempt is None or attempt.onset is None else self._moment(attempt.onset),
                None if peak is None else self._moment(peak.time),
                None if attempt is None or attempt.returned is None else self._moment(attempt.returned),
                self._moment(self._recent.now),
                self._rest if outcome == "counted" else None,
                None if peak is None else snapshot(peak.window),
            )
        )
        self._events.append("stored")
        self._tries += 1
        if outcome == "counted":
            self._events.append("counted")
            self._reason = None
        elif reason is not None:
            self._events.append("rejected")
            self._tell(reason)
        if outcome == "rejected" and self._tries < self._timing.tries:
            self._prepare(instruct=False)
        else:
            self._advance()

    def _advance(self) -> None:
        self._tries = self._unmoved = 0
        another = self._agenda.advance()
        if self._agenda.place is None:
            self._end("finished")
        else:
            self._prepare(instruct=another)

    # Commands.

    def _skip(self) -> None:
        """Leave out what remains of this movement."""
        self._agenda.skip_movement(self._moment(self._recent.now))
        self._events.append("stored")
        self._attempt = None
        self._advance()

    def _redo(self) -> None:
        """Ask for the repetition that was over last once more; it does not count any more."""
        before = self._agenda.movement
        if self._agenda.go_back():
            self._events.append("stored")
            self._budget += _REDO_SECONDS
        self._tries = self._unmoved = 0
        self._prepare(instruct=self._agenda.movement != before)

    def _end(self, phase: Literal["finished", "stopped"]) -> None:
        self._enter(phase)
        self._attempt = None
        self._counting.stop()
        self._events.append("ended")

    # Small helps.

    def _enter(self, phase: Phase, since: float | None = None) -> None:
        self._phase = phase
        self._entered = self._recent.now if since is None else since

    def _since(self) -> float:
        return self._recent.now - self._entered

    def _tell(self, reason: Reason, seconds: float = _SHOWN_REASON) -> None:
        self._reason, self._reason_until = reason, self._recent.now + seconds

    def _moment(self, time: float) -> float:
        return round(time - (self.begun or 0.0) + self.offset, 6)

    def _share(self) -> float:
        if self._phase == "rest":
            return self._counting.share
        longest = {"instruction": self._timing.instruction, "hold": HOLD_SECONDS}.get(self._phase)
        return 0.0 if longest is None else min(1.0, max(0.0, self._since() / longest))
