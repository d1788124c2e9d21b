"""Which recordings a command line names, and how they are called."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from realtime.batch.inputs import Input, find_inputs, name_of
from realtime.errors import UserInputError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def names(words: list[str]) -> list[str]:
    return [one.name for one in find_inputs(words).found]


def test_a_folder_is_searched_with_everything_below(tmp_path: Path) -> None:
    touch(tmp_path, "b.MP4", "s1/video.mp4", "s2/video.mp4", "notes.txt", ".hidden.mp4")
    assert names([str(tmp_path)]) == ["b", "s1__video", "s2__video"]


def test_links_are_followed_once_and_one_without_a_target_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "videos/s1/a.mp4", "elsewhere/b.mp4", "elsewhere/.kept/c.mp4")
    videos = tmp_path / "videos"
    (videos / "a link").symlink_to("s1")  # the same folder twice: it is called by its own name
    (videos / "s2").symlink_to(tmp_path / "elsewhere")
    (videos / "s1" / "up").symlink_to("../..")
    (videos / "s1" / "gone.mp4").symlink_to("annex.mp4")
    assert names([str(videos)]) == ["s1__a", "s1__gone", "s2__b"]


def test_hidden_folders_and_results_of_a_batch_are_no_recordings(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", ".git/annex/objects/b.mp4", "out/ledger/ledger.json", "out/recordings/a/video.mp4")
    assert names([str(tmp_path)]) == ["a"]
    assert names([str(tmp_path / "out")]) == ["recordings__a__video"]  # asked for by name


def test_a_folder_that_cannot_be_looked_into_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.mp4", "closed/b.mp4", "listed/c.mp4")  # the last may be listed, and nothing in it looked at
    scan, look = os.scandir, os.stat

    def scandir(path: str) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scan(path)

    def no_stat(path: Any, **more: Any) -> os.stat_result:
        if {"closed", "listed"} & set(Path(path).parent.parts):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return look(path, **more)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "stat", no_stat)
    found = find_inputs([str(tmp_path)])
    assert [one.name for one in found.found] == ["a", "listed__c"]
    assert found.problems == [f"{tmp_path / 'closed'}: this folder could not be searched (Permission denied)."]


def test_a_pattern_is_expanded_also_where_no_shell_did_it(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "b.avi", "c.mp4")
    assert names([str(tmp_path / "*.mp4")]) == ["a", "c"]


def test_a_table_gives_columns_and_the_calibration_window(tmp_path: Path) -> None:
    touch(tmp_path, "v/a.mp4", "v/b.mp4")
    table = tmp_path / "list.csv"
    table.write_text(
        "person;path;condition;calibration_start;calibration_end\nAda;v/a.mp4;rest, first;1,5;4\nBo;v/b.mp4;smile;;\n",
        "utf-8-sig",
    )
    found = find_inputs([str(table)])
    assert found.problems == []
    assert found.found == [
        Input("v__a", tmp_path / "v" / "a.mp4", {"person": "Ada", "condition": "rest, first"}, (1.5, 4.0)),
        Input("v__b", tmp_path / "v" / "b.mp4", {"person": "Bo", "condition": "smile"}, None),
    ]
    assert [Input.from_json(one.as_json()) for one in found.found] == found.found


@pytest.mark.parametrize("name", ["list.txt", "list.csv", "list.tsv"])
def test_a_table_may_be_excels_unicode_text(tmp_path: Path, name: str) -> None:
    """UTF-16 with tabs, which Excel calls .txt, as a list of paths is called, too."""
    touch(tmp_path, "a.mp4")
    (tmp_path / name).write_text("path\tperson\tcalibration_start\tcalibration_end\na.mp4\tZoë\t1,5\t4\n", "utf-16")
    found = find_inputs([str(tmp_path / name)])
    assert found.problems == []
    assert found.found == [Input("a", tmp_path / "a.mp4", {"person": "Zoë"}, (1.5, 4.0))]


def test_a_workbook_is_no_recording_but_told_how_to_save(tmp_path: Path) -> None:
    touch(tmp_path, "list.xlsx")
    with pytest.raises(UserInputError, match="workbook; save the sheet as CSV UTF-8"):
        find_inputs([str(tmp_path / "list.xlsx")])


@pytest.mark.parametrize(
    ("times", "window"),
    [
        ('"1,5","1,75"', (1.5, 1.75)),
        ('"0,5","1,234"', (0.5, 1.234)),
        ('"1,234","1,250"', None),
        ("1.5,2.75", (1.5, 2.75)),
    ],
)
def test_a_window_with_commas_is_read_where_they_are_no_thousands(
    tmp_path: Path, times: str, window: tuple[float, float] | None
) -> None:
    touch(tmp_path, "a.mp4")
    (tmp_path / "list.csv").write_text(f"path,calibration_start,calibration_end\na.mp4,{times}\n")
    found = find_inputs([str(tmp_path / "list.csv")])
    assert [one.calibration for one in found.found] == ([] if window is None else [window])
    assert bool(found.problems) == (window is None)


def test_a_table_in_a_code_page_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path;person\na.mp4;Zoë\n", "cp1252")
    with pytest.raises(UserInputError, match="save it as CSV UTF-8"):
        find_inputs([str(tmp_path / "list.csv")])


def test_a_table_may_tell_its_delimiter_as_excel_wants_it(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4")
    (tmp_path / "list.csv").write_text("sep=|\r\npath|person\r\na.mp4|Ada, Bo\r\n|Cy\r\n")
    found = find_inputs([str(tmp_path / "list.csv")])
    assert [(one.name, dict(one.columns)) for one in found.found] == [("a", {"person": "Ada, Bo"})]
    assert found.problems == [f"{tmp_path / 'list.csv'}, line 4: it names no recording."]


def test_a_bad_line_of_a_table_is_named_and_the_rest_is_taken(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "b.mp4")
    table = tmp_path / "list.csv"
    table.write_text(
        "path,person,calibration_start,calibration_end\na.mp4,Ada,4,1\n,Cy,,\nb.mp4,Bo,,\nb.mp4,Bo,,,too many\n"
    )
    found = find_inputs([str(table)])
    assert [one.name for one in found.found] == ["b"]
    assert ["line 2" in found.problems[0], "line 3" in found.problems[1], "line 5" in found.problems[2]] == [True] * 3


def test_a_list_may_name_a_missing_file_which_stays_part_of_the_batch(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("# recordings\ngone.mp4\n")
    found = find_inputs([str(tmp_path / "list.txt")])
    assert [one.path for one in found.found] == [tmp_path / "gone.mp4"]


def test_two_recordings_of_one_name_are_told_apart_or_the_second_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "x/clip.mp4", "y/Clip.mp4")
    found = find_inputs([str(tmp_path / "x"), str(tmp_path / "y")])
    assert [one.path for one in found.found] == [tmp_path / "x" / "clip.mp4"]
    (sentence,) = found.problems
    assert str(tmp_path / "y" / "Clip.mp4") in sentence
    assert "same name" in sentence


def test_the_same_recording_named_twice_is_one(tmp_path: Path) -> None:
    touch(tmp_path, "clip.mp4")
    (tmp_path / "below").mkdir()
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    for other in ("clip.mp4", "below/../clip.mp4", "again/clip.mp4"):
        found = find_inputs([str(tmp_path), str(tmp_path / other)])
        assert len(found.found) == 1
        assert found.problems == []


def test_a_table_beside_its_folder_keeps_its_columns(tmp_path: Path) -> None:
    touch(tmp_path, "p1/clip.mp4")
    (tmp_path / "p1" / "list.csv").write_text("path,person\nclip.mp4,Ada\n")
    for words in (["", "p1/list.csv"], ["p1/list.csv", ""]):
        found = find_inputs([str(tmp_path / word) for word in words])
        assert [one.columns for one in found.found] == [{"person": "Ada"}]
        assert found.problems == []


def test_a_folder_or_list_without_a_recording_is_a_sentence(tmp_path: Path) -> None:
    touch(tmp_path, "full/clip.mp4", "empty/notes.doc")
    (tmp_path / "list.txt").write_text("# nothing yet\n")
    found = find_inputs([str(tmp_path / word) for word in ("full", "empty", "list.txt")])
    assert [one.name for one in found.found] == ["clip"]
    folder, listed = found.problems
    assert "empty: this folder holds no recording" in folder
    assert "list.txt: this list names no recording" in listed


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/b c.mp4", "a__b c"), ("a:b?.mp4", "a_b_"), ("nul.mp4", "nul_"), ("é/ü.mov", "é__ü"), ("../x.mp4", "x")],
)
def test_names_are_file_names_on_any_system(path: str, name: str, tmp_path: Path) -> None:
    assert name_of(tmp_path / path, tmp_path) == name


@pytest.mark.parametrize("word", ["missing.mp4", "nothing/*.mp4"])
def test_a_word_that_names_nothing_is_refused(word: str, tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match=r"no (such )?file"):
        find_inputs([str(tmp_path / word)])


def test_a_table_without_paths_says_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("person,condition\nAda,rest\n")
    with pytest.raises(UserInputError, match=r"no column `path`; it has person, condition"):
        find_inputs([str(tmp_path / "list.csv")])


def test_a_list_may_name_a_user_that_there_is_not_but_no_nul(tmp_path: Path) -> None:
    lines = tmp_path / "list.txt"
    lines.write_text("~nobody-of-this-name/a.mp4\n")
    assert names([str(lines)]) == ["~nobody-of-this-name__a".replace("~", "_")]
    lines.write_text("~\0/a.mp4\n")
    with pytest.raises(UserInputError, match="NUL"):
        find_inputs([str(lines)])
    with pytest.raises(UserInputError, match="no such file"):
        find_inputs(["~nobody-of-this-name"])
