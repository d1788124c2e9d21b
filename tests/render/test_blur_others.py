"""Everybody is hidden but the patient, and the patient too wherever it may be somebody else."""

import numpy as np
import pytest

from realtime.render.blur import FaceBlur, LiveBlur
from realtime.types import U8, Analysis, FaceObservation, Frame, OtherFace, RenderedFrame
from tests.render.test_blur import HEIGHT, WIDTH, box, detail, noise, points_at, sees

PATIENT, OTHER = (160, 180), (480, 180)


def shown(image: U8, sequence: int, *, sure: bool = True, face: bool = True, age: float = 0.0) -> RenderedFrame:
    points = points_at(*PATIENT) if face else None
    found = None if points is None else FaceObservation(1, np.zeros(4, np.float32), points, points, 0.9, True)
    analysis = Analysis(sequence, sequence / 30, found, sure=sure)
    frame = Frame(image, sequence, sequence / 30)
    return RenderedFrame(image, sequence, sequence / 30, "measured", analysis, age, points, frame)


def around(image: U8, x: int, y: int, half: int = 25) -> U8:
    return image[y - half : y + half, x - half : x + half]


def recorded(frames: list[RenderedFrame], *found: np.ndarray, ahead: int = 2) -> list[U8]:
    blur = FaceBlur(sees(*found), (), ahead=ahead, spare_patient=True)
    return [image for frame in frames for image, _ in blur.add(frame)] + [image for image, _ in blur.drain()]


def is_open(image: U8, x: int, y: int) -> bool:
    """Whether the picture is to be seen above the face there: hair and crown, beside the landmarks that are drawn."""
    return float((around(image, x, y - 50, 12) == around(noise(), x, y - 50, 12)).mean()) > 0.9


def test_the_patient_stays_open_and_everybody_else_is_hidden() -> None:
    pictures = recorded([shown(noise(), n) for n in range(4)], box(*PATIENT), box(*OTHER))
    assert len(pictures) == 4
    for image in pictures:
        assert is_open(image, *PATIENT)
        assert detail(around(image, *OTHER, half=60)) == 0.0


def test_a_doubt_about_who_it_is_hides_the_patient_already_before_it() -> None:
    frames = [shown(noise(), n, sure=n != 5) for n in range(9)]
    pictures = recorded(frames, box(*PATIENT), box(*OTHER))
    assert [is_open(image, *PATIENT) for image in pictures] == [n < 3 or n > 5 for n in range(9)]
    assert not any(is_open(image, *OTHER) for image in pictures)


def test_an_old_result_or_none_opens_nothing() -> None:
    late = recorded([shown(noise(), 0, age=0.2)], box(*PATIENT))
    assert not is_open(late[0], *PATIENT)
    (nobody,) = recorded([shown(noise(), 0, face=False)], box(*PATIENT))
    assert not is_open(nobody, *PATIENT)
    assert not is_open(nobody, 300, 110)


def test_a_face_beside_the_patient_covers_the_patient_rather_than_stay_open() -> None:
    near = (PATIENT[0] + 60, PATIENT[1])
    (image,) = recorded([shown(noise(), 0)], box(*PATIENT), box(*near))
    assert not is_open(image, near[0] + 20, near[1])


def test_faces_that_are_followed_are_hidden_also_where_the_search_misses_them() -> None:
    live = LiveBlur(sees(box(*PATIENT)), spare_patient=True)
    one = shown(noise(), 0)
    assert one.frame is not None
    others = (OtherFace(2, points_at(*OTHER)),)
    frame, _ = live.hide(one.frame, one.points, 0.0, one.analysis, others)
    assert is_open(frame.image, *PATIENT)
    assert not is_open(frame.image, *OTHER)


@pytest.mark.parametrize("spare", [False, True])
def test_without_the_option_the_patient_is_hidden_as_ever(spare: bool) -> None:
    live = LiveBlur(sees(box(*PATIENT), box(*OTHER)), spare_patient=spare)
    one = shown(noise(), 0)
    assert one.frame is not None
    frame, _ = live.hide(one.frame, one.points, 0.0, one.analysis)
    assert is_open(frame.image, *PATIENT) == spare
    assert frame.image.shape == (HEIGHT, WIDTH, 3)
