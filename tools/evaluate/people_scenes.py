"""Scenes of two to four people who cross, hide each other, leave and come back, with everybody's true place on every frame.

Heads are portraits (see `blur_scenes`) that live: they blink, speak, sway and nod. Posters and photographs on a phone are the
same portraits that do not.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tools.evaluate.blur_scenes import CORE, Path2, Person, Portrait, paste, placing, room

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

KINDS = ("crossing", "hiding", "returning", "four", "posters")
FPS = 30
SIDE = 256
_BLINK = 0.16  # seconds
_GRAIN = 2.5  # of the sensor, grey levels


@dataclass(frozen=True, slots=True)
class Actor:
    """One person or picture on its way.

    Args:
        portrait: the head.
        path: from seconds to (x, y of the portrait's middle, side, turn); None: not there.
        alive: it blinks and speaks.
        blinks: moments (s) at which the lids begin to close.
        poster: pasted with its background.
    """

    portrait: Portrait
    path: Callable[[float], tuple[float, float, float, float] | None]
    alive: bool = True
    blinks: tuple[float, ...] = ()
    speech: float = 0.0
    poster: bool = False


@dataclass(frozen=True, slots=True)
class Truth:
    """One face on one frame. box: (4,) brows to chin. visible: share of it inside the picture and in front of others."""

    actor: int
    box: F32
    visible: float
    alive: bool


@dataclass(frozen=True, slots=True)
class PeopleScene:
    """actors: drawn in this order, later ones in front."""

    kind: str
    background: U8
    actors: Sequence[Actor]
    frames: int
    grain: F32 = field(repr=False)

    def draw(self, number: int) -> tuple[U8, list[Truth]]:
        """One frame, (H, W, 3) BGR, and who is on it."""
        seconds = number / FPS
        canvas = self.background.copy()
        owner = np.full(canvas.shape[:2], -1, np.int16)
        placed: list[tuple[int, NDArray[np.float64]]] = []
        for index, actor in enumerate(self.actors):
            place = actor.path(seconds)
            if place is None:
                continue
            person = Person(_alive(actor, seconds), _at(place), actor.poster)
            paste(canvas, person, 0.0)
            matrix = placing(person, 0.0)
            _own(owner, index, actor, matrix)
            placed.append((index, matrix))
        shift = (number * 131) % self.grain.shape[0]
        noisy = canvas + np.roll(self.grain, shift, axis=0)[..., None]
        truths = [self._truth(index, matrix, owner) for index, matrix in placed]
        return np.clip(noisy, 0, 255).astype(np.uint8), [truth for truth in truths if truth.visible > 0]

    def _truth(self, index: int, matrix: NDArray[np.float64], owner: NDArray[np.int16]) -> Truth:
        x1, y1, x2, y2 = (share * SIDE for share in CORE)
        xs, ys = np.meshgrid(np.linspace(x1, x2, 13), np.linspace(y1, y2, 13))
        grid = matrix @ np.stack([xs.ravel(), ys.ravel(), np.ones(xs.size)])
        column, row = np.rint(grid).astype(int)
        height, width = owner.shape
        inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
        own = np.zeros(len(column), bool)
        own[inside] = owner[row[inside], column[inside]] == index
        box = np.concatenate([grid.min(axis=1), grid.max(axis=1)]).astype(np.float32)
        return Truth(index, box, float(own.mean()), self.actors[index].alive)


def people_scenes(
    portraits: Sequence[Portrait], seed: int, *, height: int = 720, width: int = 1280, frames: int = 360
) -> Iterator[PeopleScene]:
    """Scenes without end, kinds in turn."""
    rng = np.random.default_rng(seed)
    count = 0
    while True:
        yield people_scene(KINDS[count % len(KINDS)], portraits, rng, (height, width), frames)
        count += 1


def people_scene(
    kind: str, portraits: Sequence[Portrait], rng: Generator, size: tuple[int, int], frames: int
) -> PeopleScene:
    """One scene. kind: of KINDS. size: height, width."""
    number = {"crossing": 2, "hiding": 2, "returning": 3, "four": 4, "posters": 4}[kind]
    chosen = [portraits[i] for i in rng.choice(len(portraits), number, replace=False)]
    actors = [_actor(kind, index, one, rng, size, frames / FPS) for index, one in enumerate(chosen)]
    grain = rng.normal(0, _GRAIN, size).astype(np.float32)
    return PeopleScene(kind, room(rng, *size), actors, frames, grain)


def _actor(kind: str, index: int, one: Portrait, rng: Generator, size: tuple[int, int], seconds: float) -> Actor:
    height = size[0]
    side = float(rng.uniform(0.42, 0.6)) * height * (0.8 if kind in ("four", "returning") else 1.0)
    y = float(rng.uniform(0.45, 0.55)) * height
    blinks = tuple(np.cumsum(rng.uniform(1.5, 4.5, 12)).tolist())
    speech = float(rng.choice([0.0, 0.0, 1.0]))
    if kind == "posters" and index > 1:
        return _picture(index, one, rng, size)
    path = _path(kind, index, rng, size, (side, y, seconds))
    phase, rate = float(rng.uniform(0, 6)), float(rng.uniform(0.6, 1.4))

    def swaying(t: float) -> tuple[float, float, float, float] | None:
        x = path(t)
        if x is None:
            return None
        sway = 0.02 * side * np.sin(rate * t + phase)
        return x + sway, y + 0.01 * side * np.cos(1.7 * rate * t), side, 4 * np.sin(0.9 * rate * t + phase)

    return Actor(one, swaying, blinks=blinks, speech=speech)


def _path(
    kind: str, index: int, rng: Generator, size: tuple[int, int], shape: tuple[float, float, float]
) -> Callable[[float], float | None]:
    """x of the head's middle by seconds; None: not in the room."""
    _height, width = size
    side, _y, seconds = shape
    lanes = {"returning": 3, "four": 4, "posters": 2}.get(kind, 2)
    home = width * (index + 0.5) / lanes
    moment = float(rng.uniform(0.15, 0.3)) * seconds
    if kind == "crossing":
        # There and back again, both at once: they hide each other in the middle twice.
        other = width - home
        return lambda t: home + (other - home) * (0.5 - 0.5 * float(np.cos(2 * np.pi * t / seconds)))
    if kind == "hiding":
        if index == 1:
            return lambda _t: width * 0.55
        behind = width * 0.55

        def to_hide(t: float) -> float:
            return home + (behind - home) * _bump(t, moment, 1.2, moment + 3.4)

        return to_hide
    if kind == "returning" and index == 0:
        gone = -0.5 * side if rng.random() < 0.5 else width + 0.5 * side
        back = width - gone if rng.random() < 0.5 else gone

        def away(t: float) -> float | None:
            if t < moment:
                return home
            if t < moment + 1.2:
                return home + (gone - home) * (t - moment) / 1.2
            if t < moment + 4.2:
                return None
            return back + (home - back) * min(1.0, (t - moment - 4.2) / 1.5)

        return away
    if kind == "four" and index in (1, 3):
        target = home - 2 * width / lanes if index == 3 else home + width / lanes

        def visit(t: float) -> float:
            return home + (target - home) * _bump(t, moment + 1.5 * (index == 3), 1.0, moment + 5.0)

        return visit
    return lambda _t: home


def _bump(t: float, start: float, ramp: float, end: float) -> float:
    """0, then up to 1 within `ramp` seconds from `start`, back to 0 within as much before `end`; smooth."""
    share = min(max((t - start) / ramp, 0.0), max((end - t) / ramp, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def _picture(index: int, one: Portrait, rng: Generator, size: tuple[int, int]) -> Actor:
    """A large poster on the wall (the third one), or a photograph on a phone that somebody holds (the fourth)."""
    height, width = size
    if index == 2:
        side = 0.95 * height
        place = (width * float(rng.choice([0.2, 0.8])), 0.5 * height, side, 1.5)
        return Actor(one, lambda _t: place, alive=False, poster=True)
    x, y, side = width * 0.5, 0.75 * height, 0.3 * height
    rate = float(rng.uniform(1, 3))

    def held(t: float) -> tuple[float, float, float, float]:
        return x + 0.2 * side * np.sin(rate * t), y + 0.1 * side * np.cos(1.3 * rate * t), side, 6 * np.sin(rate * t)

    return Actor(one, held, alive=False, poster=True)


def _at(place: tuple[float, float, float, float]) -> Path2:
    return lambda _t: place


def _alive(actor: Actor, seconds: float) -> Portrait:
    """The portrait with its lids and lips as they are at this moment."""
    if not actor.alive:
        return actor.portrait
    lids = max(
        (float(np.sin(np.pi * (seconds - b) / _BLINK)) for b in actor.blinks if b < seconds < b + _BLINK), default=0.0
    )
    lips = actor.speech * max(0.0, float(np.sin(7.0 * seconds)) * float(np.sin(1.3 * seconds)))
    if lids <= 0 and lips <= 0:
        return actor.portrait
    columns, rows = _grid()
    moved = rows - lids * _window(0.383, 0.478, 0.055, 0.028) - lids * _window(0.617, 0.478, 0.055, 0.028)
    moved = moved - 0.8 * lips * _window(0.5, 0.76, 0.09, 0.05)
    picture = cv2.remap(actor.portrait.picture, columns, np.asarray(moved, np.float32), cv2.INTER_LINEAR)
    if lips > 0.2:
        centre = (round(0.5 * SIDE), round(0.715 * SIDE))
        cv2.ellipse(
            picture, centre, (round(0.05 * SIDE), max(1, round(0.03 * lips * SIDE))), 0, 0, 360, (30, 20, 40), -1
        )
        picture = cv2.GaussianBlur(picture, (0, 0), 0.7)
    return Portrait(np.asarray(picture, np.uint8), actor.portrait.mask)


@lru_cache(maxsize=1)
def _grid() -> tuple[F32, F32]:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    return columns, rows


@lru_cache(maxsize=8)
def _window(x: float, y: float, across: float, down: float) -> F32:
    """(S, S) by how much rows are taken from above, around a place given in shares of the side; pixels."""
    columns, rows = _grid()
    near = np.exp(-(((columns / SIDE - x) / across) ** 2) - ((rows / SIDE - y) / down) ** 2)
    return np.asarray(0.05 * SIDE * near, np.float32)


def _own(owner: NDArray[np.int16], index: int, actor: Actor, matrix: NDArray[np.float64]) -> None:
    """Mark the pixels that this actor hides."""
    mask = np.ones_like(actor.portrait.mask) if actor.poster else actor.portrait.mask
    height, width = owner.shape
    there = cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_LINEAR)
    owner[there > 0.5] = index
