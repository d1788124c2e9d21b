"""The command: what goes wrong with some recordings is said, and all the others are measured."""

import csv
import errno
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from realtime.batch.fingerprint import Fingerprint
from realtime.batch.follow import Networks
from realtime.batch.inputs import Input, find_inputs
from realtime.batch.ledger import Ledger
from realtime.batch.liveness import Process
from realtime.batch.measure import specs_of
from realtime.batch.options import Options
from realtime.batch.plan import Plan, begin
from realtime.batch.pool import Events, Pool
from realtime.batch.run import Settled, Watch, WorkQueue
from realtime.batch.worker import Worker
from realtime.cli import main
from realtime.cli.batch_progress import Rate
from realtime.config import Config
from realtime.session.verify import verify
from tests.media.clips import FakeClock
from tools.chaos.folders import OUT, differences

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], networks: Networks) -> Run:
    """The command line, with a worker in this process instead of others. Gives exit code and all that was written."""

    def work_here(ledger: Ledger, plan: Plan, workers: int, watch: Watch, *, wait: bool = True) -> str:
        todo = WorkQueue(ledger, wait)
        todo.fill(one.name for one in plan.inputs)
        settled, answers = Settled(ledger, todo, watch), io.StringIO()
        worker = Worker(ledger, answers, Process.this(), networks)
        while (name := todo.next()) is not None:
            worker.work(name)
            content: Mapping[str, Any] = json.loads(answers.getvalue().splitlines()[-1])
            if content["outcome"] in ("full", "version", "unusable"):
                return str(content["sentence"])
            settled.finished(name, content)
        return ""

    monkeypatch.setattr("realtime.cli.batch.work", work_here)
    monkeypatch.setattr("realtime.face.kernel_cache.prepare", lambda *_: None)

    def call(*words: object) -> tuple[int, str]:
        capfd.readouterr()
        code = main(["batch", *map(str, words)])
        written = capfd.readouterr()
        return code, written.out + written.err

    return call


def test_bad_recordings_are_named_and_the_rest_is_measured(clips: Path, tmp_path: Path, run: Run) -> None:
    (clips / "list.csv").write_text(
        "path,person,condition,=1+1\none/clip.mp4,=Ada,smile,\ntwo/clip.mp4,Bo,rest,\n"
        "empty.mp4,Cy,rest,\nbroken.mp4,Di,rest,\ngone.mp4,Ed,rest,\n"
    )
    out = tmp_path / "out"
    code, said = run(clips / "list.csv", "--out", out)
    assert code == 3
    assert "3 of 5 recordings are measured" in said
    for sentence in ("broken.mp4 is not a video", "gone.mp4: there is no such file", "no face was seen on any"):
        assert said.count(sentence) == 1
    with (out / "recordings.csv").open(newline="") as file:
        rows = {row["recording"]: row for row in csv.DictReader(file)}
    assert {name: row["outcome"] for name, row in rows.items()} == {
        "one__clip": "done", "two__clip": "done", "empty": "done", "broken": "failed", "gone": "failed",
    }  # fmt: skip
    assert rows["one__clip"]["person"] == "'=Ada"  # no spreadsheet runs it
    assert rows["one__clip"]["'=1+1"] == ""
    assert float(rows["one__clip"]["AU12_left_mean"]) >= 0
    assert rows["empty"]["AU12_left_mean"] == ""
    with (out / "combined.csv").open(newline="") as file:
        frames = list(csv.DictReader(file))
    assert [sum(row["recording"] == name for row in frames) for name in ("one__clip", "two__clip", "empty")] == [
        24, 20, 5,
    ]  # fmt: skip
    assert {row["condition"] for row in frames if row["recording"] == "one__clip"} == {"smile"}
    page = (out / "report.html").read_text("utf-8")
    assert "3 measured of 5" in page
    assert "By condition" in page
    assert all(verify(out / "recordings" / name).right for name in ("one__clip", "two__clip", "empty"))
    # nothing is left to do, and the same is said again
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert run("--out", out) == (code, said)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    code, said = run("--status", out)
    assert code == 3
    assert "2 failed" in said
    # the missing one comes, the broken one is replaced: both are measured without being asked for
    for name in ("gone.mp4", "broken.mp4"):
        (clips / name).write_bytes((clips / "empty.mp4").read_bytes())
    code, said = run(clips / "list.csv", "--out", out)
    assert "5 of 5 recordings are measured" in said


def test_another_setting_is_refused_and_with_force_everything_is_made_again(
    clips: Path, tmp_path: Path, run: Run
) -> None:
    one, out = clips / "empty.mp4", tmp_path / "out"
    run(one, "--out", out)
    code, said = run(one, "--out", out, "--rotate", "180")
    assert code == 2
    assert "settings (rotate 0 -> 180)" in said
    code, said = run(one, "--out", out, "--mirror-average")
    assert code == 2
    assert "settings (models.mirror_average off -> every)" in said
    code, said = run(one, "--out", out, "--rotate", "180", "--force")
    assert "1 of 1 recordings are measured" in said
    described = json.loads((out / "recordings" / "empty" / "session.json").read_text())
    assert described["configuration"]["rotate"]["value"] == "180"


def test_a_full_disk_is_said_once_and_is_not_held_against_the_recordings(
    clips: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr("realtime.batch.measure.write_rows", full)
        code, said = run(clips / "empty.mp4", clips / "one", "--out", out)
    assert code == 3
    assert said.count("the disk is full") == 1
    assert Ledger(out).states() == {"clip": "waiting", "empty": "waiting"}
    assert list((out / "ledger" / "parts").iterdir()) == list((out / "ledger" / "claims").iterdir()) == []
    assert "2 of 2 recordings are measured" in run("--out", out)[1]


def test_a_worker_of_another_version_does_nothing(clips: Path, tmp_path: Path) -> None:
    ledger, config = Ledger(tmp_path / "out"), Config()
    right = Fingerprint.of(config, Options(), specs_of(config))
    older = Fingerprint({**right.program, "av": "1.0"}, right.models, right.settings)
    begin(ledger, [Input("empty", clips / "empty.mp4")], older, config, Options())
    answers = io.StringIO()
    Worker(ledger, answers, Process.this()).work("empty")
    answer = json.loads(answers.getvalue())
    assert answer["outcome"] == "version"
    assert "another version than the batch: program (av 1.0 -> " in answer["sentence"]
    assert ledger.states() == {"empty": "waiting"}


def test_taking_part_with_another_version_is_refused(clips: Path, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "out"
    run(clips / "empty.mp4", "--out", out)
    assert run("--join", out)[0] == 0
    head = out / "ledger" / "ledger.json"
    content = json.loads(head.read_text())
    content["fingerprint"]["program"]["source"] = "0123456789abcdef"
    head.write_text(json.dumps(content))
    code, said = run("--join", out)
    assert code == 3
    assert "another version than the batch: program (source" in said


def test_a_newer_ledger_and_a_wrong_word_are_refused(clips: Path, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "out"
    assert run("--out", out)[0] == 2
    assert run(clips)[0] == 2
    assert run(clips, "--out", out, "--workers", "0")[0] == 2
    assert run(clips, "--out", out, "--set", "rotate=auto")[0] == 2
    (out / "ledger").mkdir(parents=True)
    (out / "ledger" / "ledger.json").write_text('{"format": 2}')
    for words in ((clips, "--out", out), ("--status", out), ("--join", out)):
        code, said = run(*words)
        assert code == 3
        assert "newer program" in said


def test_overlay_and_parquet(clips: Path, tmp_path: Path, run: Run) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    out = tmp_path / "out"
    code, _ = run(clips / "one", "--out", out, "--overlay", "--parquet")
    assert code == 0
    bundle = out / "recordings" / "clip"
    verdict = verify(bundle)
    assert verdict.right
    assert verdict.contents["video.mp4"].startswith("24 frames, the last at 0.77 s")
    table = parquet.read_table(out / "combined.parquet")
    with (out / "combined.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert table.column_names == list(rows[0])
    assert [f"{value:.3f}" for value in table["AU12_left"].to_pylist()] == [row["AU12_left"] for row in rows]


def test_slurm_gets_a_script_that_needs_nothing_else(clips: Path, tmp_path: Path, run: Run) -> None:
    """With a stand-in for sbatch: an array and a last job that waits for it."""
    out = tmp_path / "a folder" / "out"
    code, said = run(clips / "one", "--out", out, "--slurm", "3")
    assert code == 0
    script = out / "slurm.sh"
    assert str(script) in said
    tools = tmp_path / "bin"
    tools.mkdir()
    log = tmp_path / "submitted"
    (tools / "sbatch").write_text(f'#!/bin/bash\nprintf "%s\\n" "$*" >> "{log}"\necho "41;cluster"\n')
    (tools / "sbatch").chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name != "SLURM_JOB_ID"}
    subprocess.run(["bash", script], check=True, env={**environment, "PATH": path}, capture_output=True)
    array, last = log.read_text().splitlines()
    assert "--array=1-3" in array
    assert array.endswith(str(script))
    assert "--dependency=afterany:41 " in last
    assert last.endswith(f"{script} finish")
    # inside a job of the array the script is `batch --join`
    traced = subprocess.run(
        ["bash", "-c", f'exec() {{ printf "%s\\n" "$@"; exit; }}; . "{script}"'],
        check=True, env={**environment, "SLURM_JOB_ID": "41"}, capture_output=True, text=True,
    )  # fmt: skip
    words = traced.stdout.splitlines()
    assert words == [sys.executable, "-P", "-m", "realtime", "batch", "--join", str(out), "--workers", "1", "--quiet"]


def test_the_progress_bar_knows_the_rate_and_the_time_left() -> None:
    clock = FakeClock()
    rate = Rate(clock)
    assert rate.speed is None
    rate.begin(total=10, finished=4)
    clock.now += 10
    rate.progress("a", 30.0)
    rate.progress("a", 60.0)
    rate.finish("a")
    assert rate.speed == pytest.approx(6.0)
    assert rate.left == pytest.approx(50.0)  # ten seconds each, five are left


@pytest.mark.timeout(240)  # a worker starts twice
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_worker_costs_nothing_but_time(clips: Path, tmp_path: Path, run: Run) -> None:
    """Real processes: one is killed at work; afterwards every byte is that of a run in one process. Each has one thread."""
    for name in ("broken.mp4", "empty.mp4"):
        (clips / name).unlink()
    calm = tmp_path / "calm" / OUT
    run(clips, "--out", calm)
    for name in ("one", "two"):
        assert (calm / "recordings" / f"{name}__clip").is_dir()
    out, config, said = tmp_path / "killed" / OUT, Config(), list[str]()
    ledger = Ledger(out)
    plan = begin(
        ledger,
        find_inputs([str(clips)]).found,
        Fingerprint.of(config, Options(), specs_of(config)),
        config,
        Options(),
    )
    todo = WorkQueue(ledger)
    todo.fill(one.name for one in plan.inputs)
    settled = Settled(ledger, todo, Watch(said=said.append))
    threads: list[int] = []

    def kill_once(name: str, _frames: int, _seconds: float) -> None:
        held = ledger.claims.holder(name)
        if held is None:
            return
        process = psutil.Process(held.worker.pid)
        threads.append(process.num_threads())
        if not said:
            process.kill()
            said.append("killed")

    pool = Pool(
        ledger, 1, todo.next, lambda: todo.finished, Events(kill_once, settled.finished, settled.died), poll=0.05
    )
    pool.run()
    assert pool.stopped == ""
    assert [word for word in said if "killed by signal 9" in word]
    assert sum(ledger.claims.deaths(name) for name in ledger.states()) == 1
    assert max(threads) == 3, "the one that measures, one that listens, one for the heartbeat"
    run("--out", out)
    assert differences(calm, out) == []
