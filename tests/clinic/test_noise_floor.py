"""A picture and its mirror image: a true asymmetry swaps sides and leaves nothing, the method's own does not."""

import numpy as np
import pytest

from realtime.clinic.noise_floor import mirror_error, noise_floor
from realtime.types import U8, Millimetres, Sides


def measured(left: float, right: float) -> Millimetres:
    return Millimetres(0.3, "iris", fissure_height=Sides(left, right))


def test_a_true_asymmetry_is_no_error() -> None:
    assert mirror_error(measured(9.0, 7.0), measured(7.0, 9.0)) == {"fissure_height": 0.0}


@pytest.mark.parametrize("bias", [0.4, -0.4])
def test_what_does_not_swap_is_the_methods_error_whatever_the_faces_asymmetry(bias: float) -> None:
    """The method makes every left side larger by `bias`, on the picture and on its mirror image alike."""
    assert mirror_error(measured(9.0 + bias, 7.0), measured(7.0 + bias, 9.0)) == pytest.approx({"fissure_height": bias})


def test_the_picture_is_mirrored_and_the_median_over_pictures_counts() -> None:
    rng = np.random.default_rng(1)
    pictures: list[U8] = [rng.integers(0, 255, (4, 6, 3), np.uint8) for _ in range(3)]

    def measure(picture: U8) -> Millimetres | None:
        # Sees the brighter half, and adds 1 mm on the left of the picture, mirrored or not.
        return measured(float(picture[:, :3].mean()) + 1, float(picture[:, 3:].mean()))

    assert noise_floor(pictures, measure) == pytest.approx({"fissure_height": 1.0})
    assert noise_floor(pictures, lambda _picture: None) == {}
