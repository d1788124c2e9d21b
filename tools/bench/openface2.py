"""The OpenFace 2.2 path step by step: ours, plain NumPy, pyfhog, and the figures of the program it replaces.

    python -m tools.bench openface2 [MODELS]

MODELS: an OpenFace installation; without it the installed one, or the development material. One thread; every contestant
of a step runs in turns with the others. The last column: our bound, then what the original program's authors gave for
their own step (and what was measured of it).
"""

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.openface2 import Face, OpenFace2, load, warm_up
from realtime.openface2.alignment import Aligner
from realtime.openface2.assets import Assets
from realtime.openface2.descriptor import APPEARANCE, GEOMETRY, describe
from realtime.openface2.fhog import fhog
from realtime.openface2.pull import default_folder
from realtime.openface2.running_median import GEOMETRY_BINS, HOG_BINS, RunningMedian
from realtime.openface2.shape_fit import ShapeFitter, project
from tools.bench.openface2_plain import PlainMedian, plain_fhog, plain_fit, plain_predict
from tools.bench.timing import Report, interleaved

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
FRAMES = 64

BOUNDS = {
    "shape fit, warm": "<= 0.5 | original 5-10 (80 measured)",
    "shape fit, cold": "<= 2",
    "alignment and mask": "<= 0.15",
    "FHOG": "<= pyfhog | original 10-50",
    "running median, one update": "<= 0.06 | original 47 (NumPy), 0.2 (Cython; 0.59 measured)",
    "prediction, 17 AUs": "<= 0.05 | original 0.5 (30 measured)",
    "whole path, face": "<= 1.5",
    "whole path, face and both halves": "<= 4.5",
}


class Stream:
    """A made-up face that moves and changes a little, before a smooth random picture."""

    def __init__(self, assets: Assets) -> None:
        rng = np.random.default_rng(0)
        small = rng.integers(0, 256, (45, 80, 3), dtype=np.uint8)
        self.image: U8 = cv2.GaussianBlur(cv2.resize(small, (1280, 720), interpolation=cv2.INTER_CUBIC), (0, 0), 2)
        self.points: list[F64] = []
        root = np.sqrt(assets.shape.eigenvalues)
        for i in range(FRAMES):
            t = 2 * np.pi * i / FRAMES
            local = 0.5 * root * np.sin(t + np.arange(root.size))
            at = np.array([1.6, 0.1 * np.sin(t), 0.2 * np.cos(t), 0.05, 640 + 30 * np.sin(t), 360 + 10 * np.cos(t)])
            self.points.append(project(assets.shape, at, local) + rng.normal(0, 0.4, (68, 2)))
        self._next = 0

    def step(self) -> F64:
        self._next = (self._next + 1) % FRAMES
        return self.points[self._next]


def models_folder(named: str | None) -> Path:
    """The models to measure with. Raises FileNotFoundError when there are none."""
    shared = Path(os.environ.get("FACEMIRROR_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
    candidates = [Path(named)] if named else [default_folder(), shared / "models" / "openface_au_2016"]
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise FileNotFoundError("no OpenFace models; run `facemirror-live models pull openface2` or name their folder")


def run(arguments: list[str] | None = None) -> Report:
    """Time every step and the whole path, milliseconds, median of interleaved runs."""
    cv2.setNumThreads(1)
    assets = load(models_folder(arguments[0] if arguments else None))
    report = Report("OpenFace 2.2 Action Units, one thread, 1280x720, ms")
    for contestants in (_fits(assets), _alignments(assets), _fhogs(assets), _predictions(assets)):
        report.add_timings(interleaved(contestants, rounds=100), BOUNDS)
    # apart: the plain one sweeps 18 MB through the caches, which nothing in the path does
    report.add_timings(interleaved(_medians(assets), rounds=400), BOUNDS)
    report.add_timings(interleaved(_plain_medians(assets), rounds=10))
    # a call of several ms is interrupted on a busy machine: its best run says what it costs, its median what it took
    paths = interleaved(_paths(assets), rounds=300, warm=2 * FRAMES)
    report.add_timings(paths, BOUNDS)
    for name, timing in paths.items():
        report.add(f"{name}, best", timing.best, "ms", BOUNDS[name])
    return report


def _fits(assets: Assets) -> dict[str, Callable[[], object]]:
    stream, fitter, fresh = Stream(assets), ShapeFitter(assets.shape), ShapeFitter(assets.shape)

    def cold() -> object:
        fresh.reset()
        return fresh.update(stream.step())

    return {
        "shape fit, warm": lambda: fitter.update(stream.step()),
        "shape fit, cold": cold,
        "shape fit, cold, plain NumPy": lambda: plain_fit(assets.shape, stream.step()),
    }


def _alignments(assets: Assets) -> dict[str, Callable[[], object]]:
    stream, aligner = Stream(assets), Aligner(assets.shape, assets.triangles)
    middle = np.array([640.0, 360.0])
    matrix = aligner.matrix(stream.points[0], middle)
    return {
        "alignment and mask": lambda: aligner.align(stream.image, stream.step(), middle),
        "cv2.warpAffine alone": lambda: cv2.warpAffine(stream.image, matrix, (112, 112)),
    }


def _fhogs(assets: Assets) -> dict[str, Callable[[], object]]:
    crops = _crops(assets)
    turn = iter(range(10**9))
    found: dict[str, Callable[[], object]] = {"FHOG": lambda: fhog(crops[next(turn) % FRAMES])}
    if find_spec("pyfhog"):
        import pyfhog

        found["FHOG, pyfhog (dlib)"] = lambda: pyfhog.extract_fhog_features(crops[next(turn) % FRAMES])
    found["FHOG, plain NumPy"] = lambda: plain_fhog(crops[next(turn) % FRAMES])
    return found


def _crops(assets: Assets) -> list[U8]:
    stream, aligner, fitter = Stream(assets), Aligner(assets.shape, assets.triangles), ShapeFitter(assets.shape)
    return [aligner.align(stream.image, p, fitter.update(p).global_[4:]).image for p in stream.points]


def _descriptors(assets: Assets) -> list[F64]:
    fitter = ShapeFitter(assets.shape)
    fits = [fitter.update(points) for points in Stream(assets).points]
    return [describe(fhog(crop), fit.local, assets.shape) for crop, fit in zip(_crops(assets), fits, strict=True)]


def _medians(assets: Assets) -> dict[str, Callable[[], object]]:
    descriptors = _descriptors(assets)
    hog, geometry = RunningMedian(APPEARANCE, HOG_BINS), RunningMedian(GEOMETRY, GEOMETRY_BINS)
    turn = iter(range(10**9))

    def update() -> object:
        descriptor = descriptors[next(turn) % FRAMES]
        hog.update(descriptor[:APPEARANCE])
        geometry.update(descriptor[APPEARANCE:])
        return hog.median, geometry.median

    for _ in range(5 * FRAMES):
        update()
    return {"running median, one update": update}


def _plain_medians(assets: Assets) -> dict[str, Callable[[], object]]:
    descriptors, plain = _descriptors(assets), PlainMedian(APPEARANCE)
    turn = iter(range(10**9))
    return {"running median, plain NumPy": lambda: plain.update(descriptors[next(turn) % FRAMES][:APPEARANCE])}


def _predictions(assets: Assets) -> dict[str, Callable[[], object]]:
    descriptors = _descriptors(assets)
    turn = iter(range(10**9))
    found: dict[str, Callable[[], object]] = {
        "prediction, 17 AUs": lambda: assets.intensity.predict(descriptors[next(turn) % FRAMES], descriptors[0]),
        "prediction, one by one, plain NumPy": lambda: plain_predict(
            assets.intensity.models, descriptors[next(turn) % FRAMES], descriptors[0]
        ),
    }
    occurrence = assets.occurrence
    if occurrence is not None:
        found["prediction, 18 occurrences"] = lambda: occurrence.predict(
            descriptors[next(turn) % FRAMES], descriptors[0]
        )
    return found


def _paths(assets: Assets) -> dict[str, Callable[[], object]]:
    one, three = OpenFace2(assets, [Face.WHOLE]), OpenFace2(assets)
    streams = Stream(assets), Stream(assets)
    for path in (one, three):
        warm_up(path)
    return {
        "whole path, face": lambda: one.update(streams[0].image, streams[0].step()),
        "whole path, face and both halves": lambda: three.update(streams[1].image, streams[1].step()),
    }
