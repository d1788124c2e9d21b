"""What the Action Unit network is trained on is what it is given live."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from realtime.types import F32, U8

torch = pytest.importorskip("torch")

from realtime.action_units.descriptor import Descriptor  # noqa: E402
from realtime.action_units.model import (  # noqa: E402
    FEATURES,
    POINT_FEATURES,
    FaceWindows,
    picture_features,
    point_features,
    rest_features,
)
from realtime.action_units.rest_frame import EYE, LOWER, MOUTH, RestFrame, flow_features, rest_picture  # noqa: E402
from realtime.errors import UserInputError  # noqa: E402
from realtime.face.alignment import canonical  # noqa: E402
from tools.networks.action_units import BOUND, ActionUnitNet  # noqa: E402
from tools.train.action_units.batches import BatchSampler  # noqa: E402
from tools.train.action_units.samples import MARGIN, Samples, joined, kept, stored  # noqa: E402
from tools.train.action_units.table import EMPHASIS, FULL  # noqa: E402
from tools.train.action_units.table import UNITS as ALL  # noqa: E402
from tools.train.action_units.train import BEYOND, SIDES, TAUGHT, answer, answers, emphasised, loss_of  # noqa: E402
from tools.train.action_units.windows import HARD, hard_light  # noqa: E402

pytestmark = pytest.mark.tools

UNITS = 3


def faces(seed: int, person: int, rest: bool) -> tuple[Samples, np.ndarray, np.ndarray]:
    """One face as a sample, with the picture and the points it was made from."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 255, (240, 320, 3)).astype(np.uint8)
    points = (canonical(160) + rng.uniform(20, 60, 2)).astype(np.float32)
    left, right, mouth, lower = FaceWindows(MARGIN).cut(image, points)
    shape = rng.normal(0, 0.05, (1, 98, 2)).astype(np.float32)
    pose = rng.normal(0, 5, (1, 3)).astype(np.float32)
    truth = rng.uniform(0, 5, (1, 2, UNITS)).astype(np.float32)
    sample = Samples(
        shape,
        pose,
        left[None],
        right[None],
        mouth[None],
        lower[None],
        truth,
        np.array([person], np.int32),
        np.array([rest]),
    )
    return sample, image, points


@pytest.fixture
def network() -> ActionUnitNet:
    torch.manual_seed(1)
    return ActionUnitNet(UNITS).eval()


def test_a_training_sample_is_the_live_input(network: ActionUnitNet) -> None:
    (at_rest, rest_image, rest_points), (moving, image, points) = faces(1, 4, True), faces(2, 4, False)
    sampler = BatchSampler(joined([at_rest, moving, faces(3, -1, False)[0]]))
    assert sampler.with_baseline.tolist() == [1]
    assert sampler.without_baseline.tolist() == [2]
    with torch.no_grad():
        taught = answer(network, sampler.batch(np.array([1]), None)).numpy()
        found = Descriptor(moving.shape[0], tuple(moving.pose[0].tolist()))
        look = look_at(network, rest_image, rest_points)
        live = measured(
            network, found, at_rest.shape[0], look, pictured(at_rest, rest_image, rest_points), image, points
        )
    np.testing.assert_allclose(taught, live, atol=1e-4)


def pictured(sample: Samples, image: U8, points: F32) -> RestFrame:
    return rest_picture(Descriptor(sample.shape[0], tuple(sample.pose[0].tolist())), FaceWindows().cut(image, points))


def measured(
    network: ActionUnitNet, found: Descriptor, rest: Any, look: Any, picture: RestFrame | None, image: U8, points: F32
) -> np.ndarray:
    windows = FaceWindows().cut(image, points)
    parts = [
        point_features(found, rest),
        rest_features(look),
        flow_features(picture, found.pose, windows),
        picture_features(windows),
    ]
    return network(torch.from_numpy(np.concatenate(parts, axis=1)))[0].numpy()


def look_at(network: ActionUnitNet, image: U8, points: F32) -> np.ndarray:
    row = np.zeros((2, FEATURES), np.float32)
    windows = picture_features(FaceWindows().cut(image, points))
    row[:, -windows.shape[1] :] = windows
    return network(torch.from_numpy(row))[1].numpy()


def test_several_pictures_at_rest_count_by_their_mean(network: ActionUnitNet) -> None:
    (one, *first), (two, *second), (moving, image, points) = faces(1, 4, True), faces(5, 4, True), faces(2, 4, False)
    sampler = BatchSampler(joined([one, two, moving]), rests=2)
    with torch.no_grad():
        taught = answer(network, sampler.batch(np.array([2]), None)).numpy()
        look = (look_at(network, *first) + look_at(network, *second)) / 2
        found = Descriptor(moving.shape[0], tuple(moving.pose[0].tolist()))
        rest = (one.shape[0] + two.shape[0]) / 2
        # Both lie equally far from their mean: the first is measured from.
        live = measured(network, found, rest, look, pictured(one, *first), image, points)
    np.testing.assert_allclose(taught, live, atol=1e-4)
    drawn = sampler.batch(np.array([2]), np.random.default_rng(0))
    assert drawn.rests.eye.shape == (2, 2, 1, *EYE)
    assert not torch.equal(drawn.rests.eye[0], drawn.rests.eye[1])


def test_a_stranger_has_no_rest_and_sides_are_the_patients(network: ActionUnitNet) -> None:
    sampler = BatchSampler(joined([faces(1, 4, True)[0], faces(2, 4, False)[0], faces(3, -1, False)[0]]))
    batch = sampler.batch(np.array([2]), None)
    assert batch.known.tolist() == [[0], [0]]
    assert batch.points[:, POINT_FEATURES - 1].tolist() == [0, 0]
    np.testing.assert_array_equal(batch.truth.numpy(), sampler.data.truth[2])
    spoilt = sampler.batch(np.array([1, 2]), np.random.default_rng(0))
    assert spoilt.now.eye.shape == (4, 1, *EYE)
    assert spoilt.now.mouth.shape == (4, 1, *MOUTH)
    assert spoilt.now.lower.shape == (4, 1, *LOWER)


def test_what_is_changed_is_the_face_and_not_one_picture_of_it() -> None:
    """The same picture as rest and as movement: whatever training does to it, no skin has moved but with the whole window."""
    pores = cv2.GaussianBlur(np.random.default_rng(7).normal(0, 1, (240, 320, 3)), (0, 0), 2.5)
    image = np.clip(128 + 45 * pores / pores.std(), 0, 255).astype(np.uint8)
    points = (canonical(160) + np.float32(40)).astype(np.float32)
    sample = faces(1, 4, True)[0]
    left, right, mouth, lower = FaceWindows(MARGIN).cut(image, points)
    still = replace(sample, left=left[None], right=right[None], mouth=mouth[None], lower=lower[None])
    sampler = BatchSampler(joined([still, replace(still, rest=np.array([False]))]))
    rng = np.random.default_rng(1)
    batch = sampler.batch(np.ones(64, int), rng)
    eyes = batch.flow[:, : 2 * 42].reshape(-1, 42, 2)[batch.flow[:, -1] > 0]
    assert len(eyes) > 60
    own = eyes - eyes.median(dim=1, keepdim=True).values
    assert 0.1 < eyes.abs().mean() < 0.5, "each picture lies a trace elsewhere"
    assert own.abs().median() < 0.15
    plain = sampler.batch(np.ones(1, int), None)
    assert (batch.now.eye[0] - plain.now.eye[0]).abs().mean() > 0.1


def test_looks_stay_within_the_running_medians_range(network: ActionUnitNet) -> None:
    loud = torch.randn(4, FEATURES) * 100
    assert network(loud)[1].abs().max() <= BOUND


def test_a_branch_changes_nothing_at_first_and_later_its_own_units_alone() -> None:
    torch.manual_seed(3)
    network = ActionUnitNet((4, 7, 17)).eval()
    features = torch.randn(6, FEATURES)
    with torch.no_grad():
        before = network(features)[0]
        for branch in network.branches:
            torch.nn.init.normal_(branch.judge[-1].weight)
        moved = (network(features)[0] - before).abs().amax(dim=0)
        network.more_eye.corrected.zero_()
        lower = (network(features)[0] - before).abs().amax(dim=0)
    assert moved[0] == 0
    assert moved[1] > 1e-3
    assert lower[:2].tolist() == [0, 0]
    assert lower[2] > 1e-3


def test_a_shifted_picture_shifts_the_places(network: ActionUnitNet) -> None:
    """One of the looks at least follows a movement of a few pixels: places are measured, not classified."""
    sheet = torch.zeros(1, 1, EYE[0], EYE[1])
    moved = sheet.clone()
    sheet[0, 0, 20:26, 20:26] = 3
    moved[0, 0, 20:26, 24:30] = 3
    with torch.no_grad():
        change = (network.eye(moved) - network.eye(sheet)).abs()
    assert change.max() > 1e-3


def test_samples_come_back_from_their_store(tmp_path: Path) -> None:
    sample = faces(1, 4, True)[0]
    again = stored((kept(tmp_path / "x" / "s.npz", sample), tmp_path / "x" / "s.npz")[1])
    np.testing.assert_array_equal(again.left, sample.left)
    assert again.person.tolist() == [4]


@pytest.mark.parametrize("size", [EYE, MOUTH, LOWER])
def test_a_hard_light_falls_on_its_share_of_faces_and_leaves_the_others_as_they_are(size: tuple[int, int]) -> None:
    factors = hard_light(400, size, np.random.default_rng(5))
    assert factors.shape == (400, 1, *size)
    assert factors.dtype == np.float32
    assert factors.min() > 0
    even = (factors == 1).all(axis=(1, 2, 3))
    # some faces of the share meet none of the three things either
    assert 1 - HARD <= even.mean() < 1 - HARD + 0.15
    columns = np.log(factors[~even, 0]).mean(axis=1)
    rows = np.log(factors[~even, 0]).mean(axis=2)
    assert np.abs(columns[:, -1] - columns[:, 0]).mean() > 1.3 * np.abs(rows[:, -1] - rows[:, 0]).mean(), (
        "from the side"
    )
    assert (columns[:, -1] > columns[:, 0]).mean() == pytest.approx(0.5, abs=0.1), "from either side alike"


def test_the_loss_is_that_of_its_definition() -> None:
    """Against the sum written out: truth first, another network's answer at half weight, what the program clips at little."""
    rng = np.random.default_rng(2)
    truth = rng.choice([0.0, 2.0, FULL], (6, UNITS)).astype(np.float32)
    taught = rng.uniform(0, FULL, (6, UNITS)).astype(np.float32)
    guess = rng.uniform(-2, FULL + 2, (6, UNITS)).astype(np.float32)
    truth[0, 0] = truth[1] = truth[4, 2] = np.nan
    taught[1, 1] = taught[4, 2] = np.nan
    emphasis = np.array([1.0, 2.0, 0.5], np.float32)
    error, weight = np.zeros((6, UNITS)), np.zeros((6, UNITS))
    for row in range(6):
        for unit in range(UNITS):
            given = np.isfinite(truth[row, unit])
            wanted = truth[row, unit] if given else taught[row, unit]
            if not np.isfinite(wanted):
                continue
            off = guess[row, unit] - wanted
            clipped = (wanted <= 0 and off < 0) or (wanted >= FULL and off > 0)
            error[row, unit] = BEYOND * off if clipped else off
            weight[row, unit] = emphasis[unit] * (1.0 if given else TAUGHT)
    apart = (error[:3] - error[3:]) ** 2 * weight[:3] * (weight[3:] > 0)
    expected = ((error**2 * weight).sum() + SIDES * apart.sum()) / (weight > 0).sum()
    found = loss_of(*(torch.from_numpy(a) for a in (guess, truth, taught, emphasis)))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_another_networks_answers_stand_where_the_truth_is_unknown_and_the_rest_is_not_withheld(
    network: ActionUnitNet,
) -> None:
    known, unsure, stranger, alone = (faces(n, p, False)[0] for n, p in ((2, 4), (3, 4), (5, -1), (6, 9)))
    for sample in (unsure, stranger, alone):
        sample.truth[:, :, 1:] = np.nan
    data = joined([faces(1, 4, True)[0], known, unsure, stranger, alone])
    taught = answers(network, data)
    assert np.isnan(taught[[0, 1]]).all()
    assert np.isnan(taught[4]).all(), "of a person without any rest nothing is asked"
    assert np.isnan(taught[[2, 3], :, 0]).all()
    with torch.no_grad():
        plain = answer(network, BatchSampler(data, rests=1).batch(np.array([2, 3]), None)).clamp(0, FULL).numpy()
    np.testing.assert_allclose(taught[[2, 3], :, 1:], plain.reshape(2, 2, UNITS).transpose(1, 0, 2)[..., 1:], atol=1e-5)
    sampler, rng = BatchSampler(data, rests=1, taught=taught), np.random.default_rng(3)
    drawn = sampler.batch(np.repeat([2, 3], 12), rng)
    stands = ~drawn.taught[:24, 1].isnan().numpy()
    whole = (drawn.known[:24, 0] * drawn.points[:24, -1]).numpy() > 0
    np.testing.assert_array_equal(stands[:12], whole[:12])
    assert 0 < stands[:12].mean() < 1
    assert stands[12:].all()
    assert drawn.taught[:, 0].isnan().all()


def test_emphasis_is_the_tables_times_what_is_given_and_a_mistake_is_a_sentence() -> None:
    counts = emphasised(["45=2", "4=0.5"])
    changed = {unit: counts[k] / EMPHASIS[k] for k, unit in enumerate(ALL) if counts[k] != EMPHASIS[k]}
    assert changed == {4: 0.5, 45: 2.0}
    for wrong in ("45", "3=2", "x=1", "4=y", "4=-1", "4=inf", "4=nan"):
        with pytest.raises(UserInputError, match="--emphasis takes"):
            emphasised([wrong])
