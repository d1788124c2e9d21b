"""auto-eFACE agrees with an independent implementation on the same points; what cannot be had says why."""

import math
from dataclasses import fields, replace

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


def photographs(rng: np.random.Generator, affected: Affected) -> dict[str, F64]:
    """One picture of each movement: the affected side weak or strong, the other one moves; every point is a little off."""

    def moved(parts: dict[int, tuple[float, float]]) -> F64:
        points = rest.copy()
        for index, way in parts.items():
            points[index] += way
        return points + rng.normal(0, 0.3, points.shape)

    def both(right: list[int], left: list[int], way: tuple[float, float]) -> dict[int, tuple[float, float]]:
        weak, strong = rng.uniform(-0.1, 1.1), rng.uniform(0.5, 1.1)
        on_left, on_right = (weak, strong) if affected == "left" else (strong, weak)
        return dict.fromkeys(right, (-way[0] * on_right, way[1] * on_right)) | dict.fromkeys(
            left, (way[0] * on_left, way[1] * on_left)
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
    pictures = photographs(np.random.default_rng(seed), affected)
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


NOT_MADE: dict[str, tuple[Movement, str]] = {
    "brow_raise": ("brow_raise", "by 1 mm"),
    "gentle_closure": ("gentle_closure", "30 % of its opening"),
    "full_closure": ("tight_closure", "30 % of its opening"),
    "smile": ("open_smile", "by 1.5 mm"),
    "lower_lip": ("eee", "by 1 mm"),
}
SMALL = {
    "brow_raise": {"brow_height": Sides(21.8, 22.9)},
    "gentle_closure": {"fissure_height": Sides(9.2, 8.0)},
    "tight_closure": {"fissure_height": Sides(9.2, 8.0)},
    "open_smile": {"commissure": Sides(27.8, 29.1)},
    "eee": {"lower_lip_height": Sides(38.2, 37.1)},
}


@pytest.mark.parametrize("affected", ["left", "right", "none"])
@pytest.mark.parametrize("name", NOT_MADE)
def test_a_movement_that_was_not_made_leaves_its_item_empty_and_says_so(name: str, affected: Affected) -> None:
    """One side reads a little below 0: by the published formula that is 0 points, or 100, for noise."""
    movement, words = NOT_MADE[name]
    score = eface(examination(affected, peaks(affected, 0.5) | {movement: snapshot(SMALL[movement])}))
    item = score.item(f"eface.{name}")
    assert item.value is None
    assert item.reason.startswith("Neither")
    assert words in item.reason
    assert score.item("eface.dynamic").value is None
    others = [other for other in NOT_MADE if other != name]
    assert all(score.item(f"eface.{other}").value is not None for other in others)


def test_one_repetition_that_was_not_made_is_left_out_of_the_mean() -> None:
    whole = examination("left", peaks("left", 0.5))
    smiles = [number for number, one in enumerate(whole.repetitions) if one.movement == "open_smile"]
    tries = list(whole.repetitions)
    tries[smiles[1]] = replace(tries[smiles[1]], at_peak=snapshot(SMALL["open_smile"]))
    smile, all_made = (
        eface(replace(whole, repetitions=tuple(one))).item("eface.smile") for one in (tries, whole.repetitions)
    )
    assert smile.value == pytest.approx(all_made.value)
    assert smile.spread is not None
    assert smile.spread.count == 2


@pytest.mark.parametrize("healthy", [-0.5, 0.0, 0.5])
def test_a_side_that_moves_farther_than_a_still_healthy_side_has_the_whole_share(healthy: float) -> None:
    at_peak = snapshot({"commissure": Sides(34.0, 28.0 + healthy)})
    found = {one: eface(examination(one, {"open_smile": at_peak})).item("eface.smile").value for one in SIDED}
    assert found["left"] == 100
    assert found["right"] == pytest.approx(max(0.0, 100 * healthy / 6))
    assert found["none"] == pytest.approx(50 + max(0.0, 50 * healthy / 6)), "a half smile is a smile"


SIDED: tuple[Affected, ...] = ("left", "right", "none")


@pytest.mark.parametrize("movement", ["open_smile", "pucker"])
def test_ocular_synkinesis_needs_both_movements_of_the_mouth(movement: Movement) -> None:
    """Half of what the item compares is no value of it: not made, not measured, or with the healthy eye shut."""
    at_peak = peaks("left", 0.5)
    for lengths, words in (
        ({}, "Neither side moved in"),
        ({**at_peak[movement].lengths, "fissure_height": Sides(9.0, 0.4)}, "An eye was shut in"),
        ({**at_peak[movement].lengths, "fissure_height": Sides(math.nan, 9.0)}, "fissure was not measured in"),
    ):
        item = eface(examination("left", at_peak | {movement: snapshot(lengths)})).item("eface.ocular_synkinesis")
        assert item.value is None
        assert words in item.reason


def test_an_eye_that_is_shut_at_rest_has_nothing_to_close() -> None:
    rest = snapshot({"fissure_height": Sides(0.6, 9.0)})
    shut = snapshot({"fissure_height": Sides(0.5, 0.5)})
    item = eface(examination("left", {"gentle_closure": shut}, rest=rest)).item("eface.gentle_closure")
    assert item.value is None
    assert item.reason == "The eye was shut at rest, before gentle eye closure."
