"""Built-in protocols hold what their scores need; a file that is wrong is one sentence; every language says everything."""

import re
from pathlib import Path

import pytest

from realtime.clinic.examination import ExaminationMachine
from realtime.clinic.language import languages, words_of
from realtime.clinic.protocol import BUILT_IN, Protocol, load_protocol
from realtime.clinic.types import MOVEMENTS, Movement
from realtime.errors import UserInputError

SUNNYBROOK: tuple[Movement, ...] = ("rest", "brow_raise", "gentle_closure", "open_smile", "snarl", "pucker")
EFACE: tuple[Movement, ...] = ("rest", "brow_raise", "gentle_closure", "tight_closure", "open_smile", "pucker", "eee")


def test_built_in_protocols() -> None:
    assert load_protocol("full") == Protocol("full", MOVEMENTS, 3)
    assert load_protocol("sunnybrook") == Protocol("sunnybrook", SUNNYBROOK, 3)
    assert load_protocol("eface") == Protocol("eface", EFACE, 3)


def test_a_file_may_ask_for_anything_known(tmp_path: Path) -> None:
    path = tmp_path / "smiles.toml"
    path.write_text('movements = ["rest", "open_smile"]\nrepetitions = 2\n')
    assert load_protocol(str(path)) == Protocol("smiles", ("rest", "open_smile"), 2)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('movements = ["open_smlie"]', "unknown movement 'open_smlie'; did you mean open_smile?"),
        ('movements = ["levitate"]', "unknown movement 'levitate'; known are rest, "),
        ("movements = [3]", "unknown movement '3'"),
        ("movements = []", "lists no movements"),
        ("", "lists no movements"),
        ('movements = ["rest", "rest"]', "names rest twice"),
        ('movements = ["rest"]\nrepetitions = 0', "from 1 to 5"),
        ('movements = ["rest"]\nrepetitions = true', "from 1 to 5"),
        ('movements = ["rest"]\nname = ""', "needs a name"),
        ('movements = ["rest"]\nspeed = 2', "unknown entry 'speed'"),
        ("movements = [", "is no TOML file"),
        ("\x00", "is no TOML file"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(UserInputError, match=re.escape(sentence)) as caught:
        load_protocol(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("word", ["sunybrook", "no/such/file.toml", ""])
def test_a_protocol_that_is_not_there_is_one_sentence(word: str) -> None:
    with pytest.raises(UserInputError, match="protocol"):
        load_protocol(word)


def test_every_language_says_what_english_says() -> None:
    english = words_of("en")
    assert set(english.movements) == set(english.instructions) == set(MOVEMENTS)
    for words in languages().values():
        for table in ("movements", "instructions", "phases", "reasons", "labels"):
            assert set(getattr(words, table)) == set(getattr(english, table)), (words.code, table)
            assert all(text.strip() for text in getattr(words, table).values())


def test_a_language_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(UserInputError, match="it speaks en, de, es"):
        words_of("tlh")


@pytest.mark.parametrize("name", BUILT_IN)
def test_an_examination_can_be_made_of_every_protocol(name: str) -> None:
    machine = ExaminationMachine(load_protocol(name))
    assert machine.status.total == 3 * len(load_protocol(name).movements)
