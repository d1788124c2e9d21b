"""Tables that a person opens in a spreadsheet run nothing of what others have typed."""

import csv
import re
from pathlib import Path

import pytest

from realtime.clinic.course import Point, Series, course_csv
from realtime.errors import UserInputError
from realtime.exchange import Annotations, Code, Label
from realtime.exchange import Point as Mark
from realtime.exchange.agreement_page import rater_csv
from realtime.exchange.openface_csv import import_csv
from realtime.exchange.raters import compare_raters
from realtime.exchange.timeline import timeline_of
from tests.exchange.sessions import make_session

FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")
NUMBER = re.compile(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?")
HOSTILE = "=HYPERLINK(1);+2"


def formulas_in(path: Path | bytes) -> list[str]:
    """Cells that a spreadsheet would run; numbers are none."""
    text = path.decode() if isinstance(path, bytes) else path.read_text("utf-8")
    cells = [cell for row in csv.reader(text.splitlines(keepends=True)) for cell in row]
    return [
        part
        for cell in cells
        for part in re.split(r"[;\t\r\n]", cell)
        if FORMULA.match(part) and not NUMBER.fullmatch(part)
    ]


def test_two_coders_table_runs_no_formula() -> None:
    coder = Annotations("", [Code(HOSTILE)], [Label(0, 900, HOSTILE)], [Mark(1, HOSTILE)])
    table = rater_csv(compare_raters(coder, coder))
    assert b"HYPERLINK(1)" in table
    assert formulas_in(table) == []


def test_a_course_runs_no_formula() -> None:
    point = Point("2026-01-01", " =1+1", 1.0, None, False)
    series = Series("rest", "a term", "words", "left", "mm", (point,))
    assert formulas_in(course_csv([series]).encode()) == []


def test_openfaces_cells_are_numbers_and_its_columns_are_units(tmp_path: Path) -> None:
    session = make_session(tmp_path / "s", seconds=0.2)
    start, table = timeline_of(session), tmp_path / "of.csv"
    table.write_text("frame,face_id,timestamp,confidence,success,AU12_r,AU;=1+1_r\n1,0,0.0,0.9,1,2.5,1\n")
    import_csv(table, session / "frames.csv", start, tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_text().splitlines()[0].endswith("success,AU12")
    table.write_text("frame,face_id,timestamp,confidence,success,AU12_r\n1,0,0.0,0.9,1,=1+1\n")
    with pytest.raises(UserInputError, match="damaged"):
        import_csv(table, session / "frames.csv", start, tmp_path / "rows.csv")
    assert formulas_in(tmp_path / "rows.csv") == []
