"""Tables of other programs, comma, semicolon or tab separated, read row by row: an hour of OpenFace's 714 columns fits no memory."""

import csv
import io
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

from realtime.errors import UserInputError
from realtime.files import open_regular, reason
from realtime.table_text import NOT_UTF8, TableFormat, table_format, text_encoding

_LOOKED_AT = 1 << 20
"""How many bytes tell the format."""


def rows_of(
    path: Path,
    wanted: Callable[[str], bool] = lambda _name: True,
    numbers: Callable[[str], bool] = lambda _name: False,
) -> Iterator[dict[str, str]]:
    """Read a table with a header; blanks around the names are left out, a row cut short is left out.

    Args:
        path: of the file.
        wanted: which columns are read.
        numbers: which of them hold numbers. A decimal comma becomes a point where the table tells that it is one.

    Yields:
        The wanted cells of each row by their column's name.

    Raises:
        UserInputError: it cannot be read, or is no text that tells its encoding.
    """
    count = 0
    try:
        encoding, written = _format_of(path, numbers)
        with open_regular(path) as raw, io.TextIOWrapper(raw, encoding, newline="") as file:
            reader = csv.reader(itertools.islice(file, written.first_line, None), delimiter=written.delimiter)
            header = [name.strip() for name in next(reader, [])]
            places = [(name, place) for place, name in enumerate(header) if wanted(name)]
            commas = [name for name, _ in places if written.decimal_comma and numbers(name)]
            for row in reader:
                if len(row) >= len(header):
                    count += 1
                    cells = {name: row[place] for name, place in places}
                    cells.update({name: written.number(cells[name]) for name in commas})
                    yield cells
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    except UnicodeError:
        raise UserInputError(f"{path} is no table that can be read after {count} rows: {NOT_UTF8}.") from None
    except csv.Error as error:
        raise UserInputError(f"{path} is no table that can be read after {count} rows ({str(error)[:60]}).") from None


def header_of(path: Path) -> list[str]:
    """The names in a table's header, without the blanks around them; what is no text has none that anybody knows.

    Args:
        path: of the file.

    Raises:
        UserInputError: it cannot be read.
    """
    try:
        start = _start_of(path)
    except OSError as error:
        raise UserInputError(f"{path} cannot be read ({reason(error)}).") from None
    text = start.decode(text_encoding(start), "replace")
    written = table_format(text)
    lines = itertools.islice(io.StringIO(text, newline=""), written.first_line, None)
    try:
        return [name.strip() for name in next(csv.reader(lines, delimiter=written.delimiter), [])]
    except csv.Error:
        return []


def _format_of(path: Path, numbers: Callable[[str], bool]) -> tuple[str, TableFormat]:
    start = _start_of(path)
    encoding = text_encoding(start)
    text = start.decode(encoding, "replace")
    if len(start) == _LOOKED_AT:
        text = text[: text.rfind("\n") + 1]  # the last row is cut off somewhere
    return encoding, table_format(text, numbers)


def _start_of(path: Path) -> bytes:
    with open_regular(path) as file:
        return file.read(_LOOKED_AT)
