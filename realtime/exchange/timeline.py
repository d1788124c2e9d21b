"""Where a session's rows begin, and how times from its first row become times of its film."""

import csv
import io
from pathlib import Path
from typing import NamedTuple

from realtime.errors import UserInputError
from realtime.exchange.film import Film, film_of
from realtime.files import open_regular, reason
from realtime.session.folder import FRAMES
from realtime.session.schema import LATEST


class Timeline(NamedTuple):
    """The times of one session.

    Attributes:
        start: capture time of the first row, seconds.
        film: None: there is none.
        film_start: capture time of the film's start, seconds; without a film that of the first row.
        notes: sentences about what is not known for sure.
    """

    start: float
    film: Film | None
    film_start: float
    notes: list[str]

    @property
    def film_offset(self) -> int:
        """Milliseconds from the first row to the film's start."""
        return round(1000 * (self.film_start - self.start))


def timeline_of(session: Path) -> Timeline:
    """Find out where a session's rows and film begin.

    Args:
        session: the session's folder.

    Raises:
        UserInputError: it has no rows, or they are damaged.
    """
    start = first_capture_time(session / FRAMES)
    film = film_of(session)
    if film is None:
        return Timeline(start, None, start, [])
    if film.start is None:
        note = f"{film.name} does not say when it begins; it is taken to begin with the first row."
        return Timeline(start, film, start, [note])
    return Timeline(start, film, film.start, [])


def first_capture_time(rows: Path) -> float:
    """The capture time of the first row, seconds.

    Args:
        rows: frames.csv.

    Raises:
        UserInputError: there is no such file, no row in it, or it is damaged.
    """
    try:
        with open_regular(rows) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as file:
            first = next(csv.DictReader(file), None)
            if first is None:
                raise UserInputError(f"{rows.parent} has no rows, so there is no time to count from.")
            start = float(first["capture_time"])
            if not abs(start) < LATEST:
                raise ValueError("no capture time")
            return start
    except FileNotFoundError:
        raise UserInputError(f"{rows.parent} holds no {rows.name}.") from None
    except OSError as error:
        raise UserInputError(f"{rows} cannot be read ({reason(error)}).") from None
    except (ValueError, KeyError, TypeError, csv.Error):
        raise UserInputError(f"{rows} is damaged: its first row has no capture time.") from None
