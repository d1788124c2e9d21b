"""The ledger: claims, deaths, what is done and what has changed; in one process, with processes that never were."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

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
from realtime.batch.status import read_status
from realtime.batch.tables import done_of, write_tables
from realtime.batch.worker import columns_digest
from realtime.config import Config
from realtime.errors import DeviceError, FacemirrorError, UserInputError
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
    ledger.results.commit(
        claim, ledger.claims.part(claim), now.hash, identity, columns_digest(one, Config()), {"notices": []}
    )
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


DEEP = "[" * 100_000 + "]" * 100_000
ODD = ["1e400", "-1", "null", "{}", "[]", '"x"', "9" * 400, "NaN", DEEP]


def holes(content: object, before: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a JSON value, itself first."""
    yield before
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        yield from holes(value, (*before, key))


def with_odd(content: Any, place: tuple[str | int, ...], odd: str) -> str:
    """The JSON text with another value in one place."""
    if not place:
        return odd
    changed = json.loads(json.dumps(content))
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = "@odd@"
    return json.dumps(changed).replace('"@odd@"', odd)


@pytest.fixture
def full(ledger: Ledger, one: Input, tmp_path: Path) -> Ledger:
    """One recording is done, one failed, one is claimed, over one a worker died."""
    others = []
    for name in "bcd":
        (tmp_path / f"{name}.mp4").write_bytes(name.encode())
        others.append(Input(name, tmp_path / f"{name}.mp4", {}))
    start(ledger, one, *others)
    finish(ledger, one)
    ledger.results.fail("b", "it is no video.", Identity.of(others[0].path))
    ledger.claims.take("c", Process.this())
    claimed_by(ledger, "d", dead(Process.this()), Process.this())
    ledger.claims.break_dead("d")
    beat = {"worker": Process.this().as_json(), "beat": 1}
    (ledger.folder / "workers" / "w.json").write_text(json.dumps(beat))
    return ledger


def read_all(ledger: Ledger) -> None:
    """What a start, --status and the tables read."""
    plan = begin(ledger, [], NOW, Config(), Options(), retry=True, force=True)
    problems_of(ledger, plan)
    done_of(ledger, plan)
    json.dumps(read_status(ledger).as_json(), allow_nan=False)
    assert set(ledger.states()) <= set("abcd")
    for name in "abcd":
        ledger.state(name)
        ledger.claims.break_dead(name)


@pytest.mark.parametrize("kind", ["inputs", "claims", "deaths", "done", "failed", "workers"])
def test_a_damaged_file_of_the_ledger_is_a_result_or_a_sentence(kind: str, full: Ledger) -> None:
    whole = {path: path.read_bytes() for path in full.folder.rglob("*.json")}
    (path,) = list((full.folder / kind).glob("*.json"))[:1]
    content = json.loads(whole[path])
    harms = [with_odd(content, place, odd) for place in holes(content) for odd in ODD]
    for text in [*harms, "", "{", "\x00"]:
        for other, data in whole.items():
            other.write_bytes(data)
        path.write_text(text)
        with contextlib.suppress(FacemirrorError):
            read_all(full)


@pytest.mark.parametrize("text", ["", '{"for', "[]", "{}", '{"format": 1}'])
def test_a_damaged_head_says_what_to_do(text: str, full: Ledger) -> None:
    (full.folder / "ledger.json").write_text(text)
    with pytest.raises(UserInputError, match=r"ledger\.json is damaged.*choose another --out"):
        full.head()


@pytest.mark.parametrize("kind", ["inputs", "claims", "deaths", "done", "failed", "workers", "parts"])
def test_a_folder_of_the_ledger_that_is_gone_is_made_again(kind: str, full: Ledger) -> None:
    shutil.rmtree(full.folder / kind)
    read_all(full)
    assert (full.folder / kind).is_dir()
    shutil.rmtree(full.folder / kind)
    (full.folder / kind).touch()
    with pytest.raises(DeviceError, match="cannot be used"):
        full.clean()


def test_a_folder_in_the_place_of_a_note_is_put_away(full: Ledger) -> None:
    for kind, name in (("done", "a"), ("failed", "b")):
        path = full.folder / kind / f"{name}.json"
        path.unlink()
        path.mkdir()
    read_all(full)
    assert not (full.folder / "failed" / "b.json").exists()


def test_a_damaged_bundle_is_named_and_no_table_is_half_written(full: Ledger) -> None:
    plan = Plan(full.inputs())
    with pytest.raises(DeviceError, match=r"frames\.csv is damaged or gone; delete its folder"):
        write_tables(full, plan)
    (full.recordings / "a" / "frames.csv").unlink()
    with pytest.raises(DeviceError, match="No such file"):
        write_tables(full, plan)
    assert not (full.out / "combined.csv").exists()
