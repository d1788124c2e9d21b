"""Batches of the landmark training: two pictures of a person come together, mirrored alike."""

from itertools import islice

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the tools extra")

from tests.tools.data.test_points98 import face
from tools.data.crops import Strength
from tools.data.half_smiles import half_smile_set
from tools.data.landmark_batches import FaceSet, LandmarkBatches
from tools.data.london import Portrait
from tools.data.london_labels import Labelled
from tools.data.points98 import square_from_points

pytestmark = pytest.mark.tools

CALM = Strength(bend=0, features=0, tear=0, occlude=0, paint=0, hard_geometry=0, spoil=0, cut=0)


def people(count: int) -> FaceSet:
    """Each person twice; one grey each, darker on the image's left half."""
    points = np.repeat(face()[None], 2 * count, 0)
    pictures = []
    for i in range(2 * count):
        picture = np.full((240, 240, 3), 40 + 10 * (i // 2), np.uint8)
        picture[:, :120] //= 2
        pictures.append(picture)
    squares = [[square_from_points(p)] for p in points]
    draw = np.full(2 * count, 1 / (2 * count))
    return FaceSet(
        "people", pictures, points, np.ones((2 * count, 98)), squares, CALM, 1.0, draw, np.repeat(np.arange(count), 2)
    )


def test_pairs_are_of_one_person_and_mirrored_alike() -> None:
    batches = LandmarkBatches([people(6)], 7, 0.2, 3)
    pairs = mirrored = 0
    for batch in islice(batches, 12):
        pair, crops = batch["pair"].numpy(), batch["crop"].numpy()
        assert len(pair) == len(crops) == 7
        for i in np.flatnonzero(pair >= 0):
            assert pair[pair[i]] == i != pair[i]
            halves = crops[[i, pair[i]]][:, 40:72, :, 0]
            left, right = halves[:, :, 30:50].mean((1, 2)), halves[:, :, 62:82].mean((1, 2))
            assert crops[i].max() == crops[pair[i]].max()  # the grey that tells whose picture it is
            assert (left[0] < right[0]) == (left[1] < right[1])
            pairs += 1
            mirrored += int(left[0] > right[0])
    assert pairs > 40
    assert 0 < mirrored < pairs


def test_half_smiles_to_learn_from_are_made_both_ways_of_whoever_has_both_pictures() -> None:
    def labelled(person: str, smiling: bool) -> Labelled:
        portrait = Portrait(person, "white", smiling, True, np.full((240, 240, 3), 90, np.uint8), None, None)
        return Labelled(
            portrait, np.zeros(4, np.float32), np.zeros((5, 2), np.float32), face() * np.float32(1.05 if smiling else 1)
        )

    made = half_smile_set([labelled("a", False), labelled("a", True), labelled("b", False)], 0.1)
    assert len(made) == 2
    assert made.points.shape == (2, 98, 2)
    assert made.share == 0.1
