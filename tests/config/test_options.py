"""The command line's options are the settings: none is missing, and each says the same in both places."""

import argparse
import json
from typing import get_args

import pytest

from realtime.cli import main
from realtime.cli.parser import add_run_options, build_parser
from realtime.config import Config, descriptions
from realtime.config.options import command_line_options
from realtime.dashboard.choices import SceneChoice
from realtime.types import View


def actions() -> dict[str, argparse.Action]:
    parser = argparse.ArgumentParser()
    add_run_options(parser)
    return {flag: action for action in parser._actions for flag in action.option_strings}


def test_every_setting_at_the_top_has_an_option_with_its_description() -> None:
    found, meanings = actions(), descriptions()
    options = list(command_line_options(Config))
    settings = {option.setting for option in options}
    assert {name for name in meanings if "." not in name} <= settings
    for option in options:
        assert found[option.flag].dest == option.setting
        assert found[option.flag].help == meanings[option.setting].replace("%", "%%") != ""


def test_the_views_stand_once() -> None:
    assert actions()["--view"].choices == get_args(View) == SceneChoice.options


@pytest.mark.parametrize(
    ("words", "setting", "value"),
    [
        (["--record"], "record", "shown"),
        (["--record", "raw"], "record", "raw"),
        (["--no-record"], "record", "off"),
        (["--selfie"], "selfie", True),
        (["--no-selfie"], "selfie", False),
        (["--blur-face"], "blur_face", "recording"),
        (["--blur-face", "everywhere"], "blur_face", "everywhere"),
        (["--sound"], "sound", ""),
        (["--sound", "2"], "sound", "2"),
        (["--virtual-camera"], "virtual_camera", ""),
        (["--tone", "12"], "tone_unit", 12),
        (["--models", "openface3"], "models.family", "openface3"),
        (["--headless"], "headless", True),
        (["--size", "640x360"], "size", [640, 360]),
        (["--port", "0"], "port", 0),
        (["--landmarks-only"], "landmarks_only", True),
        (["--max-age-ms", "120"], "max_age_ms", 120.0),
        (["--millimetres"], "millimetres.scale", "iris"),
        (["--no-millimetres"], "millimetres.scale", "off"),
        (["--millimetres", "population"], "millimetres.scale", "population"),
        (["--age-group", "child"], "millimetres.age_group", "child"),
        (["--pupil-distance", "61.5"], "millimetres.pupil_distance", 61.5),
        (["--ruler", "50:1,2,90,4"], "millimetres.ruler", "50:1,2,90,4"),
    ],
)
def test_an_option_becomes_its_setting(
    words: list[str], setting: str, value: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "--json", *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found[setting] == {"value": value, "from": "command line", "meaning": descriptions()[setting]}
    others = {name: entry["from"] for name, entry in found.items() if name != setting}
    assert set(others.values()) == {"default"}


@pytest.mark.parametrize("words", [["--view", "sideways"], ["--port"], ["--nonsense"]])
def test_a_wrong_word_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        build_parser().parse_args(["run", *words])
    assert left.value.code == 2
    assert words[0] in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--port", "70000"], ["--fps", "fast"], ["--tone", "99"], ["--ruler", "50 mm"]])
def test_a_value_out_of_its_range_is_one_sentence(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", *words]) == 2
    err = capsys.readouterr().err
    assert words[1] in err
    assert "(command line)" in err
    assert err.count("\n") == 1


def test_config_prints_what_every_setting_means(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    assert main(["config"]) == 0
    out = capsys.readouterr().out
    for name, meaning in descriptions().items():
        line = next(line for line in out.splitlines() if line.split()[0] == name)
        assert meaning in line
    assert "manieth" not in out


def test_the_demo_takes_no_source() -> None:
    parser = argparse.ArgumentParser()
    add_run_options(parser, source=False)
    assert all("--source" not in action.option_strings for action in parser._actions)
