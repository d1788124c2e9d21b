"""Tables as text, the way spreadsheets save them: encoding, what stands between the cells, and the decimal mark.

Excel saves "CSV UTF-8" with a byte order mark, "Unicode Text" as UTF-16 with tabs, and, where the system's decimal mark is the
comma, semicolons between the cells. What a file does not tell without doubt is left as it is, so that its reader refuses it.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass

WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers"})
"""Endings of spreadsheets' own files, which are no text."""
WORKBOOK = "it is a workbook; save the sheet as CSV UTF-8"
NOT_UTF8 = "it is neither UTF-8 nor Unicode text; save it as CSV UTF-8"

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATOR_LINE = re.compile(r'sep=([^\r\n"])\r?\n')
_QUOTED = re.compile(r'"[^"]*"')
_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


@dataclass(frozen=True, slots=True)
class TableFormat:
    """How a table is written.

    Attributes:
        delimiter: what stands between the cells.
        decimal_comma: numbers have a comma where this program writes a point.
        first_line: how many lines stand before the header: 1 where Excel's `sep=` does, else 0.
    """

    delimiter: str = ","
    decimal_comma: bool = False
    first_line: int = 0

    def number(self, cell: str) -> str:
        """A cell that holds a number, with a decimal point; what is no number in this format comes back as it is."""
        return cell.replace(",", ".") if self.decimal_comma and _COMMA.fullmatch(cell.strip()) else cell


def text_encoding(start: bytes) -> str:
    """The encoding by a file's byte order mark; UTF-8 where there is none.

    Args:
        start: the file's first bytes, four or more where it has them.
    """
    return next((encoding for mark, encoding in _MARKS if start.startswith(mark)), "utf-8-sig")


def text_of(content: bytes) -> str:
    """A whole file's text, without its byte order mark.

    Raises:
        UnicodeError: it is neither UTF-8 nor text with a byte order mark.
    """
    return content.decode(text_encoding(content))


def table_format(text: str, numbers: Callable[[str], bool] = lambda _name: False, *, tabs: bool = False) -> TableFormat:
    """Find out how a table is written.

    The first line tells the delimiter. The comma is the decimal mark if a cell says so without doubt, as 0,5 does: 1,234 may also be
    a thousand and more, except where semicolons stand between the cells. Where numbers have points, commas stand for something else.

    Args:
        text: the table's beginning, or all of it.
        numbers: which columns hold numbers; other cells say nothing about the decimal mark.
        tabs: the file's name says that tabs stand between the cells.
    """
    named = _SEPARATOR_LINE.match(text)
    rest = text[named.end() :] if named else text
    header = _QUOTED.sub("", rest.partition("\n")[0])
    if named:
        delimiter = named[1]
    elif tabs or "\t" in header:
        delimiter = "\t"
    else:
        delimiter = ";" if header.count(";") > header.count(",") else ","
    first_line = 1 if named else 0
    commas, points = _decimal_marks(rest, delimiter, numbers)
    sure = delimiter == ";" or any(not _THOUSANDS.fullmatch(cell) for cell in commas)
    return TableFormat(delimiter, sure and not points, first_line)


def _decimal_marks(text: str, delimiter: str, numbers: Callable[[str], bool]) -> tuple[list[str], list[str]]:
    """The cells of the columns of numbers that have a comma, and those that have a point."""
    commas, points = list[str](), list[str]()
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        places = [place for place, name in enumerate(next(reader, [])) if numbers(name.strip())]
        for row in reader:
            for cell in (row[place].strip() for place in places if place < len(row)):
                if _COMMA.fullmatch(cell):
                    commas.append(cell)
                elif _POINT.fullmatch(cell):
                    points.append(cell)
    except csv.Error:  # whoever reads the rows says what is wrong with them
        pass
    return commas, points
