"""Scenes of one to six people for the evaluation of `--blur-face`, composed of portraits whose faces' places are known.

A portrait is a square picture of one head, aligned like FFHQ: the eyes lie 0.47 below the top, the mouth 0.70. It is pasted as a
head (an ellipse with a soft edge, over a body) or as a whole (a poster or photograph on the wall). Everything comes from a
seed, so that a scene can be drawn again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from realtime.errors import UserInputError

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

CORE = (0.30, 0.36, 0.70, 0.80)
"""Brows to chin in a portrait, x1, y1, x2, y2 as shares of its side: what must never be recognisable."""
KINDS = ("still", "moving", "entering", "leaving", "crossing", "fast", "approaching", "posters", "cut", "turned")
_GRIDS = {"SFHQ_sample_2x4.jpg": (2, 4), "SFHQ_sample_3x6.jpg": (3, 6), "SFHQ_sample_4x8.jpg": (4, 8)}
_SIDE = 256

Path2 = Callable[[float], tuple[float, float, float, float]]
"""From seconds to (x, y of the portrait's middle, side in pixels, turn in degrees)."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """picture: (S, S, 3) BGR. mask: (S, S) 0..1, where the head is."""

    picture: U8
    mask: F32


@dataclass(frozen=True, slots=True)
class Person:
    """One portrait on its way through the picture. poster: pasted with its background. shutter: seconds of exposure."""

    portrait: Portrait
    path: Path2
    poster: bool = False
    shutter: float = 0.0


@dataclass(frozen=True, slots=True)
class Face:
    """Where a face is in a drawn frame. corners: (4, 2) of its core, in pixels. visible: share of the core inside the picture."""

    corners: F32
    visible: float


@dataclass(frozen=True, slots=True)
class Scene:
    """people: drawn in this order, later ones in front."""

    kind: str
    background: U8
    people: Sequence[Person]
    frames: int

    def draw(self, number: int, fps: float = 30.0) -> U8:
        """One frame, (H, W, 3) BGR."""
        canvas = self.background.copy()
        for person in self.people:
            paste(canvas, person, number / fps)
        return canvas

    def faces(self, number: int, fps: float = 30.0) -> list[Face]:
        """Every face that is at least partly inside this frame."""
        faces = (_face(self.background.shape, person, number / fps) for person in self.people)
        return [face for face in faces if face.visible > 0]


def collage_portraits(folder: Path) -> list[Portrait]:
    """The portraits of SFHQ's sample collages, cut along their grid (no detector is asked).

    Raises:
        UserInputError: the collages are not there.
    """
    found = []
    for name, (rows, columns) in _GRIDS.items():
        collage = cv2.imread(str(folder / name))
        if collage is None:
            raise UserInputError(f"{folder / name} is not there; set FACEMIRROR_SHARED to the development material.")
        height, width = collage.shape[0] / rows, collage.shape[1] / columns
        for row in range(rows):
            for column in range(columns):
                y, x = row * height, column * width
                # A line of writing stands above each picture, thin black lines between them.
                part = collage[
                    round(y + 0.065 * height) : round(y + 0.97 * height),
                    round(x + 0.02 * width) : round(x + 0.99 * width),
                ]
                found.append(portrait(np.asarray(part, np.uint8)))
    return found


def portrait(picture: U8) -> Portrait:
    """A portrait from any picture aligned as the module says."""
    square = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    y, x = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float32) / _SIDE
    distance = np.hypot((x - 0.5) / 0.34, (y - 0.52) / 0.46)
    return Portrait(np.asarray(square, np.uint8), np.clip((1.0 - distance) / 0.08, 0, 1).astype(np.float32))


def scenes(
    portraits: Sequence[Portrait], seed: int, *, height: int = 720, width: int = 1280, frames: int = 90
) -> Iterator[Scene]:
    """Scenes without end, kinds in turn, one to six people each."""
    rng = np.random.default_rng(seed)
    count = 0
    while True:
        yield scene(KINDS[count % len(KINDS)], portraits, rng, height, width, frames)
        count += 1


def scene(kind: str, portraits: Sequence[Portrait], rng: Generator, height: int, width: int, frames: int) -> Scene:
    """One scene. kind: of KINDS."""
    number = int(rng.integers(1, 7))
    chosen = [portraits[i] for i in rng.choice(len(portraits), number, replace=len(portraits) < number)]
    background = room(rng, height, width)
    seconds = frames / 30
    people = []
    for index, one in enumerate(chosen):
        side = float(rng.uniform(0.25, 0.75 if number < 3 else 0.45)) * height
        x = width * (index + 0.5) / number + float(rng.uniform(-0.05, 0.05)) * width
        y = float(rng.uniform(0.4, 0.6)) * height
        role = kind if index == number - 1 or rng.random() < 0.5 else "still"
        people.append(_person(role, one, (x, y, side), seconds, rng, (height, width)))
    order = rng.permutation(len(people))
    return Scene(kind, background, [people[i] for i in order], frames)


def _person(
    kind: str, one: Portrait, place: tuple[float, float, float], seconds: float, rng: Generator, size: tuple[int, int]
) -> Person:
    (x, y, side), (_height, width) = place, size
    sway, phase = float(rng.uniform(0.0, 0.03)) * side, float(rng.uniform(0, 6))
    direction = 1 if rng.random() < 0.5 else -1
    outside = -0.4 * side if direction > 0 else width + 0.4 * side

    def share(t: float) -> float:
        return min(max(t / seconds, 0.0), 1.0)

    if kind == "moving":
        reach, rate = float(rng.uniform(0.2, 0.8)) * side, float(rng.uniform(1, 4))
        return Person(
            one, lambda t: (x + reach * np.sin(rate * t + phase), y + 0.3 * reach * np.cos(rate * t), side, 0)
        )
    if kind == "entering":
        return Person(one, lambda t: (outside + (x - outside) * share(1.6 * t), y, side, 0))
    if kind == "leaving":
        return Person(one, lambda t: (x + (outside - x) * share(1.6 * t - 0.4 * seconds), y, side, 0))
    if kind == "crossing":
        return Person(one, lambda t: (outside + (width - 2 * outside) * share(t), y, side, 0), shutter=1 / 60)
    if kind == "fast":
        reach, rate = 1.2 * side, float(rng.uniform(6, 11))
        return Person(one, lambda t: (x + reach * np.sin(rate * t + phase), y, side, 0), shutter=1 / 50)
    if kind == "approaching":
        return Person(one, lambda t: (x, y, side * (0.3 + 1.2 * share(t)), 0))
    if kind == "posters":
        return Person(one, lambda _t: (x, y, 0.8 * side, float(direction)), poster=True)
    if kind == "cut":
        moment, other = seconds * float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.1, 0.9)) * width
        return Person(one, lambda t: (x if t < moment else other, y, side, 0))
    if kind == "turned":
        turn, rate = float(rng.uniform(-80, 80)), float(rng.uniform(0.5, 2))
        return Person(one, lambda t: (x, y, side, turn * np.sin(rate * t)))
    return Person(one, lambda t: (x + sway * np.sin(1.5 * t + phase), y + sway * np.cos(1.1 * t), side, 0))


def room(rng: Generator, height: int, width: int) -> U8:
    """A wall with furniture: gradients, rectangles, lines and noise, no face."""
    top, bottom = rng.integers(40, 220, 3), rng.integers(40, 220, 3)
    share = np.linspace(0, 1, height)[:, None, None]
    picture = np.broadcast_to(top * (1 - share) + bottom * share, (height, width, 3)).astype(np.uint8).copy()
    for _ in range(int(rng.integers(3, 12))):
        a = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        b = (a[0] + int(rng.integers(20, width // 3)), a[1] + int(rng.integers(20, height // 2)))
        cv2.rectangle(picture, a, b, rng.integers(0, 255, 3).tolist(), -1 if rng.random() < 0.7 else 4)
    noise = rng.normal(0, 6, (height // 2, width // 2, 3)).astype(np.float32)
    noise = cv2.resize(noise, (width, height))
    result: U8 = np.clip(picture + noise, 0, 255).astype(np.uint8)
    return result


def placing(person: Person, seconds: float) -> NDArray[np.float64]:
    """(2, 3) from the portrait's pixels to the picture's."""
    x, y, side, turn = person.path(seconds)
    scale, angle = side / _SIDE, np.radians(turn)
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    middle = _SIDE / 2
    return np.array([[c, -s, x - c * middle + s * middle], [s, c, y - s * middle - c * middle]])


def paste(canvas: U8, person: Person, seconds: float) -> None:
    """Draw a person over the picture, in place."""
    height, width = canvas.shape[:2]
    steps = 3 if person.shutter else 1
    moments = seconds - person.shutter * np.arange(steps) / steps
    matrices = [placing(person, float(moment)) for moment in moments]
    corners = np.array([[0, 0, 1], [_SIDE, 0, 1], [0, _SIDE, 1], [_SIDE, _SIDE, 1]], np.float64).T
    spread = np.concatenate([m @ corners for m in matrices], axis=1)
    x0, y0 = np.maximum(np.floor(spread.min(axis=1)).astype(int) - 1, 0)
    x1, y1 = np.minimum(np.ceil(spread.max(axis=1)).astype(int) + 2, (width, height))
    if x1 <= x0 or y1 <= y0:
        return
    total = np.zeros((y1 - y0, x1 - x0, 3), np.float32)
    cover = np.zeros((y1 - y0, x1 - x0), np.float32)
    for matrix in matrices:
        local = matrix - np.array([[0, 0, x0], [0, 0, y0]])
        picture, mask = person.portrait.picture, person.portrait.mask
        if person.poster:
            mask = np.ones_like(mask)
        shrink = max(1.0, 1.0 / float(np.hypot(*matrix[:, 0])))
        if shrink > 1.5:  # bilinear sampling of a much larger picture would alias
            small = max(8, round(_SIDE / shrink))
            picture = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
            mask = cv2.resize(mask, (small, small), interpolation=cv2.INTER_AREA)
            local = local @ np.array([[_SIDE / small, 0, 0], [0, _SIDE / small, 0], [0, 0, 1]])
        size = (int(x1 - x0), int(y1 - y0))
        at = cv2.warpAffine(mask, local, size, flags=cv2.INTER_LINEAR)
        total += at[..., None] * cv2.warpAffine(picture, local, size, borderMode=cv2.BORDER_REPLICATE)
        cover += at
    below = canvas[y0:y1, x0:x1]
    canvas[y0:y1, x0:x1] = np.clip(below * (1 - cover / steps)[..., None] + total / steps, 0, 255).astype(np.uint8)


def _face(shape: tuple[int, ...], person: Person, seconds: float) -> Face:
    # The middle of the exposure is where a smeared face is.
    matrix = placing(person, seconds - person.shutter / 2)
    x1, y1, x2, y2 = (share * _SIDE for share in CORE)
    xs, ys = np.meshgrid(np.linspace(x1, x2, 9), np.linspace(y1, y2, 9))
    grid = matrix @ np.stack([xs.ravel(), ys.ravel(), np.ones(81)])
    inside = (grid >= 0).all(axis=0) & (grid[0] < shape[1]) & (grid[1] < shape[0])
    corners = matrix @ np.array([[x1, x2, x2, x1], [y1, y1, y2, y2], [1, 1, 1, 1]])
    return Face(corners.T.astype(np.float32), float(inside.mean()))
