"""Training crops of the landmark network that hold no face, or one that cannot be measured."""

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.data.appearance import degrade, relight
from tools.data.crops import BORDERS, SIZE, U8, Generator, Sample, square_iou
from tools.data.occluders import SKIN, hand_mask
from tools.data.points98 import crop_matrix


def sample_nothing(picture: U8, faces: list[tuple[NDArray[np.float64], float, float]], rng: Generator) -> Sample:
    """A crop that holds no face, or too little, too small or upside down, from a picture with known face squares.

    faces: centre, side, roll of every face's nominal square. Squares that would show a face well are not taken.
    """
    for _ in range(20):
        centre, side, roll = faces[rng.integers(len(faces))]
        kind = rng.random()
        shift, scale, turn = np.zeros(2), 1.0, rng.normal(0, 0.3)
        if kind < 0.45:  # beside the face
            angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.62, 1.5)
            shift, scale = np.array((np.cos(angle), np.sin(angle))) * far, float(np.exp(rng.normal(-0.1, 0.35)))
        elif kind < 0.65:  # far too close: an eye, a mouth, a cheek
            shift, scale = rng.uniform(-0.35, 0.35, 2), float(rng.uniform(0.12, 0.42))
        elif kind < 0.8:  # far too wide
            shift, scale = rng.uniform(-0.6, 0.6, 2), float(rng.uniform(2.3, 3.2))
        else:  # lying or upside down
            shift, scale, turn = (
                rng.normal(0, 0.08, 2),
                float(np.exp(rng.normal(0, 0.15))),
                rng.choice((-1, 1)) * rng.uniform(1.4, np.pi),
            )
        c, s = np.cos(roll), np.sin(roll)
        at = centre + np.array([[c, -s], [s, c]]) @ shift * side
        new = scale * side
        overlaps = [square_iou((np.asarray(m) - at) / new, w / new) for m, w, _ in faces]
        if kind >= 0.8 or max(overlaps) < 0.2:
            break
    else:
        return plain_nothing(rng)
    matrix = crop_matrix(at, new, roll + turn, SIZE)
    border = BORDERS[rng.integers(len(BORDERS))]
    crop = cv2.warpAffine(
        picture, matrix, (SIZE, SIZE), flags=cv2.INTER_AREA if scale > 2 else cv2.INTER_LINEAR, borderMode=border
    )
    if rng.random() < 0.25:
        crop = _hand_over(crop, rng)
    return _empty(degrade(relight(crop, rng), rng), matrix)


def plain_nothing(rng: Generator) -> Sample:
    """A crop of no place at all: gradients, noise, stripes, letters, a hand in front of them."""
    coarse = int(rng.integers(2, 24))
    base = cv2.resize(
        rng.integers(0, 256, (coarse, coarse, 3)).astype(np.uint8), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR
    )
    kind = rng.integers(4)
    if kind == 1:
        wave = np.sin(np.arange(SIZE)[:, None] * rng.normal() + np.arange(SIZE)[None] * rng.normal())
        base = np.clip(base + (wave * 80)[..., None], 0, 255).astype(np.uint8)
    elif kind == 2:
        for _ in range(int(rng.integers(1, 6))):
            word = "".join(chr(k) for k in rng.integers(65, 123, int(rng.integers(2, 9))))
            spot = tuple(rng.integers(-10, SIZE, 2).tolist())
            cv2.putText(
                base,
                word,
                spot,
                int(rng.integers(0, 5)),
                float(rng.uniform(0.3, 2.5)),
                rng.integers(0, 256, 3).tolist(),
                int(rng.integers(1, 5)),
            )
    elif kind == 3:
        for _ in range(int(rng.integers(1, 12))):
            centre = tuple(rng.integers(0, SIZE, 2).tolist())
            axes = tuple(rng.integers(2, SIZE // 2, 2).tolist())
            cv2.ellipse(
                base,
                centre,
                axes,
                float(rng.uniform(0, 180)),
                0,
                360,
                rng.integers(0, 256, 3).tolist(),
                -1 if rng.random() < 0.7 else 2,
            )
    if rng.random() < 0.5:
        base = _hand_over(base, rng)
    return _empty(degrade(relight(base, rng), rng), np.eye(2, 3))


def _hand_over(crop: U8, rng: Generator) -> U8:
    mask = hand_mask(
        rng, SIZE, rng.uniform(0.25, 0.75, 2).astype(np.float32) * SIZE, float(rng.uniform(0.25, 0.6)) * SIZE
    )
    tone = SKIN[rng.integers(len(SKIN))] * rng.uniform(0.7, 1.2)
    light = cv2.resize(rng.normal(1, 0.2, (4, 4)).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)[
        ..., None
    ]
    inner = cv2.GaussianBlur(mask, (0, 0), 3)[..., None] / 255.0
    skin = tone * light * (0.6 + 0.4 * inner)
    result: U8 = np.clip(crop + (skin - crop) * (mask[..., None] / 255.0), 0, 255).astype(np.uint8)
    return result


def _empty(crop: U8, matrix: NDArray[np.float64]) -> Sample:
    return Sample(crop, np.full((98, 2), 0.5, np.float32), np.zeros(98, np.float32), 0.0, matrix, crop)
