"""Points averaged with those of the mirror image: both sides are treated alike, whatever the network does."""

from typing import Any

import numpy as np
import pytest

from realtime.analyze import FaceAnalyzer, FaceTracker
from realtime.analyze.models import landmark_model
from realtime.face.contract import Covariance, LandmarkContract, Layout
from realtime.face.crops import crop_from_points, square_crop
from realtime.face.geometry import invert, transform
from realtime.face.landmarks import LandmarkModel, Landmarks
from realtime.face.mirror_correction import MirrorCorrection
from realtime.face.settings import MirrorAverage, MirrorSettings
from realtime.face.wflw import FLIP_ORDER
from realtime.models import Registry
from realtime.types import F32, F64

SIZE = 112
COLUMNS: dict[Covariance, int] = {"none": 0, "unit": 3, "log_sigma": 1}


class OneSided:
    """A network whose answers depend on every pixel, in another way for each point: no symmetry of its own."""

    def __init__(self, covariance: Covariance = "unit", seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.calls = 0
        self._points = rng.normal(0, 1e-4, (196, SIZE)).astype(np.float32)
        self._spread = rng.normal(0, 1e-5, (98 * COLUMNS[covariance], SIZE)).astype(np.float32)

    def __call__(self, blob: F32) -> dict[str, F32]:
        self.calls += 1
        assert blob.shape == (1, 3, SIZE, SIZE)
        assert blob.flags.c_contiguous
        columns = blob[0, 1].mean(axis=0)
        found = {
            "points": (0.5 + self._points @ columns)[None],
            "presence": np.array([abs(np.tanh(columns[:30].mean() / 100))], np.float32),
        }
        if self._spread.size:
            found["covariance"] = (1e-3 + self._spread @ columns)[None]
        return found


def contract(**changes: Any) -> LandmarkContract:
    return LandmarkContract(size=SIZE, **{"covariance": "unit", "presence": "probability", **changes})


def mirrored(crop: F64, width: int) -> F64:
    """The crop on the mirrored picture whose content is the mirrored crop."""
    flip_crop, flip_frame = np.diag((-1.0, 1.0, 1.0)), np.diag((-1.0, 1.0, 1.0))
    flip_crop[0, 2], flip_frame[0, 2] = SIZE - 1, width - 1
    return np.ascontiguousarray((flip_crop @ np.vstack((crop, (0, 0, 1))) @ flip_frame)[:2])


def exchanged(found: Landmarks, width: int) -> F32:
    points = found.points[FLIP_ORDER]
    points[:, 0] = width - 1 - points[:, 0]
    return points


# A crop of whole pixels: resampling is exact, so that only the network and what is made of its answers can differ.
STRAIGHT = square_crop(100.5, 80.5, float(SIZE), 0.0, SIZE)


@pytest.mark.parametrize("layout", ["unit", "signed", "pixels"])
@pytest.mark.parametrize("covariance", ["none", "unit", "log_sigma"])
def test_a_mirrored_picture_gives_exchanged_points(layout: Layout, covariance: Covariance) -> None:
    image = np.random.default_rng(1).integers(0, 255, (180, 220, 3), np.uint8)
    flipped = np.ascontiguousarray(image[:, ::-1])
    model = LandmarkModel(OneSided(covariance), contract(layout=layout, covariance=covariance), mirror_average="every")
    found = model.locate(image, STRAIGHT)
    other = model.locate(flipped, mirrored(STRAIGHT, 220))
    assert exchanged(other, 220) == pytest.approx(found.points, abs=2e-4)
    assert other.presence == found.presence
    assert (found.covariance is None) == (covariance == "none")
    if found.covariance is not None and other.covariance is not None:
        signs = np.array(((1, -1), (-1, 1)))
        assert other.covariance[FLIP_ORDER] * signs == pytest.approx(found.covariance, rel=1e-5)

    alone = LandmarkModel(OneSided(covariance), contract(layout=layout, covariance=covariance))
    difference = exchanged(alone.locate(flipped, mirrored(STRAIGHT, 220)), 220) - alone.locate(image, STRAIGHT).points
    assert np.abs(difference).max() > 0.1, "this network favours a side, so the test can tell"


def test_points_and_certainty_are_the_mean_of_both_answers() -> None:
    """Against the mean written out: the network on the crop, and on its mirror image with sides exchanged by hand."""
    image = np.random.default_rng(2).integers(0, 255, (180, 220, 3), np.uint8)
    crop = square_crop(101.3, 78.9, 130.0, 0.35, SIZE)
    seen: list[F32] = []
    network = OneSided()

    def watched(blob: F32) -> dict[str, F32]:
        seen.append(blob.copy())
        return network(blob)

    found = LandmarkModel(watched, contract(), mirror_average="every").locate(image, crop)
    assert len(seen) == 2
    assert np.array_equal(seen[1], seen[0][..., ::-1])
    one, other = (OneSided()(blob) for blob in seen)
    pixels = np.array([answer["points"].reshape(98, 2) * SIZE - 0.5 for answer in (one, other)])
    expected = np.empty((98, 2))
    for point in range(98):
        twin = int(FLIP_ORDER[point])
        expected[point] = (
            (pixels[0, point, 0] + SIZE - 1 - pixels[1, twin, 0]) / 2,
            (pixels[0, point, 1] + pixels[1, twin, 1]) / 2,
        )
    assert found.points == pytest.approx(transform(invert(crop), expected.astype(np.float32)), abs=1e-3)
    assert found.presence == pytest.approx((one["presence"][0] + other["presence"][0]) / 2)
    alone = LandmarkModel(OneSided(), contract())
    assert found.covariance is not None
    spread = alone.locate(image, crop).covariance
    assert spread is not None
    assert 0.5 < np.median(found.covariance[:, 0, 0] / spread[:, 0, 0]) < 2, "a mean of both, not a half"


def test_without_it_the_network_is_asked_once() -> None:
    network = OneSided()
    LandmarkModel(network, contract()).locate(np.zeros((180, 220, 3), np.uint8), STRAIGHT)
    assert network.calls == 1


def test_on_some_frames_only_the_others_are_moved_by_what_was_found() -> None:
    """A picture that stands still: after a start from the mean, every frame shows the mean, and few ask the network twice."""
    image = np.random.default_rng(3).integers(0, 255, (180, 220, 3), np.uint8)
    every = LandmarkModel(OneSided(), contract(), mirror_average="every").locate(image, STRAIGHT)
    network = OneSided()
    model = LandmarkModel(network, contract(), mirror_average="some")
    start = model.locate(image, STRAIGHT)
    assert network.calls == 2
    assert start.points == pytest.approx(every.points, abs=1e-4)
    correction = MirrorCorrection(MirrorSettings(every=4))
    correction.begin(start.mirror_offset)
    asked = []
    for _ in range(12):
        correction.next_frame()
        before = network.calls
        found = model.locate(image, STRAIGHT, correction)
        asked.append(network.calls - before)
        assert found.points == pytest.approx(every.points, abs=1e-4)
    assert asked == 3 * [1, 1, 1, 2]
    network.calls = 0
    model.locate(image, STRAIGHT, rough=True)
    assert network.calls == 1, "what only says where to look again needs no mirror image"


def test_a_new_finding_is_taken_over_bit_by_bit() -> None:
    correction = MirrorCorrection(MirrorSettings(every=5, share=0.25))
    assert correction.due, "nothing is known yet"
    first, second = np.full((98, 2), 1.0, np.float32), np.full((98, 2), 3.0, np.float32)
    assert np.array_equal(correction.now(first), first), "the first finding counts at once"
    shown = [float(correction.now(second)[0, 0])] + [float(correction.now(None)[0, 0]) for _ in range(30)]
    assert shown[:3] == pytest.approx([1.5, 1.875, 2.15625])
    assert max(np.diff(shown)) <= 0.5 + 1e-6
    assert shown[-1] == pytest.approx(3.0, abs=0.01)
    correction.begin(None)
    assert correction.due
    assert not correction.now(None).any(), "another face begins without the last one's"


def test_a_clip_comes_nearer_to_its_mirror_image_and_twice_the_same() -> None:
    """The tracker on the beginning of the demo, and on its mirror image."""
    with FaceTracker("demo") as tracker:
        frames = [(frame.image, frame.capture_time) for (frame, _), _ in zip(tracker, range(12), strict=False)]

    def points(mode: MirrorAverage, *, flipped: bool = False) -> F32:
        found = []
        with FaceTracker(mirror_average=mode) as tracker:
            for image, time in frames:
                face = tracker.update(np.ascontiguousarray(image[:, ::-1]) if flipped else image, time)
                assert face is not None
                found.append(face.points[FLIP_ORDER] if flipped else face.points)
        out = np.array(found)
        if flipped:
            out[..., 0] = frames[0][0].shape[1] - 1 - out[..., 0]
        return out

    def apart(mode: MirrorAverage, found: F32) -> float:
        return float(np.linalg.norm(found - points(mode, flipped=True), axis=2).mean())

    some = points("some")
    assert np.array_equal(some, points("some"))
    assert apart("some", some) < 0.7 * apart("off", points("off"))


def test_the_shipped_network_on_a_mirrored_picture() -> None:
    """Through the real network: a picture and its mirror image agree, but for the resampling's rounding."""
    registry = Registry()
    session = registry.open(registry.manifest.find("landmarks"))
    with FaceTracker("demo") as tracker:
        frame, face = next(iter(tracker))
    flipped, width = np.ascontiguousarray(frame.image[:, ::-1]), frame.image.shape[1]
    crop = crop_from_points(face.points, landmark_model(session).contract)
    apart = {}
    for averaged in (False, True):
        model = landmark_model(session, mirror_average="every" if averaged else "off")
        found = model.locate(frame.image, crop).points
        apart[averaged] = np.abs(exchanged(model.locate(flipped, mirrored(crop, width)), width) - found).max()
    assert apart[True] < 0.02 < 0.2 < apart[False]


@pytest.mark.parametrize("kind", ["tracker", "still"])
def test_the_public_face_takes_it(kind: str) -> None:
    """On one picture the points are others with it, and near those without."""
    with FaceTracker("demo") as tracker:
        frame, face = next(iter(tracker))
    found = []
    for averaged in (False, True):
        if kind == "still":
            with FaceAnalyzer(mirror_average=averaged) as analyze:
                found.append(analyze(frame.image)[0].points)
        else:
            with FaceTracker("demo", mirror_average=averaged) as tracker:
                found.append(next(iter(tracker)).face.points)
    apart = np.abs(found[0] - found[1])
    assert 0.05 < apart.mean() < 0.02 * np.ptp(face.points[:, 0])
