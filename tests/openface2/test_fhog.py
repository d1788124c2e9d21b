"""FHOG against an independent definition, against dlib (through pyfhog), and its row order."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from realtime.openface2.assets import Assets
from realtime.openface2.fhog import fhog
from tests.openface2.fhog_reference import reference


def grey_picture(size: tuple[int, int], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return cv2.GaussianBlur(rng.integers(0, 256, size, dtype=np.uint8), (0, 0), 1.5)


def test_definition_on_grey_pictures() -> None:
    for seed, size in ((0, (40, 56)), (1, (64, 40))):
        grey = grey_picture(size, seed)
        ours = fhog(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))
        np.testing.assert_allclose(ours, reference(grey), atol=1e-5)


def test_strongest_channel_is_taken() -> None:
    grey = grey_picture((40, 40), 2)
    weak = (grey // 4).astype(np.uint8)
    for channel in range(3):
        colour = np.stack([weak, weak, weak], axis=2)
        colour[:, :, channel] = grey
        np.testing.assert_allclose(fhog(colour), reference(grey), atol=1e-5)


def test_rows_come_first() -> None:
    """Stripes in the upper half only: the upper rows of cells must carry them, not the left columns."""
    picture = np.zeros((112, 112, 3), np.uint8)
    picture[:48, ::4] = 255
    cells = fhog(picture)
    assert cells.shape == (12, 12, 31)
    assert cells[:4].sum(axis=2).min() > 0.5
    assert np.abs(cells[7:]).max() == 0


def test_row_order_is_that_of_the_models(real: Assets, shared: Path) -> None:
    """The models' means are the average training face: its FHOG must look like a face's in our order, not transposed."""
    means = real.intensity.models[0].means[: 12 * 12 * 31].reshape(12, 12, 31)
    mirrored = means[:, ::-1]
    energy = means[..., 18:27].sum(axis=2)
    # a face is symmetric left to right, not top to bottom: true only if the first index is the picture's row
    across = np.corrcoef(energy.ravel(), mirrored[..., 18:27].sum(axis=2).ravel())[0, 1]
    down = np.corrcoef(energy.ravel(), energy[::-1].ravel())[0, 1]
    assert across > 0.9
    assert across > down + 0.2


def test_equal_to_dlib_on_photographs(shared: Path) -> None:
    pyfhog = pytest.importorskip("pyfhog")
    worst = 0.0
    for name in ("persons.jpg", "duo.jpg", "duo2.jpg"):
        photo = cv2.imread(str(shared / "models" / "pfld_ghostone_98" / name))
        assert photo is not None
        for top in range(0, photo.shape[0] - 112, 90):
            for left in range(0, photo.shape[1] - 112, 90):
                crop = np.ascontiguousarray(photo[top : top + 112, left : left + 112])
                dlib = pyfhog.extract_fhog_features(crop).reshape(12, 12, 31)
                worst = max(worst, float(np.abs(fhog(crop) - dlib).max()))
    assert worst < 1e-4


def test_equal_to_dlib_on_noise_and_other_sizes() -> None:
    pyfhog = pytest.importorskip("pyfhog")
    rng = np.random.default_rng(5)
    for size in (112, 96, 100, 75, 24):  # squares only: pyfhog reads past its array on anything else
        crop = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
        ours = fhog(crop)
        np.testing.assert_allclose(ours.ravel(), pyfhog.extract_fhog_features(crop), atol=1e-4)


def test_flat_picture_has_no_gradient() -> None:
    assert np.abs(fhog(np.full((112, 112, 3), 90, np.uint8))).max() == 0


def test_wrong_pictures_are_the_callers_mistake() -> None:
    wrong: Any
    for wrong in (
        np.zeros((112, 112), np.uint8),
        np.zeros((112, 112, 3), np.float32),
        np.zeros((16, 112, 3), np.uint8),
    ):
        with pytest.raises(ValueError, match=r"picture"):
            fhog(wrong)
