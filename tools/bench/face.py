"""The face path piece by piece: decoder, alignment against OpenCV, the tracker's cost per frame, jitter and lag.

Jitter is the median second difference of the shown points, in inter-ocular distances. It needs the development material (a talking
face and PFLD-GhostOne); everything else runs anywhere.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from realtime.face import wflw
from realtime.face.alignment import Aligner
from realtime.face.contract import PFLD_GHOST_ONE
from realtime.face.crops import five_of
from realtime.face.detector import DetectorInput
from realtime.face.face_model import FACE_2D
from realtime.face.landmarks import LandmarkModel
from realtime.face.matching import face_box
from realtime.face.mirroring import Mirror, midline
from realtime.face.point_flow import PointFlow
from realtime.face.retinaface import decode, priors
from realtime.face.settings import FaceSettings
from realtime.face.smoothing import Smoother
from realtime.face.tracker import Tracker
from realtime.face.warm_up import warm_up
from realtime.types import Detection, Detections, Frame
from tools.bench.timing import Report, interleaved

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
CLIP = Path("video/WolfgangLanger_Pexels.mp4")
NETWORK = Path("models/pfld_ghostone_98/PFLD_GhostOne_112_1_opt_sim.onnx")
# where the clip's face is on its first frame, as RetinaFace sees it
_FIRST_BOX = (329.0, 67.0, 545.0, 349.0)


def run(arguments: Sequence[str] = ()) -> Report:
    """All figures of the face path."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench face")
    parser.add_argument("--rounds", type=int, default=100, help="rounds per timing")
    options = parser.parse_args(list(arguments))
    cv2.setNumThreads(1)
    warm_up()
    report = Report("face path, one core, medians of interleaved rounds")
    _decoding(report, options.rounds)
    _aligning(report, options.rounds)
    _mirroring(report, options.rounds)
    _steps(report)
    shared = Path(os.environ.get("FACEMIRROR_SHARED", "../shared"))
    if (shared / CLIP).is_file() and (shared / NETWORK).is_file():
        _tracking(report, shared)
    else:
        report.title += " (no development material: tracking and jitter left out)"
    return report


def _decoding(report: Report, rounds: int) -> None:
    """Postprocess of a network output with a few faces in it, and picture to network input."""
    rng = np.random.default_rng(0)
    for height, width, bound in ((1080, 1920, "<= 1"), (360, 640, "<= 0.2"), (180, 320, "")):
        count = len(priors(height, width))
        loc = rng.normal(0, 1, (1, count, 4)).astype(np.float32)
        marks = rng.normal(0, 1, (1, count, 10)).astype(np.float32)
        conf = rng.uniform(0, 0.1, (1, count, 2)).astype(np.float32)
        conf[0, rng.choice(count, 60, replace=False), 1] = 0.9
        name = f"decode + NMS, network input {width}x{height}"

        def call(loc: F32 = loc, conf: F32 = conf, marks: F32 = marks, h: int = height, w: int = width) -> object:
            return decode(loc, conf, marks, height=h, width=w)

        report.add_timings(interleaved({name: call}, rounds=rounds), {name: bound})
    settings = FaceSettings().detector
    prepare = DetectorInput(settings)
    pictures = {f"{w}x{h} to {settings.width} wide": _noise(h, w) for h, w in ((720, 1280), (1080, 1920))}
    contestants = {k: partial(prepare.prepare, p) for k, p in pictures.items()}
    report.add_timings(interleaved(contestants, rounds=rounds))


def _aligning(report: Report, rounds: int) -> None:
    picture = _noise(1080, 1920)
    points = _face(900, 500, 160, 0.1)
    mean, scale = np.full(3, 127.5, np.float32), np.full(3, 1 / 127.5, np.float32)
    for size in (112, 256):
        aligner = Aligner(size)
        matrix = aligner.matrix(points)
        floats, small = np.empty((3, size, size), np.float32), np.empty((size, size, 3), np.uint8)

        def ours(a: Aligner = aligner, out: F32 = floats) -> object:
            return a.tensor(picture, points, mean, scale, rgb=True, out=out)

        def ours_bytes(a: Aligner = aligner, out: U8 = small) -> object:
            return a.picture(picture, points, out)

        def opencv(m: NDArray[np.float64] = matrix, s: int = size, out: U8 = small) -> object:
            cv2.warpAffine(picture, m, (s, s), dst=out)
            return cv2.dnn.blobFromImage(out, 1 / 127.5, (s, s), (127.5, 127.5, 127.5), True)

        def opencv_bytes(m: NDArray[np.float64] = matrix, s: int = size, out: U8 = small) -> object:
            return cv2.warpAffine(picture, m, (s, s), dst=out)

        names = [
            f"{what}, {size} px" for what in ("align to floats", "OpenCV warp + blob", "align to bytes", "OpenCV warp")
        ]
        timings = interleaved(dict(zip(names, (ours, opencv, ours_bytes, opencv_bytes), strict=True)), rounds=rounds)
        report.add_timings(timings)
        report.add(
            f"floats against OpenCV, {size} px", timings[names[0]].median / timings[names[1]].median, "ratio", "<= 1"
        )
        report.add(
            f"bytes against OpenCV, {size} px", timings[names[2]].median / timings[names[3]].median, "ratio", "<= 1.1"
        )


def _mirroring(report: Report, rounds: int) -> None:
    picture, line = _noise(720, 1280), midline(_face(640, 300, 130, 0.1))
    mirror = Mirror(320, 400)
    if line is not None:
        name = "two mirrored halves, 320x400 from 720p"
        report.add_timings(interleaved({name: lambda: mirror.update(picture, line)}, rounds=rounds))


def _steps(report: Report) -> None:
    """The smoother's answer to a jump of the head and to a blink, no flow to help it."""
    face = _face(320, 180, 100, 0.0)
    smoother = Smoother()
    shift = np.float32(20)
    shown = [smoother.update(face + (shift if i >= 5 else np.float32(0)), i / 30) for i in range(8)]
    for after in range(3):
        report.add(
            f"step of the head, shown {after} frames later",
            float((shown[5 + after] - face)[:, 0].mean() / shift),
            "share",
            "1 after 1 frame" if after == 1 else "",
        )
    closed = face.copy()
    closed[[61, 62, 63]] = closed[[67, 66, 65]]
    smoother.reset()
    course = (0, 0, 0, 0.5, 1, 0.5, 0, 0)
    openings = [
        wflw.eye_opening(smoother.update((face + c * (closed - face)).astype(np.float32), i / 30)).right
        for i, c in enumerate(course)
    ]
    start = wflw.eye_opening(face).right
    report.add("blink of three frames, amplitude kept", (start - min(openings)) / start, "share", ">= 0.8")


def _tracking(report: Report, shared: Path, most: int = 10**9) -> None:
    """The tracker on the talking clip: cost per frame with and without its network, jitter raw and shown."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(shared / NETWORK), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    spent = [0.0]

    def network(blob: F32) -> dict[str, F32]:
        start = cv2.getTickCount()
        points = session.run(None, {name: blob})[0]
        spent[0] += (cv2.getTickCount() - start) / cv2.getTickFrequency() * 1e3
        return {"points": points}

    tracker = Tracker(LandmarkModel(network, PFLD_GHOST_ONE))
    raw: list[F32] = []
    shown: list[F32] = []
    total: list[float] = []
    own: list[float] = []
    box = np.array(_FIRST_BOX, np.float32)
    middle = (FACE_2D.min(axis=0) + FACE_2D.max(axis=0)) / 2
    first = ((FACE_2D - middle) * 130 + (box[:2] + box[2:]) / 2).astype(np.float32)
    for frame in _frames(shared / CLIP, most):
        seen = None
        if frame.sequence == 0:
            seen = Detections(0, frame.capture_time, (Detection(box, 0.99, five_of(first)),))
        elif tracker.try_claim_detection(frame.sequence) and shown:
            # the detector's part, played by the tracker's own last points: its cost is measured elsewhere
            seen = Detections(
                frame.sequence, frame.capture_time, (Detection(face_box(shown[-1]), 0.99, five_of(shown[-1])),)
            )
        spent[0] = 0.0
        start = cv2.getTickCount()
        face = tracker.update(frame, seen)
        elapsed = (cv2.getTickCount() - start) / cv2.getTickFrequency() * 1e3
        if face is not None:
            total.append(elapsed)
            own.append(elapsed - spent[0])
            raw.append(face.raw_points)
            shown.append(face.points)
    report.add("tracker per frame, with PFLD-GhostOne", float(np.median(total)), "ms")
    report.add("tracker per frame, without the network", float(np.median(own)), "ms", "<= 0.5")
    report.add("tracker per frame, without the network, p95", float(np.percentile(own, 95)), "ms")
    report.add("frames with a face", len(shown), "frames", "472")
    report.add("jitter, raw points", jitter(np.array(raw)) * 1e3, "1e-3 iod")
    report.add("jitter, shown points", jitter(np.array(shown)) * 1e3, "1e-3 iod", "<= 3.5")
    frames = list(_frames(shared / CLIP, 30))
    flow = PointFlow()
    flow.anchor(frames[20].image, shown[20])
    report.add_timings(
        interleaved({"points moved with the picture": lambda: flow.move(frames[21].image)}, rounds=100),
        {"points moved with the picture": "< 1"},
    )


def jitter(points: F32) -> float:
    """Median second difference over time of (T, 98, 2) points, in the frame's inter-ocular distance."""
    second = np.hypot(*np.moveaxis(points[2:] - 2 * points[1:-1] + points[:-2], 2, 0))
    between = np.hypot(*(points[1:-1, 72] - points[1:-1, 60]).T)
    return float(np.median(second / between[:, None]))


def _frames(path: Path, most: int = 10**9) -> Iterator[Frame]:
    with av.open(str(path)) as container:
        for i, frame in enumerate(container.decode(video=0)):
            if i >= most:
                return
            yield Frame(frame.to_ndarray(format="bgr24"), i, i / 30)


def _noise(height: int, width: int) -> U8:
    rng = np.random.default_rng(1)
    return np.asarray(cv2.GaussianBlur(rng.integers(0, 256, (height, width, 3), dtype=np.uint8), (0, 0), 2), np.uint8)


def _face(x: float, y: float, size: float, angle: float) -> F32:
    c, s = np.cos(angle) * size, np.sin(angle) * size
    return np.asarray(FACE_2D @ np.array(((c, s), (-s, c))) + (x, y), np.float32)
