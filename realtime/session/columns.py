"""frames.csv as columns, for whoever needs a long recording at once: an hour (200 MB) takes half a second.

`read_frames` reads the whole file for reports. Here only the wanted columns become numbers, and any stretch of rows can be read
again with all of its cells, because where each row begins is known.
"""

import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.errors import UserInputError
from realtime.files import open_regular, reason
from realtime.types import F32, F64

_AT_ONCE = 2**24
_LONGEST_HEADER = 2**20


@dataclass(frozen=True, slots=True)
class Cells:
    """N rows of some columns.

    Attributes:
        times: (N,) capture times, seconds.
        numbers: (N,) float32 by column; NaN: not measured.
        texts: (N, 2) int64 by column, where each cell's text begins and ends in the file.
        starts: (N + 1,) where each row begins in the file, and where the last one ends.
        odd: rows with another number of cells than the header.
    """

    times: F64
    numbers: dict[str, F32]
    texts: dict[str, NDArray[np.int64]]
    starts: NDArray[np.int64]
    odd: int


class ColumnFile:
    """A CSV file with a header, held open for reading.

    Args:
        path: of the file.

    Attributes:
        names: the header's.
        size: bytes that were there when it was opened; what is added later is not seen.

    Raises:
        UserInputError: there is no such file, it cannot be read or has no header with capture times.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with open_regular(path) as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise UserInputError(f"{path.parent} holds no {path.name}.") from None
        except (OSError, ValueError) as error:  # ValueError: it is empty
            raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
        self.size = len(self._map)
        self._content: NDArray[np.uint8] = np.frombuffer(self._map, np.uint8)
        line = self._map.find(b"\n", 0, _LONGEST_HEADER)
        header = self._map[: max(line, 0)].decode("utf-8", "replace").rstrip("\r")
        self.names: list[str] = header.split(",")
        self._body = line + 1
        self._places = {name: place for place, name in enumerate(self.names)}
        if "capture_time" not in self.names:
            raise UserInputError(f"{path} is damaged: there is no header with a column capture_time.")

    def read(self, numbers: Sequence[str], texts: Sequence[str] = (), first: int = -1, last: int = -1) -> Cells:
        """Some columns of all rows, or of a stretch of the file. A last row that is cut short is left out.

        Args:
            numbers: names of columns; those that the file does not have are NaN throughout.
            texts: names of columns; those that the file does not have are empty.
            first: where a row begins, bytes; -1: the first one.
            last: where a row ends, bytes; -1: the last one.
        """
        # Imported here: Numba takes a third of a second, in which whoever only wants to know what is there need not wait.
        from realtime.session._cell_kernels import SKIP, read_cells

        kinds = np.full(len(self.names), SKIP, np.int32)
        moment = len(numbers)
        for place, name in enumerate(numbers):
            if name in self._places:
                kinds[self._places[name]] = place
        for place, name in enumerate(texts):
            if name in self._places:
                kinds[self._places[name]] = -2 - place
        kinds[self._places["capture_time"]] = moment
        content = self._content if last < 0 else self._content[:last]
        at = self._body if first < 0 else first
        room = max(1, min(_AT_ONCE, len(content) - at) // len(self.names) + 1)
        parts, odd = [], 0
        while at < len(content):
            part = (
                np.empty(room),
                np.empty((room, len(numbers)), np.float32),
                np.empty((room, len(texts), 2), np.int64),
                np.empty(room, np.int64),
            )
            count, at, wrong = read_cells(content, at, kinds, *part, moment)
            odd += wrong
            if not count:
                break
            parts.append([values[:count].copy() for values in part])
        if not parts:
            parts.append([np.empty(0), np.empty((0, len(numbers)), np.float32), np.empty((0, len(texts), 2), np.int64)])
            parts[0].append(np.empty(0, np.int64))
        times, table, spans, starts = (np.concatenate(values) for values in zip(*parts, strict=True))
        return Cells(
            times,
            dict(zip(numbers, np.ascontiguousarray(table.T), strict=True)),
            {name: spans[:, place] for place, name in enumerate(texts)},
            np.append(starts, at),
            odd,
        )

    def text(self, span: NDArray[np.int64]) -> str:
        """One cell's text.

        Args:
            span: where it begins and ends, as `read` tells.
        """
        return self._map[int(span[0]) : int(span[1])].decode("utf-8", "replace").replace('""', '"')

    def classes(self, spans: NDArray[np.int64], words: Mapping[str, int], other: int = 0) -> NDArray[np.uint8]:
        """A number for each of a column's texts, of which there are few different ones.

        Args:
            spans: (N, 2) as `read` tells.
            words: the number of each text; they differ in their first letter.
            other: of an empty cell, and of every other text.
        """
        found = np.full(len(spans), other, np.uint8)
        first = np.zeros(len(spans), np.uint8)
        filled = spans[:, 1] > spans[:, 0]
        first[filled] = self._content[spans[filled, 0]]
        for word, number in words.items():
            found[first == ord(word[0])] = number
        return found

    def close(self) -> None:
        """Let go of the file's name; what was read stays good. Safe to call twice."""
        self._content = np.empty(0, np.uint8)
        try:
            self._map.close()
        except BufferError:  # a reader on another thread has it still; it goes with that
            return
