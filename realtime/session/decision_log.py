"""decisions.jsonl: what the live run decided, in the order in which it happened, so that a replay can decide the same.

One JSON object a line. `kind` is one of
    neutral   shape, look, network: the stored calibration in force from the start
    raw       n, t: this frame, taken at t (seconds), is the next picture of raw.mkv
    detect    n, region, coarse: the detector looked at frame n
    track     n, detections: frame n was tracked, with the detections made on frame `detections` entering (null: none)
    measure   n, calibrate: frame n was measured; calibrate: a calibration was started just before
    reset     the stream was interrupted
    row       n, t, shown, cause, age, measured: frame n's row went out; measured: with its own analysis
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from realtime.action_units.baseline import Baseline
from realtime.errors import DeviceError, UserInputError
from realtime.files import open_private, reason
from realtime.session.schema import FrameRow
from realtime.types import Region

NAME = "decisions.jsonl"
_FLUSH_SECONDS = 0.15


class DecisionLog:
    """Writes the decisions. From any thread; never raises on a failed disk (`failed`, one sentence in `notices`)."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        """Create the file. Raises DeviceError when it cannot be created."""
        self.path = path
        self.failed = False
        self.notices: list[str] = []
        self._clock = clock
        self._lock = threading.Lock()
        try:
            self._file: TextIO | None = open_private(path, "x", newline="\n")
        except OSError as error:
            raise DeviceError(f"{path} cannot be written ({reason(error)}).") from None
        self._flushed = clock()

    def neutral(self, rest: Baseline) -> None:
        self._put(kind="neutral", **rest.as_json())

    def raw(self, sequence: int, capture_time: float) -> None:
        self._put(kind="raw", n=sequence, t=capture_time)

    def detect(self, sequence: int, region: Region | None, *, coarse: bool) -> None:
        self._put(kind="detect", n=sequence, region=region, coarse=coarse)

    def track(self, sequence: int, detections: int | None) -> None:
        self._put(kind="track", n=sequence, detections=detections)

    def measure(self, sequence: int, *, calibrate: bool) -> None:
        self._put(kind="measure", n=sequence, calibrate=calibrate)

    def reset(self) -> None:
        self._put(kind="reset")

    def row(self, row: FrameRow) -> None:
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
        """Safe to call twice."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                with contextlib.suppress(OSError):
                    file.close()

    def _put(self, **what: Any) -> None:
        line = json.dumps(what, separators=(",", ":"), allow_nan=False) + "\n"
        with self._lock:
            if self._file is None:
                return
            try:
                self._file.write(line)
                now = self._clock()
                if now - self._flushed >= _FLUSH_SECONDS:
                    self._file.flush()
                    self._flushed = now
            except OSError as error:
                self.failed = True
                self.notices.append(
                    f"Writing {self.path} stopped ({reason(error)}); the session cannot be replayed beyond this point."
                )
                self._file = None


def read_journal(path: Path) -> Iterator[Mapping[str, Any]]:
    """The decisions in order. A last line cut short by a kill is left out.

    Raises UserInputError when there is no such file or another line is damaged.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith("\n"):
                    return
                try:
                    found = json.loads(line)
                    found["kind"]
                except (ValueError, TypeError, KeyError):
                    raise UserInputError(f"{path} is damaged in line {number}.") from None
                yield found
    except FileNotFoundError:
        raise UserInputError(
            f"{path.parent} holds no {path.name}: only a session recorded with --record raw can be replayed."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserInputError(f"{path} cannot be read ({error}).") from None
