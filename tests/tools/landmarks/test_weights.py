"""The shipped landmark network keeps its contract; on real material it does its work."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the tools extra")

from tests.conftest import ROOT
from tools.data.negatives import plain_nothing
from tools.data.points98 import MIRROR, inter_ocular, nme, square_from_points
from tools.evaluate.landmark_models import Landmarks

WEIGHTS = ROOT / "weights" / "landmarks98.onnx"

pytestmark = pytest.mark.tools


@pytest.fixture(scope="module")
def network() -> Landmarks:
    return Landmarks(WEIGHTS)


def test_contract_and_size(network: Landmarks) -> None:
    (given,) = network.session.get_inputs()
    assert (given.name, given.shape) == ("crop", [1, 3, 112, 112])
    assert {o.name: o.shape for o in network.session.get_outputs()} == {
        "points": [1, 98, 2],
        "covariance": [1, 98, 3],
        "presence": [1],
    }
    assert WEIGHTS.stat().st_size < 3_000_000


def test_no_face_is_no_face_and_covariances_are_ellipses(network: Landmarks) -> None:
    rng = np.random.default_rng(4)
    scores = []
    for _ in range(60):
        points, covariance, presence = network.crop(plain_nothing(rng).crop)
        scores.append(presence)
        xx, xy, yy = covariance.T
        assert ((points >= 0) & (points <= 1)).all()
        assert (xx * yy - xy**2 > 0).all()
    assert np.mean(np.array(scores) > 0.5) <= 0.1


@pytest.mark.shared
def test_a_photograph_and_its_mirror_image(network: Landmarks, shared: Path) -> None:
    import cv2

    from tools.data.teachers import PfldEnsemble

    collage = cv2.imread(str(shared / "faces/sfhq/SFHQ_sample_1x2.jpg"))
    assert collage is not None
    picture = cv2.resize(collage[:, : collage.shape[1] // 2], None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
    side = picture.shape[0]
    box = np.array((0.28, 0.25, 0.68, 0.8), np.float32) * side
    five = np.array([(0.4, 0.45), (0.56, 0.45), (0.48, 0.55), (0.42, 0.65), (0.55, 0.65)], np.float32) * side
    ensemble = PfldEnsemble(shared / "models/pfld_ghostone_98", crops=2)
    truth = ensemble.label(picture, ensemble.first_guess(picture, box, five))[0].mean(0)
    found = network(picture, square_from_points(truth))
    assert nme(found, truth) < 0.06
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    reflected = truth[MIRROR] * np.array((-1, 1)) + np.array((picture.shape[1] - 1, 0))
    again = network(mirrored, square_from_points(reflected))[MIRROR] * np.array((-1, 1)) + np.array(
        (picture.shape[1] - 1, 0)
    )
    assert np.linalg.norm(again - found, axis=1).mean() < 0.04 * inter_ocular(truth)
    blank = np.full_like(picture, 90)
    matrix_side = square_from_points(truth)
    assert np.isfinite(network(blank, matrix_side)).all()
