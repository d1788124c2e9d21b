"""A rendered patient who obeys the examination: a left palsy with oral-ocular synkinesis, of exactly known strength.

Each movement is drawn beforehand in a few steps between rest and peak: the program waits 15 s for a picture, and a busy machine may
need longer to draw one. Time is the number of the picture.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from realtime.app.examination_view import Shown
from realtime.clinic.types import Movement
from realtime.types import U8
from tools.evaluate.clinic_renders import LIGHTS
from tools.synth.camera import Camera
from tools.synth.drawing import draw
from tools.synth.heads import load_head
from tools.synth.hidden import COVERED_BROWS, COVERED_MOUTHS, awake_files, photograph_of
from tools.synth.kit import load_kit
from tools.synth.palsy import FACING, Patient, expression_of, kit_of
from tools.synth.sampler import random_looks

FPS = 15
WIDTH, HEIGHT, SUPERSAMPLING = 640, 480, 2
STEPS = 5
"""Pictures from rest to the peak."""
REACTION = 0.4
_DISTANCE = 70.0
_FACE = 0.55
"""Share of the picture's height that the face fills."""
_SAMPLES = 4


def left_palsy(bank: Path) -> Patient:
    """Somebody of the bank's people kept for tests: weak left brow, eye and mouth; the left eye shuts along with the mouth."""
    hidden = COVERED_BROWS | COVERED_MOUTHS
    file = next(
        f for f in awake_files(bank, True) if photograph_of(f.stem) not in hidden and photograph_of(f.stem) > "02330"
    )
    gain = {"brow": 0.25, "eye": 0.75, "mouth": 0.25}
    return Patient("rendered", load_head(file), "left", gain, 0.7, 0.0, 1.0, 0.0)  # type: ignore[arg-type]


class RenderedPatient:
    """A `PictureSource`. live, fps: see there.

    Args:
        shown: what the program shows now; None before it has begun.
        patient: whom to draw.
        movements: that will be asked for.
        longest: seconds after which the source ends.
    """

    live = False
    fps = float(FPS)

    def __init__(
        self,
        shown: Callable[[], Shown | None],
        patient: Patient,
        movements: Sequence[Movement],
        *,
        longest: float = 300.0,
    ) -> None:
        self._shown, self._patient, self._longest = shown, patient, longest
        self._kit = kit_of(load_kit(), patient)
        self._looks = random_looks(np.random.default_rng(3), patient.head)
        self._rest = self._draw("rest", 0.0)
        self._drawn: dict[tuple[Movement, int], U8] = {
            (movement, step): self._draw(movement, step / STEPS)
            for movement in movements
            if movement != "rest"
            for step in range(1, STEPS + 1)
        }
        rng = np.random.default_rng(4)
        self._noise = [rng.normal(0, 2, (HEIGHT, WIDTH, 3)).astype(np.float32) for _ in range(_SAMPLES)]
        self._number = self._cue = 0
        self._play: Iterator[U8] = self._at_rest()

    def read(self) -> tuple[U8, float] | None:
        """The next picture."""
        time = self._number / FPS
        if time > self._longest:
            return None
        noise = self._noise[self._number % _SAMPLES]
        self._number += 1
        shown = self._shown()
        if shown is not None and shown.cue_number > self._cue:
            self._cue = shown.cue_number
            if shown.cue == "go" and shown.status.movement is not None:
                self._play = self._moving(shown.status.movement)
        return np.clip(next(self._play) + noise, 0, 255).astype(np.uint8), time

    def _at_rest(self) -> Iterator[U8]:
        while True:
            yield self._rest

    def _moving(self, movement: Movement) -> Iterator[U8]:
        for _ in range(round(REACTION * FPS)):
            yield self._rest
        for step in range(1, STEPS):
            yield self._drawn[movement, step]
        while self._wants_more():
            yield self._drawn[movement, STEPS]
        for step in range(STEPS - 1, 0, -1):
            yield self._drawn[movement, step]
        yield from self._at_rest()

    def _wants_more(self) -> bool:
        shown = self._shown()
        return shown is not None and shown.status.phase in ("go", "hold")

    def _draw(self, movement: Movement, share: float) -> U8:
        rest = expression_of(self._patient, "rest", np.random.default_rng(5))
        peak = expression_of(self._patient, movement, np.random.default_rng(5))
        expression = (rest + (peak - rest) * share).astype(np.float32)
        width, height = WIDTH * SUPERSAMPLING, HEIGHT * SUPERSAMPLING
        camera = Camera(_FACE * height * _DISTANCE / 17.0, (width / 2 - 0.5, height / 2 - 0.5))
        behind = np.full((height, width, 3), 150, np.float32)
        head = self._patient.head
        drawn = draw(
            self._kit, head, head.identity, expression, FACING, np.array([0.0, 1.0, _DISTANCE + 8.0]),
            camera, (height, width), LIGHTS[0], self._looks, behind,
        )  # fmt: skip
        small = cv2.resize(drawn.picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        return np.asarray(np.clip(small, 0, 255), np.uint8)
