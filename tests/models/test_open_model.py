"""Which provider a model gets: the first of the wished ones that is here and passed its trial, else the CPU, with a word."""

import logging
from pathlib import Path

import numpy as np
import pytest

from realtime.models import Registry, open_model
from realtime.models.onnx_session import CPU
from realtime.models.provider_trial import ProbeResult
from tests.models.tiny_onnx import one_operator, write

SHAPE = (1, 3, 4, 4)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    write(tmp_path, one_operator("Neg", SHAPE))
    return Registry(tmp_path)


def test_a_provider_that_is_not_here_is_named(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    spec = registry.manifest.find("landmarks")
    session = open_model.open_model(registry, spec, providers=("nosuch", "cpu"))
    assert session.provider == CPU
    assert [r.message for r in caplog.records] == [
        "tiny: nosuch is not used because this machine's ONNX Runtime does not have it"
    ]


def test_a_failed_trial_leaves_the_cpu_and_says_why_and_progress_is_passed_on(
    registry: Registry, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_words: object, progress: object, **_named: object) -> ProbeResult:
        assert callable(progress)
        progress(7.0)
        return ProbeResult(False, "it did not come up within 300 s in a trial", 300.0)

    monkeypatch.setattr(open_model, "try_provider", fails)
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CoreMLExecutionProvider", CPU])
    told: list[tuple[str, float]] = []
    spec = registry.manifest.find("landmarks")
    session = open_model.open_model(
        registry, spec, providers=("coreml", "cpu"), progress=lambda name, gone: told.append((name, gone))
    )
    assert session.provider == CPU
    assert told == [("tiny", 7.0)]
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert "did not come up within 300 s" in caplog.records[0].message
    image = np.ones(SHAPE, np.float32)
    np.testing.assert_array_equal(session.run(image)["points"], -image)
