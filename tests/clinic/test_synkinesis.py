"""The synkinesis matrix finds what moves along, on its side, and nothing in healthy co-movement or noise."""

import pytest

from realtime.clinic import Affected, Snapshot
from realtime.clinic.excursion import REGIONS
from realtime.clinic.scores import score_examination
from realtime.clinic.synkinesis import FLOORS, MOVING, synkinesis
from realtime.types import Sides
from tests.clinic.people import examination, peaks, sides, smile, snapshot


def narrowing(affected: str, weak: float, healthy: float) -> Snapshot:
    """A smile in which the eyes lose these shares of their opening."""
    lengths = smile(sides(affected, 3.0, 6.0), sides(affected, 2.5, 5.0))
    return snapshot({**lengths, "fissure_height": Sides(*(9 * (1 - one) for one in sides(affected, weak, healthy)))})


@pytest.mark.parametrize("affected", ["left", "right"])
@pytest.mark.parametrize(("share", "grade"), [(0.2, 0), (0.3, 1), (0.45, 2), (0.8, 3)])
def test_oral_ocular_synkinesis_is_the_affected_eyes_loss_beyond_the_healthy_eyes(
    affected: Affected, share: float, grade: int
) -> None:
    found = synkinesis(examination(affected, peaks(affected, 0.5) | {"open_smile": narrowing(affected, share, 0.1)}))
    cell = found.pattern("oral-ocular")
    assert cell is not None
    assert cell.grade == grade
    assert cell.side == (affected if grade else None)
    assert (cell.movement, cell.region) == ("open_smile", "eye")
    assert found.cell("open_smile", "eye").moved == pytest.approx(sides(affected, share, 0.1))


@pytest.mark.parametrize("affected", ["left", "right"])
def test_ocular_oral_synkinesis_is_the_corners_way_in_eye_closure(affected: Affected) -> None:
    pulled = snapshot(
        {**smile(sides(affected, 3.0, 0.2), sides(affected, 3.0, 0.2)), "fissure_height": Sides(0.0, 0.0)}
    )
    found = synkinesis(examination(affected, peaks(affected, 1.0) | {"tight_closure": pulled}))
    cell = found.pattern("ocular-oral")
    assert cell is not None
    assert (cell.movement, cell.grade, cell.side) == ("tight_closure", 1, affected)


@pytest.mark.parametrize("affected", ["left", "right"])
def test_action_units_tell_both_patterns_as_well(affected: Affected) -> None:
    blinking = snapshot({}, {45: sides(affected, 1.4, 0.2)})
    pulling = snapshot({"fissure_height": Sides(0.0, 0.0)}, {12: sides(affected, 0.7, 0.0)})
    at_peak = peaks(affected, 1.0) | {"pucker": blinking, "gentle_closure": pulling}
    found = synkinesis(examination(affected, at_peak))
    lids, corner = found.pattern("oral-ocular"), found.pattern("ocular-oral")
    assert lids is not None
    assert corner is not None
    assert (lids.movement, lids.region, lids.side, lids.grade) == ("pucker", "lids", affected, 2)
    assert (corner.movement, corner.region, corner.side, corner.grade) == ("gentle_closure", "corner", affected, 1)


def test_what_both_sides_do_alike_is_no_synkinesis() -> None:
    smiling = narrowing("none", 0.5, 0.5)
    found = synkinesis(examination("none", peaks("none", 1.0) | {"open_smile": smiling}, noise=0.2))
    judged = [cell for cell in found.cells if cell.grade is not None]
    assert len(judged) > 15
    assert all(cell.grade == 0 for cell in judged)


def test_the_healthy_sides_own_movement_is_not_the_affected_sides_synkinesis() -> None:
    """A palsied eye that narrows less in a smile than the healthy one does not move along."""
    found = synkinesis(examination("left", peaks("left", 0.3) | {"open_smile": narrowing("left", 0.0, 0.4)}))
    assert found.cell("open_smile", "eye").grade == 0
    either = synkinesis(examination("both", peaks("none", 1.0) | {"open_smile": narrowing("left", 0.0, 0.4)}))
    assert either.cell("open_smile", "eye").side == "right"


def test_noise_of_the_examination_raises_the_threshold() -> None:
    def cell(noise: float) -> tuple[float, int | None]:
        smiling = narrowing("left", 0.32, 0.1)
        found = synkinesis(examination("left", peaks("left", 0.5) | {"open_smile": smiling}, noise=noise)).cell(
            "open_smile", "eye"
        )
        return found.threshold, found.grade

    quiet, shaking = cell(0.0), cell(1.0)
    assert quiet == (FLOORS["eye"], 1)
    assert shaking[0] > 2 * FLOORS["eye"]
    assert shaking[1] == 0


def test_regions_that_belong_to_the_movement_and_movements_that_are_missing_are_not_judged() -> None:
    found = synkinesis(examination("left", {"open_smile": peaks("left", 0.2)["open_smile"]}))
    assert len(found.cells) == len(MOVING) * len(REGIONS)
    mouth = found.cell("open_smile", "mouth")
    assert mouth.intended
    assert mouth.grade is None
    missing = found.cell("pucker", "eye")
    assert missing.grade is None
    assert missing.reason == "The movement lip pucker was not part of the examination."
    assert found.during("pucker") is None


@pytest.mark.parametrize("affected", ["left", "right", "both", "none"])
def test_a_movement_that_was_not_made_shows_no_absence_of_synkinesis(affected: Affected) -> None:
    found = score_examination(examination(affected, peaks("left", 0.5) | {"open_smile": snapshot({})}))
    cells = [one for one in found.synkinesis.cells if one.movement == "open_smile" and not one.intended]
    assert {one.grade for one in cells} == {None}
    assert {one.reason for one in cells} == {"Neither side moved in open smile: nothing could move along."}
    item = found.sunnybrook.item("sunnybrook.synkinesis.open_smile")
    assert item.value is None
    assert item.reason == cells[0].reason
    assert found.sunnybrook.item("sunnybrook.synkinesis.pucker").value == 0


def test_what_is_seen_to_move_along_counts_though_the_movement_itself_did_not_come() -> None:
    blinking = snapshot({}, {45: Sides(1.4, 0.2)})
    cell = synkinesis(examination("left", {"open_smile": blinking})).cell("open_smile", "lids")
    assert (cell.side, cell.grade) == ("left", 2)
