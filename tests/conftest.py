"""Fixtures every test room shares."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development material's folder; tests that need it are skipped where it is missing."""
    folder = Path(os.environ.get("FACEMIRROR_SHARED", ROOT.parent / "shared"))
    if not (folder / "models").is_dir():
        pytest.skip("development material is not here (set FACEMIRROR_SHARED to its folder)")
    return folder
