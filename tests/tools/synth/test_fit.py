"""Fitting the head to points that it made itself."""

import numpy as np

from tools.synth.camera import Camera, angles, project, rotation, to_camera
from tools.synth.expressions import coefficients
from tools.synth.fit import fit_head
from tools.synth.kit import EXPRESSION_NAMES, Kit
from tools.synth.points import point_model


def test_fit_finds_pose_shape_and_expression_again(kit: Kit) -> None:
    rng = np.random.default_rng(4)
    camera = Camera(1000.0, (255.5, 255.5))
    identity = (rng.normal(0, 0.8, 100) * (np.arange(100) < 20)).astype(np.float32)
    expression = coefficients("open_smile", 0.9, 0.1)
    pose, shift = (12.0, -7.0, 9.0), np.array([2.0, -1.5, 82.0])
    attachments = point_model(kit).fixed
    seen = to_camera(attachments.on(kit.shape(identity, expression)), rotation(*pose), shift)
    targets = project(seen, camera)
    weights = np.ones(98, np.float32)
    fit = fit_head(kit, attachments, targets, weights, camera, iterations=15, pixel_sigma=0.5)
    eyes = np.linalg.norm(targets[60] - targets[72])
    assert np.linalg.norm(fit.residual, axis=1).mean() < 0.005 * eyes
    np.testing.assert_allclose(angles(fit.matrix), pose, atol=3.0)
    # The made smile is on the left alone, so most of what is found must be.
    left, right = (
        sum(fit.expression[i] for i, n in enumerate(EXPRESSION_NAMES) if n.startswith("mouth") and n.endswith(side))
        for side in ("_L", "_R")
    )
    assert left > 2 * right


def test_unused_points_do_not_matter(kit: Kit) -> None:
    camera = Camera(1000.0, (255.5, 255.5))
    attachments = point_model(kit).fixed
    targets = project(to_camera(attachments.on(kit.neutral), rotation(0, 0, 0), np.array([0, 0, 80.0])), camera)
    weights = np.ones(98, np.float32)
    weights[:33] = 0
    spoilt = targets.copy()
    spoilt[:33] += 200
    one = fit_head(kit, attachments, targets, weights, camera)
    other = fit_head(kit, attachments, spoilt, weights, camera)
    np.testing.assert_allclose(one.identity, other.identity, atol=1e-5)
    assert np.linalg.norm(one.residual[33:], axis=1).mean() < 0.3
