"""auto-eFACE agrees with an independent implementation on the same points; what cannot be had says why."""

import math
from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.clinic import Affected, Examination, Movement, Repetition, Scale, Snapshot, measure_lengths
from realtime.clinic.eface import eface
from realtime.face.face_model import HEAD_3D
from realtime.face.pose import HEAD_PITCH_ZERO, rotation
from realtime.types import Sides
from tests.clinic.emotrics import items as reference
from tests.clinic.people import examination, peaks, snapshot

F64 = NDArray[np.float64]
MM = 0.4
ITEMS = (
    *("brow", "fissure", "commissure", "brow_raise", "gentle_closure", "full_closure", "smile", "lower_lip"),
    "ocular_synkinesis",
)


def face() -> F64:
    """(98, 2) pixels of the mean head from the front."""
    points = np.asarray(HEAD_3D @ rotation(0.0, -HEAD_PITCH_ZERO, 0.0), np.float64)[:, :2] * (25.0, -25.0)
    return np.asarray(points + np.array((320.0, 240.0)))


def photographs(rng: np.random.Generator) -> dict[str, F64]:
    """One picture of each movement: each side by itself, weak or strong, and every point a little off."""

    def moved(parts: dict[int, tuple[float, float]]) -> F64:
        points = rest.copy()
        for index, way in parts.items():
            points[index] += way
        return points + rng.normal(0, 0.3, points.shape)

    def both(right: list[int], left: list[int], way: tuple[float, float]) -> dict[int, tuple[float, float]]:
        weak = rng.uniform(-0.1, 1.1, 2)
        return dict.fromkeys(right, (-way[0] * weak[0], way[1] * weak[0])) | dict.fromkeys(
            left, (way[0] * weak[1], way[1] * weak[1])
        )

    rest = face() + rng.normal(0, 1.0, (98, 2))
    lids = [61, 62, 63], [69, 70, 71]
    gap = float(rest[66, 1] - rest[62, 1])
    return {
        "rest": rest,
        "brow_raise": moved(both([33, 34, 35, 36, 37], [42, 43, 44, 45, 46], (0, -18))),
        "gentle_closure": moved(both(*lids, (0, 0.9 * gap))),
        "tight_closure": moved(both(*lids, (0, gap))),
        "open_smile": moved(both([76, 77, 87, 88], [82, 81, 83, 92], (14, -10)) | both(*lids, (0, 0.4 * gap))),
        "pucker": moved(both([76, 88], [82, 92], (-10, 0)) | both(*lids, (0, 0.3 * gap))),
        "eee": moved(both([95, 86], [93, 84], (0, 8))),
    }


def measured(points: F64) -> Snapshot:
    lengths = measure_lengths(points, Scale(MM, "iris"), (0.0, 0.0, 0.0))
    named = {field.name: getattr(lengths, field.name) for field in fields(lengths)}
    return Snapshot(1, 0, {name: value for name, value in named.items() if isinstance(value, Sides)})


def examined(pictures: dict[str, F64], affected: Affected) -> Examination:
    calm = measured(pictures["rest"])
    names: tuple[Movement, ...] = ("brow_raise", "gentle_closure", "tight_closure", "open_smile", "pucker", "eee")
    tries = [Repetition("rest", 1, "counted", rest=calm)]
    tries += [Repetition(name, 1, "counted", rest=calm, at_peak=measured(pictures[name])) for name in names]
    return Examination("Ada", affected, "eface", "2026-11-27T10:00:00+00:00", "iris", repetitions=tuple(tries))


@pytest.mark.parametrize("affected", ["left", "right"])
@pytest.mark.parametrize("seed", range(6))
def test_items_agree_with_an_independent_implementation_on_the_same_points(seed: int, affected: Affected) -> None:
    pictures = photographs(np.random.default_rng(seed))
    expected = reference(pictures, MM, affected)
    score = eface(examined(pictures, affected))
    found = {name: score.item(f"eface.{name}").value for name in ITEMS}
    assert found == pytest.approx(expected, abs=0.1)
    values = [expected[name] for name in ITEMS]
    assert score.item("eface.nine").value == pytest.approx(np.mean(values), abs=0.1)
    assert score.item("eface.static3").value == pytest.approx(np.mean(values[:3]), abs=0.1)
    assert score.item("eface.dynamic").value == pytest.approx(np.mean(values[3:8]), abs=0.1)
    assert score.item("eface.synkinesis").value == pytest.approx(values[8], abs=0.1)


def test_the_published_total_is_not_replaced_by_a_mean_over_fewer_items() -> None:
    score = eface(examination("left", peaks("left", 0.5)))
    total, nine = score.item("eface.total"), score.item("eface.nine")
    assert total.value is None
    assert "nasolabial fold" in total.reason
    assert nine.value is not None
    assert total.least == pytest.approx(0.9 * nine.value)
    assert total.most == pytest.approx(0.9 * nine.value + 10)
    assert score.item("eface.static").value is None


def test_a_healthy_face_reaches_the_top_and_a_still_side_does_not() -> None:
    healthy = eface(examination("none", peaks("none", 1.0)))
    assert healthy.item("eface.nine").value == pytest.approx(100)
    still = eface(examination("right", peaks("right", 0.0)))
    for name in ("brow_raise", "gentle_closure", "full_closure", "smile", "lower_lip"):
        assert still.item(f"eface.{name}").value == pytest.approx(0)


def test_a_skipped_movement_leaves_its_item_empty_with_the_reason() -> None:
    whole = examination("left", peaks("left", 0.5))
    tries = [one for one in whole.repetitions if one.movement != "eee"] + [Repetition("eee", 1, "skipped")]
    score = eface(Examination("Ada", "left", "eface", "", "iris", repetitions=tuple(tries)))
    assert score.item("eface.lower_lip").value is None
    assert score.item("eface.lower_lip").reason == 'The movement long "eee" was skipped.'
    assert score.item("eface.nine").value is None


def test_both_sides_affected_and_no_millimetres_are_reasons() -> None:
    both = eface(examination("both", peaks("none", 1.0)))
    assert both.item("eface.smile").value is None
    assert "both sides" in both.item("eface.smile").reason
    bare = Snapshot(5, 0)
    tries = (
        Repetition("rest", 1, "counted", rest=bare),
        Repetition("open_smile", 1, "counted", rest=bare, at_peak=bare),
    )
    without = eface(Examination("Ada", "left", "eface", "", None, repetitions=tries))
    assert "no millimetres" in without.item("eface.smile").reason
    assert without.item("eface.nine").value is None


def test_repetitions_give_a_spread_and_a_nan_is_left_out() -> None:
    score = eface(examination("left", peaks("left", 0.5), noise=0.2))
    smile = score.item("eface.smile")
    assert smile.spread is not None
    assert smile.spread.count == 3
    assert smile.value == pytest.approx(smile.spread.mean)
    assert 0 < smile.spread.sdc < 40
    nine = score.item("eface.nine")
    assert nine.spread is not None
    assert math.isfinite(nine.spread.sdc)
    holed = eface(
        examination("left", peaks("left", 0.5) | {"eee": snapshot({"lower_lip_height": Sides(math.nan, 30)})})
    )
    assert holed.item("eface.lower_lip").value is None
    assert holed.item("eface.smile").value == pytest.approx(50, abs=15)
