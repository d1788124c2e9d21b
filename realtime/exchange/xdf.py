"""A session's rows on the clock of a recorder of LSL streams, by our own stream in its XDF file.

Every sample of ours is stamped with its frame's capture time on LSL's clock of our machine, so sample and row belong together
where times differ by one constant and the values are the same. The recorder has measured how far its clock and ours are apart
(ClockOffset chunks), which pyxdf takes into account. Source: the XDF 1.0 specification, https://github.com/sccn/xdf/wiki.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from realtime.errors import DeviceError, UserInputError
from realtime.exchange.moments import nearest_places
from realtime.files import open_regular, reason, write_atomically
from realtime.session.folder import FRAMES
from realtime.session.read_frames import Rows, read_rows
from realtime.types import F64

Seconds = TypeVar("Seconds", float, F64)

STREAM, SOURCE = "FaceMirror AU", "facemirror-live:"
TIME, COVERED = "recorder_time", "recorder_covers"
_SAME_SECONDS = 2e-3
_SAME_VALUE = 6e-4
_PROBES = 24
_CANDIDATES = 40
_FEWEST = 3


class Alignment(NamedTuple):
    """How a session's capture times become the recorder's times: offset + rate * capture_time.

    Attributes:
        stream: the stream's name.
        offset: seconds.
        rate: the recorder's seconds in one of ours.
        first: capture time of the first matched row, seconds.
        last: of the last one.
        samples: in the stream.
        matched: samples that have a row.
        median_error: of |recorded time - line| over them, seconds.
        max_error: likewise.
        clocks: measurements of how far the two clocks are apart.
        median_clock_error: of |measurement - line| over them, seconds; NaN: there is none.
        max_clock_error: likewise.
    """

    stream: str
    offset: float
    rate: float
    first: float
    last: float
    samples: int
    matched: int
    median_error: float
    max_error: float
    clocks: int
    median_clock_error: float
    max_clock_error: float

    def recorder_time(self, capture_time: Seconds) -> Seconds:
        """Seconds on the recorder's clock, of one moment or of (N,).

        Args:
            capture_time: seconds.
        """
        return self.offset + self.rate * (capture_time - self.first)


class _Stream(NamedTuple):
    """One stream of ours in the file: sent and synchronised times, Action Units by column name, and the measured clock offsets."""

    name: str
    source: str
    sent: F64
    times: F64
    values: dict[str, F64]
    clock_times: F64
    clock_values: F64


def align(session: Path, xdf: Path) -> Alignment:
    """Find how a session's rows lie on the recorder's clock.

    Args:
        session: the session's folder.
        xdf: LabRecorder's file.

    Raises:
        UserInputError: there are no rows, the file is no XDF or holds no stream of ours, or one of another session.
        DeviceError: pyxdf is not installed.
    """
    rows = read_rows(session / FRAMES)
    if not len(rows.times):
        raise UserInputError(f"{session} has no rows, so nothing can be put on another clock.")
    best: Alignment | None = None
    for stream in _streams(xdf):
        found = _aligned(rows, stream)
        if found is not None and (best is None or found.matched > best.matched):
            best = found
    if best is None:
        raise UserInputError(f"{xdf} holds a stream of facemirror-live, but of another session than {session}.")
    return best


def _streams(path: Path) -> list[_Stream]:
    try:
        import pyxdf
    except ImportError:
        raise DeviceError('align needs pyxdf: pip install "facemirror-live[lab]".') from None
    try:
        with open_regular(path) as file:
            if file.read(4) != b"XDF:":
                raise UserInputError(f"{path} is no XDF file.")
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    try:
        ours = [
            info
            for info in pyxdf.resolve_streams(str(path))
            if str(info.get("name", "")).startswith(STREAM)
            and " person " not in info["name"]
            and str(info.get("source_id", "")).startswith(SOURCE)
        ]
        if not ours:
            raise UserInputError(f"{path} holds no stream of facemirror-live ({STREAM}); was it recorded with --lsl?")
        chosen = [int(info["stream_id"]) for info in ours]
        sent = _loaded(pyxdf, path, chosen, synchronise=False)
        times = _loaded(pyxdf, path, chosen, synchronise=True)
        return [_stream(sent[key], times[key]) for key in sent if len(sent[key]["time_stamps"])]
    except UserInputError:
        raise
    except Exception as error:  # noqa: BLE001  pyxdf raises anything over a damaged file
        raise UserInputError(f"{path} is a damaged XDF file ({str(error)[:80]}).") from None


def _loaded(pyxdf: Any, path: Path, chosen: Sequence[int], *, synchronise: bool) -> dict[int, Mapping[str, Any]]:
    streams, _ = pyxdf.load_xdf(
        str(path), select_streams=list(chosen), synchronize_clocks=synchronise, dejitter_timestamps=False, verbose=False
    )
    return {int(stream["info"]["stream_id"]): stream for stream in streams}


def _stream(sent: Mapping[str, Any], synchronised: Mapping[str, Any]) -> _Stream:
    info = sent["info"]
    channels = info["desc"][0]["channels"][0]["channel"]
    labels = [channel["label"][0] for channel in channels]
    table = np.asarray(sent["time_series"], np.float64)
    values = {label: table[:, place] for place, label in enumerate(labels) if label.startswith("AU")}
    stamps = np.asarray(sent["time_stamps"], np.float64), np.asarray(synchronised["time_stamps"], np.float64)
    clocks = [np.asarray(sent.get(key, ()), np.float64) for key in ("clock_times", "clock_values")]
    return _Stream(info["name"][0], info["source_id"][0] or "", *stamps, values, *clocks)


def _aligned(rows: Rows, stream: _Stream) -> Alignment | None:
    """None: the stream is not of these rows."""
    captured = rows.times + rows.start
    sides = {"left": rows.left, "right": rows.right}
    columns = {f"AU{au:02d}_{side}": values for side, units in sides.items() for au, values in units.items()}
    names = [name for name in columns if name in stream.values]
    ours_values = np.stack([columns[name] for name in names], axis=1) if names else np.zeros((len(captured), 0))
    theirs_values = (
        np.stack([stream.values[name] for name in names], axis=1) if names else np.zeros((len(stream.sent), 0))
    )
    telling = np.isfinite(theirs_values).any(axis=1)
    if not telling.any():
        return None
    best, places, good, apart = 0, np.zeros(0, np.intp), np.zeros(0, bool), 0.0
    for constant in _constants(captured, stream.sent[telling], ours_values, theirs_values[telling]):
        near = nearest_places(captured, stream.sent - constant)
        close = np.abs(captured[near] + constant - stream.sent) < _SAME_SECONDS
        timely = int((close & telling).sum())
        close &= _same(ours_values[near], theirs_values).all(axis=1)
        same = int((close & telling).sum())
        if same > best and same > timely / 2:
            best, places, good, apart = same, near, close, constant
    if best < _FEWEST:
        return None
    ours, theirs = captured[places[good]], stream.times[good]
    first = float(ours.min())
    rate, offset = _line(ours - first, theirs)
    errors = np.abs(theirs - (offset + rate * (ours - first)))
    clocks = np.abs(stream.clock_times + stream.clock_values - (offset + rate * (stream.clock_times - apart - first)))
    return Alignment(
        stream.name,
        offset,
        rate,
        first,
        float(ours.max()),
        len(stream.sent),
        int(good.sum()),
        float(np.median(errors)),
        float(errors.max()),
        len(clocks),
        float(np.median(clocks)) if len(clocks) else float("nan"),
        float(clocks.max()) if len(clocks) else float("nan"),
    )


def _line(ours: F64, theirs: F64) -> tuple[float, float]:
    """Rate and offset of the straight line; less than a second tells no rate."""
    if np.ptp(ours) <= 1.0:
        return 1.0, float((theirs - ours).mean())
    rate, offset = np.polyfit(ours, theirs, 1)
    return float(rate), float(offset)


def _constants(captured: F64, sent: F64, ours: F64, theirs: F64) -> Iterator[float]:
    """Likely differences of the two clocks: those by which most of a few samples have a row with the same values.

    Times alone do not tell: a camera's frames come every 33.3 ms all day long.

    Args:
        captured: (N,) of the rows.
        sent: (M,) of the samples that have values.
        ours: (N, K) of the rows.
        theirs: (M, K) of the samples.
    """
    probes = np.unique(np.linspace(0, len(sent) - 1, _PROBES).round().astype(int))
    differences = np.concatenate([sent[probe] - captured[_same(ours, theirs[probe]).all(axis=1)] for probe in probes])
    bins, counts = np.unique(np.round(differences / _SAME_SECONDS), return_counts=True)
    for place in np.argsort(-counts, kind="stable")[:_CANDIDATES]:
        inside = np.abs(differences / _SAME_SECONDS - bins[place]) <= 1
        yield float(np.median(differences[inside]))


def _same(ours: F64, theirs: F64) -> NDArray[np.bool_]:
    """Where two measured the same, to the rows' three decimals, or neither measured anything."""
    return (np.abs(ours - theirs) < _SAME_VALUE) | (np.isnan(ours) & np.isnan(theirs))


def write_aligned(session: Path, found: Alignment, target: Path) -> int:
    """Write frames.csv once more with two columns at its end.

    `recorder_time` is seconds on the recorder's clock, as the other streams of the XDF file have it; `recorder_covers` is 0 where
    that is continued beyond the recording.

    Args:
        session: the session's folder.
        found: of `align`.
        target: the file to write.

    Returns:
        How many rows were written.

    Raises:
        UserInputError: the rows cannot be read.
        DeviceError: the target cannot be written.
    """
    count = 0
    path = session / FRAMES
    try:
        with (
            open_regular(path) as raw,
            io.TextIOWrapper(raw, encoding="utf-8", newline="") as file,
            write_atomically(target) as out,
        ):
            reader = csv.reader(file)
            header = next(reader)
            place = header.index("capture_time")
            out.write((",".join([*header, TIME, COVERED]) + "\n").encode())
            for row in reader:
                if len(row) == len(header):
                    at = float(row[place])
                    line = io.StringIO()
                    covered = "1" if found.first <= at <= found.last else "0"
                    csv.writer(line, lineterminator="\n").writerow([*row, f"{found.recorder_time(at):.6f}", covered])
                    out.write(line.getvalue().encode())
                    count += 1
    except (ValueError, csv.Error) as error:
        raise UserInputError(f"{path} is damaged after {count} rows ({str(error)[:60]}).") from None
    except OSError as error:
        raise DeviceError(f"{target} cannot be written ({reason(error)}).") from None
    return count
