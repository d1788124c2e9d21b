"""Everything a run keeps in its session folder, opened together, closed together, and sealed with the manifest."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from realtime.action_units.baseline import Baseline
from realtime.action_units.calibration import Calibration
from realtime.errors import DeviceError, UserInputError
from realtime.files import write_json
from realtime.media import lossless
from realtime.media.lossless import RawRecorder
from realtime.session import decision_log, markers
from realtime.session.calibration_store import CalibrationStore, checked_name
from realtime.session.decision_log import DecisionLog
from realtime.session.folder import FRAMES
from realtime.session.frames_csv import FramesCsv
from realtime.session.length_columns import LengthColumns
from realtime.session.manifest import write_manifest
from realtime.session.markers import SessionMarkers
from realtime.session.parquet import NAME as PARQUET
from realtime.session.parquet import write_parquet
from realtime.session.schema import data_dictionary
from realtime.types import Analysis, Frame

CALIBRATION = "calibration.json"
DICTIONARY = "data_dictionary.json"


def describe_file(folder: Path, name: str, meanings: Mapping[str, str]) -> None:
    """Add one more file's columns to the session's data dictionary.

    Args:
        folder: of the session.
        name: of the file.
        meanings: by column.

    Raises:
        DeviceError: session.json cannot be written.
    """
    path = folder / DICTIONARY
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = {}
    write_json(path, {**known, name: dict(meanings)})


class Start(NamedTuple):
    """When a session began, on both clocks at the same moment, so that any capture time has its date and time.

    Attributes:
        utc: the wall clock.
        clock: the capture times' monotonic clock, seconds.
    """

    utc: datetime
    clock: float

    @classmethod
    def now(cls, clock: Callable[[], float]) -> "Start":
        """Read both clocks; the monotonic one before and after, because a thread can be interrupted between them.

        Args:
            clock: the monotonic one, seconds.
        """
        before, utc, after = clock(), datetime.now(UTC), clock()
        return cls(utc, (before + after) / 2)

    def as_dict(self) -> dict[str, Any]:
        """For session.json."""
        return {"utc": self.utc.isoformat(timespec="microseconds"), "capture_clock": round(self.clock, 6)}


class SessionWriter:
    """Writes a session's files.

    Args:
        folder: a claimed folder (see `use_session_folder`), or None to store nothing.
        clock: the capture times' seconds.
        person: whose stored calibration is used, and replaced by one made now; None: nobody's.
        people: folder of stored calibrations; None: the one in the user's data folder.
        raw_pictures: record the captured frames and the decisions, for a replay.
        several: several people are followed, so that a frame may have more than one row.
        millimetres: lengths have columns in the rows.
        fps: the source's nominal rate, frames per second.

    Attributes:
        folder: where they are; None: nothing is stored, and `csv`, `decisions` and `raw` are None.
        started: when the session began.
        markers: takes markers also where nothing is stored.
        stored_baseline: the person's stored calibration, where there is one.
        csv: writes frames.csv.
        decisions: writes decisions.jsonl, where captured frames are recorded.
        millimetres: whether the rows have lengths.
        raw: writes raw.mkv, where captured frames are recorded.
        notices: what went wrong, as sentences; see `all_notices`.

    Raises:
        UserInputError: `person` is no name, or the stored calibration is damaged. No file is left open.
        DeviceError: a file cannot be written. No file is left open.
    """

    def __init__(
        self,
        folder: Path | None,
        clock: Callable[[], float],
        *,
        person: str | None = None,
        people: Path | None = None,
        raw_pictures: bool = False,
        several: bool = False,
        millimetres: LengthColumns = False,
        fps: float = 30.0,
    ) -> None:
        self.folder = folder
        self.started = Start.now(clock)
        self.notices: list[str] = []
        self._uncalibrated = ""
        self.stored_baseline: Baseline | None = None
        self._person = checked_name(person) if person is not None else None
        self._people = CalibrationStore(people)
        self._calibrations: list[dict[str, Any]] = []
        self._failed: dict[str, str] = {}
        self._clock = clock
        self.decisions: DecisionLog | None = None
        self.millimetres = millimetres
        self.raw: RawRecorder | None = None
        self.csv: FramesCsv | None = None
        self.markers = SessionMarkers(folder / markers.NAME if folder else None, clock)
        try:
            if folder is not None:
                self._open_files(folder, raw_pictures=raw_pictures, several=several, fps=fps)
            self._load()
        except BaseException:
            self.close()
            raise

    def _open_files(self, folder: Path, *, raw_pictures: bool, several: bool, fps: float) -> None:
        if raw_pictures:
            self.decisions = DecisionLog(folder / decision_log.NAME, self._clock)
            self.raw = RawRecorder(folder / lossless.NAME, self.decisions.raw, fps=fps)
        on_row = self.decisions.row if self.decisions is not None else None
        lengths = self.millimetres
        self.csv = FramesCsv(folder / FRAMES, self._clock, several=several, millimetres=lengths, on_row=on_row)
        columns = data_dictionary(several=several, millimetres=lengths)
        write_json(folder / DICTIONARY, {FRAMES: columns, markers.NAME: markers.COLUMNS})

    def moment(self) -> tuple[int, float]:
        """(sequence, capture time in seconds) of now."""
        return self.markers.newest, self._clock()

    def captured(self, frame: Frame) -> None:
        """A frame came from the source."""
        self.markers.captured(frame.sequence)
        if self.csv is not None:
            self.csv.captured(frame.sequence, frame.capture_time)

    def calibrated(self, analysis: Analysis, calibration: Calibration) -> None:
        """A calibration is done: keep it with the session, and under the person's name where one was given.

        Args:
            analysis: of the frame on which it was done.
            calibration: what was found.
        """
        assert calibration.neutral is not None
        now = datetime.now().astimezone()
        self._note(
            "made in this session", calibration.neutral, now.isoformat(timespec="seconds"), calibration.frames, analysis
        )
        if self._person is None:
            return
        try:
            self._people.store(self._person, calibration.neutral, calibration.frames, now)
            if self._uncalibrated in self.notices:  # notices are read at the end, when it no longer holds
                self.notices.remove(self._uncalibrated)
        except (DeviceError, UserInputError) as error:
            self.notices.append(str(error))

    def close(self) -> None:
        """Close every file. Safe to call twice."""
        for part in (self.csv, self.raw, self.decisions, self.markers):
            if part is not None:
                part.close()

    def all_notices(self) -> list[str]:
        """What went wrong with any of the files, as sentences."""
        parts = (self.csv, self.raw, self.decisions)
        return self.notices + [sentence for part in parts if part is not None for sentence in part.notices]

    def write_parquet(self) -> None:
        """Write frames.parquet, after every file is closed. Where it cannot be written, `incomplete` says so."""
        if self.folder is None:
            return
        try:
            write_parquet(self.folder / FRAMES)
        except (DeviceError, UserInputError) as error:
            self._failed[PARQUET] = str(error)

    def incomplete(self) -> dict[str, str]:
        """By file name, a sentence for each of these files that could not be written to its end."""
        parts = (self.csv, self.raw, self.decisions)
        failed = {part.path.name: part.notices[-1] for part in parts if part is not None and part.failed}
        return {**failed, **self._failed}

    def seal(self, incomplete: Mapping[str, str] | None = None) -> None:
        """Write the manifest: the last thing a session does.

        Args:
            incomplete: by file name, a sentence for each file that could not be written to its end; None: `incomplete()`.

        Raises:
            DeviceError: the manifest cannot be written.
        """
        if self.folder is not None:
            write_manifest(self.folder, self.incomplete() if incomplete is None else incomplete)

    def _load(self) -> None:
        if self._person is None:
            return
        found = self._people.find(self._person)
        if found is None:
            self._uncalibrated = (
                f"No calibration is stored for {self._person} yet; key c, the dashboard or an examination makes one."
            )
            self.notices.append(self._uncalibrated)
            return
        self.stored_baseline = found.neutral
        if self.decisions is not None:
            self.decisions.neutral(found.neutral)
        self._note("stored earlier", found.neutral, found.calibrated, found.frames, None)

    def _note(self, origin: str, neutral: Baseline, when: str, frames: int, analysis: Analysis | None) -> None:
        self._calibrations.append(
            {
                "origin": origin,
                "person": self._person,
                "calibrated": when,
                "frames": frames,
                "from_sequence": None if analysis is None else analysis.sequence,
                "from_capture_time": None if analysis is None else analysis.capture_time,
                "neutral": neutral.as_json(),
            }
        )
        if self.folder is None:
            return
        try:
            write_json(self.folder / CALIBRATION, {"format": 2, "calibrations": self._calibrations})
        except DeviceError as error:
            self.notices.append(str(error))

    def calibrations(self) -> list[dict[str, Any]]:
        """For session.json: each calibration without its numbers."""
        return [{key: value for key, value in entry.items() if key != "neutral"} for entry in self._calibrations]
