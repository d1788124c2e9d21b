"""From a frame and its 68 points to Action Units: fit, align, FHOG, geometry, neutral, prediction, live correction.

`Channel` does this for one face; `OpenFace2` for the whole face and for each of its doubled halves, each with its own
fit, its own neutral and its own correction, because each is a different face to the models.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from realtime.face.mirroring import Midline
from realtime.openface2.alignment import Aligned, Aligner
from realtime.openface2.assets import Assets
from realtime.openface2.descriptor import Neutral, describe
from realtime.openface2.fhog import fhog
from realtime.openface2.mirrored_halves import half_points, midline_of_68
from realtime.openface2.postprocess import OnlineCorrection
from realtime.openface2.shape_fit import Fit, ShapeFitter, project
from realtime.types import F64, U8

FRAMES = 60
TOLERANCE = 0.25


class Settling:
    """Settled once no dynamic Action Unit's neutral share moved by more than 0.25 within the last 60 measured frames.

    A quarter of the step between two neighbouring grades of the 0..5 scale. Stays settled until `reset`.
    """

    def __init__(self) -> None:
        self._last: deque[F64] = deque(maxlen=FRAMES)
        self.settled = False

    def update(self, neutral: F64) -> bool:
        """Take the neutral shares of one measured frame; returns whether it has settled."""
        if self.settled:
            return True
        self._last.append(neutral)
        if len(self._last) == FRAMES:
            recent = np.array(self._last)
            self.settled = bool(np.ptp(recent, axis=0).max(initial=0.0) <= TOLERANCE)
        return self.settled

    def reset(self) -> None:
        """Begin anew."""
        self._last.clear()
        self.settled = False


OUTSIDE_LIMIT = 0.05  # share of the masked face that may lie outside the picture; a chin tip is about that


class Face(StrEnum):
    """Which face is measured. left and right are the patient's own."""

    WHOLE = "face"
    LEFT = "left"
    RIGHT = "right"


class Unmeasured(StrEnum):
    """Why a frame has no Action Units."""

    NO_FACE = "no face"
    POINTS = "too few points"
    FIT = "shape fit did not converge"
    OUTSIDE = "face partly outside the picture"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One face on one frame. Nothing here is invented: where `reason` is set, the dictionaries are empty.

    Attributes:
        reason: why nothing was measured; empty: something was.
        settled: the person's neutral has stopped moving; before that, dynamic Action Units are preliminary.
        intensity: 0..5 by Action Unit number, corrected for live use.
        raw: the same before clipping and correction.
        occurrence: 0 or 1 by Action Unit number; empty without classifiers.
        fit: also on an unmeasured frame, if there was one; check `fit.converged`.
        points: (68, 2), those that were fitted.
        aligned: the face's picture, or None.
        frame_parts: what `Session` needs to predict again, per model, intensities then occurrences.
        neutral_parts: likewise.
    """

    reason: Unmeasured | None
    settled: bool
    intensity: dict[int, float] = field(default_factory=dict)
    raw: dict[int, float] = field(default_factory=dict)
    occurrence: dict[int, float] = field(default_factory=dict)
    fit: Fit | None = None
    points: F64 | None = None
    aligned: Aligned | None = None
    frame_parts: F64 | None = None
    neutral_parts: F64 | None = None

    @property
    def measured(self) -> bool:
        """Whether there are Action Units."""
        return self.reason is None


class Channel:
    """The path for one face. One object per person and per face; call `update` once a frame, in order."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._fitter = ShapeFitter(assets.shape)
        self._aligner = Aligner(assets.shape, assets.triangles)
        self.neutral = Neutral()
        self._correction = OnlineCorrection(len(assets.intensity.aus))
        self._settling = Settling()

    def update(self, image: U8, points: F64, line: Midline | None = None, keep_right: bool = True) -> Measurement:
        """Measure one face on one frame.

        With `line` the points are those of a doubled half and the picture is folded at that line.

        Args:
            image: (H, W, 3) uint8 BGR.
            points: (68, 2) px (NaN or x = 0: missing).
            line: the midline of a doubled half, or None.
            keep_right: the patient's right side is the one that is doubled.
        """
        fit = self._fitter.update(points)
        if not fit.converged:
            reason = Unmeasured.POINTS if fit.steps == 0 else Unmeasured.FIT
            return Measurement(reason, self._settling.settled, fit=fit, points=points)
        missing = ~np.isfinite(points).all(axis=1) | (points[:, 0] == 0)
        if missing.any():
            points = np.where(missing[:, None], project(self._assets.shape, fit.global_, fit.local), points)
        translation = fit.global_[4:]
        if line is None:
            aligned = self._aligner.align(image, points, translation)
        else:
            aligned = self._aligner.align_half(image, points, translation, line, keep_right)
        if aligned.outside > OUTSIDE_LIMIT:
            return Measurement(Unmeasured.OUTSIDE, self._settling.settled, fit=fit, points=points, aligned=aligned)
        descriptor = describe(fhog(aligned.image), fit.local, self._assets.shape)
        self.neutral.update(descriptor)
        return self._predict(descriptor, fit, points, aligned)

    def _predict(self, descriptor: F64, fit: Fit, points: F64, aligned: Aligned) -> Measurement:
        intensity, occurrence = self._assets.intensity, self._assets.occurrence
        frame, neutral = intensity.parts(descriptor, self.neutral.median)
        raw = frame - neutral
        corrected = self._correction.update(raw)
        settled = self._settling.update(neutral[intensity.dynamic])
        classes: dict[int, float] = {}
        if occurrence is not None:
            class_frame, class_neutral = occurrence.parts(descriptor, self.neutral.median)
            decided = occurrence.classes(class_frame - class_neutral)
            classes = dict(zip(occurrence.aus, decided.tolist(), strict=True))
            frame, neutral = np.concatenate([frame, class_frame]), np.concatenate([neutral, class_neutral])
        return Measurement(
            None,
            settled,
            dict(zip(intensity.aus, corrected.tolist(), strict=True)),
            dict(zip(intensity.aus, raw.tolist(), strict=True)),
            classes,
            fit,
            points,
            aligned,
            frame,
            neutral,
        )

    def reset(self) -> None:
        """Forget the person."""
        self._fitter.reset()
        self.neutral.reset()
        self._correction.reset()
        self._settling.reset()

    def lost(self) -> None:
        """The face was not there on this frame: the next fit starts cold; the person's neutral stays."""
        self._fitter.reset()


class OpenFace2:
    """The path for the faces asked for: the whole one and, measured apart, each doubled half.

    Args:
        assets: the models.
        faces: that are wanted.
    """

    def __init__(self, assets: Assets, faces: Iterable[Face] = tuple(Face)) -> None:
        self.assets = assets
        self.channels = {face: Channel(assets) for face in faces}

    def update(self, image: U8, points68: F64, line: Midline | None = None) -> dict[Face, Measurement]:
        """Measure one frame.

        Args:
            image: (H, W, 3) uint8 BGR.
            points68: (68, 2) pixels.
            line: the midline of the halves; without it the one through the inner brow ends and the chin.
        """
        points = np.asarray(points68, np.float64)
        line = line or midline_of_68(points)
        out: dict[Face, Measurement] = {}
        for face, channel in self.channels.items():
            if face is Face.WHOLE:
                out[face] = channel.update(image, points)
            elif line is None:
                channel.lost()
                out[face] = Measurement(Unmeasured.POINTS, False)
            else:
                right = face is Face.RIGHT
                out[face] = channel.update(image, half_points(points, line, right), line, right)
        return out

    def lost(self) -> dict[Face, Measurement]:
        """A frame without a face: nothing measured, and the next fit starts cold."""
        for channel in self.channels.values():
            channel.lost()
        return {face: Measurement(Unmeasured.NO_FACE, False) for face in self.channels}

    def reset(self) -> None:
        """Another person: forget every neutral."""
        for channel in self.channels.values():
            channel.reset()
