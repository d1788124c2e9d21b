"""Agreement with coders: the measures, the folder layouts, and a made-up folder of each through the program."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.app.validation.agreement import agreement
from realtime.app.validation.layouts import Coded, recordings
from realtime.app.validation.published import PUBLISHED
from realtime.cli import main
from realtime.clinic.agreement import icc_consistency as icc
from realtime.clinic.agreement import pearson
from realtime.errors import ModelFileError, UserInputError
from realtime.media.video_source import VideoSource
from realtime.types import U8


def test_icc_is_shrout_and_fleisss_two_way_mixed_consistency() -> None:
    """Two judges of their six targets (1979, table 2, judges 1 and 4); mean squares by hand."""
    a, b = np.array([9, 6, 8, 7, 10, 6.0]), np.array([8, 2, 6, 1, 6, 4.0])
    rows = 2 * ((np.stack([a, b]).mean(axis=0) - np.stack([a, b]).mean()) ** 2).sum() / 5
    both = np.stack([a, b], axis=1)
    rest = both - both.mean(axis=1, keepdims=True) - both.mean(axis=0, keepdims=True) + both.mean()
    error = (rest**2).sum() / 5
    assert icc(a, b) == pytest.approx((rows - error) / (rows + error))
    assert icc(a, a + 3) == pytest.approx(1.0), "consistency: a constant shift costs nothing"
    assert icc(a, 10 - a) == pytest.approx(-1.0)
    assert icc(np.ones(5), np.ones(5)) is None
    assert pearson(a, 2 * a + 1) == pytest.approx(1.0)
    assert pearson(a, np.ones(6)) is None


def test_presence_counts_from_two_on() -> None:
    found = agreement(np.array([0, 2, 3, 5, 1.9]), np.array([2.0, 2.0, 1.0, 4.0, 0.0]))
    assert found.f1 == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert (found.frames, found.present) == (5, 3)
    never = agreement(np.zeros(5), np.arange(5.0))
    assert (never.f1, never.icc, never.pearson) == (None, None, None), (
        "nobody can agree or disagree about what never changes"
    )


def demo_pictures(count: int, every: int) -> list[np.ndarray]:
    from realtime.graph import StopToken
    from realtime.media.source_spec import parse_source

    source, pictures, stop = VideoSource(parse_source("demo"), lambda: 0.0, speed="max"), [], StopToken()
    source.open()
    try:
        for number in range(count * every):
            frame = source.read(stop)
            if number % every == 0:
                pictures.append(frame.image.copy())
    finally:
        source.close()
    return pictures


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Rest, raised brows, rest, a blink, closed eyes, a smile on the left: every third picture of the demo's first five seconds."""
    return demo_pictures(50, 3)


def write_video(path: Path, pictures: list[np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (width, height))
    for picture in pictures:
        writer.write(picture)
    writer.release()


def smiling(number: int) -> int:
    """The code of the demo's one-sided smile: pictures 45 to 50 of every third."""
    return 4 if number >= 46 else 0


def test_a_csv_beside_a_video_is_judged_by_side(
    tmp_path: Path, pictures: list[U8], capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "one.avi", pictures)
    with (tmp_path / "one.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["frame", "AU12_left", "AU12_right", "AU99"])
        writer.writerows([number, smiling(number), 0, ""] for number in range(len(pictures)))
    assert main(["validate", "csv", str(tmp_path), "--json", str(tmp_path / "out.json")]) == 0
    text = capsys.readouterr().out
    assert "1 recording, 50 coded frames, 0 without a face" in text
    assert all(entry.source in text for entry in PUBLISHED)
    figures = {
        (entry["unit"], entry["side"]): entry for entry in json.loads((tmp_path / "out.json").read_text())["figures"]
    }
    assert set(figures) == {(12, "left"), (12, "right")}
    assert figures[12, "left"]["icc"] > 0.8
    assert figures[12, "left"]["pearson"] > 0.8
    assert figures[12, "left"]["f1"] > 0.8
    assert figures[12, "right"]["f1"] is None, "nothing was coded as present there"


def test_disfas_layout(tmp_path: Path, pictures: list[U8], capsys: pytest.CaptureFixture[str]) -> None:
    write_video(tmp_path / "Videos_LeftCamera" / "LeftVideoSN001_comp.avi", pictures)
    labels = tmp_path / "ActionUnit_Labels" / "SN001"
    labels.mkdir(parents=True)
    for unit, code in ((12, smiling), (17, lambda number: 0)):
        lines = [f"{number + 1},{code(number)}" for number in range(len(pictures))]
        (labels / f"SN001_au{unit}.txt").write_text("\n".join(lines) + "\n")
    assert main(["validate", "disfa", str(tmp_path), "--json", str(tmp_path / "out.json")]) == 0
    assert "0.87" in capsys.readouterr().out, "OpenFace 2's figure of AU 12 stands beside ours"
    figures = {
        (entry["unit"], entry["side"]): entry for entry in json.loads((tmp_path / "out.json").read_text())["figures"]
    }
    assert set(figures) == {(unit, side) for unit in (12, 17) for side in ("mean", "left", "right")}
    assert figures[12, "mean"]["pearson"] > 0.8
    assert figures[12, "mean"]["frames"] == 50


def test_bp4ds_layout_with_frames_that_nobody_coded(tmp_path: Path, pictures: list[U8]) -> None:
    sequence = tmp_path / "Sequences" / "F001" / "T1"
    sequence.mkdir(parents=True)
    codes = tmp_path / "AUCoding" / "AU_INT" / "AU12"
    codes.mkdir(parents=True)
    for number in range(40, 50):
        cv2.imwrite(str(sequence / f"{number:04}.jpg"), pictures[number])
    (codes / "F001_T1_AU12.csv").write_text("".join(f"{n},{9 if n < 42 else smiling(n)}\n" for n in range(40, 50)))
    (found,) = recordings("bp4d", tmp_path)
    assert found.name == "F001 T1"
    assert sorted(found.pictures) == list(range(40, 50))
    assert sorted(found.codes[Coded(12, "both")]) == list(range(42, 50)), "9 is not coded"
    assert main(["validate", "bp4d", str(tmp_path), "--json", str(tmp_path / "out.json")]) == 0
    content = json.loads((tmp_path / "out.json").read_text())
    assert (content["recordings"], content["frames"]) == (1, 8)


@pytest.mark.parametrize("layout", ["csv", "disfa", "bp4d"])
def test_a_folder_of_another_layout_is_refused_in_a_sentence(
    tmp_path: Path, layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", layout, str(tmp_path)]) == 2
    assert f"no coded recording in the layout {layout}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "table",
    [
        "frame,AU12_left\n0,3\n",
        "Frame; au12_LEFT\n0.0; 3\n\n1;\n",
        "AU12_left\tframe\n3\t0\nnan\t1\n",
        "frame;AU12_left\n0;3,0\n",
        'frame,AU12_left\n0,"3,0"\n',
        "frame;AU12_left\n0.000;3\n",
    ],
)
def test_tables_as_spreadsheets_write_them(tmp_path: Path, table: str) -> None:
    (tmp_path / "one.avi").write_bytes(b"")
    (tmp_path / "one.csv").write_text(table)
    (found,) = recordings("csv", tmp_path)
    assert found.codes == {Coded(12, "left"): {0: 3.0}}


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("0,7", "line 2: 7 in the column AU12 is no intensity from 0 to 5"),
        ("0,-1", "line 2: -1 in the column AU12"),
        ("0,1\n0,2", "line 3: frame 0 is coded twice"),
        ("0,1\n,2", "line 3: there is no whole number in the column frame"),
        ("0.5,1", "line 2: there is no whole number"),
        ("500,1\n1.000,2", "1.000 beside 500 in the column frame; write frames without a mark for thousands"),
    ],
)
def test_codes_that_cannot_be_meant_are_refused(tmp_path: Path, lines: str, sentence: str) -> None:
    (tmp_path / "one.avi").write_bytes(b"")
    (tmp_path / "one.csv").write_text(f"frame,AU12\n{lines}\n")
    with pytest.raises(UserInputError, match=sentence):
        recordings("csv", tmp_path)


def test_the_line_of_a_fault_counts_that_which_tells_excel_the_delimiter(tmp_path: Path) -> None:
    (tmp_path / "one.avi").write_bytes(b"")
    (tmp_path / "one.csv").write_text("sep=;\nframe;AU12\n0;7\n")
    with pytest.raises(UserInputError, match="line 3: 7 in the column AU12"):
        recordings("csv", tmp_path)


def test_lists_of_intensities_leave_out_what_is_none(tmp_path: Path) -> None:
    (tmp_path / "Video_RightCamera").mkdir()
    for name in ("RightVideoSN002_Comp.avi", "SN002_notes.txt"):
        (tmp_path / "Video_RightCamera" / name).write_bytes(b"")
    for person in ("SN002", "SN003"):
        (tmp_path / "ActionUnit_Labels" / person).mkdir(parents=True)
        (tmp_path / "ActionUnit_Labels" / person / f"{person}_au12.txt").write_text("1,0\n2,5\n3,7\n4,9\n5,-1\n6,999\n")
    said: list[str] = []
    (found,) = recordings("disfa", tmp_path, said.append)
    assert found.video == tmp_path / "Video_RightCamera" / "RightVideoSN002_Comp.avi"
    assert found.codes == {Coded(12, "both"): {1: 0.0, 2: 5.0}}
    assert len(said) == 1
    assert "SN003" in said[0]


def test_what_cannot_be_read_costs_nothing_else(
    tmp_path: Path, pictures: list[U8], capsys: pytest.CaptureFixture[str]
) -> None:
    """A damaged video, codes without a video, and codes beyond the last frame."""
    codes = "frame,AU12\n" + "".join(f"{number},{number % 3}\n" for number in range(5))
    for name in ("alone", "damaged", "good"):
        (tmp_path / f"{name}.csv").write_text(codes)
    (tmp_path / "damaged.avi").write_bytes(b"no video")
    write_video(tmp_path / "good.avi", pictures[:3])
    assert main(["validate", "csv", str(tmp_path), "--json", str(tmp_path / "out.json")]) == 3
    printed = capsys.readouterr()
    assert "alone.csv has no video beside it" in printed.err
    assert "Not read to the end: damaged." in printed.out
    content = json.loads((tmp_path / "out.json").read_text())
    assert (content["recordings"], content["frames"], content["failed"]) == (1, 3, ["damaged"])
    assert content["coded_frames_that_are_not_there"] == 2
    assert main(["validate", "csv", str(tmp_path), "--json", str(tmp_path / "no" / "out.json")]) == 2


def test_missing_models_end_the_run(tmp_path: Path, pictures: list[U8], capsys: pytest.CaptureFixture[str]) -> None:
    """They are no recording's fault."""
    write_video(tmp_path / "one.avi", pictures[:1])
    (tmp_path / "one.csv").write_text("frame,AU12\n0,1\n")
    assert main(["validate", "csv", str(tmp_path), "--weights", str(tmp_path / "none")]) == ModelFileError.exit_code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "no model manifest" in printed.err


def test_an_interrupted_run_prints_what_was_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> Iterator[tuple[int, None]]:
        yield from ((0, None), (1, None))
        raise KeyboardInterrupt

    monkeypatch.setattr("realtime.app.validation.run._faces", interrupted)
    for name in ("one", "two"):
        (tmp_path / f"{name}.avi").write_bytes(b"")
        (tmp_path / f"{name}.csv").write_text("frame,AU12\n0,1\n1,1\n2,1\n")
    assert main(["validate", "csv", str(tmp_path)]) == 130
    text = capsys.readouterr().out
    assert "0 recordings, 2 coded frames, 2 without a face" in text
    assert "Interrupted" in text


def test_damaged_codes_are_named(tmp_path: Path) -> None:
    (tmp_path / "one.avi").write_bytes(b"")
    (tmp_path / "one.csv").write_text("frame,AU12\n0,much\n")
    with pytest.raises(UserInputError, match=r"one\.csv"):
        recordings("csv", tmp_path)
    (tmp_path / "one.csv").write_text("number,AU12\n0,1\n")
    with pytest.raises(UserInputError, match="column frame"):
        recordings("csv", tmp_path)
