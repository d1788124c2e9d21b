"""Folds lie on the side that moves, where the movement cuts them, and are a person's own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from realtime.types import F32, U8
from tools.synth.expressions import coefficients
from tools.synth.folds import CUT_BY, Skin, folded, skin_of
from tools.synth.heads import Head, bank_files, load_head
from tools.synth.kit import Kit, sided
from tools.synth.points import point_model

SIZE = 256
MIDDLE = SIZE // 2


@pytest.fixture
def head(bank: Path) -> Head:
    return load_head(bank_files(bank, False)[0])


@pytest.fixture
def skin(head: Head, kit: Kit) -> Skin:
    """A person with deep folds everywhere."""
    made = skin_of(head.name, head.brows, kit)
    return replace(made, depth=dict.fromkeys(CUT_BY, 1.0), bend=1.0)


@pytest.fixture
def plain() -> U8:
    return np.full((SIZE, SIZE, 3), 160, np.uint8)


def change(plain: U8, skin: Skin, expression: F32) -> np.ndarray:
    """Darkening (SIZE, SIZE)."""
    return plain.mean(2) - folded(plain, skin, expression).mean(2)


def test_a_face_at_rest_has_none(plain: U8, skin: Skin) -> None:
    assert folded(plain, skin, np.zeros(57, np.float32)) is plain


@pytest.mark.parametrize(
    "unit", ["frown_brow", "inner_brow", "outer_brow", "smile", "cheek_raise", "dimple", "depress"]
)
def test_a_movement_of_one_side_folds_that_side(plain: U8, skin: Skin, unit: str) -> None:
    left, right = (np.abs(change(plain, skin, coefficients(unit, *sides))) for sides in ((1.0, 0.0), (0.0, 1.0)))
    # The patient's left is the atlas' right.
    assert left[:, MIDDLE:].sum() > 5 * left[:, :MIDDLE].sum()
    assert right[:, :MIDDLE].sum() > 5 * right[:, MIDDLE:].sum()
    assert left.max() > 15


def test_folds_deepen_with_the_movement_and_with_the_person(plain: U8, skin: Skin) -> None:
    depths = [change(plain, skin, coefficients("frown_brow", s, s)).max() for s in (0.2, 0.5, 1.0)]
    assert depths[0] < depths[1] < depths[2]
    smooth = replace(skin, depth=dict.fromkeys(CUT_BY, 0.0))
    assert folded(plain, smooth, coefficients("frown_brow", 1, 1)) is plain


def test_a_frown_folds_the_skin_between_the_brows_and_a_raised_brow_the_forehead(
    plain: U8, skin: Skin, head: Head, kit: Kit
) -> None:
    brows = head.brows.on(kit.places) * (SIZE, -SIZE) + (0, SIZE)
    inner, height = brows[[5, 17], 0], brows[:, 1].min()
    y, x = np.unravel_index(np.argmax(change(plain, skin, coefficients("frown_brow", 1, 1))), (SIZE, SIZE))
    assert inner[0] < x < inner[1]
    y, x = np.unravel_index(np.argmax(change(plain, skin, coefficients("brow_raise", 1, 1))), (SIZE, SIZE))
    assert y < height


def test_a_raised_chin_is_pitted_between_lip_and_chin_and_the_youngest_skin_shows_it(
    plain: U8, skin: Skin, head: Head, kit: Kit
) -> None:
    points = point_model(kit).fixed.on(kit.places) * (SIZE, -SIZE) + (0, SIZE)
    darker = change(plain, skin, coefficients("shrug_lower", 1, 1)) > 5
    rows = np.flatnonzero(darker.any(1))
    assert points[85, 1] < rows.min()
    assert rows.max() < points[16, 1] + 3
    for name in ("a", "b", "c", "d", "e", "f"):
        own = skin_of(name, head.brows, kit).depth
        assert min(own["chin"], own["under_lip"], own["beside_nose"]) >= 0.1


def test_folds_are_a_persons_own_and_stay_so(head: Head, kit: Kit) -> None:
    one, again, other = (skin_of(name, head.brows, kit) for name in ("a", "a", "b"))
    for fold in CUT_BY:
        for mine, same in zip(one.curves[fold][0], again.curves[fold][0], strict=True):
            np.testing.assert_array_equal(mine, same)
    assert one.depth == again.depth
    assert not np.array_equal(one.curves["nasolabial"][0][0], other.curves["nasolabial"][0][0])


def test_every_fold_is_cut_by_movements_of_the_kit() -> None:
    for shares in CUT_BY.values():
        for name in shares:
            assert sided(name, "L") >= 0
