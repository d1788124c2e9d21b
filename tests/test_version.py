"""One version number, wherever it stands."""

import re

import pytest

from realtime import __version__
from tests.conftest import ROOT


def found(name: str, pattern: str) -> str:
    match = re.search(pattern, (ROOT / name).read_text("utf-8"), re.MULTILINE)
    assert match is not None, f"{name} names no version"
    return match[1]


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("CITATION.cff", r"^version: \"?([\w.]+)\"?$"),
        ("CHANGELOG.md", r"^## \[?(\d+\.\d+\.\d+)"),
    ],
)
def test_every_file_names_the_packages_version(name: str, pattern: str) -> None:
    assert found(name, pattern) == __version__


def test_the_package_takes_it_from_one_place() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert 'dynamic = ["version"]' in project
    assert not re.search(r"^version\s*=", project, re.MULTILINE)
