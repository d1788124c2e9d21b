"""No face is recognisable in what is recorded, and no picture slips through unsearched."""

from collections.abc import Callable

import numpy as np
import pytest

from realtime.render.blur import FaceBlur, LiveBlur, fill, fill_all
from realtime.types import U8, Analysis, FaceObservation, Frame, RenderedFrame

HEIGHT, WIDTH = 360, 640


def noise(seed: int = 0) -> U8:
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def points_at(x: float, y: float, half: float = 30.0) -> np.ndarray:
    rng = np.random.default_rng(1)
    points = np.array([x, y]) + rng.uniform(-half, half, (98, 2))
    points[:2] = (x - half, y - half), (x + half, y + half)
    return points.astype(np.float32)


def box(x: float, y: float, half: float = 35.0) -> np.ndarray:
    return np.array([x - half, y - half, x + half, y + half], np.float32)


def shown(image: U8, points: np.ndarray | None, sequence: int = 0) -> RenderedFrame:
    face = None
    if points is not None:
        face = FaceObservation(1, np.zeros(4, np.float32), points, points, 0.9, True)
    analysis = Analysis(sequence, sequence / 30, face)
    frame = Frame(image, sequence, sequence / 30)
    return RenderedFrame(image, sequence, sequence / 30, "measured", analysis, 0.0, points, frame)


def detail(image: U8) -> float:
    """Share of neighbouring pixels that differ: 1 in noise, next to 0 in flat squares."""
    return float((np.abs(np.diff(image.astype(int), axis=1)).sum(axis=2) > 0).mean())


def sees(*boxes: np.ndarray) -> Callable[[Frame], tuple[np.ndarray, ...]]:
    return lambda _frame: boxes


def only(blur: FaceBlur, one: RenderedFrame) -> U8:
    """The one picture that comes of one frame."""
    pictures = blur.add(one) + blur.drain()
    assert len(pictures) == 1
    return pictures[0][0]


@pytest.mark.parametrize("selfie", [False, True])
def test_the_whole_head_is_hidden_and_the_rest_is_not(selfie: bool) -> None:
    image = noise()
    before = image.copy()
    drawn = only(FaceBlur(sees(box(200, 180)), (), selfie=selfie), shown(image, points_at(200, 180)))
    assert np.array_equal(image, before), "the captured frame is not written to"
    middle = WIDTH - 1 - 200 if selfie else 200
    # The landmarks span 60 pixels; the crown is about half of that above them, and must be gone too.
    assert detail(drawn[122:145, middle - 20 : middle + 20]) < 0.1
    background = np.s_[:, :100] if selfie else np.s_[:, -100:]
    expected = before[:, ::-1] if selfie else before
    assert np.array_equal(drawn[background], expected[background])


def test_nothing_is_left_of_what_is_hidden_but_one_coarse_colour() -> None:
    canvas = noise() // 2 + np.uint8(7)
    other = canvas + np.uint8(3)
    fill(canvas, box(200, 180, 70))
    assert len(np.unique(canvas[115:245, 135:265].reshape(-1, 3), axis=0)) == 1
    fill(other, box(200, 180, 70))
    assert np.array_equal(canvas[180, 200], other[180, 200]), "small changes of the mean do not show"
    assert len(np.unique(fill_all(noise()).reshape(-1, 3), axis=0)) == 1


@pytest.mark.parametrize("at", [(-500.0, 50.0), (0.0, 0.0), (WIDTH - 1.0, HEIGHT - 1.0), (320.0, 5000.0)])
def test_a_face_at_the_edge_or_outside_is_no_error(at: tuple[float, float]) -> None:
    canvas = noise()
    fill(canvas, box(*at, 40))
    assert canvas.shape == (HEIGHT, WIDTH, 3)


def test_a_picture_without_a_tracked_face_or_without_a_search_is_hidden_as_a_whole() -> None:
    assert detail(only(FaceBlur(sees(), ()), shown(noise(), None))) < 0.06
    nothing_yet = RenderedFrame(noise(), 0, 0.0, "none", None, None, None, Frame(noise(), 0, 0.0))
    assert detail(only(FaceBlur(sees(box(200, 180)), ()), nothing_yet)) < 0.06
    assert detail(only(FaceBlur(lambda _frame: None, ()), shown(noise(), points_at(200, 180)))) < 0.06
    unsearched = shown(noise(), points_at(200, 180))
    assert unsearched.faces is None
    assert detail(only(FaceBlur(None, ()), unsearched)) < 0.06


def test_every_frame_is_searched_and_comes_out_once_and_in_order() -> None:
    searched: list[int] = []

    def find(frame: Frame) -> tuple[np.ndarray, ...]:
        searched.append(frame.sequence)
        return (box(200, 180),)

    blur = FaceBlur(find, (), ahead=4)
    times = []
    for number in range(11):
        pictures = blur.add(shown(noise(number), points_at(200, 180), number))
        assert len(pictures) == (number >= 4)
        times += [time for _, time in pictures]
    times += [time for _, time in blur.drain()]
    assert searched == list(range(11))
    assert times == [number / 30 for number in range(11)]


def test_a_face_is_hidden_where_it_is_before_it_is_found() -> None:
    """Found from frame 6 on; it stood there before."""
    patient, other = box(150, 180), box(500, 180)
    blur = FaceBlur(lambda frame: (patient, other) if frame.sequence >= 6 else (patient,), (), ahead=6)
    pictures = []
    for number in range(10):
        pictures += blur.add(shown(noise(), points_at(150, 180), number))
    pictures += blur.drain()
    assert all(detail(image[160:200, 480:520]) < 0.1 for image, _ in pictures)


def test_another_size_begins_a_new_window() -> None:
    blur = FaceBlur(sees(box(200, 180)), (), ahead=3)
    blur.add(shown(noise(), points_at(200, 180), 0))
    smaller = noise()[:240, :320].copy()
    pictures = blur.add(shown(smaller, points_at(200, 180), 1))
    assert [image.shape[:2] for image, _ in pictures] == [(HEIGHT, WIDTH)]
    assert [image.shape[:2] for image, _ in blur.drain()] == [(240, 320)]


def test_what_is_seen_live_is_hidden_before_anything_is_drawn_on_it() -> None:
    image = noise()
    before = image.copy()
    frame, faces = LiveBlur(sees(box(200, 180), box(500, 180))).hide(Frame(image, 0, 0.0), points_at(200, 180), 0.0)
    assert np.array_equal(image, before)
    assert faces is not None
    assert len(faces) == 2
    for x in (200, 500):
        assert detail(frame.image[150:210, x - 30 : x + 30]) == 0
    blur = LiveBlur(lambda _frame: None)
    frame, faces = blur.hide(Frame(image, 1, 0.1), points_at(200, 180), 0.0)
    assert faces is None
    assert detail(frame.image) == 0
