"""Single cells of CSV files."""

import csv
import io
import math

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
