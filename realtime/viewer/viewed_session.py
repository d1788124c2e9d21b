"""A session opened for the page: what could be read of it, and sentences about what could not."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.errors import UserInputError
from realtime.file_locks import is_held
from realtime.files import file_sha256
from realtime.session import markers
from realtime.session.folder import FRAMES
from realtime.session.manifest import entries_of, printable, session_of
from realtime.session.markers import Mark, read_markers
from realtime.session.verify import Verdict, compare
from realtime.types import F64
from realtime.viewer.arrays import pack
from realtime.viewer.curves import MOST_STEPS, curve
from realtime.viewer.films import Film, FilmIndices, Kind, films_of, measured_recording
from realtime.viewer.rows import SessionRows

_MOST_READ = 2 * 2**30
"""Bytes of a session that are read through to compare checksums; more would keep the disk busy for minutes."""


def check_session(folder: Path) -> Mapping[str, Any]:
    """Say at once what cannot be opened at all.

    Args:
        folder: of a session.

    Returns:
        The content of session.json.

    Raises:
        UserInputError: it is no session, or is being recorded right now.
    """
    described = session_of(folder)
    if is_held(folder / FRAMES):
        raise UserInputError(f"{folder} is being recorded right now; end that run, then open it.")
    return described


@dataclass(frozen=True)
class ViewedSession:
    """One session.

    Attributes:
        folder: of the session.
        rows: None: they cannot be read.
        films: its recordings.
        markers: that were set while it ran.
        notices: sentences about what is wrong with it.
        checksum: sha256 of the recording that a batch measured; empty: there is none.
    """

    folder: Path
    rows: SessionRows | None
    films: list[Film]
    markers: list[Mark]
    notices: list[str]
    checksum: str = ""

    @classmethod
    def open(cls, folder: Path, video: Path | None = None) -> "ViewedSession":
        """Read what there is; nothing is changed.

        Args:
            folder: of a session.
            video: the recording that was measured, where it lies elsewhere; None: where the batch found it.

        Raises:
            UserInputError: it is no session, or is being recorded right now.
        """
        described = check_session(folder)
        notices = _said(compare(folder, checksums=False))
        indices = FilmIndices(folder, video or measured_recording(folder, described))
        rows: SessionRows | None = None
        marks: list[Mark] = []
        try:
            rows = SessionRows(folder / FRAMES)
            notices += rows.notices
            if not len(rows.times):
                notices.append(f"{FRAMES} holds no row.")
                rows = None
        except UserInputError as error:
            notices.append(str(error))
        try:
            marks = read_markers(folder / markers.NAME)
        except UserInputError as error:
            notices.append(str(error))
        films, wrong = films_of(folder, described, rows, indices)
        notices += wrong + [sentence for film in films for sentence in film.notices]
        if not films and not wrong:
            notices.append("This session has no recording; its rows are shown.")
        checksum = str(described.get("batch", {}).get("input", {}).get("sha256", ""))
        return cls(folder, rows, films, marks, [printable(sentence) for sentence in notices], checksum)

    @property
    def times(self) -> F64:
        """(N,) seconds of every frame from the first; of the pictures where there are no rows."""
        if self.rows is not None:
            return self.rows.times
        return self.films[0].times if self.films else np.empty(0)

    def film(self, kind: str) -> Film:
        """One of the recordings.

        Args:
            kind: shown, captured or measured.

        Raises:
            UserInputError: there is none of this kind.
        """
        for film in self.films:
            if film.kind == kind:
                return film
        raise UserInputError(f"This session has no recording of what was {kind[:20]}.")

    def describe(self) -> dict[str, Any]:
        """For the page."""
        rows = self.rows
        start = rows.start if rows is not None else 0.0
        kinds: list[Kind] = [film.kind for film in self.films]
        return {
            "name": printable(self.folder.resolve().name),
            "frames": len(self.times),
            "seconds": float(self.times[-1]) if len(self.times) else 0.0,
            "rows": rows is not None,
            "points": rows is not None and rows.has_points,
            "several": rows is not None and rows.several,
            "faces": [] if rows is None else rows.faces,
            "curves": [] if rows is None else rows.describe(),
            "films": [film.describe() for film in self.films],
            "kinds": kinds,
            "markers": [
                {"at": mark.capture_time - start, "text": mark.text, "by": mark.source} for mark in self.markers
            ],
            "notices": self.notices,
        }

    def index(self) -> bytes:
        """When each frame was taken, what became of it, and which picture of each recording shows it."""
        count = len(self.times)
        arrays: dict[str, NDArray[Any]] = {
            "times": self.times,
            "status": np.zeros(count, np.uint8) if self.rows is None else self.rows.status,
        }
        for film in self.films:
            alone = self.rows is None
            arrays[f"{film.kind}_rows"] = np.arange(len(film.times), dtype=np.int32) if alone else film.rows
            # The file's own clock begins with its first picture, as the served one does.
            arrays[f"{film.kind}_film"] = film.index.times - film.index.times[0]
            arrays[f"{film.kind}_times"] = film.times
        return pack(arrays)

    def curves(self, names: list[str], first: float, last: float, steps: int) -> bytes:
        """Curves between two moments; see `curve`.

        Args:
            names: of columns.
            first: seconds from the first row.
            last: likewise.
            steps: at most so many.

        Raises:
            UserInputError: there are no rows, no such column, or the moments are none.
        """
        if self.rows is None:
            raise UserInputError("This session has no rows that could be read.")
        if not (np.isfinite(first) and np.isfinite(last) and first < last):
            raise UserInputError("The curves' first moment must lie before their last.")
        arrays: dict[str, NDArray[Any]] = {}
        for name in names:
            most = max(1, min(steps, MOST_STEPS))
            found = curve(self.times, self.rows.values(name), first, last, most, self.rows.seen)
            arrays |= dict(zip((f"{name}:t", f"{name}:low", f"{name}:high"), found, strict=True))
        return pack(arrays)

    def stretch(self, first: int, count: int) -> bytes:
        """Everything of some frames; see `SessionRows.stretch`.

        Args:
            first: the first frame.
            count: how many.

        Raises:
            UserInputError: there are no rows.
        """
        if self.rows is None:
            raise UserInputError("This session has no rows that could be read.")
        columns, numbers, frames, texts = self.rows.stretch(first, count)
        return pack({"numbers": numbers, "frames": frames}, columns=columns, texts=texts)

    @cached_property
    def differences(self) -> list[str]:
        """What differs from the manifest and from what a batch measured, as sentences. Every file is read through, once.

        Raises:
            UserInputError: the manifest is damaged.
        """
        size = sum(entry.path.stat().st_size for entry in entries_of(self.folder) if entry.kind is None)
        if size > _MOST_READ:
            return [
                f"Only the files' sizes were compared, because they are {size / 1e9:.0f} GB; verify reads them through."
            ]
        found = _said(compare(self.folder))
        for film in self.films:
            if film.kind == "measured" and self.checksum and file_sha256(film.index.path) != self.checksum:
                found.append(
                    f"{printable(film.index.path.name)} is not the recording that was measured: its content differs."
                )
        return found

    def close(self) -> None:
        """Let go of the files. Safe to call twice."""
        if self.rows is not None:
            self.rows.close()
        for film in self.films:
            film.pictures.close()


def _said(verdict: Verdict) -> list[str]:
    found = (
        [] if verdict.finished else ["This session was not finished (there is no manifest); what can be read is shown."]
    )
    return found + [f"{problem.file} {problem.sentence}." for problem in verdict.problems]
