"""Dask: who is free is its business, everything else is the ledger's. Its workers are threads here, the measuring is real."""

import io
import json
import os
import queue
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from realtime.batch.fingerprint import Fingerprint
from realtime.batch.follow import Networks
from realtime.batch.inputs import find_inputs
from realtime.batch.ledger import Ledger
from realtime.batch.liveness import Process
from realtime.batch.measure import specs_of
from realtime.batch.options import Options
from realtime.batch.plan import Plan, begin
from realtime.batch.pool import Message
from realtime.batch.run import Watch
from realtime.batch.worker import Worker
from realtime.config import Config
from realtime.errors import DeviceError, UserInputError

STAMP = Fingerprint.of(Config(), Options(), specs_of(Config()))


def start(clips: Path, out: Path, stamp: Fingerprint = STAMP) -> tuple[Ledger, Plan]:
    ledger = Ledger(out)
    return ledger, begin(
        ledger, find_inputs([str(clips / "one"), str(clips / "broken.mp4")]).found, stamp, Config(), Options()
    )


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch, networks: Networks) -> Iterator[str]:
    """A scheduler with two workers, whose measuring children are in this process."""
    distributed = pytest.importorskip("distributed")
    from realtime.batch import cluster

    class Child:
        """Answers at once."""

        def __init__(self, out: Path, inbox: "queue.SimpleQueue[Message]", clock: Callable[[], float]) -> None:
            self.out, self._inbox = out, inbox
            self.process = SimpleNamespace(poll=lambda: None, returncode=0, pid=os.getpid())

        def give(self, name: str) -> None:
            answers = io.StringIO()
            Worker(Ledger(self.out), answers, Process.this(), networks).work(name)
            for line in answers.getvalue().splitlines():
                self._inbox.put(Message(self, json.loads(line)))  # type: ignore[arg-type]

        def close(self) -> None:
            pass

    monkeypatch.setattr(cluster, "WorkerProcess", Child)
    monkeypatch.setattr(cluster, "_child", None)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, worker_dashboard_address=None
    ) as local:
        yield local.scheduler_address


@pytest.mark.timeout(240)  # importing Dask takes long on a busy machine
def test_a_cluster_measures_everything_and_a_bad_recording_is_only_itself(
    clips: Path, tmp_path: Path, address: str
) -> None:
    from realtime.batch.cluster import work_on_cluster

    ledger, plan = start(clips, tmp_path / "out")
    outcomes: dict[str, str] = {}
    watch = Watch(finished=lambda name, outcome, _: outcomes.update({name: outcome}))
    assert work_on_cluster(ledger, plan, address, 2, watch) == ""
    assert outcomes == {"clip": "done", "broken": "failed"}
    assert ledger.states() == {"clip": "done", "broken": "failed"}

    older = Fingerprint({**STAMP.program, "numpy": "1.0"}, STAMP.models, STAMP.settings)
    other, plan = start(clips, tmp_path / "other", older)
    with pytest.raises(DeviceError, match=r"is of another version than this program: program \(numpy 1.0 -> "):
        work_on_cluster(other, plan, address, 2, Watch())
    assert set(other.states().values()) == {"waiting"}


def test_an_address_that_is_none_is_refused(tmp_path: Path, clips: Path) -> None:
    pytest.importorskip("distributed")
    from realtime.batch.cluster import work_on_cluster

    ledger, plan = start(clips, tmp_path / "out")
    with pytest.raises(UserInputError, match="say local, or a scheduler's address"):
        work_on_cluster(ledger, plan, "somewhere", 1, Watch())


def test_without_dask_the_extra_is_named(tmp_path: Path, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from realtime.batch.cluster import work_on_cluster

    monkeypatch.setitem(sys.modules, "distributed", None)
    ledger, plan = start(clips, tmp_path / "out")
    with pytest.raises(DeviceError, match=r"facemirror-live\[cluster\]"):
        work_on_cluster(ledger, plan, "local", 1, Watch())
