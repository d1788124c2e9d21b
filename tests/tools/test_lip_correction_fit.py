"""The regression of lips finds what places are off by, where that is a linear map of them."""

import numpy as np
import pytest

from realtime.clinic.lip_correction import LIPS, TOLD_FROM

pytest.importorskip("torch", reason="needs the tools extra")
from tools.train.lip_correction import fitted, left_over


def test_a_linear_error_is_found_and_taken_away() -> None:
    rng = np.random.default_rng(5)
    places, lips = 2 * len(TOLD_FROM), 2 * len(LIPS)
    true = rng.normal(0, 0.2, (places, lips)) / np.sqrt(places)
    samples = []
    for seen in rng.normal(0, 0.3, (800, places)):
        samples.append((3.0 + seen, seen @ true + 0.1))
    found = fitted(samples, 1e-4)
    assert np.abs(found.weights - true).max() < 0.01
    assert np.allclose(found.offset, 0.1, atol=0.01)
    assert np.abs(left_over(found, samples)).max() < 0.01


def test_a_face_with_a_point_that_is_no_number_teaches_nothing() -> None:
    rng = np.random.default_rng(6)
    samples = [(rng.normal(0, 1, 2 * len(TOLD_FROM)), rng.normal(0, 1, 2 * len(LIPS))) for _ in range(100)]
    broken = (np.full(2 * len(TOLD_FROM), np.nan), np.zeros(2 * len(LIPS)))
    assert np.array_equal(fitted([*samples, broken], 0.05).weights, fitted(samples, 0.05).weights)
