"""The fallback for the ways an accelerator was seen to fail. Bounds are short and met by events, not by sleeping."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.models.fallback_session import FallbackSession, FallbackSettings
from realtime.models.manifest import ModelInput, ModelSpec

SPEC = ModelSpec(
    name="net",
    role="landmarks",
    file="net.onnx",
    sha256="0" * 64,
    bytes=1,
    licence="MIT",
    source="-",
    purpose="tests",
    input=ModelInput(name="image"),
    outputs={"points": "out"},
)
IMAGE = np.ones((1, 3, 2, 2), np.float32)


class Runner:
    """A session whose run is a given function."""

    def __init__(self, provider: str, run: Callable[[NDArray[np.float32]], NDArray[Any]]) -> None:
        self.spec, self.provider, self._run = SPEC, provider, run
        self.threads: set[int] = set()

    def run(self, image: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        self.threads.add(threading.get_ident())
        return {"points": self._run(image)}


def with_fallback(create: Callable[[], Runner], **bounds: Any) -> FallbackSession:
    cpu = Runner("cpu", lambda image: image * 2)
    settings = FallbackSettings(**({"start_up": 5.0, "run": 0.05} | bounds))
    return FallbackSession(SPEC, create, cpu, settings)


def answer(session: FallbackSession) -> float:
    return float(session.run(IMAGE)["points"].flat[0])


def test_a_healthy_accelerator_answers_on_one_thread_of_its_own() -> None:
    fast = Runner("fast", lambda image: image * 3)
    session = with_fallback(lambda: fast, run=5.0)
    assert session.wait_until_up()
    assert [answer(session) for _ in range(3)] == [3.0, 3.0, 3.0]
    assert session.provider == "fast"
    assert len(fast.threads) == 1
    assert threading.get_ident() not in fast.threads


def test_a_session_that_never_comes_up_is_abandoned(caplog: pytest.LogCaptureFixture) -> None:
    for_ever = threading.Event()

    def create() -> Runner:
        for_ever.wait()
        raise AssertionError

    session = with_fallback(create, start_up=0.02)
    assert answer(session) == 2.0, "the CPU answers while the accelerator is coming up"
    assert not session.wait_until_up()
    assert answer(session) == 2.0
    assert session.provider == "cpu"
    assert [r.message for r in caplog.records] == [
        "net: the accelerated session did not come up within 0.02 s; the CPU takes over"
    ]
    for_ever.set()


def test_a_run_that_blocks_for_ever_costs_one_bound_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    for_ever = threading.Event()

    def hang(image: NDArray[np.float32]) -> NDArray[Any]:
        for_ever.wait()
        return image

    session = with_fallback(lambda: Runner("fast", hang))
    session.wait_until_up()
    assert [answer(session) for _ in range(5)] == [2.0] * 5
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 1
    assert "longer than 0.05 s" in caplog.records[0].message
    for_ever.set()


def test_results_that_are_no_numbers_are_never_given_out() -> None:
    session = with_fallback(lambda: Runner("fast", lambda image: image * np.nan), run=5.0)
    session.wait_until_up()
    assert [answer(session) for _ in range(2)] == [2.0, 2.0]
    assert session.reason is None, "two bad results may be a passing fault"
    assert answer(session) == 2.0
    assert session.reason is not None
    assert "no numbers" in session.reason


def test_one_bad_result_is_forgiven() -> None:
    runs = iter([np.nan, 3.0, np.nan, 3.0, np.nan, 3.0])
    session = with_fallback(lambda: Runner("fast", lambda image: image * next(runs)), run=5.0)
    session.wait_until_up()
    assert [answer(session) for _ in range(6)] == [2.0, 3.0, 2.0, 3.0, 2.0, 3.0]
    assert session.provider == "fast"


def test_one_slow_run_costs_one_bound_and_its_late_result_is_given_to_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    release, runs = threading.Event(), []

    def slow_once(image: NDArray[np.float32]) -> NDArray[Any]:
        runs.append(float(image.flat[0]))
        if len(runs) == 1:
            release.wait()
        return image * 3

    session = with_fallback(lambda: Runner("fast", slow_once))
    session.wait_until_up()
    assert answer(session) == 2.0, "the CPU answers in place of the run that is late"
    release.set()
    session._worker.join(5)
    assert not session._worker.is_alive(), "the thread ends once the provider lets go of it"
    assert [float(session.run(n * IMAGE)["points"].flat[0]) for n in (4, 5)] == [8.0, 10.0], "each picture's own result"
    assert runs == [1.0]
    assert session.provider == "cpu"
    assert len(caplog.records) == 1


def test_a_slow_run_within_the_bound_keeps_its_accelerator() -> None:
    started, release = threading.Event(), threading.Event()

    def slow_once(image: NDArray[np.float32]) -> NDArray[Any]:
        if not started.is_set():
            started.set()
            release.wait()
        return image * 3

    session = with_fallback(lambda: Runner("fast", slow_once), run=30.0)
    session.wait_until_up()
    helper = threading.Thread(target=lambda: (started.wait(), release.set()))
    helper.start()
    assert [answer(session) for _ in range(2)] == [3.0, 3.0]
    helper.join(5)
    assert session.provider == "fast"
    assert session.reason is None


def test_a_session_that_cannot_be_created_says_why() -> None:
    def create() -> Runner:
        raise RuntimeError("no compute unit")

    session = with_fallback(create)
    assert not session.wait_until_up()
    assert session.reason == "could not be created (no compute unit)"
    assert answer(session) == 2.0


def test_the_callers_buffer_may_change_while_an_abandoned_run_still_reads_it() -> None:
    release, seen = threading.Event(), []

    def late(image: NDArray[np.float32]) -> NDArray[Any]:
        release.wait()
        seen.append(float(image.flat[0]))
        return image

    session = with_fallback(lambda: Runner("fast", late))
    session.wait_until_up()
    mine = IMAGE.copy()
    session.run(mine)
    mine[:] = -1
    release.set()
    session._worker.join(5)
    assert seen == [1.0]
