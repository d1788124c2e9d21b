"""A picture and its mirror image: a true asymmetry swaps sides and leaves nothing, the method's own does not."""

import numpy as np
import pytest

from realtime.clinic.noise_floor import errors_at_peaks, mirror_error, noise_floor
from realtime.clinic.sheet_rows import measures
from realtime.clinic.types import MOVEMENTS, Movement
from realtime.types import U8, Millimetres, Sides
from tests.clinic.people import examination


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


def test_the_error_of_an_excursion_is_that_of_the_peak_without_that_of_rest() -> None:
    rest = {"commissure": 0.4, "fissure_height": -0.3}
    peaks: dict[Movement, dict[str, float]] = {
        "pucker": {"commissure": -1.2, "fissure_height": 0.2},
        "open_smile": {"commissure": 0.9},
        "brow_raise": {"brow_height": 1.0},  # unknown at rest
    }
    found = errors_at_peaks(rest, peaks)
    assert found == pytest.approx({"pucker.commissure": 1.6, "pucker.fissure": 0.2, "open_smile.commissure": 0.5})


def test_every_length_of_the_sheet_has_its_error() -> None:
    lengths = ("brow_height", "fissure_height", "commissure", "dental_show", "lower_lip_height")
    same = dict.fromkeys(lengths, 0.0)
    moved = {one.name for one in measures(examination("left", {})) if one.unit == "mm" and one.movement != "rest"}
    assert set(errors_at_peaks(same, dict.fromkeys(MOVEMENTS, same))) == moved
