"""Batches for the Action Unit network: both sides of faces, spoilt a little, each beside a picture of the person at rest."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from realtime.measure.action_units import ANGLE, EYE, LEAST_SPREAD, MOUTH, POINT_FEATURES
from realtime.measure.descriptor import mirror_shape
from tools.train.au_samples import MARGIN, Samples

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Batch:
    """Left sides first, then right sides. points (2B, POINT_FEATURES); eye, mouth: (2B, 1, height, width).

    rest_eye, rest_mouth: (R, 2B, 1, height, width), R pictures of each at rest; known: (2B, 1), 1 where the look at rest is known;
    truth: (2B, units).
    """

    points: Tensor
    eye: Tensor
    mouth: Tensor
    rest_eye: Tensor
    rest_mouth: Tensor
    known: Tensor
    truth: Tensor


class Deck:
    """Draws faces and, for each, `rests` pictures of the same person at rest (some twice where there are fewer)."""

    def __init__(self, data: Samples, rests: int = 2) -> None:
        self.data = data
        self._count = rests
        self.strangers: Rows = np.flatnonzero(data.person < 0)
        resting = np.flatnonzero(data.rest)
        self._rests = {int(p): resting[data.person[resting] == p] for p in np.unique(data.person[resting])}
        moving = np.flatnonzero(~data.rest & (data.person >= 0))
        self.acquainted: Rows = moving[[int(p) in self._rests for p in data.person[moving]]]
        # Shapes as they are and mirrored (2, N, 98, 2), the person's mean at rest likewise, zero where none is known.
        mean = np.zeros_like(data.shape)
        for p, rows in self._rests.items():
            mean[data.person == p] = data.shape[rows].mean(axis=0)
        self._shapes, self._means = both_sides(data.shape), both_sides(mean)

    def draw(self, rng: np.random.Generator, size: int, strangers: float) -> Rows:
        """Faces to learn from, `strangers` the share of those without a rest; now and then one at rest itself."""
        few = min(round(strangers * size), len(self.strangers))
        rows = [rng.choice(self.acquainted, size - few)]
        if few:
            rows.append(rng.choice(self.strangers, few))
        chosen: Rows = np.concatenate(rows)
        for k in np.flatnonzero((rng.random(size) < 0.08) & (self.data.person[chosen] >= 0)):
            chosen[k] = rng.choice(self._rests[int(self.data.person[chosen[k]])])
        return chosen

    def batch(self, rows: Rows, rng: np.random.Generator | None) -> Batch:
        """With `rng` spoilt, and some rests withheld; without it as they are, by the first pictures at rest and the mean shape."""
        data, count = self.data, len(rows)
        person = data.person[rows]
        shape_known, look_known = person >= 0, person >= 0
        if rng is not None:
            shape_known = shape_known & (rng.random(count) > 0.15)
            look_known = look_known & (rng.random(count) > 0.15)
        rest_rows = np.repeat(rows[None], self._count, axis=0)
        for k in np.flatnonzero(person >= 0):
            choice = self._rests[int(person[k])]
            rest_rows[:, k] = np.resize(choice if rng is None else rng.permutation(choice), self._count)
        points = self._points(rows, shape_known)
        eye, mouth = windows(data, rows, rng)
        looks = [windows(data, at_rest, rng) for at_rest in rest_rows]
        rest_eye, rest_mouth = (torch.stack(part) for part in zip(*looks, strict=True))
        known = torch.from_numpy(np.concatenate([look_known, look_known]).astype(np.float32))[:, None]
        truth = torch.from_numpy(data.truth[rows].transpose(1, 0, 2).reshape(2 * count, -1))
        flat = torch.from_numpy(points.reshape(2 * count, -1))
        return Batch(flat, eye, mouth, rest_eye, rest_mouth, known, truth)

    def _points(self, rows: Rows, known: NDArray[np.bool_]) -> F32:
        """(2, B, POINT_FEATURES), as `realtime.measure.action_units.point_features`, for a stack."""
        out = np.empty((2, len(rows), POINT_FEATURES), np.float32)
        rest = self._means[:, rows] * known[None, :, None, None]
        out[..., :196] = (self._shapes[:, rows] - rest).reshape(2, len(rows), -1)
        out[..., 196:392] = rest.reshape(2, len(rows), -1)
        out[0, :, 392:395] = self.data.pose[rows] / ANGLE
        out[1, :, 392:395] = out[0, :, 392:395] * (-1, 1, -1)
        out[..., 395] = known
        return out


def both_sides(shapes: F32) -> F32:
    """(N, 98, 2) descriptors as they are and mirrored, (2, N, 98, 2)."""
    return np.stack([shapes, mirror_shape(shapes)])


def windows(data: Samples, rows: Rows, rng: np.random.Generator | None) -> tuple[Tensor, Tensor]:
    """(eyes, mouths), (2B, 1, height, width) each: the left sides, then the right sides mirrored; settled as at runtime."""
    left, right = _cut(data.left, rows, EYE, rng), _cut(data.right, rows, EYE, rng)
    mouth = _cut(data.mouth, rows, MOUTH, rng)
    eyes = torch.from_numpy(np.concatenate([left, right[:, :, ::-1]])).float()[:, None]
    mouths = torch.from_numpy(np.concatenate([mouth, mouth[:, :, ::-1]])).float()[:, None]
    if rng is not None:
        eyes, mouths = _relit(eyes, rng), _relit(mouths, rng)
    return _settled(eyes), _settled(mouths)


def _cut(stack: U8, rows: Rows, size: tuple[int, int], rng: np.random.Generator | None) -> U8:
    shifts = np.full((len(rows), 2), MARGIN)
    if rng is not None:
        shifts += np.clip(np.rint(rng.normal(0, 0.8, shifts.shape)), -MARGIN, MARGIN).astype(int)
    return np.stack([stack[r, y : y + size[0], x : x + size[1]] for r, (y, x) in zip(rows, shifts, strict=True)])


def _settled(stack: Tensor) -> Tensor:
    """As `realtime.measure.action_units.settled`, for a stack."""
    stack = stack - stack.mean(dim=(1, 2, 3), keepdim=True)
    return stack / stack.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp_min(LEAST_SPREAD)


def _relit(stack: Tensor, rng: np.random.Generator) -> Tensor:
    """A light from one side, another contrast curve, now and then a blur or noise."""
    count, _, height, width = stack.shape

    def each(scale: float) -> Tensor:
        return torch.from_numpy(rng.normal(0, scale, (count, 1, 1, 1)).astype(np.float32))

    across = torch.linspace(-1, 1, width)[None, None, None, :]
    down = torch.linspace(-1, 1, height)[None, None, :, None]
    curve = torch.exp(each(0.2))
    out = 255 * (stack / 255).clamp_min(1e-3).pow(curve) * (1 + each(0.15) * across + each(0.15) * down)
    soft = torch.from_numpy(np.flatnonzero(rng.random(count) < 0.2))
    if len(soft):
        share = torch.from_numpy(rng.random((len(soft), 1, 1, 1), np.float32))
        out[soft] = out[soft].lerp(functional.avg_pool2d(out[soft], 3, 1, 1, count_include_pad=False), share)
    grainy = torch.from_numpy(np.flatnonzero(rng.random(count) < 0.25))
    strength = torch.from_numpy(rng.uniform(0, 8, (len(grainy), 1, 1, 1)).astype(np.float32))
    out[grainy] += strength * torch.from_numpy(rng.standard_normal((len(grainy), *stack.shape[1:]), np.float32))
    return out
