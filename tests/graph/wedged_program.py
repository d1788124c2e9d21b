"""A small program for test_signals: argument 1 says where it is when it is interrupted."""

import asyncio
import json
import sys
import threading
import time

from realtime.graph import DropOldest, Graph, Item, Latest


def say(word):
    print(word, flush=True)


class Camera:
    def __init__(self):
        self.n = 0

    def read(self, stop):
        if stop.wait(0.01):
            return None
        self.n += 1
        return Item(self.n, self.n)


class Model:
    def __init__(self, mode):
        self.mode = mode

    def open(self):
        if self.mode == "opening":
            say("ready")
            threading.Event().wait()

    def process(self, n):
        if n == 5:
            say("ready")
            if self.mode == "wedged":
                threading.Event().wait()
        if self.mode == "inference":
            time.sleep(0.05)
        return n


async def main(mode):
    graph = Graph("program")
    camera = graph.source("camera", Camera())
    model = graph.transform("model", Model(mode), run_on="thread", grace=0.3)
    screen = graph.sink("screen", lambda n: None)
    graph.connect(camera, model, Latest())
    graph.connect(model, screen, DropOldest(2))
    return await graph.run(handle_signals=True, drain_timeout=0.3)


if __name__ == "__main__":
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
