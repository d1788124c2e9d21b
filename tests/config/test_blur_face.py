"""`blur_face` takes what earlier versions wrote, and what the command line says."""

import pytest

from realtime.cli.parser import build_parser
from realtime.cli.settings import resolved
from realtime.config import Config, resolve
from realtime.config.conflicts import refuse_conflicts
from realtime.errors import UserInputError


@pytest.mark.parametrize(
    ("said", "meant"),
    [(True, "recording"), (False, "off"), ("true", "recording"), ("0", "off"), ("everywhere", "everywhere")],
)
def test_yes_and_no_are_still_understood(said: object, meant: str) -> None:
    assert Config.model_validate({"blur_face": said}).blur_face == meant


@pytest.mark.parametrize(
    ("words", "meant"), [([], "off"), (["--blur-face"], "recording"), (["--blur-face", "everywhere"], "everywhere")]
)
def test_the_command_line(words: list[str], meant: str) -> None:
    assert resolved(build_parser().parse_args(["run", *words])).config.blur_face == meant


def test_another_word_is_refused() -> None:
    with pytest.raises(UserInputError, match="blur_face"):
        resolve({"blur_face": "window"})


@pytest.mark.parametrize("where", ["recording", "everywhere"])
def test_raw_pictures_do_not_go_with_it(where: str) -> None:
    with pytest.raises(UserInputError, match="blur-face"):
        refuse_conflicts(Config.model_validate({"blur_face": where, "record": "raw"}))
