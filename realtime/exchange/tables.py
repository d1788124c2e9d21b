"""Tables of other programs, tab or comma separated, read row by row: an hour of OpenFace's 714 columns fits no memory."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

from realtime.errors import UserInputError
from realtime.files import open_regular, reason


def rows_of(path: Path, wanted: Callable[[str], bool] = lambda _name: True) -> Iterator[dict[str, str]]:
    """Read a table with a header; blanks around the names are left out, a row cut short is left out.

    Args:
        path: of the file.
        wanted: which columns are read.

    Yields:
        The wanted cells of each row by their column's name.

    Raises:
        UserInputError: it cannot be read or is no UTF-8.
    """
    count = 0
    try:
        with open_regular(path) as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter="\t" if "\t" in first else ",")
            header = [name.strip() for name in next(reader, [])]
            places = [(name, place) for place, name in enumerate(header) if wanted(name)]
            for row in reader:
                if len(row) >= len(header):
                    count += 1
                    yield {name: row[place] for name, place in places}
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserInputError(f"{path} is no table that can be read after {count} rows ({str(error)[:60]}).") from None


def header_of(path: Path) -> list[str]:
    """The names in a table's first line, without the blanks around them.

    Args:
        path: of the file.

    Raises:
        UserInputError: it cannot be read.
    """
    try:
        with open_regular(path) as file:
            line = file.readline(1 << 16).decode("utf-8-sig", "replace").rstrip("\r\n")
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    return [name.strip() for name in line.split("\t" if "\t" in line else ",")]
