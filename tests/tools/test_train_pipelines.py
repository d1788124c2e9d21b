"""A training from nothing runs its steps in order, and leaves out what is there."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.train.action_units import pipeline as aus_anew
from tools.train.landmarks import pipeline as landmarks_anew
from tools.train.pipeline import ROOT, run, step

pytestmark = pytest.mark.tools


def test_what_is_there_is_left_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    there = tmp_path / "there"
    there.touch()
    run([step("no.such.module", result=there), step("platform", result=tmp_path / "missing")])
    said = capfd.readouterr().out
    assert "is there already" in said
    assert "python -m platform" in said


def test_a_step_that_fails_ends_it() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run([step("tools.no_such_module"), step("platform")])


@pytest.mark.parametrize("plan", ["landmarks", "aus"])
def test_every_step_takes_the_words_it_is_given(plan: str, tmp_path: Path) -> None:
    """Names of options and values are checked by the steps' own command lines."""
    pytest.importorskip("torch")
    if plan == "landmarks":
        steps = landmarks_anew.steps(tmp_path, tmp_path / "run", tmp_path / "d.onnx", 1, 2)
    else:
        steps = aus_anew.steps(tmp_path, tmp_path / "run", 1)
    for module in {each.command[0] for each in steps}:
        words = [word for each in steps if each.command[0] == module for word in each.command[1:]]
        known = subprocess.run(
            [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        for word in words:
            assert not word.startswith("--") or word in known, f"{module} knows no {word}"
