"""What the benchmark compares with computes the same things: otherwise its ratios would mean nothing."""

import cv2
import numpy as np

from realtime.openface2.assets import Assets
from realtime.openface2.fhog import fhog
from realtime.openface2.running_median import HOG_BINS, RunningMedian
from realtime.openface2.shape_fit import ShapeFitter, project
from tools.bench.openface2_plain import PlainMedian, plain_fhog, plain_fit, plain_predict


def test_fit(assets: Assets) -> None:
    local = 0.4 * np.sqrt(assets.shape.eigenvalues) * np.cos(np.arange(34))
    points = project(assets.shape, np.array([1.5, 0.1, -0.3, 0.2, 300.0, 200.0]), local)
    ours = ShapeFitter(assets.shape).update(points)
    plain = plain_fit(assets.shape, points)
    np.testing.assert_allclose(plain[1:10].reshape(3, 3), ours.rotation, atol=2e-3)
    np.testing.assert_allclose(plain[12:], ours.local, atol=0.3)


def test_fhog() -> None:
    rng = np.random.default_rng(0)
    grey = cv2.GaussianBlur(rng.integers(0, 256, (112, 112), dtype=np.uint8), (0, 0), 2)
    colour = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    difference = np.abs(plain_fhog(colour) - fhog(colour))
    assert np.quantile(difference, 0.99) < 0.02, "angles from the cosine, not from dlib's four-digit table"


def test_median() -> None:
    ours, plain = RunningMedian(5, HOG_BINS), PlainMedian(5)
    for i, values in enumerate(np.random.default_rng(1).uniform(0, 0.5, (20, 5))):
        ours.update(values)
        got = plain.update(values)
        if i:
            np.testing.assert_allclose(got, ours.median, atol=1e-12)


def test_prediction(assets: Assets) -> None:
    descriptor, median = np.random.default_rng(2).uniform(0, 0.3, (2, 4702))
    plain = plain_predict(assets.intensity.models, descriptor, median)
    np.testing.assert_allclose(plain, assets.intensity.predict(descriptor, median), atol=1e-10)
