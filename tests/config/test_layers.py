from pathlib import Path

import pytest
from pydantic import BaseModel

from realtime.config import Config, resolve
from realtime.errors import UserInputError


def test_later_layers_win_and_say_where_a_value_came_from(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text('max_age_ms = 100\nfps = 25\nview = "split"\n[models]\nthreads = 2\n')
    environment = {"FACEMIRROR_MAX_AGE_MS": "120", "FACEMIRROR_VIEW": "raw", "HOME": "x", "FACEMIRROR_SHARED": "y"}
    found = resolve({"view": "mirrored", "session": None}, file, environment)
    rows = {name: (value, origin) for name, value, origin in found.rows()}
    assert rows["view"] == ("mirrored", "command line")
    assert rows["max_age_ms"] == (120.0, "environment FACEMIRROR_MAX_AGE_MS")
    assert rows["fps"] == (25.0, f"file {file}")
    assert rows["models.threads"] == (2, f"file {file}")
    assert rows["session"] == (None, "default")


def test_words_of_the_environment_become_values() -> None:
    environment = {
        "FACEMIRROR_SIZE": "640x360",
        "FACEMIRROR_HEADLESS": "true",
        "FACEMIRROR_MODELS__PROVIDERS": "coreml, cpu",
        "FACEMIRROR_SESSION": "out",
    }
    config = resolve({}, None, environment).config
    assert config.size == (640, 360)
    assert config.headless is True
    assert config.models.providers == ("coreml", "cpu")
    assert config.session == Path("out")


@pytest.mark.parametrize(
    ("command_line", "environment", "sentence"),
    [
        ({"size": "12"}, {}, r"size = '12' \(command line\): a size reads WIDTHxHEIGHT"),
        ({"max_age_ms": -1}, {}, "max_age_ms = -1.*greater than 0"),
        ({"models.threads": 0}, {}, "models.threads = 0.*greater than or equal to 1"),
        ({}, {"FACEMIRROR_SPED": "max"}, "no setting 'FACEMIRROR_SPED'"),
        ({}, {"FACEMIRROR_FPS": "fast"}, r"fps = 'fast' \(environment FACEMIRROR_FPS\)"),
        ({"nonsense.x": 1}, {}, "no setting 'nonsense.x'"),
    ],
)
def test_wrong_words_are_named_with_their_layer(
    command_line: dict[str, object], environment: dict[str, str], sentence: str
) -> None:
    with pytest.raises(UserInputError, match=sentence):
        resolve(command_line, None, environment)


@pytest.mark.parametrize(("text", "sentence"), [("a = [", "cannot be read"), ("colour = 3", "no setting 'colour'")])
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(UserInputError, match=sentence):
        resolve({}, file, {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="does not exist"):
        resolve({}, tmp_path / "none.toml", {})


def test_every_setting_says_what_it_means() -> None:
    def described(model: type[BaseModel], before: str = "") -> list[str]:
        missing = []
        for name, field in model.model_fields.items():
            section = field.annotation
            if isinstance(section, type) and issubclass(section, BaseModel):
                missing += described(section, f"{before}{name}.")
            elif not field.description:
                missing.append(before + name)
        return missing

    assert described(Config) == []
