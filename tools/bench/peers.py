"""What a user could pick instead, on the same clip in the same run: a plain loop, MediaPipe, and this program's graph.

`python -m tools.bench peers [CLIP] [--rounds N] [--weights DIR]`. CLIP: default the demo clip. The plain loop is what one
writes first: detect every 8th frame at 640 pixels' width, landmarks on every frame, one thread, nothing drawn. MediaPipe
takes part when it is installed and its `.task` file is in the development material. What it costs to open the networks is no
part of any figure. The graph runs twice: with every picture drawn, and as without a window, where rows are all that is wanted.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from realtime.action_units import ActionUnitEstimator
from realtime.analyze.models import action_units, face_detector, landmark_model
from realtime.app.memory import collecting_only_new_objects
from realtime.app.pipeline import SWITCH_SECONDS, Outputs, build
from realtime.config import Config, resolve
from realtime.face.crops import crop_from_box, crop_from_points
from realtime.face.landmarks import LandmarkModel
from realtime.face.tracker import Tracker
from realtime.graph import RealClock, StopToken
from realtime.media.source_spec import parse_source
from realtime.media.video_source import VideoSource
from realtime.models import Registry
from realtime.models.open_model import open_model
from realtime.render.scene import Scene
from realtime.render.status import LiveFigures
from realtime.types import Frame
from tools.bench.timing import Report

_EVERY = 8
_STILL = LiveFigures(30.0, 5.0, 0.0, 0, "tracked")


def _source(config: Config) -> VideoSource:
    source = VideoSource(parse_source(config.source), time.monotonic, speed="max")
    source.open()
    return source


class Work(NamedTuple):
    """What a contestant did.

    Attributes:
        frames: how many.
        opening_wall: seconds that opening its networks took, for those who do so in the call.
        opening_cpu: likewise, of processor time.
    """

    frames: int
    opening_wall: float = 0.0
    opening_cpu: float = 0.0


def graph_run(config: Config, *, draw: bool = True) -> Work:
    """Frames through the whole graph, as fast as it goes.

    Args:
        config: of the run.
        draw: every picture is drawn, as if somebody looked.
    """
    source, clock = _source(config), RealClock()
    wall, cpu = time.perf_counter(), time.thread_time()  # the networks are opened on this thread
    app = build(config, source, Outputs(always_draw=draw), clock)
    opening = time.perf_counter() - wall, time.thread_time() - cpu
    with collecting_only_new_objects():  # all as the program runs its graph
        report = asyncio.run(app.graph.run(switch_interval=SWITCH_SECONDS))
    source.close()
    return Work(report.paths["compose"].delivered, *opening)


class BareLoop:
    """The same functions as the graph calls, one after the other on one thread."""

    def __init__(self, config: Config) -> None:
        registry = Registry(config.weights)
        self._config = config
        self._detector = face_detector(
            open_model(registry, registry.manifest.find("detector"), shape=(1, 3, 180, 320)), config.detector
        )
        self._landmarks: LandmarkModel = landmark_model(open_model(registry, registry.manifest.find("landmarks")))
        units = next(iter(registry.manifest.tiers("action-units")), None)
        self._units = action_units(registry.open(units)) if units else None

    def __call__(self) -> Work:
        config, stop, count = self._config, StopToken(), 0
        source = _source(config)
        tracker, measures = Tracker(self._landmarks, config.face), ActionUnitEstimator(self._units)
        scene = Scene(config.view, measures.units)
        while (frame := source.read(stop)) is not None:
            seen = self._detector.detect(frame, tracker.region) if tracker.try_claim_detection(frame.sequence) else None
            face = tracker.update(frame, seen)
            self._draw(scene, measures, frame, face)
            count += 1
        source.close()
        return Work(count)

    @staticmethod
    def _draw(scene: Scene, measures: ActionUnitEstimator, frame: Frame, face: object) -> None:
        from realtime.types import Analysis, FaceObservation

        if isinstance(face, FaceObservation):
            left, right = measures.update(face, frame.image)
            analysis = Analysis(frame.sequence, frame.capture_time, face, left, right)
            scene.draw(frame.image, analysis, face.points, _STILL)
        else:
            scene.draw(frame.image, None, None, _STILL)


class PlainLoop:
    """Detect every 8th frame, landmarks on every frame; no tracking, no smoothing, nothing drawn."""

    def __init__(self, config: Config) -> None:
        registry = Registry(config.weights)
        self._config = config
        settings = config.detector.model_copy(update={"width": 640})
        self._detector = face_detector(
            open_model(registry, registry.manifest.find("detector"), shape=(1, 3, 360, 640)), settings
        )
        self._landmarks = landmark_model(open_model(registry, registry.manifest.find("landmarks")))

    def __call__(self) -> Work:
        source, stop, count = _source(self._config), StopToken(), 0
        contract = self._landmarks.contract
        crop = None
        while (frame := source.read(stop)) is not None:
            if count % _EVERY == 0:
                faces = self._detector.detect(frame).faces
                crop = crop_from_box(faces[0].box, faces[0].points, contract) if faces else None
            if crop is not None:
                crop = crop_from_points(self._landmarks.locate(frame.image, crop).points, contract)
            count += 1
        source.close()
        return Work(count)


def mediapipe_loop(config: Config) -> Callable[[], Work] | None:
    """MediaPipe's Face Landmarker in VIDEO mode with blend shapes, or None where it cannot be had."""
    shared = Path(os.environ.get("FACEMIRROR_SHARED", Path(__file__).resolve().parents[3] / "shared"))
    task = shared / "models" / "mediapipe_face_landmarker" / "face_landmarker.task"
    try:
        import mediapipe as mp  # type: ignore[import-not-found,unused-ignore]
        from mediapipe.tasks.python import BaseOptions, vision  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return None
    if not task.is_file():
        return None
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(task)),
        running_mode=vision.RunningMode.VIDEO,
        output_face_blendshapes=True,
    )

    def loop() -> Work:
        source, stop, count = _source(config), StopToken(), 0
        wall, cpu = time.perf_counter(), time.process_time()
        with vision.FaceLandmarker.create_from_options(options) as landmarker:
            opening = time.perf_counter() - wall, time.process_time() - cpu
            while (frame := source.read(stop)) is not None:
                picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(frame.image[..., ::-1]))
                landmarker.detect_for_video(picture, round(1e3 * frame.capture_time))
                count += 1
        source.close()
        return Work(count, *opening)

    return loop


def run(arguments: list[str] | None = None) -> Report:
    """Frames per second and CPU per frame of each, interleaved."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench peers")
    parser.add_argument("clip", nargs="?", default="demo")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args(arguments or [])
    config = resolve({"source": options.clip, "speed": "max", "weights": options.weights}).config
    contestants: dict[str, Callable[[], Work]] = {
        "graph": lambda: graph_run(config),
        "graph without a window": lambda: graph_run(config, draw=False),
        "bare loop": BareLoop(config),
        "plain loop": PlainLoop(config),
    }
    other = mediapipe_loop(config)
    if other is not None:
        contestants["MediaPipe"] = other
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    costs: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(options.rounds + 1):
        for name, contestant in contestants.items():
            wall, cpu = time.perf_counter(), time.process_time()
            work = contestant()
            wall = time.perf_counter() - wall - work.opening_wall
            cpu = time.process_time() - cpu - work.opening_cpu
            if turn:  # the first round fills caches
                rates[name].append(work.frames / wall)
                costs[name].append(1e3 * cpu / work.frames)
    report = Report(f"peers: {options.clip}, medians of {options.rounds} interleaved rounds")
    for name in contestants:
        report.add_rounds(f"{name}: rate", rates[name], "fps")
        report.add_rounds(f"{name}: CPU per frame", costs[name], "ms")
    for name, rate, cost in (("bare loop", 1.3, None), ("plain loop", 1.3, 1.0), ("MediaPipe", None, 0.35)):
        if name not in contestants:
            continue
        for way in ("graph", "graph without a window"):
            ratios = np.array(rates[way]) / np.array(rates[name])
            report.add_rounds(f"{way} / {name}: rate", ratios.tolist(), "x", "" if rate is None else f">= {rate:g}")
            ratios = np.array(costs[way]) / np.array(costs[name])
            report.add_rounds(
                f"{way} / {name}: CPU per frame", ratios.tolist(), "x", "" if cost is None else f"<= {cost:g}"
            )
    if other is None:
        report.title += " (MediaPipe is not installed or its model is not here)"
    return report
