"""The person who is calibrated sees what to do, and how far it is."""

import numpy as np
import pytest

from realtime.action_units.calibration import IDLE, CalibrationProgress
from realtime.render.guidance import Guidance
from realtime.render.palette import BOX, WARNING

LONG = "The calibration was given up after 30 s. Turn your head so that you look straight into the camera."


def grey(height: int = 720, width: int = 1280) -> np.ndarray:
    image = np.full((height, width, 3), 120, np.uint8)
    image.flags.writeable = False
    return image


def bar(picture: np.ndarray) -> int:
    """Length of the filled bar, pixels."""
    return int(np.all(picture == np.array(BOX, np.uint8), axis=2).any(axis=0).sum())


def test_without_a_calibration_the_picture_goes_through_untouched() -> None:
    image = grey()
    assert Guidance().draw(image, IDLE, 0.0) is image


def test_the_bar_grows_with_the_rest_that_is_collected() -> None:
    guidance, image = Guidance(), grey()
    lengths = [
        bar(guidance.draw(image, CalibrationProgress("collecting", share, "Rest your face."), share))
        for share in (0.0, 0.25, 0.5, 1.0)
    ]
    assert lengths[0] < 5
    assert lengths[2] == pytest.approx(2 * lengths[1], abs=3)
    assert lengths[3] == pytest.approx(0.3 * 1280, abs=4)
    assert (image == 120).all()


def test_what_keeps_it_from_being_accepted_is_a_warning() -> None:
    drawn = Guidance().draw(grey(), CalibrationProgress("waiting", 0.2, "Hold your head upright."), 0.0)
    assert np.all(drawn == np.array(WARNING, np.uint8), axis=2).sum() > 100


def test_two_sentences_look_different() -> None:
    first, second = (
        Guidance().draw(grey(), CalibrationProgress("waiting", 0.0, sentence), 0.0)
        for sentence in ("Hold your head upright.", "It is too dark: put more light on your face.")
    )
    assert (first != second).any()


@pytest.mark.parametrize("phase", ["done", "failed"])
def test_the_outcome_is_shown_for_four_seconds(phase: str) -> None:
    guidance, image = Guidance(), grey()
    outcome = CalibrationProgress(phase, 1.0, "Over.")  # type: ignore[arg-type]
    guidance.draw(image, CalibrationProgress("collecting", 0.9, "Rest your face."), 9.0)
    assert guidance.draw(image, outcome, 10.0) is not image
    assert guidance.draw(image, outcome, 13.9) is not image
    assert guidance.draw(image, outcome, 14.1) is image


@pytest.mark.parametrize(("height", "width"), [(720, 1280), (1080, 1920), (1280, 720), (240, 320), (97, 131)])
def test_a_long_sentence_stays_inside_the_picture(height: int, width: int) -> None:
    drawn = Guidance().draw(grey(height, width), CalibrationProgress("failed", 0.4, LONG), 0.0)
    ink = np.nonzero((drawn > 150).any(axis=2))
    assert drawn.shape == (height, width, 3)
    assert len(ink[0])
    assert ink[1].min() > 0.03 * width
    assert ink[1].max() < 0.97 * width
