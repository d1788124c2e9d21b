"""Points averaged over several crops of a face: steadier, and still the same for both sides."""

from pathlib import Path

import numpy as np
import pytest

from realtime.analyze import FaceAnalyzer, FaceTracker
from realtime.analyze.models import landmark_model
from realtime.cli import main
from realtime.errors import UserInputError
from realtime.face.alignment import warp_float
from realtime.face.contract import Covariance, Layout
from realtime.face.crops import crop_from_points, square_crop
from realtime.face.geometry import invert, transform
from realtime.face.landmarks import LandmarkModel
from realtime.models import Registry
from realtime.types import F32
from tests.face.test_mirror_average import SIZE, STRAIGHT, OneSided, contract, exchanged, mirrored

SCALES = {1: (1.0,), 2: (0.9, 1.1), 3: (1.0, 0.9, 1.1)}


@pytest.mark.parametrize("crops", [1, 2, 3])
@pytest.mark.parametrize("covariance", ["unit", "log_sigma", "none"])
def test_the_answer_is_the_mean_over_the_crops(crops: int, covariance: Covariance) -> None:
    """Against the mean written out in the picture's own pixels, from crops that are made as squares of the picture."""
    image = np.random.default_rng(2).integers(0, 255, (180, 220, 3), np.uint8)
    place, side = (101.3, 78.9), 130.0
    words = contract(covariance=covariance)
    found = LandmarkModel(OneSided(covariance), words, crop_average=crops).locate(
        image, square_crop(*place, side, 0.35, SIZE)
    )
    mean, scale = np.array(words.mean, np.float32), np.array(words.scale, np.float32)
    points, variances, presences = [], [], []
    for enlarged in SCALES[crops]:
        crop, blob = square_crop(*place, side / enlarged, 0.35, SIZE), np.zeros((1, 3, SIZE, SIZE), np.float32)
        warp_float(image, crop, mean, scale, words.rgb, blob[0])
        answer = OneSided(covariance)(blob)
        points.append(transform(invert(crop), (answer["points"].reshape(98, 2) * SIZE - 0.5).astype(np.float32)))
        presences.append(float(answer["presence"][0]))
        if covariance == "unit":  # turning a covariance leaves its trace
            variances.append(answer["covariance"].reshape(98, 3)[:, (0, 2)].sum(axis=1) * (side / enlarged) ** 2)
        elif covariance == "log_sigma":
            variances.append(answer["covariance"].reshape(98) + np.log(side / enlarged))
    assert found.points == pytest.approx(np.mean(points, axis=0), abs=2e-3)
    assert found.presence == pytest.approx(np.mean(presences), rel=1e-5)
    if found.covariance is not None:
        trace, expected = np.trace(found.covariance, axis1=1, axis2=2), np.mean(variances, axis=0)
        assert trace == pytest.approx(expected if covariance == "unit" else 2 * np.exp(2 * expected), rel=1e-3)
    assert (found.covariance is None) == (covariance == "none")


@pytest.mark.parametrize("layout", ["unit", "signed", "pixels"])
def test_with_the_mirror_images_a_mirrored_picture_gives_exchanged_points(layout: Layout) -> None:
    image = np.random.default_rng(1).integers(0, 255, (180, 220, 3), np.uint8)
    model = LandmarkModel(OneSided(), contract(layout=layout), mirror_average="every", crop_average=3)
    found = model.locate(image, STRAIGHT)
    other = model.locate(np.ascontiguousarray(image[:, ::-1]), mirrored(STRAIGHT, 220))
    # Crops that are enlarged fall between pixels: each grey value is rounded once.
    assert exchanged(other, 220) == pytest.approx(found.points, abs=0.02)


@pytest.mark.parametrize(
    ("crops", "mirror", "calls"), [(1, False, 1), (2, False, 2), (3, False, 3), (2, True, 4), (3, True, 6)]
)
def test_how_often_the_network_is_asked_and_that_the_patch_is_the_crop_itself(
    crops: int, mirror: bool, calls: int
) -> None:
    network, image = OneSided(), np.random.default_rng(3).integers(0, 255, (180, 220, 3), np.uint8)
    found = LandmarkModel(network, contract(), mirror_average="every" if mirror else "off", crop_average=crops).locate(
        image, STRAIGHT
    )
    assert network.calls == calls
    LandmarkModel(network, contract(), crop_average=crops).locate(image, STRAIGHT, rough=True)
    assert network.calls == calls + 1, "points that a crop is made of come from one crop"
    assert np.array_equal(found.patch, LandmarkModel(OneSided(), contract()).locate(image, STRAIGHT).patch)
    assert np.array_equal(found.crop, STRAIGHT)


def test_the_shipped_networks_points_depend_less_on_where_the_crop_lies() -> None:
    registry = Registry()
    session = registry.open(registry.manifest.find("landmarks"))
    with FaceTracker("demo") as tracker:
        frame, face = next(iter(tracker))
    spread, means = {}, {}
    for crops in (1, 3):
        model = landmark_model(session, crop_average=crops)
        found: list[F32] = []
        for number in range(12):
            crop = crop_from_points(face.points, model.contract)
            crop[:, 2] += 2 * np.array((np.cos(number), np.sin(number)))
            found.append(model.locate(frame.image, crop).points)
        spread[crops], means[crops] = np.std(found, axis=0).mean(), np.mean(found, axis=0)
    assert spread[3] < 0.85 * spread[1]
    assert np.abs(means[3] - means[1]).mean() < 0.01 * np.ptp(face.points[:, 0]), "and they lie where they lay"


@pytest.mark.parametrize("kind", [FaceAnalyzer, FaceTracker])
def test_the_public_face_and_the_settings_take_one_to_three(
    kind: type[FaceAnalyzer | FaceTracker], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FaceTracker("demo") as tracker:
        frame, _ = next(iter(tracker))
    with kind(crop_average=3) as several, kind(crop_average=1) as one:
        found = [
            each(frame.image)[0] if isinstance(each, FaceAnalyzer) else each.update(frame.image, 0.0)
            for each in (several, one)
        ]
    assert found[0] is not None
    assert found[1] is not None
    assert 0.01 < np.abs(found[0].points - found[1].points).mean() < 2
    with pytest.raises(UserInputError, match="crop_average is 1, 2 or 3, not 4"):
        kind(crop_average=4)
    assert (
        main(["run", "--source", "demo", "--headless", "--crop-average", "4", "--session", str(tmp_path / "none")]) == 2
    )
    assert "models.crop_average" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
