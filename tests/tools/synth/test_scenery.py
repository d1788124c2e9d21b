"""Backgrounds, occluders and camera faults."""

import numpy as np

from tools.synth.occluders import occlude
from tools.synth.scenery import background, degrade


def test_background_fills_the_square_and_repeats_by_seed() -> None:
    for seed in range(12):
        one, two = (background(np.random.default_rng(seed), 64) for _ in range(2))
        np.testing.assert_array_equal(one, two)
        assert one.shape == (64, 64, 3)
        assert one.min() >= 0
        assert one.max() <= 255


def test_occluder_changes_the_picture_only_where_it_says() -> None:
    rng = np.random.default_rng(1)
    turn = np.linspace(0, 2 * np.pi, 98)
    points = (64 + 30 * np.stack([np.cos(turn), np.sin(turn)], 1)).astype(np.float32)
    changed = 0
    for _ in range(20):
        before = np.full((128, 128, 3), 128, np.float32)
        after = before.copy()
        alpha = occlude(rng, after, points)
        assert alpha.shape == (128, 128)
        moved = np.abs(after - before).max(-1)
        changed += int((alpha > 0.5).any())
        assert moved[alpha > 0.5].mean() > 5 if (alpha > 0.5).any() else True
    assert changed > 10


def test_degraded_pictures_stay_pictures() -> None:
    rng = np.random.default_rng(2)
    picture = np.full((64, 64, 3), 130, np.float32)
    for _ in range(30):
        out = degrade(rng, picture)
        assert out.dtype == np.uint8
        assert out.shape == picture.shape
        assert out.flags.c_contiguous
