"""The skin's movement since rest against OpenCV's ways of finding it: time per window, and error where the movement is known."""

import argparse
from collections.abc import Callable, Sequence
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.action_units.rest_frame import EYE, EYE_FLOW
from tools.bench.timing import Report, interleaved

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Field = Callable[[U8, U8], F32]
MARGIN = 12
"""Pixels around a window that movements bring into view."""


def run(arguments: Sequence[str] = ()) -> Report:
    """Ours, dense inverse search, and Lucas-Kanade at the middles of the cells."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench skin")
    parser.add_argument("--rounds", type=int, default=300)
    options = parser.parse_args(list(arguments))
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    before, after, _ = moved_skin(rng)
    template = EYE_FLOW.template(before)
    ways: dict[str, Field] = {"dense inverse search (OpenCV)": dense(), "Lucas-Kanade (OpenCV)": _sparse}
    report = Report(f"movement of the skin, one window of {EYE[0]} x {EYE[1]}, one core")
    ours = "ours, the picture at rest made ready once"
    timings = interleaved(
        {ours: lambda: EYE_FLOW.moved(template, after)}
        | {name: partial(way, before, after) for name, way in ways.items()},
        rounds=options.rounds,
    )
    report.add_timings(timings)
    report.add(
        "ours / dense inverse search", timings[ours].median / timings["dense inverse search (OpenCV)"].median, "x"
    )
    ways = {"ours": lambda a, b: EYE_FLOW.moved(EYE_FLOW.template(a), b)} | ways
    errors: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(60):
        before, after, truth = moved_skin(rng)
        for name, way in ways.items():
            errors[name].append(float(np.linalg.norm(way(before, after) - truth, axis=-1)[1:-1, 1:-1].mean()))
    for name, values in errors.items():
        report.add(f"error of {name}", float(np.median(values)), "px")
    return report


def dense() -> Field:
    """OpenCV's dense inverse search, averaged in the same cells."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    rows, columns = EYE_FLOW.cells
    return lambda a, b: np.asarray(
        cv2.resize(search.calc(a, b, None), (columns, rows), interpolation=cv2.INTER_AREA),
        np.float32,
    )


def _sparse(before: U8, after: U8) -> F32:
    rows, columns = EYE_FLOW.cells
    y, x = ((np.arange(n) + 0.5) * side / n - 0.5 for n, side in zip((rows, columns), EYE, strict=True))
    places = np.stack(np.meshgrid(x, y), -1).reshape(-1, 1, 2).astype(np.float32)
    found, _, _ = cv2.calcOpticalFlowPyrLK(before, after, places, None, winSize=(13, 13), maxLevel=1)
    return np.asarray(found - places, np.float32).reshape(rows, columns, 2)


def pores(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float64]:
    """Skin of pores and shades, MARGIN larger than (height, width) on every side; grey values about 128, not bounded."""
    shape = (size[0] + 2 * MARGIN, size[1] + 2 * MARGIN)
    fine, broad = (cv2.GaussianBlur(rng.normal(0, 1, shape), (0, 0), sigma) for sigma in (1.6, 5.0))
    return np.asarray(128 + 40 * fine / fine.std() + 25 * broad / broad.std())


def moved_skin(rng: np.random.Generator) -> tuple[U8, U8, F32]:
    """(before, after, displacement of the cells in pixels): pores and shades under a random small affine movement."""
    picture = pores(rng, EYE)
    matrix = np.eye(2, 3) + rng.normal(0, (0.03, 0.03, 1.5), (2, 3))
    moved = cv2.warpAffine(picture, matrix, picture.shape[::-1], flags=cv2.INTER_CUBIC)
    inner = np.s_[MARGIN : MARGIN + EYE[0], MARGIN : MARGIN + EYE[1]]
    before, after = (np.clip(part[inner], 0, 255).astype(np.uint8) for part in (picture, moved))
    y, x = np.mgrid[0 : EYE[0], 0 : EYE[1]] + float(MARGIN)
    truth = np.stack([x, y, np.ones_like(x)], -1) @ matrix.T - np.stack([x, y], -1)
    rows, columns = EYE_FLOW.cells
    return before, after, cv2.resize(truth.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
