"""The decoder against an independent one, written from the original's formulae in plain NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.errors import ModelFileError
from realtime.face.detector import DetectorInput
from realtime.face.retinaface import Anchors, Mapping, anchor_disagreement, decode, priors
from realtime.face.settings import DetectorSettings
from realtime.types import F32, F64


def reference_priors(height: int, width: int) -> F64:
    """Normalised (cx, cy, w, h), row by row, as the original builds them."""
    rows = []
    for sizes, step in zip(((16, 32), (64, 128), (256, 512)), (8, 16, 32), strict=True):
        for i in range(math.ceil(height / step)):
            for j in range(math.ceil(width / step)):
                rows += [((j + 0.5) * step / width, (i + 0.5) * step / height, s / width, s / height) for s in sizes]
    return np.array(rows)


def reference_decode(
    loc: F32, conf: F32, landmarks: F32, height: int, width: int, threshold: float, overlap: float
) -> tuple[F64, F32, F64]:
    """Decode everything in float64, filter, suppress; in pixels of the network's input."""
    table = reference_priors(height, width)
    centre = table[:, :2] + loc[0].astype(float)[:, :2] * 0.1 * table[:, 2:]
    size = table[:, 2:] * np.exp(loc[0].astype(float)[:, 2:] * 0.2)
    boxes = np.concatenate((centre - size / 2, centre + size / 2), axis=1) * ([width, height] * 2)
    marks = table[:, None, :2] + landmarks[0].astype(float).reshape(-1, 5, 2) * 0.1 * table[:, None, 2:]
    marks *= (width, height)
    chosen = np.flatnonzero(conf[0, :, 1] > threshold)
    chosen = chosen[np.argsort(-conf[0, chosen, 1], kind="stable")]
    kept = []
    while len(chosen):
        best, rest = chosen[0], chosen[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        areas = [np.prod(boxes[k, 2:] - boxes[k, :2], axis=-1) for k in (best, rest)]
        chosen = rest[shared / (areas[0] + areas[1] - shared) <= overlap]
    return boxes[kept], conf[0, kept, 1], marks[kept]


def outputs(height: int, width: int, seed: int, faces: int = 40) -> tuple[F32, F32, F32]:
    """Random network outputs, a few of them sure."""
    rng = np.random.default_rng(seed)
    count = len(reference_priors(height, width))
    loc = rng.normal(0, 1.5, (1, count, 4)).astype(np.float32)
    landmarks = rng.normal(0, 2, (1, count, 10)).astype(np.float32)
    conf = np.zeros((1, count, 2), np.float32)
    conf[0, :, 1] = rng.uniform(0, 0.25, count)
    conf[0, rng.choice(count, min(faces, count), replace=False), 1] = rng.uniform(0.3, 1, min(faces, count))
    conf[0, :, 0] = 1 - conf[0, :, 1]
    return loc, conf, landmarks


@pytest.mark.parametrize(("height", "width", "count"), [(640, 640, 16_800), (1080, 1920, 85_200), (360, 640, 9_520)])
def test_number_of_priors(height: int, width: int, count: int) -> None:
    table = priors(height, width)
    assert len(table) == sum(math.ceil(height / s) * math.ceil(width / s) * 2 for s in (8, 16, 32)) == count
    assert priors(height, width) is table


@settings(max_examples=25, deadline=None)
@given(st.integers(33, 200), st.integers(33, 260), st.integers(0, 10_000))
def test_equals_the_reference(height: int, width: int, seed: int) -> None:
    loc, conf, landmarks = outputs(height, width, seed)
    boxes, scores, marks = reference_decode(loc, conf, landmarks, height, width, 0.3, 0.4)
    found = decode(loc, conf, landmarks, height=height, width=width, threshold=0.3, overlap=0.4, most=1000)
    assert len(found) == len(scores)
    assert [f.score for f in found] == pytest.approx(list(scores))
    assert np.abs(np.array([f.box for f in found]) - boxes).max() < 1e-3
    assert np.abs(np.array([f.points for f in found]) - marks).max() < 1e-3


def test_mapping_scales_and_shifts_into_the_frame() -> None:
    loc, conf, landmarks = outputs(96, 128, 5)
    plain = decode(loc, conf, landmarks, height=96, width=128)
    mapped = decode(loc, conf, landmarks, height=96, width=128, mapping=Mapping(2.0, 3.0, 100.0, 50.0))
    for a, b in zip(plain, mapped, strict=True):
        assert b.box == pytest.approx(a.box * (2, 3, 2, 3) + (100, 50, 100, 50))
        assert b.points == pytest.approx(a.points * (2, 3) + (100, 50))


def test_most_keeps_the_best() -> None:
    loc, conf, landmarks = outputs(96, 128, 6)
    every = decode(loc, conf, landmarks, height=96, width=128, most=100)
    assert [f.score for f in decode(loc, conf, landmarks, height=96, width=128, most=3)] == [f.score for f in every[:3]]


def test_nothing_above_the_threshold_is_no_face() -> None:
    loc, conf, landmarks = outputs(64, 64, 1, faces=0)
    assert decode(loc, conf, landmarks, height=64, width=64) == ()


def test_outputs_of_another_size_are_refused() -> None:
    loc, conf, landmarks = outputs(64, 96, 1)
    with pytest.raises(ModelFileError, match="anchors of a 64 x 64 picture"):
        decode(loc, conf, landmarks, height=64, width=64)


def test_wrong_anchor_sizes_show_as_disagreement() -> None:
    """Encode one face with other anchors, as that other network would: decoded with ours, the neighbours contradict each other."""
    other = Anchors(min_sizes=((10, 20), (32, 64), (128, 256)))
    table = priors(256, 256, other)
    cx, cy, side = 131.0, 118.0, 70.0
    near = (np.abs(table[:, 0] - cx) < 20) & (np.abs(table[:, 1] - cy) < 20) & (table[:, 2] > 30) & (table[:, 2] < 130)
    loc = np.zeros((1, len(table), 4), np.float32)
    loc[0, :, 0], loc[0, :, 1] = (cx - table[:, 0]) / table[:, 2] / 0.1, (cy - table[:, 1]) / table[:, 3] / 0.1
    loc[0, :, 2:] = np.log(side / table[:, 2:]) / 0.2
    conf = np.zeros((1, len(table), 2), np.float32)
    conf[0, near, 1] = 0.9
    agreeing = anchor_disagreement(loc, conf, height=256, width=256, anchors=other)
    wrong = anchor_disagreement(loc, conf, height=256, width=256)
    assert agreeing is not None
    assert wrong is not None
    assert agreeing < 0.01
    assert wrong > 0.05


def test_no_face_no_verdict_on_anchors() -> None:
    loc, conf, _ = outputs(64, 64, 1, faces=0)
    assert anchor_disagreement(loc, conf, height=64, width=64) is None


@pytest.mark.parametrize(("height", "width"), [(100, 1), (4320, 20), (1920, 1080), (720, 1280), (1, 4000)])
def test_no_shape_of_picture_costs_more_than_a_tall_one(height: int, width: int) -> None:
    """One pixel by a hundred was searched as 320 by 32,000, and took minutes."""
    chosen = DetectorSettings()
    h, w = DetectorInput(chosen).size(height, width, region=False)
    assert w <= chosen.width
    assert h <= 3 * chosen.width
    if height <= 3 * width:
        assert w == chosen.width
