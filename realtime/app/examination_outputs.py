"""What the guided examination is connected to in a run: session, person's lock, sounds, voice, pages."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime import __version__
from realtime.app.examination import GuidedExamination, Surroundings
from realtime.app.examination_request import ExaminationRequest
from realtime.app.examination_view import Shown
from realtime.clinic.input_log import read_inputs
from realtime.clinic.protocol import load_protocol
from realtime.clinic.status import Event
from realtime.clinic.store import read_examination
from realtime.clinic.types import Repetition, Snapshot
from realtime.config import Config
from realtime.errors import DeviceError, UserInputError
from realtime.files import counted, shell_word
from realtime.media.audio.cues import CueSounds
from realtime.media.audio.speech import Voice
from realtime.models import ModelSpec
from realtime.session.calibration_store import checked_name
from realtime.session.examination_lock import ExaminationLock
from realtime.session.writer import SessionWriter

if TYPE_CHECKING:
    from realtime.dashboard.hub import Hub


class ExaminationOutputs:
    """Opens the examination of a run.

    Args:
        config: the settings.
        writer: the session's files.
        hub: the open pages; None: there are none.
        window: there is a preview, which sounds and speaks.
        now: the frames' clock, seconds.
        say: called with what the user should read.
        stop: ends the run.
    """

    def __init__(
        self,
        config: Config,
        writer: SessionWriter,
        hub: "Hub | None",
        *,
        window: bool,
        now: Callable[[], float],
        say: Callable[[str], None],
        stop: Callable[[], None],
    ) -> None:
        self._config = config
        self._writer = writer
        self._hub = hub
        self._now = now
        self._say = say
        self._stop = stop
        self._lock: ExaminationLock | None = None
        self._stack = ExitStack()
        self._sounds = self._open_sounds() if window and config.examination.guided else None
        self._voice = Voice(config.examination.language) if window and config.examination.voice else None

    def open(self, models: Sequence[ModelSpec], calibrate: Callable[[], None] | None) -> GuidedExamination:
        """Make the examination; see `Outputs.examination`.

        Args:
            models: that are open.
            calibrate: asks for a calibration; None: there is none.

        Raises:
            UserInputError: what was asked for is unknown, or the person is examined elsewhere.
        """
        settings = self._config.examination
        try:
            request = self._request_of_settings()
            around = Surroundings(
                self._writer.folder,
                self._mark,
                calibrate,
                self._say,
                self._cue,
                self._publish,
                self._stop if settings.guided else lambda: None,
                self._ended,
                {"facemirror-live": __version__, **{spec.name: spec.sha256 for spec in models}},
                self._claim,
                self._close,
            )
            return GuidedExamination(around, request, begins=settings.guided)
        except BaseException:
            self._close()
            raise

    def _request_of_settings(self) -> ExaminationRequest:
        """What the settings ask for."""
        config, settings = self._config, self._config.examination
        if settings.resume is None:
            protocol = load_protocol(settings.protocol)
            group = config.millimetres.age_group
            return ExaminationRequest(config.person or "", protocol, settings.affected, settings.language, group)
        folder = Path(settings.resume) if settings.resume else self._last_broken_off()
        broken_off, begin = read_examination(folder), read_inputs(folder)[0]
        if broken_off.finished:
            raise UserInputError(f"The examination in {folder} is finished; begin another one without --resume.")
        if config.person and checked_name(config.person) != broken_off.person:
            raise UserInputError(f"The examination in {folder} is {broken_off.person}'s, not {config.person}'s.")
        earlier = without_pictures(broken_off.repetitions)
        return ExaminationRequest(
            broken_off.person,
            begin.protocol,
            broken_off.affected,
            settings.language,
            broken_off.age_group,
            earlier,
        )

    def _last_broken_off(self) -> Path:
        person = self._config.person
        if person is None:
            raise UserInputError("--resume needs the person's name, or the folder of the session that was broken off.")
        with ExaminationLock(person, self._config.people_folder) as lock:
            if lock.broken_off is None:
                raise UserInputError(f"No examination of {person} was broken off; begin one without --resume.")
            return lock.broken_off

    def _open_sounds(self) -> CueSounds | None:
        if not self._config.examination.sounds:
            return None
        try:
            sounds = CueSounds(self._config.tone.output, self._now)
        except DeviceError as error:
            self._say(f"The examination goes on without sounds: {error}")
            return None
        self._stack.callback(sounds.close)
        return sounds

    def _claim(self, person: str) -> None:
        folder = self._writer.folder
        assert folder is not None
        lock = self._lock = ExaminationLock(person, self._config.people_folder)
        self._stack.callback(lock.close)
        if lock.broken_off is not None and self._config.examination.resume is None:
            self._say(broken_off_sentence(person, lock.broken_off))
        lock.begin(folder)

    def _mark(self, text: str, source: str, capture_time: float, sequence: int) -> None:
        self._writer.markers.add(text, source, capture_time=capture_time, sequence=sequence)

    def _cue(self, event: Event, shown: Shown) -> None:
        if self._sounds is not None:
            self._sounds.play(event)
        if self._voice is not None and (sentence := spoken(event, shown)):
            self._voice.say(sentence)

    def _publish(self, message: Mapping[str, Any]) -> None:
        if self._hub is not None:
            self._hub.publish("examination", json.dumps(message, allow_nan=False))

    def _ended(self) -> None:
        if self._lock is not None:
            self._lock.end()

    def _close(self) -> None:
        if self._voice is not None:
            self._voice.close()
        self._stack.close()


def without_pictures(tried: Sequence[Repetition]) -> tuple[Repetition, ...]:
    """Tries of another session: their frames' pictures are not in this one, which sequence -1 says."""

    def elsewhere(found: Snapshot | None) -> Snapshot | None:
        return None if found is None else replace(found, sequence=-1)

    return tuple(replace(one, rest=elsewhere(one.rest), at_peak=elsewhere(one.at_peak)) for one in tried)


def broken_off_sentence(person: str, folder: Path) -> str:
    """Tell of an earlier examination that did not end in order; it stays as it is.

    Args:
        person: whose.
        folder: where it lies.
    """
    try:
        found = read_examination(folder)
    except UserInputError:
        return f"An examination of {person} in {folder} was broken off before anything was measured."
    count = sum(one.outcome == "counted" for one in found.repetitions)
    kept = counted(count, "repetition that counts", "repetitions that count")
    return (
        f"An examination of {person} in {folder} was broken off after {kept}; it stays there as "
        f"unfinished, and `examine --person {shell_word(person)} --resume {shell_word(folder)}` goes on with it."
    )


def spoken(event: Event, shown: Shown) -> str:
    """What is said at an event; empty: nothing.

    Args:
        event: that happened.
        shown: what screens show then.
    """
    if event == "rejected":
        return shown.remark
    return shown.sentence if event in ("instruction", "go", "relax", "ended") else ""
