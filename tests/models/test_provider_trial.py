"""The child process that pays for a provider's first compilation."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from realtime.models.provider_trial import ProbeResult, try_provider
from realtime.models.providers import provider_options
from tests.models.tiny_onnx import one_operator, write


def trial(
    tmp_path: Path, stand_in: str, bound: float = 30.0, progress: Callable[[float], None] | None = None
) -> ProbeResult:
    spec = write(tmp_path, one_operator("Neg", (1, 3, 4, 4)))
    factory = f"tests.models.stand_ins:{stand_in}"
    return try_provider(
        spec, tmp_path / spec.file, "SomeProvider", tmp_path / "cache", bound=bound, factory=factory, progress=progress
    )


def test_a_provider_that_comes_up_is_remembered(tmp_path: Path) -> None:
    first = trial(tmp_path, "fine")
    assert first.ok, first.reason
    assert not first.remembered
    again = trial(tmp_path, "fine")
    assert again.ok
    assert again.remembered


@pytest.mark.parametrize(
    ("stand_in", "sentence"),
    [("crashes", "in a trial its process ended with signal 9"), ("does_not_open", r"failed \(no such compute unit\)")],
)
def test_a_crash_stays_in_the_child(tmp_path: Path, stand_in: str, sentence: str) -> None:
    verdict = trial(tmp_path, stand_in)
    assert not verdict.ok
    assert re.search(sentence, verdict.reason)


def test_a_provider_that_hangs_is_killed_at_the_bound(tmp_path: Path) -> None:
    seen: list[float] = []
    verdict = trial(tmp_path, "never_opens", bound=1.0, progress=seen.append)
    assert seen, "whoever waits is told"
    assert seen == sorted(seen)
    assert not verdict.ok
    assert "within 1 s" in verdict.reason
    assert verdict.seconds < 20


def test_the_trial_opens_as_the_program_will(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the child compiled must be what the program then finds compiled: same options, same cache."""
    from realtime.models import subprocess_session

    seen: dict[str, object] = {}

    class Opened:
        def __init__(self, spec: object, path: Path, settings: object, **words: object) -> None:
            seen.update(words)

        def warm_up(self, shape: tuple[int, ...], runs: int) -> None:
            seen["shape"] = shape

    monkeypatch.setenv("FACEMIRROR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(subprocess_session, "OnnxSession", Opened)
    spec = write(tmp_path, one_operator("Neg", (1, 3, 4, 4)))
    assert subprocess_session.DEFAULT_FACTORY == "realtime.models.subprocess_session:open_accelerated"
    subprocess_session.open_accelerated(spec, tmp_path / spec.file, "CoreMLExecutionProvider", (1, 3, 4, 4))
    assert seen["shape"] == (1, 3, 4, 4), "the trial's stand-in `fine` checks that it gets this shape, too"
    options = seen["provider_options"]
    assert options == provider_options("CoreMLExecutionProvider", tmp_path / "cache")
    assert options["ModelCacheDirectory"] == str(tmp_path / "cache" / "coreml")
    assert options["MLComputeUnits"] == "CPUAndNeuralEngine"
