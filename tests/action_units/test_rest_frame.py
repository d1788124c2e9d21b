"""Which picture movements are measured from, and what the network is told of them."""

import numpy as np

from realtime.action_units.descriptor import Descriptor
from realtime.action_units.rest_frame import (
    ANGLE,
    EYE,
    FLOW_FEATURES,
    LOWER,
    MOUTH,
    BestRestFrame,
    flow_features,
    rest_picture,
    rms_distance,
)
from tests.face.test_skin_flow import skin, window

F32 = np.ndarray
REST = np.random.default_rng(0).normal(0, 0.2, (98, 2)).astype(np.float32)
EYE_PART = slice(0, 2 * 7 * 6)
MOUTH_PART = slice(EYE_PART.stop, FLOW_FEATURES - 4)


def looked(away: float, yaw: float = 0.0, seed: int = 1) -> Descriptor:
    """A face whose points lie `away` from rest, on average."""
    offset = np.random.default_rng(seed).normal(0, 1, (98, 2))
    offset *= away / np.sqrt((offset[33:] ** 2).sum(axis=1).mean())
    return Descriptor((REST + offset).astype(np.float32), (yaw, 0.0, 0.0))


def windows(seed: int, left: float = 0.0, right: float = 0.0, mouth: float = 0.0) -> tuple[F32, F32, F32, F32]:
    """Windows whose skin lies `left`, `right`, `mouth` pixels higher than in those of the same seed without."""

    def one(number: int, size: tuple[int, int], up: float) -> F32:
        picture = window(skin(size, 10 * seed + number), size, np.array([[1, 0, 0], [0, 1, -up]]))
        return picture.clip(0, 255).astype(np.uint8)

    return one(0, EYE, left), one(1, EYE, right), one(2, MOUTH, mouth), one(3, LOWER, 0.0)


def test_each_sides_movement_reaches_its_own_row() -> None:
    picture = rest_picture(looked(0), windows(1))
    rows = flow_features(picture, (9.0, -6.0, 3.0), windows(1, left=2.0, mouth=1.0))
    assert rows.shape == (2, FLOW_FEATURES)
    up = -rows[:, EYE_PART].reshape(2, 7, 6, 2)[:, 1:-1, 1:-1, 1].mean(axis=(1, 2))
    np.testing.assert_allclose(up, [2.0, 0.0], atol=0.1)
    lips = -rows[:, MOUTH_PART].reshape(2, 5, 6, 2)[:, 1:-1, 1:-1, 1].mean(axis=(1, 2))
    np.testing.assert_allclose(lips, [1.0, 1.0], atol=0.1)
    np.testing.assert_allclose(rows[:, -4:-1] * ANGLE, [[9, -6, 3], [-9, -6, -3]], atol=1e-5)
    assert rows[:, -1].tolist() == [1, 1]
    swapped = flow_features(picture, (0, 0, 0), windows(1, right=2.0))
    up = -swapped[:, EYE_PART].reshape(2, 7, 6, 2)[:, 1:-1, 1:-1, 1].mean(axis=(1, 2))
    np.testing.assert_allclose(up, [0.0, 2.0], atol=0.1)


def test_without_a_picture_at_rest_nothing_is_claimed() -> None:
    assert not flow_features(None, (9.0, 0, 0), windows(1)).any()


def test_the_frame_nearest_to_rest_is_kept() -> None:
    keeper = BestRestFrame()
    kept = []
    for frame, away in enumerate([0.03, 0.012, 0.014, 0.0115, 0.004, 0.006]):
        keeper.offer(looked(away, seed=frame), windows(2), REST)
        kept.append(None if keeper.picture is None else round(rms_distance(keeper.picture.shape, REST), 4))
    # Far from rest is no rest, and a frame that is hardly better is not worth a change.
    assert kept == [None, 0.012, 0.012, 0.012, 0.004, 0.004]
    keeper.offer(looked(0.001, yaw=20.0), windows(2), REST)
    assert keeper.picture is not None
    assert keeper.picture.pose[0] == 0.0, "a turned head is no place to measure from"


def test_a_picture_goes_when_rest_turns_out_to_be_another() -> None:
    keeper = BestRestFrame()
    keeper.offer(looked(0.002), windows(2), REST)
    assert keeper.picture is not None
    other = (REST + np.float32(0.05)).astype(np.float32)
    keeper.offer(looked(0.0), windows(2), other)
    assert keeper.picture is None, "it was a smile that had been taken for rest"
    keeper.offer(Descriptor(other, (0, 0, 0)), windows(3), other)
    assert keeper.picture is not None
    keeper.offer(looked(0.0), windows(2), None)
    assert keeper.picture is None


def test_nobody_is_measured_from_another_ones_picture() -> None:
    keeper = BestRestFrame()
    keeper.offer(looked(0.002), windows(2), REST)
    keeper.forget()
    assert keeper.picture is None
