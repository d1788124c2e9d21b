"""The sheet says everything on one A4 page, in words that a name cannot break out of, and shows nothing that is not there."""

import csv
import io
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from realtime.clinic import Affected, Examination, Repetition
from realtime.clinic.course import COLUMNS, course, course_csv, course_page
from realtime.clinic.course_remarks import course_remarks
from realtime.clinic.sheet import SheetContent, sheet_page
from realtime.clinic.types import MOVEMENTS
from realtime.types import Sides
from tests.clinic.people import examination, peaks, smile, snapshot
from tests.dashboard.chromium import PROGRAM

PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(40)


def patient(gain: float = 0.5, *, begun: str = "2026-11-27T10:00:00+00:00", seed: int = 1) -> Examination:
    narrowed = snapshot(
        {**smile(Sides(3.0, 6.0), Sides(2.5, 5.0)), "fissure_height": Sides(4.0, 8.0), "dental_show": Sides(4.0, 6.0)}
    )
    at_peak = peaks("left", gain) | {"open_smile": narrowed}
    found = examination("left", at_peak, noise=0.1, seed=seed)
    rejected = tuple(Repetition("eee", 3, "rejected", f"The head was turned {n} times.") for n in range(6))
    return replace(
        found,
        begun=begun,
        repetitions=found.repetitions + rejected,
        versions={"facemirror-live": "0.2.0", "landmarks": "0123456789ab", "action-units": "0123456789ab"},
        overruled={"sunnybrook.voluntary.pucker": 4, "sunnybrook.rest.cheek": 1, "fngs.fold": 3},
    )


def whole() -> str:
    """The fullest page that there is."""
    floor = dict.fromkeys(("brow_height", "fissure_height", "mrd1", "mrd2", "corner_height", "commissure"), 0.3)
    return sheet_page(
        SheetContent(patient(), patient(0.2, seed=2), dict.fromkeys(MOVEMENTS, PIXEL), floor, ["A remark."])
    )


def text(page: str) -> str:
    """What a reader sees."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)))


def test_it_names_person_scores_noise_pictures_and_versions() -> None:
    page = whole()
    seen = text(page)
    for words in (
        *("Ada", "left side affected", "millimetres from the iris", "In plain words", "no medical device"),
        *("Sunnybrook Facial Grading System (estimate)", "auto-eFACE (measured)", "HB-8", "(estimate)"),
        *(
            "AU 9 nose wrinkler",
            "AU 10 upper lip raiser",
            "facemirror-live 0.2.0",
            "A remark.",
            "6 tries did not count",
        ),
        *(
            "almost complete 4 (clinician, estimate 3)",
            "1 (clinician)",
            "Error: left − right",
            "Δ: change since 2026-11-27",
        ),
    ):
        assert words in seen, words
    assert page.count("data:image/png;base64,") == len(MOVEMENTS)
    assert 'class="moderate"' in page or 'class="severe"' in page or 'class="mild"' in page
    assert "<script" not in page


def test_plain_words_tell_movement_eye_synkinesis_and_change() -> None:
    seen = text(whole())
    assert "When raising the eyebrow, your left side moves" in seen
    assert "Your left eye narrows when the mouth moves, more than on the other side." in seen
    assert "Since last time, more than noise has changed in: raising the eyebrow (left)" in seen


@pytest.mark.parametrize(
    ("affected", "gaps", "sides"),
    [
        ("none", Sides(1.3, 1.2), []),
        ("none", Sides(1.2, 2.6), ["right"]),
        ("left", Sides(3.0, 1.1), ["left"]),
        ("left", Sides(1.1, 3.0), []),
        ("both", Sides(3.0, 2.6), ["left", "right"]),
    ],
)
def test_a_gap_is_told_where_it_is_wider_than_what_a_shut_eye_reads(
    affected: Affected, gaps: Sides[float], sides: list[str]
) -> None:
    closed = snapshot({"fissure_height": gaps})
    seen = text(sheet_page(SheetContent(examination(affected, peaks("none", 1.0) | {"gentle_closure": closed}))))
    assert re.findall(r"a gap of \d mm stays open on your (\w+) side", seen) == sides


def test_what_cannot_be_had_is_a_dash_and_its_reason_is_told_once() -> None:
    bare = Examination(
        "Ada", "left", "eface", "2026-11-27T10:00:00+00:00", repetitions=(Repetition("eee", 1, "skipped"),)
    )
    page = sheet_page(SheetContent(bare))
    seen = text(page)
    assert "Skipped: long &quot;eee&quot;." in seen
    assert "BROKEN OFF" in seen
    assert seen.count("The movement brow raise was not part of the examination.") <= 2
    assert "Too little was measured to say anything in words." in seen
    assert page.count("no picture") == 2, "rest, and what was asked for"
    assert "nan" not in seen
    assert "None" not in seen


def test_movements_that_were_not_asked_for_take_no_room() -> None:
    every = patient()
    short = replace(
        every, repetitions=tuple(one for one in every.repetitions if one.movement in ("rest", "open_smile"))
    )
    seen = text(sheet_page(SheetContent(short)))
    assert "commissure excursion, open smile" in seen
    assert "brow elevation, " not in seen
    assert (
        "Not part of this examination: brow raise, gentle eye closure, tight eye closure, closed smile, snarl" in seen
    )
    assert "was not part of the examination" not in seen
    assert seen.count("no picture") == 2


def test_a_side_that_makes_next_to_nothing_hardly_moves() -> None:
    seen = text(sheet_page(SheetContent(patient(0.0))))
    assert "When raising the eyebrow, your left side hardly moves." in seen
    assert "your left side moves 49 % as far as the other." in text(sheet_page(SheetContent(patient(0.5))))


def test_a_movement_that_was_not_made_says_so_on_the_page() -> None:
    found = examination("left", peaks("left", 0.5) | {"open_smile": snapshot({"commissure": Sides(27.8, 29.1)})})
    page = sheet_page(SheetContent(found))
    assert "Neither side moved by 1.5 mm in open smile: a share of less would be noise." in text(page)
    row = page[page.index('<table class="synkinesis">') :]
    row = row[row.index("<tr><td>open smile</td>") : row.index("<tr><td>closed smile</td>")]
    judged = row.count("Neither side moved in open smile: nothing could move along.")
    assert judged == 3, "brow, eye and lids: the other regions belong to the smile"


def test_a_name_cannot_break_out_of_the_page() -> None:
    page = sheet_page(SheetContent(replace(patient(), person="<script>alert(1)</script>")))
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>" not in course_page("<script>", course([("<script>", patient())]))


@pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium to print with")
def test_it_prints_on_one_a4_page(tmp_path: Path) -> None:
    page, printed = tmp_path / "sheet.html", tmp_path / "sheet.pdf"
    page.write_text(whole(), encoding="utf-8")
    assert PROGRAM is not None
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-pdf-header-footer",
        f"--user-data-dir={tmp_path}/user",
    ]
    subprocess.run(
        [PROGRAM, *options, f"--print-to-pdf={printed}", page.as_uri()], check=True, capture_output=True, timeout=50
    )
    content = printed.read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 1
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", content)
    width, height = (float(one) for one in boxes[0])
    assert width == pytest.approx(595, abs=1)
    assert height == pytest.approx(842, abs=1)


def test_the_course_follows_every_figure_with_its_noise() -> None:
    visits = [
        ("first", patient(0.2, begun="2026-09-01T10:00:00+00:00", seed=1)),
        ("second", patient(0.21, begun="2026-10-01T10:00:00+00:00", seed=2)),
        ("=third", patient(0.8, begun="2026-11-01T10:00:00+00:00", seed=3)),
    ]
    series = course(visits)
    brow = next(one for one in series if (one.name, one.side) == ("brow_raise.elevation", "left"))
    assert [point.value for point in brow.points] == pytest.approx([1.6, 1.7, 6.4], abs=0.3)
    assert 0.1 < brow.limit < 1.0
    rows = [line.split(",") for line in course_csv(series).splitlines()]
    assert tuple(rows[0]) == COLUMNS
    elevation = [
        dict(zip(COLUMNS, row, strict=True)) for row in rows if row[2] == "brow_raise.elevation" and row[4] == "left"
    ]
    assert [row["since_first"] for row in elevation] == ["", "within noise", "changed"]
    assert [row["since_last"] for row in elevation] == ["", "within noise", "changed"]
    assert elevation[2]["session"] == "'=third"  # a spreadsheet would compute it
    assert "nan" not in course_csv(series)
    page = course_page("Ada", series)
    assert page.count("<svg") >= 6
    assert '<rect class="band left"' in page
    assert text(page).count("3 examinations, 2026-09-01 to 2026-11-01") == 1
    alone = text(course_page("Ada", course(visits[:1])))
    assert "One examination: nothing to compare yet." in alone


def test_the_course_names_scales_and_the_means_behind_whole_steps() -> None:
    visits = [
        ("first", patient(0.2, begun="2026-09-01T10:00:00+00:00", seed=1)),
        ("second", patient(0.45, begun="2026-10-01T10:00:00+00:00", seed=2)),
    ]
    seen = text(course_page("Ada", course(visits)))
    assert "Sunnybrook: voluntary movement (x 4), points" in seen
    assert re.search(r"Sunnybrook: brow raise \(frontalis\) 2 \(1\.8 ± 0\.\d\) 3 \(2\.8 ± 0\.\d\) \+1\.0", seen)


def test_the_course_says_what_stands_in_the_way_of_comparing() -> None:
    first = replace(patient(begun="2026-09-01T10:00:00+00:00"), versions={"facemirror-live": "0.1.0"})
    second = replace(patient(begun="2026-10-01T10:00:00+00:00"), versions={"facemirror-live": "0.1.0"})
    assert course_remarks([("a", first), ("b", second)]) == []
    other = replace(
        second,
        scale="ruler",
        affected="right",
        finished=False,
        versions={"facemirror-live": "<b>0.2.0"},
    )
    found = course_remarks([("a", first), ("b", other)])
    assert [one.split(":")[0] for one in found[:3]] == [
        "Millimetres do not all come from the same ruler",
        "The affected side is not the same",
        "The program or a model is not the same",
    ]
    assert "iris (2026-09-01), ruler (2026-10-01)" in found[0]
    assert found[3] == "2026-10-01: it was broken off."
    assert found[4].startswith("2026-10-01: The right side was called affected, but moves farther")
    bare = replace(second, scale=None)
    assert any("judged by Action Units" in one for one in course_remarks([("b", bare)]))
    page = course_page("Ada", course([("a", first), ("b", other)]), found)
    assert "Before you compare" in page
    assert "<b>" not in page
    assert "Before you compare" not in course_page("Ada", course([("a", first), ("b", second)]))


def test_figures_of_different_sides_are_not_compared() -> None:
    """A scale judges the affected side; lengths and HB-8 are of a side whatever was called affected."""
    first = patient(0.2, begun="2026-09-01T10:00:00+00:00", seed=1)
    other = replace(patient(0.8, begun="2026-10-01T10:00:00+00:00", seed=2), affected="right")
    series = course([("a", first), ("b", other), ("c", replace(first, begun="2026-11-01T10:00:00+00:00"))])
    table = [dict(zip(COLUMNS, row, strict=True)) for row in csv.reader(io.StringIO(course_csv(series)))]
    told = {row["measure"]: row for row in table if row["session"] == "b" and row["side"] in ("", "left")}
    assert told["sunnybrook.voluntary"]["since_first"] == "another side affected"
    assert told["sunnybrook.voluntary"]["change_since_first"] == ""
    assert told["brow_raise.elevation"]["since_first"] == "changed"
    assert told["house_brackmann.left"]["since_first"] == "changed"
    back = next(row for row in table if row["session"] == "c" and row["measure"] == "sunnybrook.voluntary")
    assert (back["since_first"], back["since_last"]) == ("within noise", "another side affected")
    seen = text(course_page("Ada", course([("a", first), ("b", other)])))
    assert re.search(r"Sunnybrook: voluntary movement \(x 4\) [^a-z]*– – another side affected", seen)
    sheet = text(sheet_page(SheetContent(other, first)))
    assert sheet.count("not compared: another side last time") == 3
    assert "since last time: changed" in sheet  # HB-8


def test_examinations_of_one_day_are_told_apart() -> None:
    before, after, later = (
        patient(begun=f"2026-{when}:00+00:00") for when in ("09-01T10:05", "09-01T11:00", "10-02T09:00")
    )
    visits = [("a", before), ("b", replace(after, finished=False)), ("c", later)]
    assert course_remarks(visits) == ["2026-09-01 11:00: it was broken off."]
    seen = text(course_page("Ada", course(visits)))
    assert "3 examinations, 2026-09-01 10:05 to 2026-10-02" in seen
    assert "change since 2026-09-01 10:05;" in text(sheet_page(SheetContent(after, before)))


@pytest.mark.parametrize(
    ("moves_less", "called", "gain", "asked"),
    [
        ("left", "right", 0.3, True),
        ("left", "left", 0.3, False),
        ("left", "right", 0.9, False),
        ("left", "none", 0.3, False),
    ],
)
def test_a_side_that_was_called_affected_and_moves_farther_is_asked_about(
    moves_less: Affected, called: Affected, gain: float, asked: bool
) -> None:
    found = replace(examination(moves_less, peaks(moves_less, gain), noise=0.1), affected=called)
    question = (
        "The right side was called affected, but moves farther than the left one (raising the eyebrow, smiling, smiling with shut "
        "lips, puckering the lips, lowering the lower lip): were the sides mixed up?"
    )
    assert (question in text(sheet_page(SheetContent(found)))) == asked
    assert (f"{found.begun[:10]}: {question}" in course_remarks([("a", found)])) == asked
