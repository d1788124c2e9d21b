"""What is drawn, by looking at pixels."""

import numpy as np
import pytest

from realtime.face.face_model import FACE_2D
from realtime.render.au_panel import AuPanel
from realtime.render.palette import LEFT, RIGHT
from realtime.render.scene import Scene
from realtime.render.status import LiveFigures
from realtime.types import Analysis, FaceObservation

FIGURES = LiveFigures(30.0, 8.0, 0.0, 0, "tracked")
HEIGHT, WIDTH = 720, 1280


def posed_face() -> np.ndarray:
    """(98, 2) pixels of the mean face in the middle of a 720p picture."""
    flat = np.asarray(FACE_2D, np.float32)
    size = float(np.ptp(flat[:, 0]))
    return (flat - flat.mean(axis=0)) * np.float32(260 / size) + np.array([500, 360], np.float32)


def analysis(points: np.ndarray, right: dict[int, float], left: dict[int, float]) -> Analysis:
    box = np.concatenate([points.min(axis=0), points.max(axis=0)])
    return Analysis(0, 0.0, FaceObservation(1, box, points, points, 0.9, detected=True), left, right)


def share(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """(H, W) where the picture has this colour."""
    return np.all(picture == np.array(colour, np.uint8), axis=2)


@pytest.mark.parametrize("selfie", [False, True])
def test_the_patients_sides_keep_their_colours_whatever_the_view(selfie: bool) -> None:
    points = posed_face()
    frame = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    picture = Scene("overlay", (), selfie=selfie).draw(frame, analysis(points, {}, {}), points, FIGURES)
    middle = points[:, 0].mean() if not selfie else WIDTH - 1 - points[:, 0].mean()
    # Lines are smoothed, so their pixels only lean toward the colour: blue for the right, orange for the left.
    lean = picture[..., 0].astype(int) - picture[..., 2]
    right_x, left_x = np.nonzero(lean > 40)[1], np.nonzero(lean < -40)[1]
    assert len(right_x) > 100
    assert len(left_x) > 100
    assert (right_x.mean() < middle) is not selfie
    assert (left_x.mean() > middle) is not selfie


def test_the_frame_is_never_written_to() -> None:
    points, frame = posed_face(), np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for mode in ("overlay", "mirrored", "split", "raw"):
        Scene(mode, (12,), selfie=False).draw(frame, analysis(points, {12: 3.0}, {12: 1.0}), points, FIGURES)
    assert (frame == 90).all()


def bar_lengths(right: dict[int, float], left: dict[int, float], *, flipped: bool = False) -> tuple[int, int]:
    picture = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    AuPanel([12], HEIGHT, flipped=flipped).draw(picture, right, left, corner=(0, 0))
    rows = picture[20 + 10]  # the middle of the first bar's row
    return tuple(int(np.all(rows == np.array(c, np.uint8), axis=1).sum()) for c in (RIGHT, LEFT))  # type: ignore[return-value]


def test_a_bar_is_as_long_as_its_value() -> None:
    full, none = bar_lengths({12: 5.0}, {12: 0.0})
    half, _ = bar_lengths({12: 2.5}, {12: 0.0})
    assert none <= 1
    assert half == pytest.approx(full / 2, abs=2)
    assert bar_lengths({12: 99.0}, {12: 0.0})[0] == full, "beyond the scale is the end of the scale"


def test_what_was_not_measured_is_a_dash_and_no_bar() -> None:
    assert bar_lengths({}, {12: float("nan")}) == (0, 0)


def test_in_a_selfie_view_the_columns_change_places() -> None:
    picture = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    panel = AuPanel([12], HEIGHT, flipped=True)
    panel.draw(picture, {12: 5.0}, {12: 5.0}, corner=(0, 0))
    assert np.nonzero(share(picture, RIGHT))[1].mean() > panel.middle > np.nonzero(share(picture, LEFT))[1].mean()


def test_a_small_picture_gets_no_panel_rather_than_half_of_one() -> None:
    tiny = np.full((40, 60, 3), 200, np.uint8)
    AuPanel([1, 2, 4], HEIGHT).draw(tiny, {}, {})
    assert (tiny == 200).all()
