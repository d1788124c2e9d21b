"""The baseline of a person whom nobody calibrated: weighted medians over the frames on which the face is at rest.

Whether a face is at rest is judged without any baseline, by the Action Unit network itself: quiet, eyes open, frontal and still. So
closed eyes or a smile at the start do not become the rest against which everything else is measured. Among the admitted frames the
calmer ones count more, so that a better view of rest soon outweighs a poorer one.
"""

import math
from dataclasses import dataclass

import numpy as np

from realtime.action_units.baseline import EMBEDDING_SIZE, Baseline, RunningMedian
from realtime.action_units.descriptor import Descriptor
from realtime.action_units.rest_frame import rms_distance
from realtime.types import F32, Sides

_SMILE, _PUCKER, _BLINK = 12, 18, 45
_OPEN_EYES = 1.0


@dataclass(frozen=True, slots=True)
class AdmissionSettings:
    """Which frames are taken for rest, and when the baseline made of them counts.

    The limits come from 71 neutral and 51 smiling photographs of real people, measured without a baseline: 94 in 100 neutral faces
    and 25 in 100 smiling ones are admitted, and of one person's two faces the neutral one is the calmer in 96 of 100
    (`python -m tools.evaluate real`).

    Attributes:
        unrest: highest unrest of an admitted frame (see `unrest`).
        single: highest intensity of any other Action Unit.
        smile: highest intensity of AU 12: smiles are what people most often begin with.
        eyes: highest intensity of AU 45. Narrow eyes that are open read up to 1.7, closed ones from 3 on.
        half: unrest by which a frame's weight halves.
        full: weight of a frame without any unrest.
        turned: largest yaw and pitch, degrees.
        speed: fastest movement of the points, inter-ocular distances a second (root mean square).
        first: admitted frames before the baseline is used.
        settled: admitted frames before it is called settled.
        settled_seconds: time that the admitted frames must span before it is called settled.
    """

    unrest: float = 1.6
    single: float = 1.8
    smile: float = 1.2
    eyes: float = 2.2
    half: float = 0.4
    full: int = 32
    turned: float = 17.0
    speed: float = 0.12
    first: int = 8
    settled: int = 50
    settled_seconds: float = 5.0


def unrest(without_baseline: Sides[dict[int, float]]) -> float:
    """How far a face of unknown rest is from rest: the length of the vector of its intensities, 0: no Action Unit at all.

    Args:
        without_baseline: intensities by Action Unit, measured without a baseline. The stronger side counts. AU 45 counts from 1 on, where
            open eyes end, and AU 18 by half: full lips read up to 2. NaN, on a covered part, does not count.
    """
    total = 0.0
    for unit in without_baseline.left:
        value = max((side[unit] for side in without_baseline if not math.isnan(side[unit])), default=0.0)
        value = max(value - _OPEN_EYES, 0.0) if unit == _BLINK else value / 2 if unit == _PUCKER else value
        total += value * value
    return math.sqrt(total)


class RunningBaseline:
    """Collects the frames at rest of one person. One caller at a time.

    Args:
        network: checksums of the networks.
        landmarks: likewise.
        settings: what counts as rest.

    Attributes:
        admitted: frames taken in so far.
    """

    def __init__(
        self, network: str = "", landmarks: str = "", settings: AdmissionSettings = AdmissionSettings()
    ) -> None:
        self._network = network
        self._landmarks = landmarks
        self._settings = settings
        self.forget()

    def forget(self) -> None:
        """Start again for another person."""
        self._shapes, self._embeddings = RunningMedian(98 * 2), RunningMedian(2 * EMBEDDING_SIZE)
        self.admitted = 0
        self._first_time: float | None = None
        self._newest_time = 0.0
        self._last: tuple[float, F32] | None = None
        self._still = False

    @property
    def settled(self) -> bool:
        """Enough rest has been seen, over long enough a time."""
        wanted = self._settings
        return (
            self.admitted >= wanted.settled
            and self._first_time is not None
            and self._newest_time - self._first_time >= wanted.settled_seconds
        )

    def watch(self, found: Descriptor, time: float) -> bool:
        """Follow the movement of every frame.

        Args:
            found: the frame's descriptor.
            time: capture time, seconds.

        Returns:
            Whether the face is frontal and still: only then is it worth asking the network.
        """
        last, self._last = self._last, (time, found.shape)
        self._still = (
            last is not None
            and time > last[0]
            and rms_distance(found.shape, last[1]) <= self._settings.speed * (time - last[0])
            and max(map(abs, found.facing[:2])) <= self._settings.turned
        )
        return self._still

    def update(
        self, found: Descriptor, time: float, without_baseline: Sides[dict[int, float]], embedding: F32 | None
    ) -> int:
        """Judge the frame that was watched last, and take it in where it shows rest.

        Args:
            found: the frame's descriptor.
            time: capture time, seconds.
            without_baseline: intensities by Action Unit, measured without a baseline.
            embedding: (2, EMBEDDING_SIZE) of the frame; None where there is none.

        Returns:
            The weight with which it was taken in; 0: not at all.
        """
        return self.admit(found, time, without_baseline, embedding) if self._still else 0

    def admit(
        self, found: Descriptor, time: float, without_baseline: Sides[dict[int, float]], embedding: F32 | None
    ) -> int:
        """Judge a frame on which the face was frontal and still, however long ago; see `update`.

        Args:
            found: the frame's descriptor.
            time: capture time, seconds.
            without_baseline: intensities by Action Unit, measured without a baseline.
            embedding: (2, EMBEDDING_SIZE) of the frame; None where there is none.
        """
        weight = self.weight(without_baseline)
        if weight:
            self._shapes.update(found.shape.reshape(-1), weight)
            if embedding is not None:
                self._embeddings.update(embedding.reshape(-1), weight)
            self.admitted += 1
            self._first_time = time if self._first_time is None else self._first_time
            self._newest_time = time
        return weight

    def weight(self, without_baseline: Sides[dict[int, float]]) -> int:
        """How much a frame with these intensities says about rest; 0: it is none.

        Args:
            without_baseline: intensities of the frame, measured as of a person whose rest is not known.
        """
        wanted = self._settings
        away = unrest(without_baseline)
        limits = {_BLINK: wanted.eyes, _SMILE: wanted.smile}
        if away > wanted.unrest or any(
            value > limits.get(unit, wanted.single) for side in without_baseline for unit, value in side.items()
        ):
            return 0
        result: int = max(1, round(wanted.full * 0.5 ** (away / wanted.half)))
        return result

    def baseline(self) -> Baseline | None:
        """What is known of rest now; None while too few frames were admitted."""
        if self.admitted < self._settings.first:
            return None
        known = self._embeddings.weight == self._shapes.weight
        embedding = self._embeddings.median().reshape(2, EMBEDDING_SIZE) if known else None
        shape = self._shapes.median().reshape(98, 2)
        return Baseline(np.ascontiguousarray(shape), embedding, self._network, self._landmarks)
