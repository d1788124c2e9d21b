"""Sunnybrook, FNGS and HB-8: the published formulas, the steps, and what stays empty with its reason."""

from dataclasses import replace

import pytest

from realtime.clinic import Affected, Examination, Movement, Repetition, Snapshot
from realtime.clinic.fngs import grade, region_grade
from realtime.clinic.house_brackmann import grade as hb_grade
from realtime.clinic.house_brackmann import house_brackmann, points
from realtime.clinic.items import check_overruled
from realtime.clinic.scores import score_examination
from realtime.clinic.sunnybrook import VOLUNTARY, voluntary_grade
from realtime.errors import UserInputError
from realtime.types import Sides
from tests.clinic.people import examination, peaks, smile, snapshot

TRUTH = {0.0: 1, 0.25: 2, 0.5: 3, 0.75: 4, 1.0: 5}


@pytest.mark.parametrize("affected", ["left", "right"])
@pytest.mark.parametrize(("gain", "expected"), TRUTH.items())
def test_each_voluntary_item_follows_the_share_of_the_healthy_side(
    gain: float, expected: int, affected: Affected
) -> None:
    found = score_examination(examination(affected, peaks(affected, gain))).sunnybrook
    assert {name: found.item(f"sunnybrook.voluntary.{name}").value for name in VOLUNTARY} == dict.fromkeys(
        VOLUNTARY, expected
    )
    assert found.item("sunnybrook.voluntary").value == 4 * 5 * expected


def test_the_composite_is_4_voluntary_minus_5_rest_minus_1_synkinesis() -> None:
    given = {
        "sunnybrook.rest.eye": 1,
        "sunnybrook.rest.cheek": 2,
        "sunnybrook.rest.mouth": 1,
        "sunnybrook.synkinesis.open_smile": 3,
        "sunnybrook.synkinesis.pucker": 2,
        "sunnybrook.voluntary.snarl": 1,
    }
    found = score_examination(examination("left", peaks("left", 0.5), overruled=given)).sunnybrook
    composite = found.item("sunnybrook.composite")
    assert composite.overruled == 4 * (3 + 3 + 3 + 1 + 3) - 5 * (1 + 2 + 1) - 1 * (3 + 2)
    assert composite.value is None  # what was measured alone lacks the fold
    assert found.item("sunnybrook.voluntary.snarl").value == 3  # the estimate stands beside the clinician's value
    assert found.item("sunnybrook.voluntary").value == 60
    assert found.item("sunnybrook.voluntary").overruled == 52


def test_without_the_fold_the_composite_says_what_it_lies_between() -> None:
    composite = score_examination(examination("left", peaks("left", 0.5))).sunnybrook.item("sunnybrook.composite")
    assert composite.value is None
    assert (composite.least, composite.most) == (50, 60)
    assert "resting symmetry" in composite.reason


def test_the_healthy_corner_pulling_the_still_one_is_no_movement_of_it() -> None:
    """Both corners shift to the patient's left by 2 mm: the left one moves outward, the right one is dragged inward."""
    dragged = snapshot(smile(Sides(8.0, -2.0), Sides(6.0, 0.0)))
    found = score_examination(examination("right", peaks("right", 0.0) | {"open_smile": dragged}))
    assert found.sunnybrook.item("sunnybrook.voluntary.open_smile").value == 1


def test_without_millimetres_action_units_tell_the_share() -> None:
    """Lengths are taken away; Action Units of the affected side reach half of the healthy side's."""
    units = {"brow_raise": (1, 2), "gentle_closure": (45,), "open_smile": (12,), "snarl": (9, 10), "pucker": (18,)}
    none = {unit: Sides(0.0, 0.0) for unit in (1, 2, 9, 10, 12, 18, 45)}

    def bare(movement: Movement) -> Snapshot:
        return Snapshot(5, 0, units={**none, **{unit: Sides(2.0, 4.0) for unit in units[movement]}})

    tries = [Repetition(m, 1, "counted", rest=Snapshot(5, 0, units=none), at_peak=bare(m)) for m in VOLUNTARY]
    found = score_examination(Examination("Ada", "left", "all", "", None, repetitions=tuple(tries)))
    assert [found.sunnybrook.item(f"sunnybrook.voluntary.{one}").value for one in VOLUNTARY] == [3] * 5
    assert any("by Action Units" in one for one in found.sunnybrook.remarks)
    assert found.sunnybrook.item("sunnybrook.rest.mouth").value is None
    assert found.eface.item("eface.smile").value is None


def test_a_smile_whose_heights_were_withheld_is_judged_by_action_units_and_says_so() -> None:
    """The corner's height is not given at that pose; a smile that was measured and hardly seen stays empty."""
    none = Sides(float("nan"), float("nan"))
    units = {12: Sides(1.0, 4.0)}
    rest = snapshot({}, {12: Sides(0.0, 0.0)})
    seen = examination("left", {"open_smile": snapshot({"corner_height": none}, units)}, rest=rest)
    found = score_examination(seen)
    assert found.sunnybrook.item("sunnybrook.voluntary.open_smile").value == 2
    assert found.fngs.item("fngs.oral").value == region_grade(0.25)
    assert [one for one in found.sunnybrook.remarks if "not measured at the peak: open smile. " in one]
    still = score_examination(examination("left", {"open_smile": snapshot({}, units)}, rest=rest))
    assert still.sunnybrook.item("sunnybrook.voluntary.open_smile").value is None
    assert not any("Action Units" in one for one in still.sunnybrook.remarks)


def test_rest_items_need_more_than_their_step_and_more_than_noise() -> None:
    crooked = snapshot({"corner_height": Sides(-64.5, -62.0), "fissure_height": Sides(9.0, 8.0)})
    found = score_examination(examination("left", peaks("left", 0.5), rest=crooked)).sunnybrook
    assert found.item("sunnybrook.rest.mouth").value == 1
    assert found.item("sunnybrook.rest.eye").value == 0
    shaking = score_examination(examination("left", peaks("left", 0.5), rest=crooked, noise=2.0)).sunnybrook
    assert shaking.item("sunnybrook.rest.mouth").value == 0
    assert found.item("sunnybrook.rest.cheek").value is None
    assert "fold" in found.item("sunnybrook.rest.cheek").reason


def test_where_no_side_is_affected_the_weaker_side_is_judged_and_noise_is_not() -> None:
    weak = score_examination(examination("none", peaks("right", 0.5))).sunnybrook
    assert weak.item("sunnybrook.voluntary.open_smile").value == 3
    healthy = score_examination(examination("none", peaks("none", 1.0), noise=0.15)).sunnybrook
    assert healthy.item("sunnybrook.voluntary").value == 100


@pytest.mark.parametrize("name", ["sunnybrook.voluntary.pucker", "fngs.oral"])
def test_what_cannot_be_judged_is_empty_with_a_reason(name: str) -> None:
    both = score_examination(examination("both", peaks("none", 1.0)))
    item = next(one for one in both.items() if one.name == name)
    assert item.value is None
    assert "both sides are affected" in item.reason
    still = peaks("left", 0.5) | {"open_smile": snapshot({}), "pucker": snapshot({})}
    item = next(one for one in score_examination(examination("left", still)).items() if one.name == name)
    assert item.value is None
    assert "hardly moved" in item.reason
    nothing = Examination("Ada", "left", "eface", "", "iris", repetitions=(Repetition("pucker", 1, "skipped"),))
    item = next(one for one in score_examination(nothing).items() if one.name == name)
    assert item.value is None
    assert item.reason.endswith(("was skipped.", "was not reached or not asked for."))
    over = next(one for one in score_examination(replace(nothing, finished=True)).items() if one.name == name)
    assert over.reason.endswith(("was skipped.", "was not part of the examination."))


def test_an_overruled_value_must_be_on_the_scale() -> None:
    items = list(score_examination(examination("left", peaks("left", 0.5))).items())
    check_overruled(items, "sunnybrook.rest.cheek", 2)
    for name, value, words in (
        ("sunnybrook.rest.cheek", 3, "from 0 to 2"),
        ("sunnybrook.rest.cheek", 0.5, "whole number"),
        ("sunnybrook.rest.cheek", float("nan"), "not nan"),
        ("sunnybrook.composite", 70, "no item 'sunnybrook.composite'"),
        ("eface.smile", 70, "no item"),
    ):
        with pytest.raises(UserInputError, match=words):
            check_overruled(items, name, value)


def test_fngs_sums_four_regions_and_secondary_movement_once_the_fold_is_entered() -> None:
    found = score_examination(examination("left", peaks("left", 0.6), overruled={"fngs.fold": 3})).fngs
    assert [found.item(f"fngs.{name}").used for name in ("brow", "eye", "fold", "oral", "secondary")] == [3, 4, 3, 3, 0]
    assert found.item("fngs.total").overruled == 13
    assert found.item("fngs.total").value is None
    assert [grade(total) for total in (4, 5, 9, 10, 14, 15, 19, 20, 23, 24, 27)] == [
        *("I", "II", "II", "III", "III", "IV", "IV", "V", "V", "VI", "VI")
    ]
    assert [region_grade(share) for share in (1.0, 0.8, 0.6, 0.3, 0.1, 0.0)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("left", "right", "affected", "grade_of_eye"),
    [
        (1.3, 1.2, "none", 1),  # lids that touch and read as a gap: both alike
        (1.3, 1.2, "left", 1),
        (1.9, 0.4, "left", 4),
        (1.9, 0.4, "none", 4),
        (0.4, 1.9, "left", 1),
        (0.9, 0.0, "left", 1),
    ],
)
def test_an_eye_does_not_shut_where_it_stays_open_farther_than_the_other(
    left: float, right: float, affected: Affected, grade_of_eye: int
) -> None:
    closed = snapshot({"fissure_height": Sides(left, right)})
    found = score_examination(examination(affected, peaks("none", 1.0) | {"tight_closure": closed})).fngs
    assert found.item("fngs.eye").value == grade_of_eye


def test_hb_8_counts_full_quarter_centimetres_on_each_side() -> None:
    assert [points(way) for way in (-1.0, 0.0, 2.4, 2.5, 4.9, 5.0, 7.5, 10.0, 14.0)] == [0, 0, 0, 1, 1, 2, 3, 4, 4]
    found = house_brackmann(examination("left", peaks("left", 0.5)))
    # Brow 4 and 8 mm, corner 3 and 6 mm sideways.
    assert [found.item(f"house_brackmann.left.{part}").value for part in ("brow", "mouth")] == [1, 1]
    assert [found.item(f"house_brackmann.right.{part}").value for part in ("brow", "mouth")] == [3, 2]
    assert (found.item("house_brackmann.left").value, found.item("house_brackmann.right").value) == (2, 5)
    assert [hb_grade(total) for total in range(9)] == ["VI", "V", "V", "IV", "IV", "III", "III", "II", "I"]


@pytest.mark.parametrize("affected", ["left", "none", "both"])
def test_a_movement_that_nobody_made_is_no_grade_vi(affected: Affected) -> None:
    """Both sides still: with a healthy side the movement was not made; where both are affected it is the result."""
    still = {**peaks("left", 0.5), "brow_raise": snapshot({})}
    score = house_brackmann(examination(affected, still))
    brow, total = score.item("house_brackmann.right.brow"), score.item("house_brackmann.right")
    if affected == "both":
        assert (brow.value, total.value) == (0, 2)
    else:
        assert brow.value is None
        assert brow.reason == "Neither side moved in brow raise: the movement was not made."
        assert (total.value, total.least, total.most) == (None, 2, 6)


def test_voluntary_steps_lie_midway_between_the_truth_table() -> None:
    assert [voluntary_grade(share) for share in (-0.2, 0.12, 0.13, 0.37, 0.38, 0.62, 0.63, 0.87, 0.88, 1.4)] == [
        *(1, 1, 2, 2, 3, 3, 4, 4, 5, 5)
    ]
