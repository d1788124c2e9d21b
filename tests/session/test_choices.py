"""The affected side, from the choice to the report."""

from pathlib import Path

from realtime.dashboard.assets import load_assets
from realtime.files import write_json
from realtime.session.choices import AffectedSide
from realtime.session.markers import LONGEST
from realtime.session.report import write_report
from realtime.session.writer import SessionWriter
from tests.session.live_like import make_session


def test_every_change_is_kept_with_its_moment_and_told() -> None:
    now, told = [(7, 1.5)], []
    side = AffectedSide(lambda: now[0], lambda: told.append(side.value))
    assert side.as_dict() is None
    side.choose("none")
    side.choose("left")
    now[0] = (90, 4.25)
    side.choose("left")
    side.choose("right")
    assert told == ["left", "right"]
    assert side.as_dict() == {
        "value": "right",
        "changes": [
            {"value": "left", "sequence": 7, "capture_time": 1.5},
            {"value": "right", "sequence": 90, "capture_time": 4.25},
        ],
    }


def test_a_session_takes_the_newest_frame_and_its_clock(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path, lambda: 12.0)
    side = AffectedSide(writer.moment)
    side.choose("left")
    writer.markers.captured(3)
    side.choose("none")
    writer.close()
    found = side.as_dict()
    assert found is not None
    assert [(change["value"], change["sequence"], change["capture_time"]) for change in found["changes"]] == [
        ("left", -1, 12.0),
        ("none", 3, 12.0),
    ]


def test_the_report_says_it(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    writer, _ = make_session(folder, 5)
    side = AffectedSide(writer.moment)
    side.choose("left")
    described = {"format": 1, "written": "2026-01-01", "summary": None, "affected_side": side.as_dict()}
    write_json(folder / "session.json", described)
    write_report(folder, tmp_path / "report.html")
    assert "<dt>affected side</dt><dd>left (from " in (tmp_path / "report.html").read_text()
    write_json(folder / "session.json", {**described, "affected_side": None})
    write_report(folder, tmp_path / "report.html")
    assert "<dt>affected side</dt><dd>not chosen</dd>" in (tmp_path / "report.html").read_text()


def test_the_page_lets_a_marker_be_as_long_as_the_file_does() -> None:
    page = load_assets()["dashboard.html"].content.decode()
    assert f'id="marker-text" maxlength="{LONGEST}"' in page


def test_a_side_named_on_the_command_line_holds_from_the_beginning() -> None:
    side = AffectedSide(first="left")
    assert side.as_dict() == {
        "value": "left",
        "changes": [{"value": "left", "sequence": -1, "capture_time": 0.0}],
    }
    assert AffectedSide(first="both").as_dict() is None
