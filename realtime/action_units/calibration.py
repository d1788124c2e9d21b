"""Taking a person's neutral: a few seconds of rest, collected only while head, light and stillness allow it.

Pure: it is given the frames with their times, and reports what it waits for, how far it is and, in the end, the baseline.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from realtime.action_units.baseline import Baseline
from realtime.action_units.descriptor import Descriptor
from realtime.types import F32

Phase = Literal["idle", "waiting", "collecting", "done", "failed"]

# A person at rest blinks: the eyelids and pupils do not count as movement, and the median keeps blinks out of the neutral.
_STILL_POINTS = np.array([i for i in range(98) if not 60 <= i <= 75 and i < 96])
_LONGEST_STEP = 0.2
_FEWEST = 20


@dataclass(frozen=True, slots=True)
class CalibrationSettings:
    """What a calibration asks for.

    Attributes:
        seconds: of rest to collect.
        yaw, pitch, roll: degrees either way from looking straight ahead. On 71 people who look into the camera the pitch spans
            -12 to 14 degrees.
        light: lowest and highest mean grey of the face, 0 to 255.
        window: seconds over which stillness is judged.
        movement: root mean square spread of the points inside the window, inter-ocular distances.
        turning: spread of the head's angles inside the window, degrees.
        patience: seconds of unrest after which collecting starts over.
        give_up: seconds after which it fails.
    """

    seconds: float = 4.0
    yaw: float = 12.0
    pitch: float = 17.0
    roll: float = 15.0
    light: tuple[float, float] = (40.0, 225.0)
    window: float = 0.5
    movement: float = 0.012
    turning: float = 1.5
    patience: float = 1.0
    give_up: float = 30.0


class CalibrationProgress(NamedTuple):
    """How far a calibration came.

    Attributes:
        phase: idle, waiting, collecting, done or failed.
        share: 0..1 of the rest that is needed.
        sentence: what the person should do or know.
    """

    phase: Phase
    share: float
    sentence: str


IDLE = CalibrationProgress("idle", 0.0, "No calibration is running.")
BEGUN = CalibrationProgress("waiting", 0.0, "Look into the camera and rest your face.")


@dataclass(slots=True)
class Calibration:
    """`start`, then `update` per analysed frame until the phase is done (`neutral` is set) or failed.

    Attributes:
        settings: how long, how still.
        progress: how far it came.
        neutral: the medians of descriptor and embedding at rest.
        frames: how many it was made of.
        network, landmarks: checksums of the networks whose embeddings and points come in.
    """

    settings: CalibrationSettings = field(default_factory=CalibrationSettings)
    network: str = ""
    landmarks: str = ""
    progress: CalibrationProgress = IDLE
    neutral: Baseline | None = None
    frames: int = 0
    _shapes: list[F32] = field(default_factory=list)
    _embeddings: list[F32] = field(default_factory=list)
    _recent: deque[tuple[float, F32, tuple[float, float, float]]] = field(default_factory=deque)
    _collected: float = 0.0
    _started: float | None = None
    _last: float | None = None
    _unrest: float | None = None
    _face_id: int | None = None

    @property
    def running(self) -> bool:
        """Between `start` and its end."""
        return self.progress.phase in ("waiting", "collecting")

    def start(self) -> None:
        """Begin, or begin again."""
        self._recent.clear()
        self._start_over()
        self._started = None
        self._face_id = None
        self.neutral = None
        self.progress = BEGUN

    def update(
        self,
        time: float,
        face_id: int | None,
        found: Descriptor | None,
        light: float | None,
        embedding: F32 | None = None,
    ) -> None:
        """Take in one analysed frame.

        Args:
            time: its capture time (s).
            face_id: whose; None: nobody's.
            found: None without a face.
            light: mean grey of the face, 0..255.
            embedding: (2, EMBEDDING_SIZE) where the network read the face's picture as well.
        """
        if not self.running:
            return
        self._started = time if self._started is None else self._started
        if self._face_id not in (None, face_id) and face_id is not None:
            self._recent.clear()
            self._start_over()
        self._face_id = face_id if face_id is not None else self._face_id
        obstacle = self._obstacle(time, found, light)
        if obstacle is None:
            assert found is not None
            self._collect(time, found.shape, embedding)
        else:
            self._wait(time, obstacle)
        if self.running and time - self._started >= self.settings.give_up:
            self.progress = CalibrationProgress(
                "failed",
                self._share,
                f"The calibration was given up after {self.settings.give_up:.0f} s. {obstacle or ''}".strip(),
            )

    @property
    def _share(self) -> float:
        return min(1.0, self._collected / self.settings.seconds)

    def _start_over(self) -> None:
        self._shapes.clear()
        self._embeddings.clear()
        self._collected = 0.0
        self._last = self._unrest = None

    def _obstacle(self, time: float, found: Descriptor | None, light: float | None) -> str | None:
        """What keeps this frame from being taken, as a sentence."""
        wanted = self.settings
        if found is None:
            self._recent.clear()
            return "No face is seen: sit in front of the camera."
        facing = found.facing
        self._recent.append((time, found.shape[_STILL_POINTS], facing))
        while time - self._recent[0][0] > wanted.window:
            self._recent.popleft()
        yaw, pitch, roll = facing
        if abs(yaw) > wanted.yaw or abs(pitch) > wanted.pitch:
            return "Turn your head so that you look straight into the camera."
        if abs(roll) > wanted.roll:
            return "Hold your head upright."
        if light is None or not np.isfinite(light):
            return "The light on the face cannot be judged."
        if light < wanted.light[0]:
            return "It is too dark: put more light on your face."
        if light > wanted.light[1]:
            return "It is too bright: take some light off your face."
        if time - self._recent[0][0] < 0.6 * wanted.window:
            return "Keep still."
        shapes = np.stack([shape for _, shape, _ in self._recent])
        angles = np.array([pose for _, _, pose in self._recent])
        if float(np.sqrt(shapes.var(axis=0).sum(axis=1).mean())) > wanted.movement:
            return "Rest your face and keep still."
        if float(angles.std(axis=0).max()) > wanted.turning:
            return "Keep your head still."
        return None

    def _collect(self, time: float, shape: F32, embedding: F32 | None) -> None:
        if self._last is not None:
            self._collected += min(time - self._last, _LONGEST_STEP)
        self._last, self._unrest = time, None
        self._shapes.append(shape)
        if embedding is not None:
            self._embeddings.append(embedding)
        if self._collected < self.settings.seconds or len(self._shapes) < _FEWEST:
            self.progress = CalibrationProgress(
                "collecting", self._share, "Rest your face: the calibration is running."
            )
            return
        embeddings = _median(self._embeddings) if len(self._embeddings) == len(self._shapes) else None
        self.neutral = Baseline(_median(self._shapes), embeddings, self.network, self.landmarks)
        self.frames = len(self._shapes)
        self.progress = CalibrationProgress("done", 1.0, f"Calibrated from {self._collected:.1f} s of rest.")

    def _wait(self, time: float, obstacle: str) -> None:
        self._last = None
        self._unrest = time if self._unrest is None else self._unrest
        if time - self._unrest > self.settings.patience:
            self._start_over()
            self._unrest = time
        self.progress = CalibrationProgress("waiting", self._share, obstacle)


def _median(values: list[F32]) -> F32:
    return np.median(np.stack(values), axis=0).astype(np.float32)
