"""A stored face: known again in other light and size, not taken for somebody else's, and never while that is in doubt."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from realtime.face.face_embedding import SIZE, FaceEmbedding, FaceMemory, StoredFaceSearch, is_clear
from realtime.types import F32, U8, FaceObservation
from tests.face.world import Disc, texture

EMBEDDING = FaceEmbedding()


def portrait(person: int, size: int = 240, light: float = 0.0) -> tuple[U8, FaceObservation]:
    """A picture of a "person" (a texture), lit from one side, and the face on it."""
    disc = Disc(size / 2, size / 2, size / 2.6)
    grey = cv2.resize(cv2.resize(texture(person, 60), (size, size)), (size, size)).astype(np.float32)
    lit = grey * (1 + light * np.linspace(-1, 1, size, dtype=np.float32)[None])
    image = np.repeat(np.clip(lit, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    points = disc.points()
    box = np.concatenate([points.min(axis=0), points.max(axis=0)]).astype(np.float32)
    return image, FaceObservation(person, box, points, points, 0.95, detected=True, pose=(0.0, 0.0, 0.0))


def embedded(person: int, size: int = 240, light: float = 0.0) -> F32:
    image, face = portrait(person, size, light)
    return EMBEDDING.of(image, face.points)


def test_a_face_is_more_like_itself_in_other_light_and_size_than_like_anybody() -> None:
    stored = {person: embedded(person) for person in range(1, 6)}
    for person in stored:
        seen = embedded(person, size=180, light=0.5)
        likes = {number: float(seen @ values) for number, values in stored.items()}
        assert max(likes, key=lambda number: likes[number]) == person
        assert likes[person] > 0.9
        assert max(value for number, value in likes.items() if number != person) < 0.87
        assert seen.shape == (SIZE,)
        assert float(seen @ seen) == pytest.approx(1, abs=1e-5)


def test_a_black_picture_gives_numbers() -> None:
    assert np.isfinite(EMBEDDING.of(np.zeros((240, 240, 3), np.uint8), Disc(120, 120, 90).points())).all()


def searched(
    stored: F32, *people: tuple[U8, FaceObservation], frames: int = 60, search: StoredFaceSearch | None = None
) -> StoredFaceSearch:
    search = search or StoredFaceSearch(stored)
    for number in range(frames):
        for image, face in people:
            search.look(image, face, number / 30)
    return search


def test_the_stored_face_is_found_among_others() -> None:
    search = searched(embedded(2), *(portrait(person, 180, 0.4) for person in (1, 2, 3)))
    assert search.found() == 2
    assert search.found([1, 3]) is None
    assert search.found([2]) == 2


def test_nobody_is_found_where_it_is_not_sure() -> None:
    assert searched(embedded(9), *(portrait(person) for person in (1, 2))).found() is None, "a stranger"
    assert searched(embedded(2), portrait(2), frames=30).found() is None, "too few looks"
    image, face = portrait(2)
    twin = replace(face, face_id=7)
    assert searched(embedded(2), (image, face), (image, twin)).found() is None, "two who look alike"
    covered = replace(face, hidden=("mouth",))
    turned = replace(face, pose=(30.0, 0.0, 0.0))
    for unclear in (covered, turned, replace(face, pose=None), replace(face, confidence=0.5)):
        assert not is_clear(unclear)
        assert searched(embedded(2), (image, unclear)).found() is None


def test_one_who_came_back_under_another_number_is_no_twin() -> None:
    image, face = portrait(2)
    search = StoredFaceSearch(embedded(2))
    for number in range(120):
        search.look(image, face if number < 60 else replace(face, face_id=8), number / 30)
    assert search.found() in (2, 8)
    assert search.found([8]) == 8


def test_what_is_remembered_is_one_face_seen_well_for_a_while() -> None:
    memory = FaceMemory()
    image, face = portrait(4)
    for number in range(80):
        memory.look(image, face, number / 30)
    assert memory.embedding is None, "27 looks"
    for number in range(80, 100):
        memory.look(image, face, number / 30)
    assert memory.embedding is not None
    assert float(memory.embedding @ embedded(4)) == pytest.approx(1, abs=1e-4)
    memory.look(*portrait(5), 4.0)
    assert memory.embedding is None, "somebody else begins anew"
    assert memory.looks == 1
