"""A session in a process of its own, and providers that crash, hang or fail in the middle of a live run."""

import io
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.models import Registry, open_model
from realtime.models.fallback_session import FallbackSession, FallbackSettings
from realtime.models.manifest import ModelSpec
from realtime.models.onnx_session import CPU, SessionLostError
from realtime.models.provider_trial import ProbeResult
from realtime.models.subprocess_session import SubprocessSession, receive, send
from tests.models.stand_ins import Doubling
from tests.models.test_fallback_session import SPEC
from tests.models.tiny_onnx import one_operator, write

SHAPE = (1, 3, 2, 2)
IMAGE = np.arange(12, dtype=np.float32).reshape(SHAPE)
Start = Callable[[str], SubprocessSession]


@pytest.fixture
def start() -> Iterator[Start]:
    begun: list[SubprocessSession] = []

    def begin(factory: str) -> SubprocessSession:
        begun.append(SubprocessSession(SPEC, Path("net.onnx"), "stand-in", SHAPE, f"tests.models.stand_ins:{factory}"))
        return begun[-1]

    yield begin
    for session in begun:
        session.end()


class Cpu(Doubling):
    """The CPU behind an accelerator: its answers are told by their sign."""

    def run(self, image: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        return {"points": -image}


def with_fallback(session: SubprocessSession, **bounds: Any) -> FallbackSession:
    settings = FallbackSettings(**({"start_up": 60.0, "run": 60.0} | bounds))
    return FallbackSession(SPEC, session.open, Cpu(SPEC), settings, end=session.end)


def test_results_are_those_of_the_child_whatever_it_prints(start: Start) -> None:
    session = start("doubles").open()
    for factor in (1.0, -3.0):
        np.testing.assert_array_equal(session.run(IMAGE * factor)["points"], IMAGE * factor * 2)
    big = np.random.default_rng(0).normal(size=(1, 3, 512, 512)).astype(np.float32)
    np.testing.assert_array_equal(session.run(big)["points"], big * 2)


def test_a_failed_run_is_told_and_the_next_one_works(start: Start) -> None:
    session = start("fails_on_the_second_run").open()
    session.run(IMAGE)
    with pytest.raises(RuntimeError, match="the compute unit is busy"):
        session.run(IMAGE)
    np.testing.assert_array_equal(session.run(IMAGE)["points"], IMAGE * 2)


def test_a_crash_in_the_middle_costs_no_result_and_is_logged_once(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    session = with_fallback(start("crashes_on_the_third_run"))
    assert session.wait_until_up()
    signs = [float(np.sign(session.run(IMAGE)["points"].sum())) for _ in range(5)]
    assert signs == [1, 1, -1, -1, -1], "from the third on the CPU answers"
    assert [r.message for r in caplog.records if r.levelno >= logging.WARNING] == [
        "net: the accelerated session was lost: its process ended with signal 9: bus error in the compute unit; the CPU takes over"
    ]


def test_a_run_that_hangs_is_ended_with_its_process_and_its_thread(start: Start) -> None:
    child_session = start("hangs_on_the_second_run")
    session = with_fallback(child_session, run=0.3)
    assert session.wait_until_up()
    assert [float(session.run(IMAGE)["points"].sum()) for _ in range(3)] == [132, -66, -66]
    assert child_session._child.returncode is not None, "nothing is left behind that holds the device"
    session._worker.join(10)
    assert not session._worker.is_alive()


def test_a_session_that_never_opens_is_ended_too(start: Start) -> None:
    child_session = start("never_opens")
    session = with_fallback(child_session, start_up=0.3)
    assert not session.wait_until_up()
    assert child_session._child.returncode is not None


def test_one_that_does_not_open_says_why(start: Start) -> None:
    with pytest.raises(RuntimeError, match="no such compute unit"):
        start("does_not_open").open()
    session = with_fallback(start("does_not_open"))
    assert not session.wait_until_up()
    assert session.reason == "could not be created (no such compute unit)"


def test_the_child_ends_with_the_program(start: Start) -> None:
    session = start("hangs_on_the_second_run").open()
    assert session._child.stdin is not None
    session._child.stdin.close()  # what the system does to a program that is killed
    assert session._child.wait(30) == 0
    with pytest.raises(SessionLostError, match="its process ended"):
        session.run(IMAGE)


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_the_program_gets_a_session_apart_and_survives_its_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Through `open_model`, as the program opens its networks; the real child, with ONNX Runtime's CPU as the accelerator."""
    shape = (1, 3, 4, 4)
    write(tmp_path, one_operator("Neg", shape))
    registry = Registry(tmp_path)
    spec: ModelSpec = registry.manifest.find("landmarks")
    monkeypatch.setattr(open_model, "PROVIDERS", {"fast": "FastExecutionProvider"})
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["FastExecutionProvider", CPU])
    monkeypatch.setattr(open_model, "try_provider", lambda *_w, **_n: ProbeResult(True, "fine", 0.1))
    begun: list[SubprocessSession] = []

    def child_session(spec: ModelSpec, path: Path, provider: str, size: tuple[int, ...] | None) -> SubprocessSession:
        assert provider == "FastExecutionProvider"
        begun.append(SubprocessSession(spec, path, CPU, size))
        return begun[-1]

    monkeypatch.setattr(open_model, "SubprocessSession", child_session)
    session = open_model.open_model(registry, spec, providers=("fast", "cpu"))
    image = np.ones(shape, np.float32)
    assert isinstance(session, FallbackSession)
    np.testing.assert_array_equal(session.run(image)["points"], -image)
    assert session.reason is None
    begun[0]._child.kill()
    np.testing.assert_array_equal(session.run(image)["points"], -image)
    assert session.reason is not None
    assert "was lost: its process ended with signal 9" in session.reason


def test_arrays_survive_the_pipe_and_a_cut_pipe_is_noticed() -> None:
    pipe = io.BytesIO()
    arrays: dict[str, NDArray[Any]] = {
        "points": IMAGE,
        "presence": np.array([0.5], np.float32),
        "none": np.zeros(0, np.uint8),
    }
    send(pipe, arrays)
    whole = pipe.getvalue()
    found = receive(io.BytesIO(whole))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
    for cut in range(0, len(whole), 7):
        with pytest.raises((EOFError, ValueError)):
            receive(io.BytesIO(whole[:cut]))
