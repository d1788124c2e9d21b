"""The limits by which covered parts are found are chosen by what they find."""

from dataclasses import replace

import numpy as np
import pytest

from realtime.face.visibility import ALL_PARTS, VisibilityLimits, eye_distance, mouth_halves, spreads, visibility
from tests.tools.data.test_points98 import face

pytest.importorskip("torch", reason="needs the tools extra")
from tools.train.landmarks import covered

MOUTH = ALL_PARTS.index("mouth")
NOW = VisibilityLimits(presence=0.95, mouth=0.026, eye=0.0285, brow=0.0262)


def looks() -> covered.Looks:
    """Clear faces at 0.02 and presence 1; covered mouths at 0.025 and 0.975; one clear face as unsure as those."""
    presence = np.array([1.0] * 40 + [0.975] * 20 + [0.975], np.float32)
    spread = np.full((61, len(ALL_PARTS)), 0.018, np.float32)
    spread[40:, MOUTH] = 0.0255
    share = np.zeros_like(spread)
    share[40:60, MOUTH] = 1.0
    # An eye and a brow are covered once each, and plainly seen to be.
    spread[:2, [0, 2]], presence[:2], share[:2, [0, 2]] = 0.04, 0.9, 1.0
    return covered.Looks(presence, spread, share, np.zeros((61, 2), np.float32), np.zeros(61, bool))


def test_limits_are_chosen_that_find_covered_parts_within_what_may_be_mistaken() -> None:
    chosen = covered.choose(looks(), NOW, allowed=0.05)
    assert covered.found(looks(), NOW)["mouth"] == 0
    assert covered.found(looks(), chosen)["mouth"] == 1
    assert covered.mistaken(looks(), chosen) == pytest.approx(1 / 39)
    strict = covered.choose(looks(), NOW, allowed=0.0)
    assert covered.mistaken(looks(), strict) == 0
    assert covered.found(looks(), strict) == {"mouth": 0, "eye": 1, "brow": 1, "beside": 0}


def test_a_low_presence_hides_the_part_that_is_least_sure() -> None:
    clear = np.zeros((1, len(ALL_PARTS)), np.float32)
    one = covered.Looks(
        np.array([0.5], np.float32), clear + np.float32(0.01), clear, np.zeros((1, 2), np.float32), np.zeros(1, bool)
    )
    one.spread[0, MOUTH] = 0.02
    assert one.hidden(NOW)[0].tolist() == [part == "mouth" for part in ALL_PARTS]


@pytest.mark.parametrize("limits", [NOW, replace(NOW, half_mouth=0.0255, half_presence=0.99)])
def test_pictures_together_are_judged_as_visibility_judges_each(limits: VisibilityLimits) -> None:
    rng, points, many = np.random.default_rng(3), face(), 300
    distance = eye_distance(points, None)
    deviations = (rng.uniform(0.015, 0.035, (many, 98)) * distance).astype(np.float32)
    covariances = (deviations[:, :, None, None] ** 2) * np.eye(2, dtype=np.float32)
    presence = rng.uniform(0.8, 1, many).astype(np.float32)
    patch = np.zeros((3, 8, 8), np.float32)
    each = [
        visibility(limits, patch, points, one, None, float(p)).hidden
        for one, p in zip(covariances, presence, strict=True)
    ]
    spread = np.array([list(spreads(one, distance).values()) for one in covariances], np.float32)
    halves = np.array([mouth_halves(one, distance) for one in covariances], np.float32)
    looks = covered.Looks(presence, spread, np.zeros_like(spread), halves, np.zeros(many, bool))
    together = looks.hidden(limits)
    assert [tuple(part for part, on in zip(ALL_PARTS, row, strict=True) if on) for row in together] == each
    assert 0.1 < together.mean() < 0.9


def test_the_limit_of_half_a_mouth_is_the_one_that_finds_most_fingers_within_what_may_be_mistaken() -> None:
    """Fingers at 0.027 beside 0.02 and 0.99, two clear faces at 0.0245 beside 0.02: they must not be lost."""
    presence = np.array([1.0] * 18 + [0.99] * 12, np.float32)
    spread = np.full((30, len(ALL_PARTS)), 0.018, np.float32)
    halves = np.full((30, 2), 0.02, np.float32)
    halves[18:20, 1], halves[20:, 0] = 0.0245, 0.027
    fingers = np.arange(30) >= 20
    share = np.zeros_like(spread)
    share[fingers, MOUTH] = 0.5
    seen = covered.Looks(presence, spread, share, halves, fingers)
    chosen = covered.choose_half(seen, NOW, allowed=0.01)
    assert 0.0245 <= chosen.half_mouth < 0.027
    assert covered.fingers_found(seen.of(fingers), chosen) == 1
    assert covered.fingers_found(seen.of(fingers), NOW) == 0
    assert covered.mistaken(seen, chosen) == 0


def test_things_lie_in_front_of_the_parts_they_are_meant_for() -> None:
    rng = np.random.default_rng(2)
    picture, points = covered.square(np.zeros((220, 220, 3), np.uint8), face())
    assert picture.shape == (covered.SIZE, covered.SIZE, 3)
    at = np.rint(points).astype(int)
    masks = list(covered.covers(points, rng))
    over = [
        {part: (mask[at[own, 1], at[own, 0]] > 127).mean() for part, own in covered.POINTS.items()} for mask in masks
    ]
    assert over[4]["mouth"] == 1
    assert over[4]["left eye"] == over[4]["right eye"] == 0
    assert over[5]["left eye"] == over[5]["right eye"] == 1
    assert over[5]["mouth"] == 0
    assert (covered.covered_by(picture, masks[5], rng)[masks[5] == 0] == 0).all()
