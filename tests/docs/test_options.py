"""Every option of the command line stands where users look: in the README or on a page."""

import argparse
import re
from collections.abc import Iterator
from functools import cache

import pytest

from realtime.cli.parser import build_parser
from tests.conftest import ROOT

TEXT = "\n".join(
    path.read_text("utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs" / "pages").glob("*.md")))
)


@cache
def commands() -> dict[str, argparse.ArgumentParser]:
    """Each command's parser by its name."""
    (found,) = (action for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)


def long_options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The options of a command that are not the opposite of another one."""
    for action in parser._actions:
        if action.help != argparse.SUPPRESS:
            yield from (word for word in action.option_strings if word.startswith("--") and word[:5] != "--no-")


@pytest.mark.parametrize("command", commands())
def test_every_option_is_described(command: str) -> None:
    options = set(long_options(commands()[command])) - {"--help"}
    assert not {option for option in options if not re.search(rf"{option}(?![\w-])", TEXT)}
