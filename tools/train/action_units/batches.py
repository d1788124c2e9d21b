"""Batches for the Action Unit network: both sides of faces, degraded a little, each beside a picture of the person at rest."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realtime.action_units.descriptor import mirror_shape
from realtime.action_units.model import POINT_FEATURES, REST_FEATURES
from realtime.action_units.rest_frame import ANGLE, EYE_FLOW, FLOW_FEATURES, MOUTH_FLOW, flow_row, rms_distance
from tools.train.action_units.samples import Samples
from tools.train.action_units.windows import Change, Cut, settled, windows

_LOWER = np.r_[0:33, 76:96]
"""Contour and lips: on photographs they lie less exactly than on rendered heads, from picture to picture of one person."""
_ASTRAY, _TREMBLE = 0.004, 0.002
"""By how much lips and contour are put out of place in training, as a whole and each point (inter-ocular distances)."""
_UPPER = np.r_[33:51, 60:76]
"""Brows and lids."""
_UPPER_ASTRAY, _UPPER_TREMBLE = 0.0015, 0.001
"""The same of brows and lids, whose points lie better."""

F32 = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Batch:
    """Left sides first, then right sides. points (2B, POINT_FEATURES); flow: (2B, FLOW_FEATURES);

    now: the windows, (2B, 1, height, width) each.

    rests: R pictures of each at rest, windows (R, 2B, 1, height, width); known: (2B, 1), 1 where the look at rest is known;
    truth: (2B, units), NaN where it is not known; taught: likewise, what another network makes of the face where truth is not known.
    """

    points: Tensor
    flow: Tensor
    now: Cut
    rests: Cut
    known: Tensor
    truth: Tensor
    taught: Tensor

    def features(self) -> Tensor:
        """(2B, FEATURES) as the network is given them live, the look at rest left out."""
        rest = torch.zeros(len(self.points), REST_FEATURES)
        return torch.cat([self.points, rest, self.flow, *(window.flatten(1) for window in self.now)], dim=1)


class BatchSampler:
    """Draws faces and, for each, `rests` pictures of the same person at rest (some twice where there are fewer).

    Args:
        data: all faces.
        rests: pictures at rest beside each face.
        taught: (N, 2, units) what a network makes of the faces as they are, its person's rest known where there is one; NaN where
            that is not asked for.
    """

    def __init__(self, data: Samples, rests: int = 2, taught: F32 | None = None) -> None:
        self.data = data
        self._taught = np.full_like(data.truth, np.nan) if taught is None else taught
        self._count = rests
        self.without_baseline: Rows = np.flatnonzero(data.person < 0)
        resting = np.flatnonzero(data.rest)
        self._rests = {int(p): resting[data.person[resting] == p] for p in np.unique(data.person[resting])}
        moving = np.flatnonzero(~data.rest & (data.person >= 0))
        self.with_baseline: Rows = moving[[int(p) in self._rests for p in data.person[moving]]]
        # Shapes as they are and mirrored (2, N, 98, 2), the person's mean at rest likewise, zero where none is known.
        mean = np.zeros_like(data.shape)
        for p, rows in self._rests.items():
            mean[data.person == p] = data.shape[rows].mean(axis=0)
            # The picture that movements are measured from is the one nearest to rest, as at runtime.
            self._rests[p] = rows[np.argsort([rms_distance(data.shape[r], mean[rows[0]]) for r in rows])]
        self._shapes, self._means = both_sides(data.shape), both_sides(mean)

    def draw(self, rng: np.random.Generator, size: int, without_baseline: float) -> Rows:
        """Faces to learn from, `without_baseline` the share of those without a rest; now and then one at rest itself."""
        few = min(round(without_baseline * size), len(self.without_baseline))
        rows = [rng.choice(self.with_baseline, size - few)]
        if few:
            rows.append(rng.choice(self.without_baseline, few))
        chosen: Rows = np.concatenate(rows)
        for k in np.flatnonzero((rng.random(size) < 0.08) & (self.data.person[chosen] >= 0)):
            chosen[k] = rng.choice(self._rests[int(self.data.person[chosen[k]])])
        return chosen

    def batch(self, rows: Rows, rng: np.random.Generator | None) -> Batch:
        """With `rng` degraded, and some rests withheld; without it as they are, by the first pictures at rest and the mean shape."""
        data, count = self.data, len(rows)
        person = data.person[rows]
        shape_known, look_known = person >= 0, person >= 0
        if rng is not None:
            shape_known = shape_known & (rng.random(count) > 0.25)
            look_known = look_known & (rng.random(count) > 0.15)
        rest_rows = np.repeat(rows[None], self._count, axis=0)
        for k in np.flatnonzero(person >= 0):
            choice = self._rests[int(person[k])]
            rest_rows[:, k] = np.resize(choice if rng is None else rng.permutation(choice), self._count)
        points = self._points(rows, shape_known, rng)
        face = Change(2 * count, rng)
        now = windows(data, rows, rng, face)
        looks = [windows(data, at_rest, rng, face) for at_rest in rest_rows]
        flow_known = look_known if rng is None else look_known & (rng.random(count) > 0.1)
        turned = (data.pose[rows] - data.pose[rest_rows[0]]) / ANGLE
        turned = np.concatenate([turned, turned * (-1, 1, -1)])
        flow = _flow(now, looks[0], turned, np.concatenate([flow_known, flow_known]))
        plain = Cut(*(settled(part) for part in now))
        rests = Cut(*(torch.stack([settled(part) for part in parts]) for parts in zip(*looks, strict=True)))
        known = torch.from_numpy(np.concatenate([look_known, look_known]).astype(np.float32))[:, None]
        truth = torch.from_numpy(data.truth[rows].transpose(1, 0, 2).reshape(2 * count, -1))
        # What was said with the rest known does not hold where it is withheld.
        taught = np.where(((person < 0) | (shape_known & look_known))[:, None, None], self._taught[rows], np.nan)
        other = torch.from_numpy(taught.astype(np.float32).transpose(1, 0, 2).reshape(2 * count, -1))
        other = torch.where(truth.isnan(), other, torch.nan)
        flat = torch.from_numpy(points.reshape(2 * count, -1))
        return Batch(flat, torch.from_numpy(flow), plain, rests, known, truth, other)

    def _points(self, rows: Rows, known: NDArray[np.bool_], rng: np.random.Generator | None) -> F32:
        """(2, B, POINT_FEATURES), as `realtime.action_units.model.point_features`, for a stack; with `rng` out of place."""
        out = np.empty((2, len(rows), POINT_FEATURES), np.float32)
        rest = self._means[:, rows] * known[None, :, None, None]
        shapes = self._shapes[:, rows]
        if rng is not None:
            astray = rng.normal(0, _TREMBLE, (len(rows), len(_LOWER), 2)) + rng.normal(0, _ASTRAY, (len(rows), 1, 2))
            moved = np.zeros_like(shapes[0])
            moved[:, _LOWER] = astray
            moved[:, _UPPER] = rng.normal(0, _UPPER_TREMBLE, (len(rows), len(_UPPER), 2))
            moved[:, _UPPER] += rng.normal(0, _UPPER_ASTRAY, (len(rows), 1, 2))
            shapes = shapes + both_sides(moved)
        out[..., :196] = (shapes - rest).reshape(2, len(rows), -1)
        out[..., 196:392] = rest.reshape(2, len(rows), -1)
        out[0, :, 392:395] = self.data.pose[rows] / ANGLE
        out[1, :, 392:395] = out[0, :, 392:395] * (-1, 1, -1)
        out[..., 395] = known
        return out


def both_sides(shapes: F32) -> F32:
    """(N, 98, 2) descriptors as they are and mirrored, (2, N, 98, 2)."""
    return np.stack([shapes, mirror_shape(shapes)])


def _flow(now: Cut, rest: Cut, turned: NDArray[np.floating], known: NDArray[np.bool_]) -> F32:
    """(2B, FLOW_FEATURES), as `realtime.action_units.rest_frame.flow_features`, for a stack. turned: (2B, 3) as the side sees it."""
    out = np.zeros((len(known), FLOW_FEATURES), np.float32)
    eyes, mouths, rest_eyes, rest_mouths = (part[:, 0].numpy() for part in (now.eye, now.mouth, rest.eye, rest.mouth))
    for k in np.flatnonzero(known):
        eye = EYE_FLOW.moved(EYE_FLOW.template(rest_eyes[k]), eyes[k])
        mouth = MOUTH_FLOW.moved(MOUTH_FLOW.template(rest_mouths[k]), mouths[k])
        out[k] = flow_row(eye, mouth, turned[k])
    return out
