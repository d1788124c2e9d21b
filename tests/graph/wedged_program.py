"""A small program for test_signals: argument 1 says where it is when it is interrupted."""

import asyncio
import json
import signal
import sys
import threading
import time

from realtime.graph import DropOldest, Graph, Item, Latest, Report, StopToken

PATIENCE = {"opening": 0.3, "inference": 5.0, "wedged": 0.3, "patient": 60.0, "before": 0.3}  # drain and grace, seconds


def say(word: str) -> None:
    print(word, flush=True)


class Camera:
    def __init__(self) -> None:
        self.n = 0

    def read(self, stop: StopToken) -> Item[int] | None:
        if stop.wait(0.01):
            return None
        self.n += 1
        return Item(self.n, self.n)


class Model:
    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.calls = 0

    def open(self) -> None:
        if self.mode == "opening":
            say("ready")
            threading.Event().wait()

    def process(self, n: int) -> int:
        self.calls += 1
        if self.calls == 5:
            say("ready")
            if self.mode in ("wedged", "patient"):
                threading.Event().wait()
        if self.mode == "inference":
            time.sleep(0.05)
        return n


async def tell(graph: Graph) -> None:
    while graph.snapshot().reason in ("not started", "running"):  # noqa: ASYNC110 - nobody is told of the beginning of the end
        await asyncio.sleep(0.01)
    say("stopping")


async def main(mode: str) -> Report:
    graph = Graph("program")
    camera = graph.source("camera", Camera())
    model = graph.transform("model", Model(mode), run_on="thread", grace=PATIENCE[mode])
    screen = graph.sink("screen", lambda n: None)
    graph.connect(camera, model, Latest())
    graph.connect(model, screen, DropOldest(2))
    telling = asyncio.ensure_future(tell(graph))
    try:
        return await graph.run(handle_signals=True, drain_timeout=PATIENCE[mode])
    finally:
        telling.cancel()


if __name__ == "__main__":
    # A test run in the background hands down an ignored SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.argv[1] == "before":
        say("ready")
        time.sleep(30)
    report = asyncio.run(main(sys.argv[1]))
    say(
        json.dumps(
            {"reason": report.reason, "stuck": report.stuck, "balanced": report.balanced, "error": str(report.error)}
        )
    )
    sys.exit(130 if report.reason == "interrupted" else 1)
