"""Fit the kit's head to 2-D points of one photograph: pose, identity and expression by regularised Gauss-Newton."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.synth.attachments import Attachments
from tools.synth.camera import Camera, project, rotation, to_camera
from tools.synth.kit import EXPRESSION_NAMES, Kit

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

# Gaze moves the eyeball, not the lids' points alone, and pupils cannot be told from outlines: both stay out of the fit.
_UNFITTED = [
    i
    for i, n in enumerate(EXPRESSION_NAMES)
    if n.startswith(("PupilDilate", "eyeLook", "cheekRaiser", "cheekPuff", "jawForward"))
]


@dataclass(frozen=True, slots=True)
class Fit:
    """identity: (100,); expression: (57,); matrix (3, 3) and translation (3,): head to camera; camera; residual: (N, 2) px."""

    identity: F32
    expression: F32
    matrix: F64
    translation: F64
    camera: Camera
    residual: F32


def fit_head(
    kit: Kit,
    attachments: Attachments,
    targets: F32,
    weights: F32,
    camera: Camera,
    iterations: int = 12,
    identity_sigma: float = 1.0,
    expression_sigma: float = 0.3,
    pixel_sigma: float = 1.0,
) -> Fit:
    """Fit to targets (N, 2) px with weights (N,), 0 where a point is not to be used.

    pixel_sigma is the expected error of a target: it balances the points against the priors (identity coefficients are
    standard normal, expression coefficients half-normal of expression_sigma, clamped to 0..1).
    """
    base = attachments.on(kit.neutral)
    identity_basis = np.einsum("nk,ankc->anc", attachments.weight, kit.identity[:, attachments.index])
    expression_basis = np.einsum("nk,ankc->anc", attachments.weight, kit.expression[:, attachments.index])
    identity = np.zeros(100)
    expression = np.zeros(57)
    matrix, translation = _first_pose(base, targets, weights, camera)
    prior = np.concatenate([np.zeros(6), np.full(100, 1 / identity_sigma), np.full(57, 1 / expression_sigma)])
    prior[106 + np.array(_UNFITTED)] = 1e6
    root = np.sqrt(weights)[:, None] / pixel_sigma
    for step in range(iterations):
        head = base + np.tensordot(identity, identity_basis, 1) + np.tensordot(expression, expression_basis, 1)
        seen = to_camera(head.astype(np.float32), matrix, translation).astype(float)
        error = (targets - project(seen.astype(np.float32), camera)) * root
        jacobian = _jacobian(seen, matrix, translation, camera, identity_basis, expression_basis, root)
        damp = prior.copy()
        if step < 3:
            damp[6:] *= 5.0
        state = np.concatenate([np.zeros(6), identity, expression])
        normal = jacobian.T @ jacobian + np.diag(damp**2 + 1e-9)
        update = np.linalg.solve(normal, jacobian.T @ error.ravel() - damp**2 * state)
        matrix = cv2.Rodrigues(_to_head(update[:3]))[0] @ matrix
        translation = translation + update[3:6]
        identity = np.clip(identity + update[6:106], -3, 3)
        expression = np.clip(expression + update[106:], 0, 1)
    head = base + np.tensordot(identity, identity_basis, 1) + np.tensordot(expression, expression_basis, 1)
    seen = to_camera(head.astype(np.float32), matrix, translation)
    residual = targets - project(seen, camera)
    return Fit(identity.astype(np.float32), expression.astype(np.float32), matrix, translation, camera, residual)


def _to_head(camera_turn: F64) -> F64:
    """A small turn about camera axes, as the same turn about the head-frame axes before facing the camera."""
    result: F64 = camera_turn * np.array([1.0, -1.0, -1.0])
    return result


def _first_pose(base: F32, targets: F32, weights: F32, camera: Camera) -> tuple[F64, F64]:
    """Weak-perspective start: scale, in-plane turn and shift by a similarity between frontal head and targets."""
    use = weights > 0
    flat = base[use, :2] * [1, -1]
    source, goal = flat - flat.mean(0), targets[use] - targets[use].mean(0)
    a = np.vdot(source, goal) / np.vdot(source, source)
    b = np.sum(source[:, 0] * goal[:, 1] - source[:, 1] * goal[:, 0]) / np.vdot(source, source)
    scale, turn = np.hypot(a, b), np.arctan2(b, a)
    matrix = rotation(0, 0, float(np.rad2deg(turn)))
    depth = camera.focal / scale
    seen = to_camera(base[use], matrix, np.zeros(3))
    shift = (targets[use].mean(0) - camera.centre) / scale - seen[:, :2].mean(0)
    return matrix, np.array([shift[0], shift[1], depth - float(seen[:, 2].mean())])


def _jacobian(
    seen: F64, matrix: F64, translation: F64, camera: Camera, identity_basis: F32, expression_basis: F32, root: F64
) -> F64:
    """d(pixels)/d(turn, shift, identity, expression), weighted, (2N, 163)."""
    count = len(seen)
    x, y, z = seen.T
    inner = np.zeros((count, 2, 3))
    inner[:, 0, 0] = inner[:, 1, 1] = camera.focal / z
    inner[:, 0, 2] = -camera.focal * x / z**2
    inner[:, 1, 2] = -camera.focal * y / z**2
    arm = seen - translation
    turn = np.zeros((count, 3, 3))
    for axis in range(3):
        turn[:, :, axis] = np.cross(np.eye(3)[axis], arm)
    facing = np.diag([1.0, -1.0, -1.0]) @ matrix
    shapes = np.concatenate([identity_basis, expression_basis]) @ facing.T
    moves = np.concatenate([turn, np.broadcast_to(np.eye(3), (count, 3, 3)), shapes.transpose(1, 2, 0)], axis=2)
    result: F64 = ((inner @ moves) * root[:, :, None]).reshape(2 * count, -1)
    return result
