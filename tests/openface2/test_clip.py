"""The real models on a real clip: blinks and speech show, nothing is NaN, and left and right are told apart."""

from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest

from realtime.face.mirroring import midline
from realtime.face.wflw import FLIP_ORDER, eye_opening
from realtime.openface2 import Face, Measurement, OpenFace2, from_98
from realtime.openface2.assets import Assets
from realtime.openface2.node import OpenFace2Node
from realtime.types import Analysis, FaceObservation, Frame

FIRST, FRAMES = 90, 180  # eyes shut and lips closed at first, then open, with three blinks and speech
EVERY = 30
BOXES = np.array(  # bounds of the face's points on frames 90, 120, ... 270, so that no detector is needed
    [
        [335, 166, 552, 358],
        [335, 165, 556, 360],
        [324, 95, 553, 339],
        [324, 84, 552, 322],
        [323, 89, 549, 323],
        [339, 89, 558, 321],
        [330, 85, 552, 325],
    ]
)
Results = list[dict[Face, Measurement]]


class Clip(NamedTuple):
    images: list[np.ndarray]
    points: list[np.ndarray]


def locate(session: Any, image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """(98, 2) points by PFLD-GhostOne in the square of 1.2 times the box's longer side."""
    side = 1.2 * max(box[2] - box[0], box[3] - box[1])
    scale = 112 / side
    corner = (box[:2] + box[2:] - side) / 2
    matrix = np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]])
    crop = cv2.warpAffine(image, matrix, (112, 112))
    blob = (crop[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255 - 0.5) / 0.5
    (answer,) = session.run(None, {"input": blob})
    return answer.reshape(98, 2) * side + corner


@pytest.fixture(scope="module")
def clip(shared: Path) -> Clip:
    """The talking face with its 98 points, found by PFLD-GhostOne."""
    onnxruntime = pytest.importorskip("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    path = shared / "models" / "pfld_ghostone_98" / "PFLD_GhostOne_112_1_opt_sim.onnx"
    session = onnxruntime.InferenceSession(str(path), options)
    capture = cv2.VideoCapture(str(shared / "video" / "WolfgangLanger_Pexels.mp4"))
    images, points = [], []
    for i in range(FIRST + FRAMES):
        assert capture.grab()
        if i >= FIRST:
            _, image = capture.retrieve()
            at, share = divmod(i - FIRST, EVERY)
            box = BOXES[at] + (BOXES[at + 1] - BOXES[at]) * share / EVERY
            images.append(image)
            points.append(locate(session, image, box))
    return Clip(images, points)


def run(assets: Assets, clip: Clip, frames: int = FRAMES) -> Results:
    path = OpenFace2(assets)
    pairs = list(zip(clip.images, clip.points, strict=True))[:frames]
    return [path.update(image, from_98(points), midline(points)) for image, points in pairs]


@pytest.fixture(scope="module")
def results(real: Assets, clip: Clip) -> Results:
    return run(real, clip)


def curve(results: Results, face: Face, au: int) -> np.ndarray:
    return np.array([r[face].intensity[au] for r in results])


def test_every_frame_is_measured(results: Results) -> None:
    for face in Face:
        values = np.array([list(r[face].intensity.values()) for r in results])
        assert values.shape == (FRAMES, 17)
        assert np.isfinite(values).all()
        assert (values.max(axis=0) > 0.3).sum() >= 12, "a talking face moves most Action Units"
        steps = [r[face].fit.steps for r in results[1:]]
        assert all(r[face].fit.warm for r in results[1:])
        assert np.median(steps) <= 8


def test_blinks_show_in_au45(results: Results, clip: Clip) -> None:
    opening = np.array([np.mean(eye_opening(p)) for p in clip.points])
    au45 = curve(results, Face.WHOLE, 45)
    blinks = [
        i
        for i in range(12, FRAMES - 12)
        if opening[i] == opening[i - 6 : i + 7].min() and opening[i] < 0.72 * np.median(opening[i - 12 : i + 13]) > 0.15
    ]
    assert len(blinks) >= 3
    for i in blinks:
        around = np.r_[au45[i - 12 : i - 6], au45[i + 7 : i + 13]]
        assert au45[i - 3 : i + 4].max() > np.median(around) + 0.7, f"blink at frame {i}"


def test_parted_lips_show_in_au25(results: Results, clip: Clip) -> None:
    gap = np.array([np.hypot(*(p[90] - p[94])) / np.hypot(*(p[60] - p[72])) for p in clip.points])
    shut, open_ = gap < 0.03, gap > 0.15
    assert shut.sum() > 25
    assert open_.sum() > 20
    values = curve(results, Face.WHOLE, 25)
    assert values[open_].mean() > values[shut].mean() + 0.7


def test_the_jaw_that_drops_shows_in_au26(results: Results) -> None:
    """Around frame 140 she looks up and opens her mouth."""
    values = curve(results, Face.WHOLE, 26)
    assert np.median(values[145 - FIRST : 170 - FIRST]) > np.median(values[95 - FIRST : 125 - FIRST]) + 1.0


def test_intensities_and_occurrences_agree(results: Results) -> None:
    for au in (17, 26):
        raw = np.array([r[Face.WHOLE].raw[au] for r in results])
        present = np.array([r[Face.WHOLE].occurrence[au] for r in results])
        assert raw[present == 1].mean() > raw[present == 0].mean() + 0.5, f"AU{au:02d}"


def test_mirrored_clip_swaps_left_and_right(real: Assets, clip: Clip, results: Results) -> None:
    frames = 80
    points = []
    for p in clip.points[:frames]:
        flipped = p[FLIP_ORDER].copy()
        flipped[:, 0] = clip.images[0].shape[1] - 1 - flipped[:, 0]
        points.append(flipped)
    mirrored = run(real, Clip([np.ascontiguousarray(i[:, ::-1]) for i in clip.images[:frames]], points))
    for au in real.intensity.aus:
        left, right = curve(results[:frames], Face.LEFT, au), curve(results[:frames], Face.RIGHT, au)
        swapped = curve(mirrored, Face.RIGHT, au)
        assert np.abs(swapped - left).max() < 0.1, f"AU{au:02d}"
        assert np.abs(curve(mirrored, Face.LEFT, au) - right).max() < 0.1, f"AU{au:02d}"
    assert np.abs(curve(results[:frames], Face.LEFT, 12) - curve(results[:frames], Face.RIGHT, 12)).mean() > 0.2


def test_identical_input_gives_identical_results(real: Assets, clip: Clip, results: Results) -> None:
    for one, two in zip(run(real, clip, 60), results, strict=False):
        assert all(one[face].intensity == two[face].intensity for face in Face)


def test_warm_starts_change_nothing_that_matters(real: Assets, clip: Clip, results: Results) -> None:
    """OpenFace fits every frame from scratch; starting at the last frame's solution must give the same to 0.1 of 5."""
    path = OpenFace2(real, [Face.WHOLE])
    for image, points, warm in list(zip(clip.images, clip.points, results, strict=True))[:80]:
        path.lost()
        cold = path.update(image, from_98(points))[Face.WHOLE]
        assert not cold.fit.warm
        difference = [abs(cold.raw[au] - warm[Face.WHOLE].raw[au]) for au in cold.raw]
        assert max(difference) < 0.1
        assert np.mean(difference) < 0.03


def test_the_68_point_network_can_be_the_source(shared: Path, real_folder: Path, clip: Clip) -> None:
    network = shared / "models" / "pfld68_cunjian" / "pfld.onnx"
    node = OpenFace2Node(real_folder, faces=(Face.WHOLE,), pfld68=network)
    node.open()
    for i in range(60, 63):
        points = clip.points[i].astype(np.float32)
        box = np.array([*points.min(axis=0), *points.max(axis=0)], np.float32)
        face = FaceObservation(1, box, points, points, 0.9, detected=True)
        node.process(Frame(clip.images[i], i, i / 25), Analysis(i, i / 25, face))
        measurement = node.latest[Face.WHOLE]
        assert measurement.measured
        assert measurement.points is not None
        assert np.abs(measurement.points - from_98(points)).max() > 0.5, "other points than the 98 give"
        assert np.abs(measurement.points - from_98(points)).mean() < 20
