"""What is wrong with the words of `examine` is one sentence, before a folder is made or a camera opened."""

from pathlib import Path

import pytest

from realtime.cli import live, main
from realtime.clinic import Examination, Repetition
from realtime.clinic.store import write_examination
from realtime.config import Resolved, resolve
from realtime.config.settings import Config


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "An examination needs the person's name"),
        (["--person", "Ada", "--protocol", "sunybrook"], "There is no protocol 'sunybrook'"),
        (["--person", "Ada", "--protocol", "own.toml"], "unknown movement 'open_smlie'; did you mean open_smile?"),
    ],
)
def test_wrong_words(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.toml").write_text('movements = ["open_smlie"]')
    assert main(["examine", *words]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["own.toml"]


def test_the_settings_of_an_examination() -> None:
    assert Config().examination.guided is False
    given = {"examination.affected": "left", "examination.protocol": "eface", "examination.language": "de"}
    config = resolve(given, environment={}).config
    assert (config.examination.affected, config.examination.protocol, config.examination.language) == (
        "left",
        "eface",
        "de",
    )


@pytest.mark.parametrize(
    ("command", "words", "averages", "crops"),
    [
        ("examine", ["--person", "Ada"], "every", 3),
        ("examine", ["--person", "Ada", "--no-mirror-average"], "off", 3),
        ("examine", ["--person", "Ada", "--set", "models.mirror_average=false"], "off", 3),
        ("examine", ["--person", "Ada", "--crop-average", "1"], "every", 1),
        ("run", [], "off", 1),
        ("run", ["--mirror-average"], "every", 1),
        ("run", ["--mirror-average", "some"], "some", 1),
        ("run", ["--set", "models.mirror_average=true"], "every", 1),
        ("run", ["--crop-average", "2"], "off", 2),
    ],
)
def test_an_examination_averages_over_crops_and_their_mirror_images_and_a_run_on_demand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, words: list[str], averages: str, crops: int
) -> None:
    monkeypatch.chdir(tmp_path)
    settings: list[Resolved] = []

    def execute(resolved: Resolved, *, quiet: bool) -> int:
        settings.append(resolved)
        return 0

    monkeypatch.setattr(live, "execute", execute)
    assert main([command, *words]) == 0
    assert settings[0].config.models.mirror_average == averages
    assert settings[0].config.models.crop_average == crops


def test_the_end_tells_what_counts_and_how_the_sheet_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "visit 1"
    made = Examination(
        "Ada",
        "left",
        "full",
        "2026-11-27T10:00:00+00:00",
        finished=True,
        repetitions=(Repetition("eee", 1, "counted"), Repetition("eee", 2, "rejected", "The head was turned.")),
    )

    def examined(_settings: Resolved, *, quiet: bool) -> int:
        assert not quiet
        folder.mkdir()
        write_examination(folder, made)
        return 0

    monkeypatch.setattr(live, "execute", examined)
    assert main(["examine", "--person", "Ada", "--session", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "1 of 2 tries count, finished" in said
    assert f"facemirror-live report '{folder}'" in said
