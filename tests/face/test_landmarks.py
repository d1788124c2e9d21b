"""Contracts, crops and the network's numbers in frame pixels."""

from typing import Any

import numpy as np
import pytest

from realtime.errors import ModelFileError
from realtime.face.contract import PFLD_GHOST_ONE, LandmarkContract, Layout, Presence
from realtime.face.crops import crop_from_box, crop_from_points, crop_shift, five_of, roll_of_five, square_crop
from realtime.face.face_model import FACE_2D
from realtime.face.geometry import invert, transform
from realtime.face.landmarks import LandmarkModel
from realtime.face.retinaface import Anchors
from realtime.models.contracts import anchors_of, landmark_contract
from realtime.models.manifest import ModelInput, ModelSpec
from realtime.types import F32, F64

CONTRACT = LandmarkContract(size=112)


def face(x: float = 300.0, y: float = 200.0, size: float = 80.0, angle: float = 0.0) -> F32:
    c, s = np.cos(angle) * size, np.sin(angle) * size
    return (FACE_2D @ np.array(((c, s), (-s, c))) + (x, y)).astype(np.float32)


def corners(crop: F64, size: int = 112) -> F32:
    """Frame positions of the crop's outer corners."""
    edge = np.array(((-0.5, -0.5), (size - 0.5, -0.5), (size - 0.5, size - 0.5), (-0.5, size - 0.5)), np.float32)
    return transform(invert(crop), edge)


def spec(**changes: Any) -> ModelSpec:
    values = {
        "name": "test",
        "role": "landmarks",
        "file": "x.onnx",
        "sha256": "0" * 64,
        "bytes": 1,
        "licence": "MIT",
        "source": "here",
        "purpose": "test",
        "input": ModelInput(name="crop", height=112, width=112, order="RGB"),
        "outputs": {"points": "points"},
    }
    return ModelSpec(**(values | changes))


def test_square_crop_maps_edges_to_edges() -> None:
    crop = square_crop(50.0, 40.0, 30.0, 0.0, 112)
    assert corners(crop) == pytest.approx(np.array(((35, 25), (65, 25), (65, 55), (35, 55))), abs=1e-3)


def test_square_crop_turns_with_the_face() -> None:
    """A face tilted clockwise by 30 degrees stands upright in the crop."""
    points = face(angle=np.pi / 6)
    upright = transform(crop_from_points(points, CONTRACT), points)
    assert roll_of_five(five_of(points)) == pytest.approx(np.pi / 6, abs=1e-3)
    assert upright[72, 1] == pytest.approx(upright[60, 1], abs=0.05)
    assert upright.min() > 0
    assert upright.max() < 111


def test_crop_from_points_by_the_rule() -> None:
    """Side 1.3 times the longer side of the bounds, around their middle."""
    points = face()
    low, high = points.min(axis=0), points.max(axis=0)
    found = corners(crop_from_points(points, CONTRACT))
    side = 1.3 * (high - low).max()
    assert found[2] - found[0] == pytest.approx((side, side), rel=1e-3)
    assert (found[0] + found[2]) / 2 == pytest.approx((low + high) / 2, abs=0.1)


@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_crop_from_box_by_the_rule(angle: float) -> None:
    """Side 1.05 S, middle 0.12 S down the face; with a tilt, down the tilted face."""
    five = five_of(face(angle=angle))
    box = np.array((100, 50, 180, 150), np.float32)
    found = corners(crop_from_box(box, five, CONTRACT))
    middle = (found[0] + found[2]) / 2
    down = 0.12 * 100
    tilt = roll_of_five(five)
    assert middle == pytest.approx((140 - np.sin(tilt) * down, 100 + np.cos(tilt) * down), abs=0.01)
    assert np.hypot(*(found[1] - found[0])) == pytest.approx(105, abs=0.01)


def test_crop_shift_is_in_sides() -> None:
    points = face()
    used = crop_from_points(points, CONTRACT)
    side = np.hypot(*np.diff(corners(used)[:2], axis=0)[0])
    moved = points + np.array((0.25 * side, 0), np.float32)
    assert crop_shift(points, used, CONTRACT) == pytest.approx(0, abs=1e-4)
    assert crop_shift(moved, used, CONTRACT) == pytest.approx(0.25, abs=1e-3)
    assert crop_shift(np.full((98, 2), np.nan, np.float32), used, CONTRACT) == np.inf


@pytest.mark.parametrize("layout", ["unit", "signed", "pixels"])
def test_points_come_back_where_the_network_saw_them(layout: Layout) -> None:
    truth = face(angle=0.3)
    contract = LandmarkContract(size=112, layout=layout)
    crop = crop_from_points(truth, contract)

    def network(blob: F32) -> dict[str, F32]:
        pixels = transform(crop, truth)
        half = np.float32(0.5)
        layouts = {
            "unit": (pixels + half) / np.float32(112),
            "signed": (pixels + half) / np.float32(56) - np.float32(1),
            "pixels": pixels,
        }
        return {"points": layouts[layout].reshape(1, 196).astype(np.float32)}

    image = np.zeros((400, 600, 3), np.uint8)
    found = LandmarkModel(network, contract).locate(image, crop)
    assert np.abs(found.points - truth).max() < 1e-3
    assert found.covariance is None
    assert found.presence is None


@pytest.mark.parametrize("full", [False, True])
def test_covariance_in_frame_pixels_by_sampling(full: bool) -> None:
    """The ellipse of samples mapped back to the frame is the covariance mapped back."""
    crop = square_crop(200.0, 150.0, 50.0, 0.7, 112)
    rng = np.random.default_rng(0)
    matrix = np.array(((4e-4, 1.5e-4), (1.5e-4, 2e-4)))
    samples = rng.multivariate_normal((0.4, 0.6), matrix, 40_000)
    in_frame = transform(invert(crop), (samples * 112 - 0.5).astype(np.float32))
    rows = matrix.reshape(4) if full else matrix[[0, 0, 1], [0, 1, 1]]

    def network(blob: F32) -> dict[str, F32]:
        return {
            "points": np.full((1, 98, 2), 0.5, np.float32),
            "covariance": np.tile(rows, (1, 98, 1)).astype(np.float32),
        }

    contract = LandmarkContract(size=112, covariance="unit")
    found = LandmarkModel(network, contract).locate(np.zeros((300, 400, 3), np.uint8), crop)
    assert found.covariance is not None
    assert found.covariance.shape == (98, 2, 2)
    assert found.covariance[17] == pytest.approx(np.cov(in_frame.T), rel=0.05, abs=0.01)


def test_log_sigma_is_in_crop_sides() -> None:
    def network(blob: F32) -> dict[str, F32]:
        return {"points": np.zeros((1, 98, 2), np.float32), "covariance": np.full((1, 98), np.log(0.02), np.float32)}

    contract = LandmarkContract(size=112, covariance="log_sigma")
    found = LandmarkModel(network, contract).locate(
        np.zeros((300, 400, 3), np.uint8), square_crop(200, 150, 50, 0.3, 112)
    )
    assert found.covariance is not None
    assert found.covariance[3] == pytest.approx(np.eye(2) * (0.02 * 50) ** 2, rel=1e-4)


@pytest.mark.parametrize(
    ("kind", "value", "expected"), [("probability", 0.3, 0.3), ("logit", 0.0, 0.5), ("logit", 500.0, 1.0)]
)
def test_presence(kind: Presence, value: float, expected: float) -> None:
    def network(blob: F32) -> dict[str, F32]:
        return {"points": np.zeros((1, 98, 2), np.float32), "presence": np.array([value], np.float32)}

    contract = LandmarkContract(size=112, presence=kind)
    found = LandmarkModel(network, contract).locate(np.zeros((50, 50, 3), np.uint8), square_crop(20, 20, 20, 0, 112))
    assert found.presence == pytest.approx(expected)


@pytest.mark.parametrize(
    ("contract", "outputs", "words"),
    [
        ({}, {}, "98 points under 'points'; it gives nothing"),
        ({}, {"points": np.zeros((1, 136), np.float32)}, r"98 points under 'points'; it gives shape \(1, 136\)"),
        (
            {"covariance": "unit"},
            {"points": np.zeros((1, 196), np.float32)},
            "covariance for 98 points; it gives nothing",
        ),
        ({"presence": "logit"}, {"points": np.zeros((1, 196), np.float32)}, "output 'presence'; there is none"),
    ],
)
def test_wrong_networks_are_named(contract: dict[str, Any], outputs: dict[str, F32], words: str) -> None:
    model = LandmarkModel(lambda blob: outputs, LandmarkContract(size=112, **contract))
    with pytest.raises(ModelFileError, match=words):
        model.locate(np.zeros((50, 50, 3), np.uint8), square_crop(20, 20, 20, 0, 112))


def test_contract_from_the_manifest() -> None:
    contract = landmark_contract(
        spec(
            outputs={"points": "p", "covariance": "c", "presence": "q"},
            input=ModelInput(
                name="crop", height=112, width=112, order="RGB", mean=(127.5,) * 3, scale=(1 / 127.5,) * 3
            ),
            parameters={"point_scale": 1.25, "upright": True},
        )
    )
    assert contract == LandmarkContract(
        size=112,
        rgb=True,
        mean=(127.5,) * 3,
        scale=(1 / 127.5,) * 3,
        point_scale=1.25,
        covariance="unit",
        presence="probability",
    )
    assert landmark_contract(spec()).presence == "none"
    assert PFLD_GHOST_ONE.covariance == "none"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"parameters": {"layout": "inches"}}, "layout should be one of unit, signed, pixels"),
        ({"outputs": {"boxes": "b"}}, "no output 'points'"),
        ({"input": ModelInput(name="crop", height=112, width=96)}, "square"),
        ({"input": ModelInput(name="crop")}, "square"),
    ],
)
def test_manifest_entries_that_mean_nothing(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelFileError, match=words):
        landmark_contract(spec(**changes))


def test_anchors_from_the_manifest() -> None:
    assert anchors_of(spec(role="detector")) == Anchors()
    other = anchors_of(spec(role="detector", parameters={"min_sizes": [[10, 20], [32, 64]], "steps": [8, 16]}))
    assert other == Anchors(((10, 20), (32, 64)), (8, 16))
    with pytest.raises(ModelFileError, match="min_sizes"):
        anchors_of(spec(role="detector", parameters={"min_sizes": [[10, 20]]}))
