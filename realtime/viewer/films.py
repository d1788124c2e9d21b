"""A session's recordings as the page shows them: which pictures, which rows they belong to, and how they get to the browser."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from realtime.errors import UserInputError
from realtime.media import lossless
from realtime.session import decision_log
from realtime.session.folder import VIDEO
from realtime.session.manifest import read_json
from realtime.types import F64
from realtime.viewer.exact_pictures import ExactPictures
from realtime.viewer.film_index import FilmIndex, read_index
from realtime.viewer.placement import place
from realtime.viewer.rows import STATUS, SessionRows
from realtime.viewer.virtual_mp4 import PlainFile, VirtualMp4

_MATCHED = 0.9
Kind = Literal["shown", "captured", "measured"]


@dataclass(frozen=True)
class Film:
    """One recording.

    Attributes:
        kind: what was shown, what was captured, or the recording that a batch measured.
        index: of its pictures.
        rows: (N,) each picture's row; -1: none.
        times: (N,) seconds from the session's first row.
        notices: sentences about it.
        overlay: whether points can be drawn at their places: none, "clean" where nothing is drawn on the picture yet, "drawn" where
            the program drew it live.
        flipped: the picture is shown like a mirror.
    """

    kind: Kind
    index: FilmIndex
    rows: NDArray[np.int32]
    times: F64
    notices: tuple[str, ...]
    overlay: Literal["", "clean", "drawn"]
    flipped: bool

    @cached_property
    def pictures(self) -> ExactPictures:
        """Any picture as a JPEG."""
        return ExactPictures(self.index)

    @cached_property
    def mp4(self) -> VirtualMp4 | PlainFile | None:
        """For browsers that play it themselves; None: they cannot."""
        if not self.index.plays_in_browsers:
            return None
        return PlainFile(self.index) if self.index.reordered else VirtualMp4(self.index)

    def describe(self) -> dict[str, Any]:
        """For the page."""
        return {
            "kind": self.kind,
            "plays": self.index.plays_in_browsers,
            "codec": self.index.codec,
            "width": self.index.width,
            "height": self.index.height,
            "pictures": len(self.times),
            "overlay": self.overlay,
            "flipped": self.flipped,
        }


class FilmIndices:
    """The indices of a session's recordings, read on a thread of their own while somebody else reads the rows.

    Args:
        folder: of the session.
        measured: a recording outside the session that was measured, as a batch does; None: there is none.
    """

    def __init__(self, folder: Path, measured: Path | None) -> None:
        shown = folder / VIDEO
        self.measured = measured
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="film-index")
        wanted = [path for path in (shown, measured) if path is not None and path.exists()]
        self._found = {path: self._pool.submit(read_index, path) for path in wanted}
        self._pool.shutdown(wait=False)

    def of(self, path: Path) -> FilmIndex:
        """One of them.

        Args:
            path: of the recording.

        Raises:
            UserInputError: it cannot be read, or holds no picture.
        """
        return self._found[path].result() if path in self._found else read_index(path)


def films_of(
    folder: Path, described: Mapping[str, Any], rows: SessionRows | None, indices: FilmIndices
) -> tuple[list[Film], list[str]]:
    """The session's recordings, the captured frames last, and sentences about those that cannot be shown.

    Args:
        folder: of the session.
        described: the content of session.json.
        rows: of the session; None: they cannot be read.
        indices: of the recordings.
    """
    found: list[Film] = []
    notices: list[str] = []
    for name in (VIDEO, lossless.NAME):
        path = folder / name
        if not path.exists():
            continue
        try:
            if not path.stat().st_size:
                notices.append(f"{name} holds no picture.")
                continue
            found.append(_shown(indices.of(path), described, rows) if name == VIDEO else _captured(path, rows))
        except (UserInputError, OSError) as error:
            notices.append(str(error))
    if indices.measured is not None:
        try:
            found.append(_measured(indices.of(indices.measured), described, rows))
        except (UserInputError, OSError) as error:
            notices.append(str(error))
    return found, notices


def measured_recording(folder: Path, described: Mapping[str, Any]) -> Path | None:
    """Where the recording of a batch's bundle lies, as the batch's ledger says; None: this is none, or its ledger is elsewhere.

    Args:
        folder: of the bundle.
        described: the content of session.json.
    """
    if "batch" not in described:
        return None
    bundle = folder.resolve()
    try:
        return Path(str(read_json(bundle.parent.parent / "ledger" / "inputs" / f"{bundle.name}.json")["path"]))
    except (UserInputError, KeyError):
        return None


def _measured(index: FilmIndex, described: Mapping[str, Any], rows: SessionRows | None) -> Film:
    path = index.path
    times = index.times - index.times[0]
    if rows is None:
        return Film("measured", index, np.full(len(times), -1, np.int32), times, (), "", flipped=False)
    captured = rows.times + rows.start
    every = np.ones(len(captured), np.bool_)
    placed = place(times, captured, rows.start, every)
    if (placed.rows >= 0).mean() < _MATCHED:
        placed = place(times, captured, None, every)
    notices = []
    if placed.origin is None:
        notices.append(f"{path.name} has other times than the rows: is it the recording that was measured?")
    measured = described.get("batch", {}).get("input", {})
    same = (measured.get("width", index.width), measured.get("height", index.height)) == (index.width, index.height)
    if not same:
        notices.append(
            f"{path.name} was turned or made smaller before it was measured, so points cannot be drawn on it."
        )
    shift = 0.0 if placed.origin is None else placed.origin - rows.start
    return Film("measured", index, placed.rows, times + shift, tuple(notices), "clean" if same else "", flipped=False)


def _shown(index: FilmIndex, described: Mapping[str, Any], rows: SessionRows | None) -> Film:
    path = index.path
    overlay, flipped = _drawn(described)
    times = index.times
    if rows is None:
        nowhere = np.full(len(times), -1, np.int32)
        return Film("shown", index, nowhere, times - times[0], (), "", flipped)
    captured = rows.times + rows.start
    placed = place(times, captured, index.origin, rows.status != STATUS["dropped"])
    notices = []
    alone = int((placed.rows < 0).sum())
    if placed.origin is None:
        notices.append(f"{path.name} fits the rows' times nowhere, so it is shown from the first row on.")
    elif alone:
        notices.append(f"{alone:,} of {len(times):,} pictures of {path.name} have no row.")
    if placed.origin is not None and not placed.sure:
        notices.append(f"{path.name} fits the rows' times in more than one place; the best is taken.")
    origin = rows.start if placed.origin is None else placed.origin
    return Film("shown", index, placed.rows, times + origin - rows.start, tuple(notices), overlay, flipped)


def _drawn(described: Mapping[str, Any]) -> tuple[Literal["", "clean", "drawn"], bool]:
    """What is drawn on the recording already, and whether it is flipped, from the session's settings."""
    settings = described.get("configuration", {})

    def value(name: str, default: object) -> object:
        return settings.get(name, {}).get("value", default)

    view, flipped = value("view", "overlay"), value("selfie", default=False) is True
    if "batch" in described:
        return "drawn", False
    if view == "raw":
        return "clean", flipped
    # Beside a strip the picture is smaller, and mirrored halves are another picture.
    place_known = view == "overlay" and value("panel", "auto") in ("off", "left", "right")
    return ("drawn" if place_known else ""), flipped


def _captured(path: Path, rows: SessionRows | None) -> Film:
    log = path.parent / decision_log.NAME
    taken = decision_log.read_raw_frames(log)
    if not taken:
        raise UserInputError(f"{path.name} cannot be shown: {log.name} lists no picture of it.")
    times = np.array([time for _, time in taken])
    stamps = np.round((times - times[0]) * 1000).astype(np.int64)
    stamps = np.maximum.accumulate(stamps - np.arange(len(stamps))) + np.arange(len(stamps))  # each later than the last
    index = read_index(path, stamps)
    if index.time_base != Fraction(1, 1000):
        raise UserInputError(f"{path.name} is no recording of this program.")
    if rows is None:
        return Film("captured", index, np.full(len(times), -1, np.int32), times - times[0], (), "clean", flipped=False)
    by_sequence = {int(sequence): row for row, sequence in enumerate(rows.sequences)}
    placed = np.array([by_sequence.get(sequence, -1) for sequence, _ in taken], np.int32)
    return Film("captured", index, placed, times - rows.start, (), "clean", flipped=False)
