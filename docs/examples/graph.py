"""A graph of your own: numbers, a slow analysis beside a fast picture path, and what became of every number."""

import asyncio
import time

from realtime.graph import DropOldest, Graph, Hold, Latest, Side


def camera():
    for number in range(50):
        time.sleep(0.01)
        yield number


def analyse(number: int) -> int:
    time.sleep(0.03)
    return number * number


def draw(number: int, square: Side[int] | None = None) -> str:
    return (
        f"{number}: no result yet" if square is None else f"{number}: {square.payload}, {1e3 * square.age:.0f} ms old"
    )


graph = Graph("example")
numbers = graph.source("camera", camera())
analysis = graph.transform("analyse", analyse, run_on="thread")
drawing = graph.transform("draw", draw)
graph.connect(numbers, analysis, Latest())
graph.connect(numbers, drawing, DropOldest(2))
graph.connect(analysis, drawing, Latest(), as_side="square", join=Hold(max_age=0.5))
graph.connect(drawing, graph.sink("screen", print), DropOldest(2))
print(asyncio.run(graph.run()))
