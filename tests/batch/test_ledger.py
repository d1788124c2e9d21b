"""The ledger: claims, deaths, what is done and what has changed; in one process, with processes that never were."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from realtime.batch.claims import DEATHS, Claim
from realtime.batch.fingerprint import Fingerprint
from realtime.batch.inputs import Input
from realtime.batch.ledger import Ledger
from realtime.batch.liveness import Heartbeats, Process
from realtime.batch.options import Options
from realtime.batch.plan import Plan, begin, problems_of
from realtime.batch.results import Identity
from realtime.batch.run import WorkQueue
from realtime.batch.worker import columns_digest
from realtime.config import Config
from realtime.errors import DeviceError, UserInputError
from tests.media.clips import FakeClock

NOW = Fingerprint({"facemirror-live": "1"}, {"detector": "abc"}, {"rotate": "0"})


@pytest.fixture
def one(tmp_path: Path) -> Input:
    (tmp_path / "a.mp4").write_bytes(b"first content")
    return Input("a", tmp_path / "a.mp4", {"person": "Ada"})


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "out")


def start(ledger: Ledger, *found: Input, now: Fingerprint = NOW, retry: bool = False, force: bool = False) -> Plan:
    return begin(ledger, found, now, Config(), Options(), retry=retry, force=force)


def finish(ledger: Ledger, one: Input, now: Fingerprint = NOW) -> None:
    """As a worker does."""
    claim = ledger.claims.take(one.name, Process.this())
    assert claim is not None
    ledger.claims.part(claim).mkdir()
    (ledger.claims.part(claim) / "frames.csv").write_text("rows")
    identity = replace(Identity.of(one.path), sha256=_sha(one.path))
    ledger.results.commit(claim, ledger.claims.part(claim), now.hash, identity, columns_digest(one), {"notices": []})
    ledger.claims.release(claim)


def _sha(path: Path) -> str:
    from realtime.files import file_sha256

    return file_sha256(path)


def dead(process: Process) -> Process:
    """One of this machine that does not run: the same number, started at another time."""
    return replace(process, started=process.started - 1000)


def claimed_by(ledger: Ledger, name: str, worker: Process, parent: Process) -> Claim:
    """A claim that another process left."""
    claim = ledger.claims.take(name, parent)
    assert claim is not None
    path = ledger.folder / "claims" / f"{name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "worker": worker.as_json()}))
    return replace_worker(claim, worker)


def replace_worker(claim: Claim, worker: Process) -> Claim:
    return claim._replace(worker=worker)


def test_of_several_claims_one_succeeds(ledger: Ledger, one: Input) -> None:
    start(ledger, one)
    first = ledger.claims.take("a", Process.this())
    assert first is not None
    assert ledger.claims.take("a", Process.this()) is None
    assert ledger.state("a") == "claimed"
    ledger.claims.release(replace_worker(first, first.worker)._replace(nonce="another"))
    assert ledger.state("a") == "claimed"
    ledger.claims.release(first)
    assert ledger.state("a") == "waiting"


def test_a_recording_that_kills_three_workers_is_put_aside_until_it_is_retried(ledger: Ledger, one: Input) -> None:
    plan, me = start(ledger, one), Process.this()
    for number in range(DEATHS):
        assert ledger.state("a") == "waiting"
        claim = claimed_by(ledger, "a", dead(me), me)
        ledger.claims.part(claim).mkdir()
        assert ledger.claims.break_dead("a")
        assert not ledger.claims.part(claim).exists()
        assert ledger.claims.deaths("a") == number + 1
    assert ledger.state("a") == "aside"
    assert ledger.states() == {"a": "aside"}
    (sentence,) = problems_of(ledger, plan)
    assert "put aside" in sentence
    start(ledger, one, retry=True)
    assert ledger.state("a") == "waiting"


def test_a_kill_of_the_whole_batch_is_not_held_against_a_recording(ledger: Ledger, one: Input) -> None:
    start(ledger, one)
    claimed_by(ledger, "a", dead(Process.this()), dead(Process.this()))
    assert ledger.claims.break_dead("a")
    assert ledger.claims.deaths("a") == 0
    assert ledger.state("a") == "waiting"


def test_a_living_worker_keeps_its_claim(ledger: Ledger, one: Input) -> None:
    start(ledger, one)
    ledger.claims.take("a", Process.this())
    assert not ledger.claims.break_dead("a")


def test_another_machines_worker_is_dead_when_its_heartbeat_stands_still(ledger: Ledger, one: Input) -> None:
    start(ledger, one)
    clock, away = FakeClock(), Process("elsewhere/boot", 7, 1.0)
    beat = ledger.folder / "workers" / f"{away.name}.json"
    ledger = Ledger(ledger.out, Heartbeats(ledger.folder / "workers", clock, stale=60.0))
    claimed_by(ledger, "a", away, away)
    for number in range(5):
        beat.write_text(json.dumps({"beat": number}))
        assert not ledger.claims.break_dead("a")
        clock.now += 50
    clock.now += 50
    assert ledger.claims.break_dead("a")


def test_a_claim_that_was_taken_over_meanwhile_is_left_alone(ledger: Ledger, one: Input) -> None:
    start(ledger, one)
    old = claimed_by(ledger, "a", dead(Process.this()), Process.this())
    assert ledger.claims.break_dead("a")
    new = ledger.claims.take("a", Process.this())
    ledger.claims.revoke(old, witnessed=True, why="late")
    assert ledger.claims.holder("a") == new
    assert ledger.claims.deaths("a") == 1


def test_what_is_done_stays_done(ledger: Ledger, one: Input) -> None:
    start(ledger, one)
    finish(ledger, one)
    plan = start(ledger, one)
    assert ledger.state("a") == "done"
    assert plan.changed == {}
    os.utime(one.path, ns=(1, 1))  # touched, the same content: it is read once, and then known again
    assert start(ledger, one).changed == {}
    assert (ledger.results.done("a") or {})["input"]["modified_ns"] == 1


@pytest.mark.parametrize("what", ["content", "columns"])
def test_a_changed_recording_is_named_and_measured_again_only_when_forced(
    what: str, ledger: Ledger, one: Input
) -> None:
    start(ledger, one)
    finish(ledger, one)
    if what == "content":
        one.path.write_bytes(b"another content")
    else:
        one = replace(one, columns={"person": "Bo"})
    plan = start(ledger, one)
    assert "--force" in plan.changed["a"]
    assert ledger.state("a") == "done"
    start(ledger, one, force=True)
    assert ledger.state("a") == "waiting"
    assert (ledger.recordings / "a").is_dir()  # until the new one is there
    finish(ledger, one)
    assert start(ledger, one).changed == {}


def test_another_program_model_or_setting_is_refused_with_what_differs(ledger: Ledger, one: Input) -> None:
    start(ledger, one)
    finish(ledger, one)
    other = replace(NOW, models={"detector": "xyz"}, settings={"rotate": "90"})
    with pytest.raises(UserInputError, match=r"models \(detector abc -> xyz\), settings \(rotate 0 -> 90\)"):
        start(ledger, one, now=other)
    assert ledger.head()[0] == NOW
    start(ledger, one, now=other, force=True)
    assert ledger.state("a") == "waiting"


def test_a_failure_is_tried_again_when_the_file_has_changed(ledger: Ledger, one: Input) -> None:
    start(ledger, one)
    ledger.results.fail("a", "it is no video.", Identity.of(one.path))
    plan = start(ledger, one)
    assert problems_of(ledger, plan) == ["it is no video."]
    one.path.write_bytes(b"a whole one now")
    start(ledger, one)
    assert ledger.state("a") == "waiting"


def test_a_ledger_of_a_newer_program_is_left_alone(ledger: Ledger, one: Input) -> None:
    start(ledger, one)
    head = ledger.folder / "ledger.json"
    head.write_text(json.dumps({**json.loads(head.read_text()), "format": 99}))
    with pytest.raises(DeviceError, match="newer program"):
        start(ledger, one)


def test_a_folder_with_other_files_is_refused(tmp_path: Path, one: Input) -> None:
    with pytest.raises(UserInputError, match=r"holds other files \(a.mp4\)"):
        start(Ledger(tmp_path), one)


def test_a_start_that_was_killed_before_its_first_file_is_gone_on_with(ledger: Ledger, one: Input) -> None:
    (ledger.folder / "inputs").mkdir(parents=True)
    ledger.recordings.mkdir()
    start(ledger, one)
    assert ledger.states() == {"a": "waiting"}


def test_a_bundle_without_its_note_is_made_again_in_place(ledger: Ledger, one: Input) -> None:
    start(ledger, one)
    finish(ledger, one)
    (ledger.folder / "done" / "a.json").unlink()
    assert ledger.state("a") == "waiting"
    finish(ledger, one)
    assert ledger.state("a") == "done"
    assert list((ledger.folder / "parts").iterdir()) == []


def test_what_others_have_is_taken_over_when_they_die(ledger: Ledger, one: Input) -> None:
    start(ledger, one)
    clock, me = FakeClock(), Process.this()
    claim = ledger.claims.take("a", me)
    assert claim is not None
    todo = WorkQueue(ledger, clock=clock)
    todo.fill(["a"])
    assert todo.next() is None
    assert not todo.finished
    path = ledger.folder / "claims" / "a.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "worker": dead(me).as_json()}))
    clock.now += 5
    assert todo.next() == "a"
    todo.settle("a")
    assert todo.finished


def test_whoever_only_takes_part_does_not_wait_for_others(ledger: Ledger, one: Input) -> None:
    start(ledger, one)
    ledger.claims.take("a", Process.this())
    todo = WorkQueue(ledger, wait=False)
    todo.fill(["a"])
    assert todo.finished
