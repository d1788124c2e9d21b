"""What the Action Unit evaluation takes for rest is what the program would, and a mirror image's rest is the mirror of it."""

from typing import Any, cast

import cv2
import numpy as np
import pytest

from realtime.action_units.baseline import EMBEDDING_SIZE
from realtime.action_units.descriptor import describe
from realtime.action_units.model import FEATURES, ActionUnits
from realtime.action_units.rest_frame import LOWER, MOUTH, flow_features
from realtime.face import wflw
from realtime.face.alignment import canonical
from realtime.face.landmarks import LandmarkModel
from realtime.types import F32
from tools.evaluate import au_people

pytestmark = pytest.mark.tools

WIDTH = 320
CORNER = FEATURES - LOWER[0] * LOWER[1] - MOUTH[0] * MOUTH[1]
"""Where the mouth's window begins in the network's input: another pixel of it on each side."""


NO_MODEL = cast("LandmarkModel", None)
"""`exact_points` stands in for it."""


def looks(rows: F32) -> dict[str, F32]:
    """The corner of the mouth's window as the look: each side's own."""
    return {
        "intensity": np.zeros((2, 1), np.float32),
        "look": np.repeat(rows[:, CORNER : CORNER + 1] / 10, EMBEDDING_SIZE, axis=1),
    }


def pictures(count: int) -> dict[str, Any]:
    """Pictures of one person (the first three at rest), points a little off from one to the next."""
    rng = np.random.default_rng(1)
    pores = cv2.GaussianBlur(rng.normal(0, 1, (240, WIDTH, 3)), (0, 0), 2.5)
    image = np.clip(128 + 45 * pores / pores.std(), 0, 255).astype(np.uint8)
    points = [(canonical(160) + 40 + rng.normal(0, 0.4 * (k + 1), (98, 2))).astype(np.float32) for k in range(count)]
    rest = np.arange(count) < 3
    return {"image": [image] * count, "points": np.stack(points), "person": np.full(count, 7), "rest": rest}


def swapped(shard: dict[str, Any]) -> dict[str, Any]:
    points = (shard["points"] * (-1, 1) + (WIDTH - 1, 0)).astype(np.float32)[:, wflw.FLIP_ORDER]
    return shard | {"image": [np.ascontiguousarray(picture[:, ::-1]) for picture in shard["image"]], "points": points}


@pytest.fixture
def exact_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(au_people, "locate", lambda _model, _image, points, _rng: points)


@pytest.mark.usefixtures("exact_points")
def test_rest_is_the_median_and_the_picture_is_the_nearest_to_it() -> None:
    shard = pictures(4)
    units = ActionUnits(looks, [12])
    (known, _), *others = au_people.known_people([shard], NO_MODEL, units).values()
    assert not others
    shapes = [describe(points).shape for points in shard["points"][:3]]
    np.testing.assert_allclose(known.rest.shape, np.median(shapes, axis=0), atol=1e-6)
    assert known.picture is not None
    assert any(np.array_equal(known.picture.shape, shape) for shape in shapes)


@pytest.mark.usefixtures("exact_points")
def test_a_mirror_images_rest_is_the_mirror_of_rest() -> None:
    shard, units = pictures(4), ActionUnits(looks, [12])
    _, mirror = au_people.known_people([shard], NO_MODEL, units)["7"]
    real, _ = au_people.known_people([swapped(shard)], NO_MODEL, units)["7"]
    np.testing.assert_allclose(mirror.rest.shape, real.rest.shape, atol=1e-4)
    assert mirror.rest.embedding is not None
    assert mirror.picture is not None
    assert abs(mirror.rest.embedding[0, 0] - mirror.rest.embedding[1, 0]) > 1e-3
    assert real.rest.embedding is not None
    np.testing.assert_allclose(mirror.rest.embedding, real.rest.embedding, atol=0.03)
    windows = units.cut(swapped(shard)["image"][3], swapped(shard)["points"][3])
    rows = [flow_features(known.picture, (0, 0, 0), windows) for known in (mirror, real)]
    assert np.median(np.abs(rows[0])) > 0.05
    assert np.median(np.abs(rows[0] - rows[1])) < 0.02
