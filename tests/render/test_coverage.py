"""What is hidden on a picture, from what was found around it."""

from collections.abc import Sequence

import numpy as np
import pytest

from realtime.render.coverage import Coverage

SIZE = 40.0


def box(x: float, y: float = 100.0, size: float = SIZE) -> np.ndarray:
    return np.array([x - size / 2, y - size / 2, x + size / 2, y + size / 2], np.float32)


PATIENT = box(600)


def covers(regions: list[np.ndarray] | None, face: np.ndarray) -> bool:
    assert regions is not None, "hidden as a whole"
    return any((r[:2] <= face[:2]).all() and (r[2:] >= face[2:]).all() for r in regions)


def window(found: Sequence[list[np.ndarray] | None], ahead: int = 0, cut_at: int = -1) -> Coverage:
    """One picture for each list of boxes; the patient is tracked and found on every one."""
    coverage = Coverage(ahead)
    for number, boxes in enumerate(found):
        all_boxes = None if boxes is None else [PATIENT, *boxes]
        coverage.add(number, all_boxes, PATIENT, cut=number == cut_at)
    return coverage


def test_every_face_of_the_picture_is_covered_with_its_whole_head() -> None:
    regions = window([[box(100), box(300)]]).regions(0)
    for face in (box(100), box(300), PATIENT):
        assert covers(regions, face)
        crown = face + np.array([0, -0.45 * SIZE, 0, -0.45 * SIZE], np.float32)
        assert covers(regions, crown)
    assert not covers(regions, box(450))


def test_a_face_that_is_missed_stays_covered_for_a_second_and_then_no_longer() -> None:
    coverage = window([[box(100)]] + [[]] * 30)
    assert covers(coverage.regions(0), box(100))
    coverage = window([[box(100)]] + [[]] * 31)
    assert not covers(coverage.regions(0), box(100))


def test_a_missed_face_is_covered_on_its_way_on() -> None:
    speed = 12.0
    seen = [[box(100 + speed * k)] for k in range(10)]
    coverage = window([*seen, *([[]] * 8)])
    for later in range(1, 9):
        fresh = window([*seen, *([[]] * later)])
        assert covers(fresh.regions(0), box(100 + speed * (9 + later)))
    assert covers(coverage.regions(0), box(100 + speed * 9)), "it may also have stopped"


def test_a_face_is_covered_before_it_is_found() -> None:
    """It comes in from the left, 20 pixels a picture, and is found when it is all inside."""
    places = [box(-60 + 20 * k) for k in range(20)]
    found = [[] if k < 8 else [places[k]] for k in range(20)]
    for at in range(1, 12):
        coverage = window(found[: at + 9], ahead=8)
        assert covers(coverage.regions(8), places[at]), at


def test_a_face_lost_in_fast_motion_is_covered_on_the_whole_way() -> None:
    """Found, lost for five pictures in which it travels 500 pixels, found again."""
    places = [box(50 + 85 * k) for k in range(7)]
    found = [[places[0]], [], [], [], [], [], [places[6]]]
    for at in range(1, 6):
        coverage = window(found[: at + 9], ahead=6)
        assert covers(coverage.regions(len(found[: at + 9]) - 1 - at), places[at]), at


def test_two_faces_that_cross_are_both_covered_while_one_hides_the_other() -> None:
    left = [box(100 + 10 * k) for k in range(31)]
    right = [box(400 - 10 * k) for k in range(31)]
    found = [[left[k]] if 10 < k < 20 else [left[k], right[k]] for k in range(31)]
    for at in range(8, 23):
        coverage = window(found[: at + 9], ahead=8)
        regions = coverage.regions(min(8, 30 - at))
        assert covers(regions, left[at])
        assert covers(regions, right[at]), at


@pytest.mark.parametrize(
    "reason", ["search failed", "nobody tracked", "tracked face not found", "tracked face found before a cut only"]
)
def test_what_is_not_sure_is_hidden_as_a_whole(reason: str) -> None:
    coverage = Coverage(0)
    for number in range(20):
        coverage.add(number, [PATIENT], PATIENT)
    assert coverage.regions(0) is not None
    if reason == "search failed":
        coverage.add(20, None, PATIENT)
    elif reason == "nobody tracked":
        coverage.add(20, [PATIENT], None)
    elif reason == "tracked face not found":
        for number in range(20, 40):
            coverage.add(number, [box(100)], PATIENT)
    else:
        coverage.add(20, [box(100)], PATIENT, cut=True)
    assert coverage.regions(0) is None


def test_an_older_result_covers_a_larger_square() -> None:
    def area(age: float) -> float:
        coverage = Coverage(0)
        coverage.add(0, [PATIENT], PATIENT, age=age)
        regions = coverage.regions(0)
        assert regions is not None
        return max(float(np.prod(r[2:] - r[:2])) for r in regions)

    assert area(0.3) > 1.5 * area(0.0)
