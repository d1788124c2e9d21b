"""Words of the command line that no program expects: one sentence each, never a traceback."""

from pathlib import Path

import pytest

from realtime.cli import main
from realtime.files import counted

STRANGE = {
    "no UTF-8": "\udcff\udcfe",
    "5,000 letters": "x" * 5000,
    "2,500 folders": "a/" * 2500,
    "5,000 digits": "9" * 5000,
    "a raised two": "host:²",
    "two lines": "x\ny",
}


@pytest.mark.parametrize("word", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize(
    "words",
    [
        ["run", "--headless", "--source=WORD"],
        ["run", "--headless", "--source=camera:WORD"],
        ["run", "--headless", "--source=demo", "--config=WORD"],
        ["run", "--headless", "--source=demo", "--set=WORD"],
        ["run", "--headless", "--source=demo", "--set=fps=WORD"],
        ["run", "--headless", "--source=demo", "--size=WORD"],
        ["verify", "WORD"],
        ["replay", "WORD"],
        ["report", "WORD"],
        ["reprocess", "WORD"],
        ["people", "--people=WORD", "--delete=WORD"],
    ],
    ids=" ".join,
)
def test_a_strange_word_is_one_sentence(
    words: list[str], word: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = main([part.replace("WORD", word) for part in words])
    except SystemExit as left:
        code = int(str(left.code))
    err = capsys.readouterr().err
    assert code in (2, 3)
    assert err.startswith("facemirror-live: ")
    assert err.replace(word, "").count("\n") <= 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("port", ["²", "٣", "0", "65536", "-1", "1e3", "9" * 5000])
def test_an_osc_port_is_a_number_of_ordinary_digits(port: str) -> None:
    from realtime.errors import UserInputError
    from realtime.streams.osc import parse_address

    with pytest.raises(UserInputError, match="HOST:PORT"):
        parse_address(f"127.0.0.1:{port}")


@pytest.mark.parametrize(("number", "said"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1234, "1,234 rows")])
def test_one_is_not_said_as_many(number: int, said: str) -> None:
    assert counted(number, "row") == said
    assert counted(1, "label lies", "labels lie") == "1 label lies"


def test_ctrl_c_while_the_program_is_loaded_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("realtime.cli.parser.build_parser", interrupted)
    assert main(["config"]) == 130
    assert capfd.readouterr().err == "facemirror-live: interrupted.\n"
