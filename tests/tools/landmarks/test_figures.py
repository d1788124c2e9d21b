"""The evaluation's bookkeeping and the figures that need no model."""

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the tools extra")

from tests.tools.data.test_points98 import face
from tools.data.crops import Strength
from tools.data.landmark_batches import FaceSet, rarity
from tools.evaluate.figures import Figure, as_json, table
from tools.evaluate.landmark_behaviour import second_difference
from tools.evaluate.landmark_models import through_crops

pytestmark = pytest.mark.tools


def test_an_aim_is_met_missed_or_absent() -> None:
    assert Figure("p", "a", 2.0, at_most=3).met is True
    assert Figure("p", "a", 2.0, at_least=3).met is False
    assert Figure("p", "a", 2.0).met is None
    assert Figure("p", "a", float("nan"), at_most=3).met is False


def test_table_and_json_carry_every_figure() -> None:
    figures = [Figure("p", "first", np.float64(1.5), "%", at_most=1, cases=7), Figure("p", "second", 2)]
    text = table(figures)
    assert "first" in text
    assert "NO" in text
    rows = json.loads(as_json(figures))
    assert [row["met"] for row in rows] == [False, None]
    assert rows[0]["value"] == 1.5


def test_second_difference_ignores_steady_motion_and_counts_shaking() -> None:
    steady = np.stack([face() + np.array((3.0 * t, -t)) for t in range(20)])
    assert second_difference(steady) == pytest.approx(0, abs=1e-5)
    shaking = steady + np.array([(-1) ** t for t in range(20)])[:, None, None] * np.array((0.5, 0))
    span = np.linalg.norm(face()[60] - face()[72])
    assert second_difference(shaking) == pytest.approx(2 / span, rel=1e-3)


def test_crops_are_displaced_as_far_as_said_and_not_farther() -> None:
    points = np.stack([face(i) for i in range(40)]).astype(np.float32)
    pictures = [np.zeros((220, 220, 3), np.uint8)] * 40
    faces = FaceSet("photographs", pictures, points, np.ones((40, 98)), [], Strength(), 1.0, rarity(points))
    seen: list[tuple[np.ndarray, float, float]] = []

    def record(_picture: np.ndarray, square: tuple[np.ndarray, float, float]) -> np.ndarray:
        seen.append(square)
        return points[0]

    through_crops(record, faces, 0.1, 0.2, 20)
    from tools.data.points98 import square_from_points

    shifts = [
        np.abs(c - square_from_points(p)[0]).max() / square_from_points(p)[1]
        for (c, _, _), p in zip(seen, points, strict=True)
    ]
    turns = [np.degrees(abs(r - square_from_points(p)[2])) for (_, _, r), p in zip(seen, points, strict=True)]
    assert 0.05 < max(shifts) <= 0.1
    assert 10 < max(turns) <= 20


def test_unusual_shapes_are_drawn_more_often() -> None:
    points = np.stack([face(i) for i in range(30)])
    points[7, 33:60] += 25
    draw = rarity(points)
    assert draw.sum() == pytest.approx(1)
    assert draw.argmax() == 7


def test_the_command_refuses_a_part_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tools.evaluate import __main__ as command

    monkeypatch.setattr("sys.argv", ["evaluate", "--data", "nowhere", "noses"])
    assert command.main() == 2
    assert "noses" in capsys.readouterr().err
