"""A worker and its claim: an answer, or the order to end, leaves nothing behind."""

import io
import json
import os
import threading
from pathlib import Path

import pytest

from realtime.batch.claims import Claim
from realtime.batch.inputs import Input
from realtime.batch.ledger import Ledger
from realtime.batch.liveness import Process
from realtime.batch.options import Options
from realtime.batch.plan import begin
from realtime.batch.worker import Worker, own_fingerprint
from realtime.config import Config


class Listener(io.StringIO):
    """Whoever started a worker: notes what is left of the claim when it hears an answer."""

    def __init__(self, claim: Path) -> None:
        super().__init__()
        self._claim = claim
        self.claimed: list[bool] = []

    def write(self, text: str, /) -> int:
        self.claimed.append(self._claim.exists())
        return super().write(text)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "out")


@pytest.fixture
def worker(ledger: Ledger, tmp_path: Path) -> tuple[Worker, Listener]:
    """A worker of a batch of one file that is no video."""
    (tmp_path / "a.mp4").write_bytes(b"no video")
    config, options = Config(), Options()
    begin(ledger, [Input("a", tmp_path / "a.mp4")], own_fingerprint(config, options), config, options)
    listener = Listener(ledger.folder / "claims" / "a.json")
    return Worker(ledger, listener, Process.this()), listener


def test_a_recording_is_nobodys_when_its_worker_answers(worker: tuple[Worker, Listener], ledger: Ledger) -> None:
    """Whoever hears the answer may end the worker: a claim that is released later would then stay."""
    worker[0].work("a")
    assert json.loads(worker[1].getvalue())["outcome"] == "failed"
    assert worker[1].claimed == [False]
    assert ledger.states() == {"a": "failed"}


def test_a_worker_that_is_told_to_end_first_gives_its_recording_back(
    worker: tuple[Worker, Listener], ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its standard input ends on another thread, in the middle of the release."""
    ended, left = threading.Event(), list[bool]()

    def end(_code: int) -> None:
        left.append(ledger.claims.exists("a"))
        ended.set()

    monkeypatch.setattr(os, "_exit", end)
    release, listening = ledger.claims.release, threading.Thread(target=worker[0].abandon)

    def release_while_ending(claim: Claim) -> None:
        listening.start()
        ended.wait(0.2)  # an end in here leaves the claim
        release(claim)

    monkeypatch.setattr(ledger.claims, "release", release_while_ending)
    worker[0].work("a")
    listening.join()
    assert left == [False]


def test_a_fault_of_several_lines_is_one_sentence(
    worker: tuple[Worker, Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("first line\nsecond line\n")

    monkeypatch.setattr("realtime.batch.measure.measure_recording", fail)
    worker[0].work("a")
    assert "RuntimeError: first line second line; see " in json.loads(worker[1].getvalue())["sentence"]
