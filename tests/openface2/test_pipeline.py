"""The whole path on a made-up installation: what is measured, what is not, and that nothing is invented."""

import numpy as np
import pytest

from realtime.openface2 import Face, OpenFace2, Unmeasured, warm_up
from realtime.openface2.assets import Assets
from realtime.openface2.descriptor import describe
from realtime.openface2.fhog import fhog
from realtime.openface2.pipeline import Measurement
from realtime.openface2.points68 import FLIP_68
from realtime.openface2.shape_fit import project

Stream = list[tuple[np.ndarray, np.ndarray]]


@pytest.fixture(scope="module")
def stream(assets: Assets, texture: np.ndarray) -> Stream:
    """Thirty frames: a face that moves and changes a little before a fixed texture."""
    rng = np.random.default_rng(0)
    out = []
    for i in range(30):
        local = 0.5 * np.sin(i / 5 + np.arange(34)) * np.sqrt(assets.shape.eigenvalues)
        points = project(assets.shape, np.array([1.4, 0.05, 0.1, 0.05, 320.0 + i, 240.0]), local)
        out.append((np.roll(texture, i, axis=1), points + rng.normal(0, 0.3, (68, 2))))
    return out


def run(assets: Assets, stream: Stream) -> list[dict[Face, Measurement]]:
    path = OpenFace2(assets)
    return [path.update(image, points) for image, points in stream]


def test_three_faces_are_measured_apart(assets: Assets, stream: Stream) -> None:
    results = run(assets, stream)
    for result in results:
        assert set(result) == set(Face)
        for m in result.values():
            assert m.measured
            assert sorted(m.intensity) == sorted(assets.intensity.aus)
            assert all(0 <= v <= 5 for v in m.intensity.values())
            assert set(m.occurrence.values()) <= {0.0, 1.0}
            assert len(m.occurrence) == 18
    last = results[-1]
    assert last[Face.LEFT].raw != last[Face.RIGHT].raw
    assert last[Face.WHOLE].raw != last[Face.LEFT].raw


def test_identical_input_gives_identical_results(assets: Assets, stream: Stream) -> None:
    for one, two in zip(run(assets, stream), run(assets, stream), strict=True):
        for face in Face:
            assert one[face].intensity == two[face].intensity
            assert one[face].raw == two[face].raw


def test_mirrored_clip_swaps_left_and_right(assets: Assets, stream: Stream) -> None:
    mirrored = []
    for image, points in stream:
        flipped = points[FLIP_68].copy()
        flipped[:, 0] = image.shape[1] - 1 - flipped[:, 0]
        mirrored.append((np.ascontiguousarray(image[:, ::-1]), flipped))
    for one, two in zip(run(assets, stream), run(assets, mirrored), strict=True):
        for face, other in ((Face.LEFT, Face.RIGHT), (Face.RIGHT, Face.LEFT)):
            values = np.array(list(one[face].raw.values()))
            np.testing.assert_allclose(list(two[other].raw.values()), values, atol=0.02)


def test_steps_put_together_by_hand_give_the_same(assets: Assets, stream: Stream) -> None:
    path = OpenFace2(assets, [Face.WHOLE])
    descriptors = []
    for image, points in stream[:5]:
        m = path.update(image, points)[Face.WHOLE]
        descriptors.append(describe(fhog(m.aligned.image), m.fit.local, assets.shape))
        counted = np.array(descriptors[::2])
        if len(counted) == 1:
            neutral = counted[0].copy()
            neutral[:4464] = np.maximum(neutral[:4464], 0)
        else:
            neutral = path.channels[Face.WHOLE].neutral.median
        for model in assets.intensity.models:
            expected = (descriptors[-1] - model.means - (neutral if model.dynamic else 0)) @ model.weights + model.bias
            assert m.raw[model.au] == pytest.approx(expected, abs=1e-8)


def test_unmeasured_frames_say_why_and_hold_no_values(assets: Assets, stream: Stream) -> None:
    path = OpenFace2(assets)
    image, points = stream[0]
    path.update(image, points)
    few = points.copy()
    few[10:] = np.nan
    cases = {
        Unmeasured.POINTS: few,
        Unmeasured.FIT: np.random.default_rng(1).uniform(0, 400, (68, 2)),
        Unmeasured.OUTSIDE: points - (330, 0),
    }
    for reason, bad in cases.items():
        m = path.update(image, bad)[Face.WHOLE]
        assert m.reason is reason
        assert not m.measured
        assert m.intensity == m.raw == m.occurrence == {}
        assert m.frame_parts is None
    gone = path.lost()
    assert all(m.reason is Unmeasured.NO_FACE and not m.intensity for m in gone.values())
    assert path.channels[Face.WHOLE].neutral.frames == 1, "unmeasured frames do not teach the neutral"


def test_a_few_missing_points_are_taken_from_the_fit(assets: Assets, stream: Stream) -> None:
    image, points = stream[0]
    holes = points.copy()
    holes[[4, 40, 60]] = np.nan
    m = OpenFace2(assets, [Face.WHOLE]).update(image, holes)[Face.WHOLE]
    assert m.measured
    assert m.points is not None
    assert np.isfinite(m.points).all()
    assert np.abs(m.points - points).max() < 12


def test_settled_only_when_the_neutral_rests(assets: Assets, stream: Stream) -> None:
    path = OpenFace2(assets, [Face.WHOLE])
    image, points = stream[0]
    flags = [path.update(image, points)[Face.WHOLE].settled for _ in range(70)]
    assert not any(flags[:59])
    assert all(flags[59:])
    path.reset()
    assert not path.update(image, points)[Face.WHOLE].settled
    moving = OpenFace2(assets, [Face.WHOLE])
    for i in range(70):
        frame, moved = stream[i % 30]
        result = moving.update(np.roll(frame, 3 * i, axis=0), moved)[Face.WHOLE]
    assert not result.settled


def test_warm_up_leaves_no_trace(assets: Assets, stream: Stream) -> None:
    warmed, fresh = OpenFace2(assets), OpenFace2(assets)
    warm_up(warmed)
    for image, points in stream[:12]:
        one, two = warmed.update(image, points), fresh.update(image, points)
        assert all(one[face].intensity == two[face].intensity for face in Face)
