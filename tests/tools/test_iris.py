"""What the iris network is taught: windows are moved and their targets with them; a ring's sides are the truth, not its mean."""

import math

import cv2
import numpy as np
import pytest

from realtime.face.iris import EYE, TYPICAL, WINDOW
from tools.data.irises import cut
from tools.data.london import ring_sides


def disc(x: float, y: float, diameter: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A window with a black disc on white, drawn at eight times the size."""
    fine = np.full((WINDOW[1] * 8, WINDOW[0] * 8), 255, np.uint8)
    cv2.circle(fine, (round(8 * x + 3.5), round(8 * y + 3.5)), round(4 * diameter), 0, -1)
    grey = cv2.resize(fine, WINDOW, interpolation=cv2.INTER_AREA)
    return np.asarray(np.repeat(grey[:, :, None], 3, axis=2), np.uint8)


def test_targets_move_with_the_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from tools.train import iris as training

    monkeypatch.setattr(training, "_camera", lambda seen, _generator: seen)
    places = [(55.5, 39.5, 22.0), (50.0, 42.0, 26.0), (61.0, 37.0, 20.0)]
    eyes = training.Eyes.of(
        np.stack([disc(*place) for place in places]),
        np.array([place[:2] for place in places], np.float32),
        np.array([place[2] for place in places], np.float32),
    )
    rows = torch.arange(3).repeat(8)
    windows, targets = training.batch(eyes, rows, torch.Generator().manual_seed(3))
    y, x = np.mgrid[: WINDOW[1], : WINDOW[0]]
    for window, target in zip(windows.numpy(), targets.numpy(), strict=True):
        dark = (1 - window[0]) / 2
        area = float(dark.sum())
        assert (dark * x).sum() / area == pytest.approx((WINDOW[0] - 1) / 2 + EYE * target[0], abs=0.15)
        assert (dark * y).sum() / area == pytest.approx((WINDOW[1] - 1) / 2 + EYE * target[1], abs=0.15)
        assert 2 * math.sqrt(area / math.pi) == pytest.approx(TYPICAL * EYE * math.exp(target[2]), rel=0.02)


def test_a_window_carries_its_truth_and_a_left_one_is_mirrored() -> None:
    points = np.zeros((98, 2), np.float32)
    points[60], points[64], points[68], points[72] = (100, 100), (156, 100), (200, 100), (256, 100)
    picture = np.zeros((200, 400, 3), np.uint8)
    right = cut(picture, points, 0, np.array((138.0, 102.0), np.float32), 25.0, np.zeros(3, np.float32))
    left = cut(picture, points, 1, np.array((218.0, 102.0), np.float32), 25.0, np.zeros(3, np.float32))
    assert right.picture.shape == (WINDOW[1], WINDOW[0], 3)
    assert right.centre == pytest.approx(((WINDOW[0] - 1) / 2 + 10, (WINDOW[1] - 1) / 2 + 2))
    assert left.centre == pytest.approx(right.centre)
    assert (right.diameter, left.diameter) == pytest.approx((25.0, 25.0))


def test_lids_do_not_make_a_ring_s_iris_smaller() -> None:
    angles = -math.pi / 2 - np.arange(8) * math.pi / 4  # from the top, by the image's left
    ring = np.stack([50 + 12 * np.cos(angles), 60 + 12 * np.sin(angles)], axis=1).astype(np.float32)
    ring[[0, 1, 7], 1] += 4  # the upper lid covers the iris
    centre, diameter = ring_sides(ring)
    assert diameter == pytest.approx(24.0, abs=1e-4)
    assert centre == pytest.approx((50.0, 60.0), abs=1e-4)
