"""Interruption by real signals, of a real program."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals are sent")


def interrupt(mode: str, number: signal.Signals = signal.SIGINT, times: int = 1) -> tuple[int, str, str, float]:
    command = [sys.executable, "-m", "tests.graph.wedged_program", mode]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            assert program.stdout.readline() == "ready\n"
            began = time.monotonic()
            program.send_signal(number)
            for _ in range(times - 1):
                assert program.stdout.readline() == "stopping\n"
                program.send_signal(number)
            out, err = program.communicate(timeout=40)
        finally:
            program.kill()
        return program.returncode, out, err, time.monotonic() - began


def outcome(out: str) -> dict[str, Any]:
    return json.loads(out.splitlines()[-1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_during_inference_it_drains_and_stops(number: signal.Signals) -> None:
    code, out, err, _ = interrupt("inference", number)
    assert (code, err) == (130, "")
    assert outcome(out) == {"reason": "interrupted", "stuck": [], "balanced": True, "error": "None"}


def test_with_a_wedged_node_it_ends_in_time_and_names_it() -> None:
    code, out, _, seconds = interrupt("wedged")
    assert code == 130
    assert outcome(out)["stuck"] == ["model"]
    assert outcome(out)["balanced"]
    assert seconds < 10  # 0.6 s on an idle machine: the drain and the grace time


def test_a_second_interruption_ends_the_waiting() -> None:
    code, out, _, seconds = interrupt("patient", times=2)
    assert code == 130
    assert outcome(out)["stuck"] == ["model"]
    assert seconds < 30  # it would wait 60 s for the drain, and 60 s for the node


def test_while_a_model_opens() -> None:
    code, out, _, _ = interrupt("opening")
    assert code == 130
    assert outcome(out)["stuck"] == ["model"]


def test_before_the_start_it_is_an_ordinary_keyboard_interrupt() -> None:
    code, _, err, _ = interrupt("before")
    assert code != 0
    assert "KeyboardInterrupt" in err
