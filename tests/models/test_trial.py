"""The child process that pays for a provider's first compilation."""

import re
from pathlib import Path

import pytest

from realtime.models.trial import Verdict, try_provider
from tests.models.tiny_onnx import one_operator, write


def trial(tmp_path: Path, stand_in: str, bound: float = 30.0) -> Verdict:
    spec = write(tmp_path, one_operator("Neg", (1, 3, 4, 4)))
    factory = f"tests.models.stand_ins:{stand_in}"
    return try_provider(spec, tmp_path / spec.file, "SomeProvider", tmp_path / "cache", bound=bound, factory=factory)


def test_a_provider_that_comes_up_is_remembered(tmp_path: Path) -> None:
    first = trial(tmp_path, "fine")
    assert first.ok, first.reason
    assert not first.remembered
    again = trial(tmp_path, "fine")
    assert again.ok
    assert again.remembered


@pytest.mark.parametrize(
    ("stand_in", "sentence"),
    [("crashes", "ended with signal 9"), ("complains", "exit code 1.*no such compute unit")],
)
def test_a_crash_stays_in_the_child(tmp_path: Path, stand_in: str, sentence: str) -> None:
    verdict = trial(tmp_path, stand_in)
    assert not verdict.ok
    assert re.search(sentence, verdict.reason)


def test_a_provider_that_hangs_is_killed_at_the_bound(tmp_path: Path) -> None:
    verdict = trial(tmp_path, "blocks", bound=1.0)
    assert not verdict.ok
    assert "within 1 s" in verdict.reason
    assert verdict.seconds < 20
