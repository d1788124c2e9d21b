"""A blurred face cannot be recognised, and no picture slips through unblurred."""

import numpy as np
import pytest

from realtime.render.blur import BLOCKS, FaceBlur, blur_square, coarse
from realtime.types import Analysis, Detection, Detections, FaceObservation, Frame, RenderedFrame

HEIGHT, WIDTH = 360, 640


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def points_at(x: float, y: float, half: float = 30.0) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (np.array([x, y]) + rng.uniform(-half, half, (98, 2))).astype(np.float32)


def shown(image: np.ndarray, points: np.ndarray | None, sequence: int = 0, age: float = 0.0) -> RenderedFrame:
    face = None
    if points is not None:
        face = FaceObservation(1, np.zeros(4, np.float32), points, points, 0.9, True)
    analysis = Analysis(sequence, sequence / 30, face)
    frame = Frame(image, sequence, sequence / 30)
    return RenderedFrame(image, sequence, sequence / 30, "measured", analysis, age, points, frame)


def detail(image: np.ndarray) -> float:
    """Share of neighbouring pixels that differ: 1 in noise, next to 0 in flat blocks."""
    return float((np.abs(np.diff(image.astype(int), axis=1)).sum(axis=2) > 0).mean())


def box(x: float, y: float, half: float) -> np.ndarray:
    return np.array([x - half, y - half, x + half, y + half], np.float32)


@pytest.mark.parametrize("selfie", [False, True])
def test_the_whole_head_is_blurred_and_the_rest_is_not(selfie: bool) -> None:
    image = noise()
    before = image.copy()
    drawn = FaceBlur((), selfie=selfie).draw(shown(image, points_at(200, 180)))
    assert np.array_equal(image, before), "the captured frame is not written to"
    middle = WIDTH - 1 - 200 if selfie else 200
    # The landmarks span 60 pixels; the crown is about half of that above them, and must be gone too.
    crown = drawn[122:145, middle - 20 : middle + 20]
    assert detail(crown) < 0.1
    background = np.s_[:, :150] if selfie else np.s_[:, -150:]
    expected = before[:, ::-1] if selfie else before
    assert np.array_equal(drawn[background], expected[background])


def test_nothing_of_a_block_is_left_but_its_mean() -> None:
    """Two pictures with the same block means become the same picture: no detail can be won back."""
    side = 160
    one = np.full((side, side, 3), 100, np.uint8)
    other = one.copy()
    other[::2, ::2] += 40
    other[1::2, 1::2] += 40
    other[::2, 1::2] -= 40
    other[1::2, ::2] -= 40
    assert not np.array_equal(one, other)
    assert np.array_equal(coarse(one, BLOCKS), coarse(other, BLOCKS))
    assert len(np.unique(coarse(noise()[:160, :160], BLOCKS).reshape(-1, 3), axis=0)) <= BLOCKS * BLOCKS


def test_without_a_tracked_face_the_whole_picture_is_coarse() -> None:
    image = noise()
    drawn = FaceBlur(()).draw(shown(image, None))
    assert detail(drawn) < 0.06
    nothing_yet = RenderedFrame(image, 0, 0.0, "none", None, None, None, Frame(image, 0, 0.0))
    assert detail(FaceBlur(()).draw(nothing_yet)) < 0.06


def test_an_older_result_blurs_a_larger_square() -> None:
    def blurred(age: float) -> int:
        drawn = FaceBlur(()).draw(shown(noise(), points_at(320, 180), age=age))
        return int((drawn != noise()).any(axis=2).sum())

    assert blurred(0.3) > 1.5 * blurred(0.0)


def test_other_faces_are_blurred_where_they_were_last_seen() -> None:
    blur = FaceBlur(())
    other = Detection(box(520, 120, 40), 0.9, np.zeros((5, 2), np.float32))
    blur.seen(Detections(0, 0.0, (other,)))
    there = np.s_[90:150, 490:550]
    assert detail(blur.draw(shown(noise(), points_at(150, 180), 30))[there]) < 0.15
    # A look near the tracked face says nothing about the other one; a look at everything does.
    blur.seen(Detections(40, 1.3, (), (0, 0, 300, 300)))
    assert detail(blur.draw(shown(noise(), points_at(150, 180), 41))[there]) < 0.15
    blur.seen(Detections(50, 1.6, ()))
    assert detail(blur.draw(shown(noise(), points_at(150, 180), 51))[there]) > 0.9


@pytest.mark.parametrize("at", [(-500.0, 50.0), (0.0, 0.0), (WIDTH - 1.0, HEIGHT - 1.0), (320.0, 5000.0)])
def test_a_face_at_the_edge_or_outside_is_no_error(at: tuple[float, float]) -> None:
    canvas = noise()
    blur_square(canvas, box(*at, 40), 1.0)
    assert canvas.shape == (HEIGHT, WIDTH, 3)
