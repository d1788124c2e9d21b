"""Hand-placed points are read into the places that mean the same, on a ruler of irises."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from realtime.errors import UserInputError
from tools.data.london import (
    HAND_POINTS,
    as_wflw,
    for_training,
    iris_diameter,
    portraits,
    read_template,
)
from tools.data.london_labels import BY_HAND, MOST_BALANCE, group_balance, with_hand


def template() -> np.ndarray:
    """189 points on a line, with rings of radius 6 around (100, 50) and (160, 50)."""
    points = np.stack([np.arange(189), np.arange(189) + 0.5], 1).astype(np.float32)
    angle = np.arange(8) * np.pi / 4
    for first, x in ((2, 100), (10, 160)):
        points[first : first + 8] = np.stack([x + 6 * np.cos(angle), 50 + 6 * np.sin(angle)], 1)
    return points


def written(folder: Path, points: np.ndarray) -> Path:
    file = folder / "001.tem"
    rows = "\n".join(f"{x:.2f}\t{y:.2f}" for x, y in points)
    file.write_text(f"{len(points)}\n{rows}\n3\n0\n0\n", encoding="ascii")
    return file


def test_a_template_is_read_without_its_lines(tmp_path: Path) -> None:
    points = template()
    np.testing.assert_allclose(read_template(written(tmp_path, points)), points, atol=0.01)
    (tmp_path / "bad.tem").write_text("two points\n", encoding="ascii")
    with pytest.raises(UserInputError, match=r"bad\.tem"):
        read_template(tmp_path / "bad.tem")


def test_places_that_mean_the_same() -> None:
    found = as_wflw(template())
    assert len(HAND_POINTS) == 31
    assert len(set(HAND_POINTS.values())) == 31
    np.testing.assert_allclose(found[62], (20, 20.5))
    np.testing.assert_allclose(found[16], (129, 129.5))
    assert np.isnan(found[[0, 33, 54, 90]]).all()
    assert iris_diameter(template()) == pytest.approx(12, abs=1e-3)


def test_portraits_have_groups_rulers_and_a_split_that_never_changes(tmp_path: Path) -> None:
    for kind in ("neutral", "smiling"):
        (tmp_path / kind).mkdir()
        cv2.imwrite(str(tmp_path / kind / "001.jpg"), np.full((1440, 1000, 3), 90, np.uint8))
    written(tmp_path / "neutral", template())
    (tmp_path / "info.csv").write_text("face_id,face_age,face_gender,face_eth\n001,24,female,black\n", encoding="utf-8")
    calm, smiling = portraits(tmp_path)
    assert (calm.ethnicity, calm.smiling, smiling.smiling) == ("black", False, True)
    assert calm.picture.shape == (720, 500, 3)
    assert calm.mm == pytest.approx(11.77 / 6, abs=1e-3)
    assert smiling.hand is None
    assert calm.training is smiling.training is for_training("london/001")
    assert 20 < sum(for_training(f"london/{n:03d}") for n in range(60)) < 40
    with pytest.raises(UserInputError):
        portraits(tmp_path / "neutral")


def test_lids_and_pupils_come_from_the_hand() -> None:
    points, hand = np.zeros((98, 2), np.float32), np.full((98, 2), np.nan, np.float32)
    hand[list(HAND_POINTS)] = 7
    mixed = with_hand(points, hand)
    assert (mixed[BY_HAND] == 7).all()
    assert not np.delete(mixed, BY_HAND, 0).any()
    assert np.isfinite(with_hand(points, None)).all()


def test_groups_with_few_people_are_drawn_more_often_but_not_without_bound() -> None:
    weight = group_balance(["white"] * 32 + ["black"] * 8 + ["east_asian"])
    assert weight[0] == 1
    assert weight[32] == pytest.approx(2)
    assert weight[-1] == MOST_BALANCE
