"""Windows of faces as the Action Unit network learns them: cut a little out of place, changed as a whole, relit."""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from realtime.action_units.rest_frame import EYE, LOWER, MOUTH
from realtime.face.skin_flow import LEAST_SPREAD
from tools.train.action_units.samples import MARGIN, Samples

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Rows = NDArray[np.intp]


class Change:
    """What a face is changed by into another one's, alike in all its pictures: moved, stretched, slanted, turned a little, and relit.

    Heads are few beside those that will be met, and what is learnt of one head's brow is of no use for the next one's.
    """

    def __init__(self, count: int, rng: np.random.Generator | None) -> None:
        """count: windows of eyes, as many of mouths and of lower faces. Without `rng` nothing is changed."""
        self.matrices: dict[tuple[int, int], NDArray[np.float64]] = {}
        self.shifts: dict[tuple[int, int], NDArray[np.float64]] = {}
        self.light: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}
        if rng is None:
            return
        for size in (EYE, MOUTH, LOWER):
            stretch, turn = np.exp(rng.normal(0, 0.06, (count, 2))), rng.normal(0, 0.07, count)
            slant = np.zeros((count, 2, 2))
            slant[:, 0, 0], slant[:, 1, 1], slant[:, 0, 1] = stretch[:, 0], stretch[:, 1], rng.normal(0, 0.06, count)
            turns = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]).transpose(2, 0, 1)
            self.matrices[size] = turns @ slant
            self.shifts[size] = rng.normal(0, 0.8, (count, 2))
            shade = torch.from_numpy(rng.normal(0, 0.12, (count, 1, 5, 5)).astype(np.float32))
            field = functional.interpolate(shade, size=size, mode="bicubic", align_corners=True).exp()
            field = field * torch.from_numpy(hard_light(count, size, rng))
            self.light[size] = field, torch.from_numpy(np.exp(rng.normal(0, 0.2, (count, 1, 1, 1))).astype(np.float32))


HARD = 0.5
"""Share of faces that stand in a hard light."""
_EYE_LEVEL = 0.33
"""Where the eye lies in its window, -1 (top) to 1: the brow's window reaches further up."""


def hard_light(count: int, size: tuple[int, int], rng: np.random.Generator) -> F32:
    """Factors (count, 1, height, width) of a light from one side; 1 where the face is lit evenly.

    Three things come together or alone: a slope across the window, mostly from left to right; the edge of a shadow cast on it; and a
    hollow that lies in the shade (the eye's socket under the brow; beside the nose or under the lip elsewhere). A lid in shadow is a dark
    band whether it is shut or not: a network that met only soft light takes the band for an open eye.

    Args:
        count: windows.
        size: (height, width) of them.
        rng: draws.
    """
    y, x = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]), indexing="ij")
    x, y = x[None], y[None]

    def each(low: float, high: float) -> F32:
        return rng.uniform(low, high, (count, 1, 1)).astype(np.float32)

    def some(share: float) -> NDArray[np.bool_]:
        return rng.random((count, 1, 1)) < share

    angle = rng.normal(0, 0.6, (count, 1, 1)) + np.pi * some(0.5)
    out = np.where(
        some(0.7), np.exp(np.abs(rng.normal(0, 0.6, (count, 1, 1))) * (x * np.cos(angle) + y * np.sin(angle))), 1
    )
    turn = each(0, 2 * np.pi)
    beyond = (x * np.cos(turn) + y * np.sin(turn) - each(-0.8, 0.8)) / each(0.04, 0.4)
    out *= np.where(some(0.35), 1 - each(0.2, 0.75) / (1 + np.exp(-np.clip(beyond, -30, 30))), 1)
    at = (0.0, _EYE_LEVEL) if size == EYE else (0.0, 0.0)
    stray = 0.2 if size == EYE else 0.7
    middle_x, middle_y = at[0] + each(-stray, stray), at[1] + each(-stray, stray)
    deep = np.exp(-(((x - middle_x) / each(0.4, 1.0)) ** 2) - ((y - middle_y) / each(0.2, 0.6)) ** 2)
    out *= np.where(some(0.4), 1 - each(0.2, 0.7) * deep, 1)
    result: F32 = np.where(some(HARD), out, 1)[:, None].astype(np.float32)
    return result


class Cut(NamedTuple):
    """Windows of both sides, (2B, 1, height, width) each, grey 0..255: the left sides, then the right sides mirrored."""

    eye: Tensor
    mouth: Tensor
    lower: Tensor


def windows(data: Samples, rows: Rows, rng: np.random.Generator | None, change: Change) -> Cut:
    """The windows of these faces."""

    def both(left: U8, right: U8, size: tuple[int, int]) -> Tensor:
        sides = [_cut(stack, rows, size, rng, change, k) for k, stack in enumerate((left, right))]
        plain = torch.from_numpy(np.concatenate(sides)).float()[:, None]
        return plain if rng is None else _relit(plain, rng, *change.light[size])

    return Cut(
        both(data.left, data.right, EYE), both(data.mouth, data.mouth, MOUTH), both(data.lower, data.lower, LOWER)
    )


def _cut(
    stack: U8,
    rows: Rows,
    size: tuple[int, int],
    rng: np.random.Generator | None,
    change: Change,
    side: int,
) -> U8:
    """Windows (B, height, width) of one side, the right one's (side 1) mirrored.

    With `rng` changed, and a trace more out of place than landmarks put them.
    """
    height, width = size
    if rng is None:
        plain = stack[rows, MARGIN : MARGIN + height, MARGIN : MARGIN + width]
        return plain[:, :, ::-1] if side else plain
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    own = np.s_[side * len(rows) : (side + 1) * len(rows)]
    matrices, shifts = change.matrices[size][own], change.shifts[size][own]
    shifts = MARGIN + np.clip(shifts + rng.normal(0, 0.2, shifts.shape), -MARGIN, MARGIN)
    out = np.empty((len(rows), height, width), np.uint8)
    for k, row in enumerate(rows):
        matrix = np.column_stack([matrices[k], middle + shifts[k] - matrices[k] @ middle])
        window = stack[row, :, ::-1] if side else stack[row]
        cv2.warpAffine(
            np.ascontiguousarray(window),
            matrix,
            (width, height),
            out[k],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return out


def settled(stack: Tensor) -> Tensor:
    """As `realtime.action_units.model.settled`, for a stack."""
    stack = stack - stack.mean(dim=(1, 2, 3), keepdim=True)
    return stack / stack.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp_min(LEAST_SPREAD)


def _relit(stack: Tensor, rng: np.random.Generator, shade: Tensor, contrast: Tensor) -> Tensor:
    """The face's own shade and contrast, a light from one side, another contrast curve, now and then a blur or noise."""
    count, _, height, width = stack.shape

    def each(scale: float) -> Tensor:
        return torch.from_numpy(rng.normal(0, scale, (count, 1, 1, 1)).astype(np.float32))

    across = torch.linspace(-1, 1, width)[None, None, None, :]
    down = torch.linspace(-1, 1, height)[None, None, :, None]
    curve = torch.exp(each(0.2))
    own = shade * (stack / 255).clamp_min(1e-3).pow(contrast)
    # A head that moves in a hard light is lit otherwise from picture to picture.
    swing = 0.15 * torch.from_numpy(np.where(rng.random((count, 1, 1, 1)) < 0.2, 2.5, 1.0).astype(np.float32))
    out = 255 * own.pow(curve) * (1 + each(1.0) * swing * across + each(1.0) * swing * down).clamp_min(0.05)
    flat = torch.from_numpy(np.flatnonzero(rng.random(count) < 0.15))
    if len(flat):
        faint = torch.from_numpy(rng.uniform(0.2, 0.8, (len(flat), 1, 1, 1)).astype(np.float32))
        out[flat] = (255 * (1 - faint) * 0.4 + faint * out[flat]).round()
    soft = torch.from_numpy(np.flatnonzero(rng.random(count) < 0.1))
    if len(soft):
        share = torch.from_numpy(rng.random((len(soft), 1, 1, 1), np.float32))
        out[soft] = out[soft].lerp(functional.avg_pool2d(out[soft], 3, 1, 1, count_include_pad=False), share)
    grainy = torch.from_numpy(np.flatnonzero(rng.random(count) < 0.12))
    strength = torch.from_numpy(rng.uniform(0, 8, (len(grainy), 1, 1, 1)).astype(np.float32))
    out[grainy] += strength * torch.from_numpy(rng.standard_normal((len(grainy), *stack.shape[1:]), np.float32))
    for k in np.flatnonzero(rng.random(count) < 0.1):
        out[k, 0] = torch.from_numpy(_compressed(out[k, 0].numpy(), int(rng.integers(15, 70))))
    return out


def _compressed(window: F32, quality: int) -> F32:
    """As a stored picture or a video call gives it back."""
    _, stored = cv2.imencode(".jpg", np.clip(window, 0, 255).astype(np.uint8), (cv2.IMWRITE_JPEG_QUALITY, quality))
    result: F32 = np.asarray(cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE), np.float32)
    return result
