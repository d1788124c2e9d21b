"""decisions.jsonl: what the live run decided, in order, so that a replay can decide the same.

One JSON object a line. `kind` is one of
    neutral   shape, look, network: the stored calibration in force from the start
    raw       n, t: this frame, taken at t (seconds), is the next picture of raw.mkv
    detect    n, region, coarse: a detection pass over frame n, or over a region of it (x1, y1, x2, y2; null: all of it)
    track     n, detections: frame n was tracked, with the detections made on frame `detections` entering (null: none);
              next, where it is there: the user had asked for the next face just before;
              every, with several people: the others were looked at on every n-th frame on average;
              wait, where it is there: the others had to wait, because the detector had the frame, too;
              chosen: x, y of the face that the user had chosen just before
    face      n, before, now: on frame n another face was followed than before (ids)
    measure   n, calibrate: frame n was measured; calibrate: a calibration was started just before
    reset     the stream was interrupted
    row       n, t, shown, cause, age, measured: frame n's row was written; measured: with its own analysis
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from realtime.action_units.baseline import Baseline
from realtime.errors import DeviceError, UserInputError
from realtime.files import AppendedFile, open_regular, reason
from realtime.session.schema import LATEST, FrameRow
from realtime.types import Region

NAME = "decisions.jsonl"
_FLUSH_SECONDS = 0.15


class DecisionLog:
    """Writes the decisions. Its methods may be called from any thread.

    A failed disk raises nothing: `failed` becomes true, `notices` gets one sentence, and the rest is not written.

    Args:
        path: of a file that does not exist.
        clock: seconds, for flushing several times a second.

    Attributes:
        path: the file.
        failed: it could not be written to its end.
        notices: what went wrong, as sentences.

    Raises:
        DeviceError: it cannot be created.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.path = path
        self.failed = False
        self.notices: list[str] = []
        self._clock = clock
        self._lock = threading.Lock()
        self._file: AppendedFile | None = AppendedFile(path)
        self._flushed = clock()

    def neutral(self, rest: Baseline) -> None:
        """Log the stored calibration that is in force from the start.

        Args:
            rest: the calibration.
        """
        self._put(kind="neutral", **rest.as_json())

    def raw(self, sequence: int, capture_time: float) -> None:
        """Log that a frame is the next picture of raw.mkv.

        Args:
            sequence: of the frame.
            capture_time: seconds.
        """
        self._put(kind="raw", n=sequence, t=capture_time)

    def detect(self, sequence: int, region: Region | None, *, coarse: bool) -> None:
        """Log a detection pass.

        Args:
            sequence: of the frame.
            region: None for the whole picture.
            coarse: by the coarse detector.
        """
        self._put(kind="detect", n=sequence, region=region, coarse=coarse)

    def track(
        self,
        sequence: int,
        detections: int | None,
        *,
        next_face: bool = False,
        others_every: float | None = None,
        others_wait: bool = False,
        chosen: tuple[float, float] | None = None,
    ) -> None:
        """Log that a frame was tracked.

        Args:
            sequence: of the frame.
            detections: of the frame whose detections entered; None: none.
            next_face: the user had asked for the next face just before.
            others_every: with several people, every how many frames the others were looked at.
            others_wait: with several people, the others had to wait, because the frame was busy.
            chosen: x, y of the face that the user had chosen just before.
        """
        more: dict[str, Any] = {"next": True} if next_face else {}
        if others_every is not None:
            more["every"] = others_every
        if others_wait:
            more["wait"] = True
        if chosen is not None:
            more["chosen"] = list(chosen)
        self._put(kind="track", n=sequence, detections=detections, **more)

    def face(self, sequence: int, before: int, now: int) -> None:
        """Log that another face is followed than before.

        Args:
            sequence: of the frame.
            before: face ids.
            now: likewise.
        """
        self._put(kind="face", n=sequence, before=before, now=now)

    def measure(self, sequence: int, *, calibrate: bool) -> None:
        """Log that a frame was measured.

        Args:
            sequence: of the frame.
            calibrate: a calibration was started just before.
        """
        self._put(kind="measure", n=sequence, calibrate=calibrate)

    def reset(self) -> None:
        """Log that the stream was interrupted."""
        self._put(kind="reset")

    def row(self, row: FrameRow) -> None:
        """Log a row of frames.csv."""
        self._put(
            kind="row",
            n=row.sequence,
            t=row.capture_time,
            shown=row.shown,
            cause=row.cause,
            age=row.result_age,
            measured=row.analysis is not None,
        )

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                try:
                    file.close()
                except DeviceError as error:
                    self._give_up(error)

    def _put(self, **what: Any) -> None:
        line = json.dumps(what, separators=(",", ":"), allow_nan=False) + "\n"
        with self._lock:
            if self._file is None:
                return
            now = self._clock()
            due = now - self._flushed >= _FLUSH_SECONDS
            try:
                self._file.write(line.encode(), flush=due)
            except DeviceError as error:
                self._give_up(error)
            else:
                self._flushed = now if due else self._flushed

    def _give_up(self, error: DeviceError) -> None:
        self.failed = True
        self.notices.append(f"{error} The session cannot be replayed beyond this point.")
        self._file = None


def read_decisions(path: Path) -> Iterator[Mapping[str, Any]]:
    """Read the decisions in order. A last line cut short by a kill is left out.

    Args:
        path: of the log.

    Raises:
        UserInputError: there is no such file, a line is damaged, or lines are missing, doubled or out of order.
    """
    check = _OrderCheck()
    try:
        with open_regular(path) as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    found = json.loads(line.decode("utf-8"))
                    _check_fields(found)
                    check(found)
                except (ValueError, TypeError, KeyError, RecursionError) as error:
                    raise UserInputError(f"{path} is damaged in line {number} ({_fault(error)}).") from None
                yield found
    except FileNotFoundError:
        raise UserInputError(
            f"{path.parent} holds no {path.name}: only a session recorded with --record raw can be replayed."
        ) from None
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None


def read_raw_frames(path: Path) -> list[tuple[int, float]]:
    """Read only which frames are in raw.mkv: of an hour's log in under a second. Lines that are damaged are passed over.

    Args:
        path: of the log.

    Returns:
        Sequence and capture time (seconds) of each picture, in the order of the file.

    Raises:
        UserInputError: the log cannot be read.
    """
    found: list[tuple[int, float]] = []
    try:
        with open_regular(path) as file:
            for line in file:
                if b'"raw"' not in line[:20]:
                    continue
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    one = json.loads(line)
                    found.append((int(one["n"]), float(one["t"])))
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    return found


class _OrderCheck:
    """Finds lines that are missing, doubled or out of order, as far as their order says so."""

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}
        self._tracked: set[int] = set()

    def __call__(self, found: Mapping[str, Any]) -> None:
        """Raises ValueError."""
        kind = found["kind"]
        if kind in ("raw", "track", "row"):
            if found["n"] <= self._newest.get(kind, -1):
                raise ValueError(f"frame {found['n']} comes twice or too late as {kind!r}")
            self._newest[kind] = found["n"]
        if kind == "track":
            self._tracked.add(found["n"])
        if kind == "measure":
            if found["n"] not in self._tracked:
                raise ValueError(f"frame {found['n']} was measured twice or never tracked")
            self._tracked.remove(found["n"])


def _check_fields(found: Any) -> None:
    """Raises ValueError, TypeError or KeyError where a line is none of the kinds above."""
    if not isinstance(found, dict):
        raise TypeError("no JSON object")
    if found["kind"] == "neutral":
        Baseline.from_json(found)
        return
    for name, test in _FIELDS[found["kind"]].items():
        if not test(found[name]):
            raise ValueError(f"{name} is {found[name]!r:.40}")


def _fault(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deep"
    if isinstance(error, KeyError):
        return f"no {error}" if error.args and isinstance(error.args[0], str) else "a kind that is no text"
    return "no JSON" if isinstance(error, json.JSONDecodeError | UnicodeDecodeError) else str(error)


def _frame(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < LATEST


def _truth(value: Any) -> bool:
    return type(value) is bool


def _region(value: Any) -> bool:
    if value is None:
        return True
    if type(value) is not list or len(value) != 4 or not all(map(_frame, value)):
        return False
    x1, y1, x2, y2 = value
    return bool(x1 < x2 and y1 < y2)


_FIELDS: Mapping[str, Mapping[str, Callable[[Any], bool]]] = {
    "raw": {"n": _frame, "t": _number},
    "detect": {"n": _frame, "region": _region, "coarse": _truth},
    "track": {"n": _frame, "detections": lambda value: value is None or _frame(value)},
    "face": {"n": _frame, "before": _frame, "now": _frame},
    "measure": {"n": _frame, "calibrate": _truth},
    "reset": {},
    "row": {
        "n": _frame,
        "t": _number,
        "shown": lambda value: value is None or _truth(value),
        "cause": lambda value: type(value) is str,
        "age": lambda value: value is None or _number(value),
        "measured": _truth,
    },
}
