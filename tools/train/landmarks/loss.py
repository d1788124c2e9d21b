"""The landmark network's losses: wing, a self-adaptive anisotropic (STAR) term, lid and lip gaps, presence, consistency.

STAR: Zhou et al., "STAR Loss: Reducing Semantic Ambiguity in Facial Landmark Detection", CVPR 2023, arXiv 2306.02763. The error
is projected on the eigenvectors of each point's heat-map covariance and divided by the root of the eigenvalue, so that
a point on a smooth contour may slide along it at little cost; the eigenvalues are restrained, here by the logarithm that makes
the whole a likelihood, so that the covariance also says how sure the point is.
"""

import torch
from torch import Tensor
from torch.nn import functional

from tools.data.points98 import MIRROR

SIZE = 112.0
USUAL_EYES = 0.47
"""Distance of the outer eye corners in a crop of a frontal face, in crop units."""

GAPS = torch.tensor(
    [
        (61, 67),
        (62, 66),
        (63, 65),
        (69, 75),
        (70, 74),
        (71, 73),
        (89, 95),
        (90, 94),
        (91, 93),
        (76, 82),
        (79, 85),
        (78, 80),
    ]
)
"""Pairs whose distance is a measurement of its own: lids (the first six), inner lips, mouth corners, outer lips."""
LIDS_BELOW, LIDS_ABOVE = [67, 66, 65, 75, 74, 73], [61, 62, 63, 69, 70, 71]
GAP_EMPHASIS = torch.tensor([4.0] * 6 + [1.0] * 6)


def point_emphasis() -> Tensor:
    """Weight (98,) of each point: eyelids and lips matter most."""
    weight = torch.ones(98)
    weight[60:96] = 1.3
    return weight / weight.mean()


def eye_distance_emphasis(truth: Tensor) -> Tensor:
    """Weight (N,) of each face (N, 98, 2): errors are judged by the distance of the eyes, which is short in turned heads."""
    eyes = (truth[:, 60] - truth[:, 72]).norm(dim=-1)
    return (USUAL_EYES / eyes.clamp_min(0.05)).clamp(0.9, 2.2)


def wing(distance: Tensor, width: float = 8.0, bend: float = 2.5) -> Tensor:
    """Wing loss (Feng et al., CVPR 2018) of absolute pixel errors: a logarithm up to `width`, linear beyond."""
    offset = width - width * torch.log1p(torch.tensor(width / bend))
    return torch.where(distance < width, width * torch.log1p(distance / bend), distance - offset)


def eigen(covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues (..., 2), larger first, and the larger one's unit eigenvector (..., 2) of (..., 3): xx, xy, yy."""
    xx, xy, yy = covariance.unbind(-1)
    middle, half = (xx + yy) / 2, (xx - yy) / 2
    radius = torch.sqrt(half * half + xy * xy + 1e-12)
    values = torch.stack([middle + radius, middle - radius], -1)
    angle = 0.5 * torch.atan2(xy, half)
    return values, torch.stack([torch.cos(angle), torch.sin(angle)], -1)


def star(error: Tensor, covariance: Tensor, floor: float = 0.25) -> Tensor:
    """Anisotropic loss (...) of pixel errors (..., 2) under heat-map covariances (..., 3) in pixels squared."""
    values, major = eigen(covariance)
    major = major.detach()
    minor = torch.stack([-major[..., 1], major[..., 0]], -1)
    along = torch.stack([(error * major).sum(-1), (error * minor).sum(-1)], -1)
    values = values.clamp_min(0) + floor
    scaled = along / values.sqrt()
    return (functional.smooth_l1_loss(scaled, torch.zeros_like(scaled), reduction="none") + 0.5 * values.log()).sum(-1)


def landmark_loss(
    points: Tensor,
    covariance: Tensor,
    presence: Tensor,
    truth: Tensor,
    weight: Tensor,
    wanted: Tensor,
    pair: Tensor | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The sum and its parts. points, truth (N, 98, 2) crop units; weight (N, 98); presence logit and wanted (N,).

    pair: (N,) for each picture the place of another one of the same person, -1 where there is none.
    """
    weight = weight * point_emphasis().to(weight) * eye_distance_emphasis(truth)[:, None]
    total = weight.sum().clamp_min(1.0)
    error = (points - truth) * SIZE
    by_wing = (wing(error.abs(), bend=4.0).sum(-1) * weight).sum() / total
    by_star = (star(error, covariance * SIZE**2) * weight).sum() / total
    a, b = GAPS.to(points.device).unbind(1)
    gap = ((points[:, a] - points[:, b]) - (truth[:, a] - truth[:, b])) * SIZE
    both = weight[:, a] * weight[:, b] * GAP_EMPHASIS.to(weight)
    by_gap = (wing(gap.abs(), bend=1.0).sum(-1) * both).sum() / both.sum().clamp_min(1.0)
    by_eyes = (wing(eye_gaps(points - truth).abs() * SIZE, bend=0.5) * lids_seen(weight)).mean()
    corner, seen = corner_errors(points - truth, truth) * SIZE, corners_seen(weight)
    by_corner = (squared_when_small(corner) * seen).mean()
    by_presence = functional.binary_cross_entropy_with_logits(presence, wanted)
    parts = {"wing": by_wing, "star": by_star, "gap": by_gap, "eyes": by_eyes, "corner": by_corner}
    parts["presence"] = by_presence
    total_loss = 1.3 * by_wing + 0.7 * by_star + 1.2 * by_gap + 1.0 * by_eyes + 4.0 * by_corner + 2.5 * by_presence
    if pair is not None and bool((pair >= 0).any()):
        own = torch.nonzero(pair >= 0).flatten()
        other = pair[own]
        way = squared_when_small(corner[own] - corner[other]) * torch.minimum(seen[own], seen[other])
        parts["way"] = way.mean()
        # Per picture of the batch: the fewer pairs it holds, the less they count.
        total_loss = total_loss + 4.0 * way.sum() / corner.numel()
    return total_loss, parts


CORNERS = [76, 82]


def corner_errors(error: Tensor, truth: Tensor) -> Tensor:
    """(N, 6) of point errors and true points (N, 98, 2): how much too far out the mouth's right and left corner are, how much

    too low, and both for the right corner less the left: a half smile that moves the still corner costs here. In the axes of the
    face's eye line, so that two pictures of one person can be compared (`way`: what both err alike shortens no movement).
    """
    across = functional.normalize(truth[:, 72] - truth[:, 60], dim=-1)
    down = torch.stack([-across[:, 1], across[:, 0]], -1)
    out = (error[:, CORNERS] * across[:, None]).sum(-1) * error.new_tensor((-1.0, 1.0))
    low = (error[:, CORNERS] * down[:, None]).sum(-1)
    return torch.cat([out, low, out[:, :1] - out[:, 1:], low[:, :1] - low[:, 1:]], dim=1)


def corners_seen(weight: Tensor) -> Tensor:
    """(N, 6) how much `corner_errors` of each face count, from weights (N, 98) of its points."""
    corners = weight[:, CORNERS]
    both = corners.amin(1, keepdim=True)
    return torch.cat([corners, corners, both, both], dim=1).clamp_max(2.0)


def squared_when_small(error: Tensor) -> Tensor:
    """Of pixel errors: squared up to 1.5 pixels, linear beyond.

    Corners of the mouth are to be right on the mean, and most where they go far. The logarithm of `wing` asks for the median, and
    gives up the few smiles that go farthest.
    """
    return functional.smooth_l1_loss(error, torch.zeros_like(error), reduction="none", beta=1.5)


def eye_gaps(error: Tensor) -> Tensor:
    """(N, 3) of point errors (N, 98, 2): how much too far open the right eye is, the left one, and by how much more the right.

    Alone, each lid's error can be small while both eyes err the same way: an open eye shut with the other one costs here.
    """
    below, above = torch.tensor(LIDS_BELOW), torch.tensor(LIDS_ABOVE)
    opened = (error[:, below, 1] - error[:, above, 1]).reshape(len(error), 2, 3).mean(-1)
    return torch.cat([opened, opened[:, :1] - opened[:, 1:]], dim=1)


def lids_seen(weight: Tensor) -> Tensor:
    """(N, 3) how much `eye_gaps` of each face count, from weights (N, 98) of its points: as its least trusted lid does."""
    lids = weight[:, torch.tensor(LIDS_BELOW + LIDS_ABOVE)].reshape(-1, 2, 2, 3).amin((1, 3))
    return torch.cat([lids, lids.amin(1, keepdim=True)], dim=1).clamp_max(2.0)


def random_small_motion(count: int, generator: torch.Generator) -> Tensor:
    """Affine matrices (count, 2, 3) from output to input coordinates in -1..1: the small moves of a tracker's crop."""
    draw = torch.randn(count, 4, generator=generator)
    turn, scale = 0.06 * draw[:, 0], torch.exp(0.04 * draw[:, 1])
    c, s = torch.cos(turn) * scale, torch.sin(turn) * scale
    return torch.stack([c, -s, 0.05 * draw[:, 2], s, c, 0.05 * draw[:, 3]], 1).reshape(count, 2, 3)


def moved(crops: Tensor, motion: Tensor) -> Tensor:
    """Crops (N, 3, H, W) seen through `motion`."""
    grid = functional.affine_grid(motion, list(crops.shape), align_corners=False)
    return functional.grid_sample(crops, grid, mode="bilinear", padding_mode="border", align_corners=False)


def grainy(crops: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Crops (N, 3, H, W), -1..1, with a sensor's grain, of each another strength up to `most` (standard deviation in levels of 256)."""
    strength = torch.rand(len(crops), 1, 1, 1, generator=generator) * (most / 127.5)
    return crops + strength.to(crops) * torch.randn(crops.shape, generator=generator).to(crops)


def mirrored(crops: Tensor, count: int) -> Tensor:
    """The first `count` of crops (N, 3, H, W) as a mirror shows them, the others as they are."""
    return torch.cat([crops[:count].flip(-1), crops[count:]])


def out_of_mirror(points: Tensor, count: int) -> Tensor:
    """Points (N, 98, 2), 0..1, of which the first `count` were found on mirror images, as points of the unmirrored crops."""
    swapped = points[:count, torch.from_numpy(MIRROR)] * points.new_tensor((-1.0, 1.0)) + points.new_tensor((1.0, 0.0))
    return torch.cat([swapped, points[count:]])


def back_to_first(points: Tensor, motion: Tensor) -> Tensor:
    """Points (N, 98, 2), 0..1, found on moved crops, as positions in the crops they came from."""
    return (torch.einsum("nij,npj->npi", motion[:, :, :2], points * 2 - 1) + motion[:, None, :, 2] + 1) / 2
