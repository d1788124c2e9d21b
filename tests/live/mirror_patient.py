"""A picture source that obeys the examination: the demo clip's person rests, and moves when asked to.

It runs inside the program as a plug-in. What the program asks is read from the program itself, so that the loop is closed as it
is in front of a camera; time is the number of the picture, so that a slow machine changes nothing.
"""

from collections.abc import Callable, Iterator
from importlib.resources import files

import av
import cv2
import numpy as np

from realtime.app.examination_view import Shown
from realtime.clinic.types import Movement
from realtime.types import U8

CLIP_FPS = 30
FPS = 15
WIDTH, HEIGHT = 640, 360
REST = (0.1, 0.9)
RISE = 0.35
# Seconds of the demo clip in which a movement is made, up to its end.
HEALTHY: dict[Movement, tuple[float, float]] = {
    "brow_raise": (1.0, 2.1),
    "gentle_closure": (2.9, 4.0),
    "tight_closure": (2.9, 4.0),
    "open_smile": (5.6, 6.8),
    "closed_smile": (5.6, 6.8),
    "snarl": (7.0, 8.0),
    "pucker": (8.2, 9.2),
    "eee": (5.6, 6.8),
}
# The clip has a smile of the left side alone; in the mirror it is a smile of the right side alone.
ONE_SIDED: tuple[float, float] = (4.3, 5.4)
REACTION = 0.4


def pictures() -> list[U8]:
    """The demo clip, small."""
    with av.open(str(files("realtime.media").joinpath("assets", "demo.mp4"))) as container:
        return [
            np.asarray(
                cv2.resize(frame.to_ndarray(format="bgr24"), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8
            )
            for frame in container.decode(video=0)
        ]


class MirrorPatient:
    """A `PictureSource`. live, fps: see there.

    Args:
        shown: what the program shows now; None before it has begun.
        palsy: of the left side of the mouth: smiles are the right side's alone.
        longest: seconds after which the source ends.
    """

    live = False
    fps = float(FPS)

    def __init__(self, shown: Callable[[], Shown | None], *, palsy: bool, longest: float = 300.0) -> None:
        self._shown = shown
        self._palsy = palsy
        self._longest = longest
        self._frames = pictures()
        if palsy:
            self._frames = [np.ascontiguousarray(frame[:, ::-1]) for frame in self._frames]
        self._number = 0
        self._cue = 0
        self._play = self._at_rest()

    def read(self) -> tuple[U8, float] | None:
        """The next picture."""
        time = self._number / FPS
        if time > self._longest:
            return None
        self._number += 1
        shown = self._shown()
        if shown is not None and shown.cue_number > self._cue:
            self._cue = shown.cue_number
            if shown.cue == "go" and shown.status.movement is not None:
                self._play = self._moving(shown.status.movement)
        return self._frames[next(self._play)].copy(), time

    def _at_rest(self) -> Iterator[int]:
        first, last = (round(at * CLIP_FPS) for at in REST)
        to_and_fro = [*range(first, last), *range(last, first, -1)]
        while True:
            yield from to_and_fro[:: CLIP_FPS // FPS]

    def _moving(self, movement: Movement) -> Iterator[int]:
        start, end = (
            ONE_SIDED if self._palsy and movement in ("open_smile", "closed_smile", "eee") else HEALTHY[movement]
        )
        rest = self._at_rest()
        for _ in range(round(REACTION * FPS)):
            yield next(rest)
        step = CLIP_FPS // FPS
        first, up = round(start * CLIP_FPS), round((start + RISE) * CLIP_FPS)
        down, last = round((end - RISE) * CLIP_FPS), round(end * CLIP_FPS)
        yield from range(first, up, step)
        held = [*range(up, down), *range(down, up, -1)][::step]
        place = 0
        while self._wants_more():
            yield held[place % len(held)]
            place += 1
        yield from range(down, last, step)
        yield from rest

    def _wants_more(self) -> bool:
        shown = self._shown()
        return shown is not None and shown.status.phase in ("go", "hold")
