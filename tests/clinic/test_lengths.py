"""Lengths against closed forms, against an independent implementation, and on turned heads whose truth is known."""

import math
from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import trapezoid
from scipy.interpolate import CubicSpline

from realtime.clinic import mouth_depth
from realtime.clinic.curve import Curve, left_of, polygon_area
from realtime.clinic.frontal import seen_from_front
from realtime.clinic.lengths import MOST_PITCH, MOST_YAW, measure_lengths
from realtime.clinic.scale import Scale
from realtime.face import wflw
from realtime.face.face_model import HEAD_3D
from realtime.face.pose import HEAD_PITCH_ZERO, rotation
from realtime.types import F64, Millimetres, Sides

PIXELS = 3.2  # of a millimetre, on the made-up pictures
SCALE = Scale(1 / PIXELS, "ruler")
SIDED = [f.name for f in fields(Millimetres) if isinstance(f.default, Sides)]
MIDLINE = ["philtrum_deviation", "fai"]


def head() -> F64:
    """(98, 3) mm: the mean head in axes in which it looks straight ahead, with an open mouth and unlike sides."""
    points = 10 * HEAD_3D @ rotation(0.0, -HEAD_PITCH_ZERO, 0.0)
    points[[93, 94, 95], 1] -= 6.0
    points[82, :2] += (5.0, 4.0)
    points[92, :2] += (4.5, 3.5)
    points[[69, 70, 71], 1] -= 2.0
    points[33:42, 1] += 1.5
    points[79, 0] += 1.0
    # Lips and chin lie as deep as faces that look like this do on average.
    points[list(mouth_depth.POINTS), 2] = 10 * mouth_depth.depths(points[:, :2] / 10, np.zeros(2))
    return np.asarray(points)


def picture(points: F64, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> NDArray[np.float64]:
    """(98, 2) pixels of a distant camera."""
    seen = points @ rotation(yaw, pitch, roll).T
    return np.asarray(np.stack([640 + PIXELS * seen[:, 0], 360 - PIXELS * seen[:, 1]], axis=1))


def measured(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0, points: F64 | None = None) -> Millimetres:
    """The lengths of a turned head whose pose is known."""
    return measure_lengths(picture(head() if points is None else points, yaw, pitch, roll), SCALE, (yaw, pitch, roll))


def values(lengths: Millimetres) -> dict[str, float]:
    """Every length by name."""
    found = {f"{name}.{side}": getattr(getattr(lengths, name), side) for name in SIDED for side in ("left", "right")}
    return found | {name: getattr(lengths, name) for name in MIDLINE}


def independent(points: F64) -> dict[str, float]:
    """The same definitions written once more, with SciPy's splines, sampled areas and complex numbers, on (N, 3) mm from the front."""
    plane = points[:, 0] + 1j * points[:, 1]
    right_eye, left_eye = (plane[60] + plane[64]) / 2, (plane[68] + plane[72]) / 2
    centre, along = (right_eye + left_eye) / 2, (left_eye - right_eye) / abs(left_eye - right_eye)
    z = (plane - centre) / along

    def spline(indices: list[int]) -> CubicSpline:
        ordered = z[sorted(indices, key=lambda i: z[i].real)]
        return CubicSpline(ordered.real, ordered.imag, bc_type="natural")

    def shoelace(ring: list[int]) -> float:
        return abs(sum((z[a].conjugate() * z[b]).imag for a, b in zip(ring, ring[1:] + ring[:1], strict=True))) / 2

    out: dict[str, float] = {}
    grid = np.linspace(z[88].real, z[92].real, 40001)
    upper, lower = ([88, 89, 90, 91, 92], [88, 95, 94, 93, 92])
    height = np.interp(grid, z[upper].real, z[upper].imag) - np.interp(grid, z[lower].real, z[lower].imag)
    sides = {
        "left": ([68, 69, 70, 71, 72], [68, 75, 74, 73, 72], range(42, 47), 97, 68, 82, 93, 92, grid >= 0),
        "right": ([60, 61, 62, 63, 64], [60, 67, 66, 65, 64], range(33, 38), 96, 64, 76, 95, 88, grid <= 0),
    }
    for side, (up, low, brow, pupil, eye_corner, corner, lip, inner, half) in sides.items():
        over, under, at = spline(up), spline(low), z[pupil]
        eye = (z[up[0]] + z[up[-1]]) / 2
        middle = eye.real
        out[f"brow_height.{side}"] = spline(list(brow))(eye.real) - eye.imag
        out[f"fissure_height.{side}"] = over(middle) - under(middle)
        out[f"fissure_area.{side}"] = shoelace([*up, *low[3:0:-1]])
        out[f"mrd1.{side}"] = over(at.real) - at.imag
        out[f"mrd2.{side}"] = at.imag - under(at.real)
        away = z[corner] - 1j * spline([87, 86, 85, 84, 83])(0.0)
        out[f"commissure.{side}"] = abs(away)
        angle = np.angle(away, deg=True)
        out[f"smile_angle.{side}"] = 90 + (angle if angle < 90 else 180 - angle)
        out[f"corner_height.{side}"] = z[corner].imag
        out[f"lower_lip_height.{side}"] = z[lip].imag - spline(list(range(11, 22)))(z[lip].real)
        midway = ((z[90] + z[94]).real / 2 + z[inner].real) / 2
        out[f"dental_show.{side}"] = spline(upper)(midway) - spline(lower)(midway)
        out[f"interlabial_area.{side}"] = trapezoid(height[half], grid[half])
        out[f"fai {side}"] = abs(z[eye_corner] - z[corner])
    out["philtrum_deviation"] = z[79].real
    out["fai"] = out.pop("fai left") - out.pop("fai right")
    return {name: float(value) for name, value in out.items()}


def test_lengths_agree_with_an_independent_implementation() -> None:
    expected = independent(head())
    found = values(measured())
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=0.02 if "interlabial" in name else 1e-6), name


def test_lengths_of_a_face_drawn_with_ruler_and_compasses() -> None:
    points = np.zeros((98, 3))
    points[96, :2], points[97, :2] = (-31, 0), (31, 0)
    for eye, x in ((60, -31), (68, 31)):  # a rhomb of 30 x 10 mm, the lids' middles 5 mm over and under the pupil
        for i, at in enumerate(
            [(-15, 0), (-7.5, 2.5), (0, 5), (7.5, 2.5), (15, 0), (7.5, -2.5), (0, -5), (-7.5, -2.5)]
        ):
            points[eye + i, :2] = (x + at[0], at[1])
    for brow, x in ((33, -31), (42, 31)):
        points[brow : brow + 5, :2] = [(x + step, 22) for step in (-20, -10, 0, 10, 20)]
    points[11:22, :2] = [(step, -100) for step in np.linspace(-40, 40, 11)]
    points[79, 0] = 1.5
    # A one-sided smile has pulled the lower lip's own middle (85) along: the midline is what counts.
    points[[87, 86, 85, 84, 83], :2] = [(-9, -70), (-3, -70), (3, -70), (8, -70), (12, -70)]
    points[82, :2], points[76, :2] = (30, -30), (-24, -63)
    points[88:96, :2] = [(-20, -60), (-10, -57), (0, -57), (10, -57), (20, -60), (10, -63), (0, -63), (-10, -63)]
    # A camera would not see this sheet of paper turned; its scale is all that the head's size is asked for.
    found = measure_lengths(picture(points), SCALE, (0.0, 0.0, 0.0))
    assert found.brow_height == pytest.approx((22, 22))
    assert found.fissure_height == pytest.approx((10, 10), abs=0.8)
    assert found.fissure_area == pytest.approx((150, 150))
    assert found.mrd1 == pytest.approx((5, 5), abs=0.4)
    assert found.commissure == pytest.approx((50, 25))
    assert found.smile_angle.left == pytest.approx(90 + math.degrees(math.asin(0.8)))
    assert found.smile_angle.right == pytest.approx(90 + math.degrees(math.asin(7 / 25)))
    assert found.corner_height == pytest.approx((-30, -63))
    assert found.lower_lip_height == pytest.approx((37, 37))
    assert found.interlabial_area == pytest.approx((90, 90))
    assert found.philtrum_deviation == pytest.approx(1.5)
    assert found.fai == pytest.approx(math.hypot(14, 30) - math.hypot(8, 63))


@pytest.mark.parametrize("turn", [(15, 0, 0), (-15, 0, 0), (0, 15, 0), (0, -15, 0), (12, -9, 20), (0, 0, -30)])
def test_a_turned_head_measures_as_from_the_front(turn: tuple[float, float, float]) -> None:
    """The expression moved points within the plane of the face, and lips and chin are as deep as is told: depths are exact here."""
    straight, turned = values(measured()), values(measured(*turn))
    for name, value in straight.items():
        assert turned[name] == pytest.approx(value, abs=1e-6), name


def test_without_the_correction_a_turned_head_would_measure_wrong() -> None:
    uncorrected = measure_lengths(picture(head(), 15.0), SCALE, (0.0, 0.0, 0.0))
    assert abs(uncorrected.commissure.right - measured().commissure.right) > 2
    assert abs(uncorrected.philtrum_deviation - measured().philtrum_deviation) > 2


def test_a_mirrored_face_swaps_its_sides() -> None:
    mirrored = head()[wflw.FLIP_ORDER] * (-1, 1, 1)
    plain, swapped = measured(5, 4, 3), measured(-5, 4, -3, points=mirrored)
    for name in SIDED:
        left, right = getattr(plain, name)
        assert getattr(swapped, name) == pytest.approx((right, left)), name
    assert swapped.philtrum_deviation == pytest.approx(-plain.philtrum_deviation)
    assert swapped.fai == pytest.approx(-plain.fai)


def test_neither_gaze_nor_a_wink_changes_what_has_nothing_to_do_with_the_eye() -> None:
    points = head()
    points[[69, 70, 71], 1] = points[[75, 74, 73], 1]
    points[97, :2] += (1.5, -3.0)  # in a shut eye the pupil's point is a guess
    plain, wink = measured(), measured(points=points)
    for name in ("brow_height", "corner_height", "smile_angle", "commissure"):
        assert getattr(wink, name) == pytest.approx(getattr(plain, name)), name
    assert wink.philtrum_deviation == pytest.approx(plain.philtrum_deviation)


def test_a_shut_eye_has_a_gap_of_zero_and_no_distance_to_a_pupil_that_is_not_seen() -> None:
    points = head()
    points[[69, 70, 71], 1] = points[[75, 74, 73], 1] - 0.3
    found = measured(points=points)
    assert found.fissure_height.left == 0
    assert math.isnan(found.mrd1.left)
    assert math.isnan(found.mrd2.left)
    assert found.fissure_height.right > 5
    assert found.mrd1.right > 1


def test_lips_that_touch_have_no_gap_and_crossing_ones_no_negative_one() -> None:
    points = head()
    points[[93, 94, 95], :2] = points[[91, 90, 89], :2] - (0, -0.5)
    assert measured(points=points).dental_show == (0, 0)


@pytest.mark.parametrize(
    ("pose", "word"),
    [
        ((MOST_YAW + 1, 0.0, 0.0), "turned"),
        ((-MOST_YAW - 1, 0.0, 0.0), "turned"),
        ((0.0, MOST_PITCH + 1, 0.0), "raised"),
        ((math.nan, 0.0, 0.0), "turned"),
        (None, "pose"),
    ],
)
def test_beyond_the_limits_nothing_is_measured_and_the_reason_is_given(
    pose: tuple[float, float, float] | None, word: str
) -> None:
    found = measure_lengths(picture(head()), SCALE, pose)
    assert word in found.withheld
    assert all(math.isnan(value) for value in values(found).values())
    assert found.mm_per_pixel == SCALE.mm_per_pixel


@pytest.mark.parametrize("pitch", [-17.0, 17.0])
def test_the_corner_s_height_is_withheld_earlier_and_nothing_that_eface_needs(pitch: float) -> None:
    found, straight = measured(pitch=pitch), measured()
    assert not found.withheld
    assert math.isnan(found.corner_height.left)
    for name in ("brow_height", "fissure_height", "commissure", "smile_angle", "lower_lip_height"):
        assert getattr(found, name) == pytest.approx(getattr(straight, name)), name


def test_covered_parts_are_left_out() -> None:
    found = measure_lengths(picture(head()), SCALE, (0.0, 0.0, 0.0), ("mouth", "left brow"))
    assert math.isnan(found.commissure.left)
    assert math.isnan(found.fai)
    assert math.isnan(found.interlabial_area.right)
    assert math.isnan(found.brow_height.left)
    assert found.brow_height.right > 10
    assert found.fissure_height.left > 1
    assert not found.withheld
    covered = measure_lengths(picture(head()), SCALE, (0.0, 0.0, 0.0), ("right eye",))
    assert "eye" in covered.withheld


@pytest.mark.parametrize("broken", [np.zeros((98, 2)), np.full((98, 2), np.nan), np.full((98, 2), 1e30)])
def test_points_that_are_no_face_are_refused(broken: NDArray[np.float64]) -> None:
    found = measure_lengths(broken, SCALE, (0.0, 0.0, 0.0))
    assert found.withheld
    assert all(math.isnan(value) for value in values(found).values())


def test_the_face_from_the_front_tells_how_large_the_head_is() -> None:
    face = seen_from_front(picture(head(), 14, -6, 9), (14.0, -6.0, 9.0))
    assert face is not None
    assert face.head_scale == pytest.approx(10 * PIXELS, rel=1e-3)
    assert seen_from_front(picture(head()), (math.nan, 0.0, 0.0)) is None


def test_curve_is_scipys_natural_spline() -> None:
    rng = np.random.default_rng(3)
    for count in (3, 5, 11):
        x = np.cumsum(rng.uniform(0.2, 3, count))
        y = rng.normal(0, 4, count)
        curve, reference = Curve(np.stack([x, y], axis=1)), CubicSpline(x, y, bc_type="natural")
        for at in rng.uniform(x[0], x[-1], 20):
            assert curve(float(at)) == pytest.approx(float(reference(at)), abs=1e-9)
        assert math.isnan(curve(float(x[0]) - 0.1))
        assert math.isnan(curve(float(x[-1]) + 0.1))
    assert math.isnan(Curve(np.array([[0.0, 0], [2, 1], [1, 3]]))(0.5))


def test_a_polygon_is_cut_at_a_line() -> None:
    square = np.array([[-1.0, 0], [3, 0], [3, 2], [-1, 2]])
    assert polygon_area(square) == pytest.approx(8)
    assert polygon_area(left_of(square, 0.0)) == pytest.approx(6)
    assert polygon_area(left_of(square, 5.0)) == 0
    assert polygon_area(left_of(square, -5.0)) == pytest.approx(8)
