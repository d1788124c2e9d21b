"""Single cells of CSV files, and their header."""

import csv
import io
import math
from pathlib import Path

from realtime.errors import UserInputError
from realtime.files import open_regular
from realtime.spreadsheet import guarded


def number(value: float | None, decimals: int) -> str:
    """A number with that many decimals; empty when it is None or not finite.

    Args:
        value: the number.
        decimals: digits after the point.
    """
    return f"{value:.{decimals}f}" if value is not None and math.isfinite(value) else ""


def text_cell(text: str) -> str:
    """A cell of text, quoted where CSV needs it and guarded against spreadsheets (see `spreadsheet`)."""
    if not text:
        return ""
    cell = io.StringIO()
    csv.writer(cell, lineterminator="").writerow([guarded(text)])
    return cell.getvalue()


def header_of(csv: Path) -> str:
    """A file's first line without its end; empty where it cannot be read, which is found out later.

    Args:
        csv: the file.
    """
    try:
        with open_regular(csv) as file:
            return file.readline(1 << 16).decode("utf-8", "replace").rstrip("\r\n")
    except (OSError, UserInputError):
        return ""
