"""The program over coded recordings."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from realtime.analyze.results import Face
from realtime.analyze.tracking import FaceTracker
from realtime.app.validation.agreement import Agreement, agreement
from realtime.app.validation.layouts import Coded, Layout, Recording, Side, recordings
from realtime.errors import FacemirrorError, ModelFileError, UserInputError

# The pictures of a recording without times: BP4D's rate, frames a second.
_RATE = 25.0
Series = dict[tuple[int, str], tuple[list[float], list[float]]]


class Judged:
    """What was coded and what was measured, collected over recordings.

    Attributes:
        recordings: how many were read to their end.
        failed: names of those that could not be; what was read of them counts.
        stopped: the user ended the run before the last recording.
        frames: coded frames that were read.
        unseen: coded frames that their recordings do not have.
        faceless: coded frames on which no face was measured; they enter no figure.
        unmeasured: coded Action Units that this program's network does not measure.
    """

    def __init__(self) -> None:
        self.recordings = 0
        self.failed: list[str] = []
        self.stopped = False
        self.frames = 0
        self.unseen = 0
        self.faceless = 0
        self.unmeasured: set[int] = set()
        self._series: Series = {}

    def add(self, number: int, face: Face | None, recording: Recording) -> None:
        """One frame.

        Args:
            number: as the codes count.
            face: found on it, or None.
            recording: with the codes.
        """
        codes = {coded: values[number] for coded, values in recording.codes.items() if number in values}
        if not codes:
            return
        self.frames += 1
        if face is None:
            self.faceless += 1
            return
        for coded, value in codes.items():
            for side, measured in _measured(face, coded):
                if np.isfinite(measured):
                    series = self._series.setdefault((coded.unit, side), ([], []))
                    series[0].append(value)
                    series[1].append(measured)
            if coded.unit not in face.action_units.left:
                self.unmeasured.add(coded.unit)

    def figures(self) -> dict[tuple[int, str], Agreement]:
        """By Action Unit and side: "left" and "right" against the code of that side or of the whole face, "mean" of both sides
        against the code of the whole face."""
        order = sorted(self._series, key=lambda key: (key[0], ("mean", "left", "right").index(key[1])))
        return {key: agreement(*(np.array(values, np.float64) for values in self._series[key])) for key in order}


def _measured(face: Face, coded: Coded) -> Iterator[tuple[str, float]]:
    left, right = (side.get(coded.unit, float("nan")) for side in face.action_units)
    sides: dict[Side, float] = {"left": left, "right": right}
    if coded.side == "both":
        yield "mean", (left + right) / 2
        yield from sides.items()
    else:
        yield coded.side, sides[coded.side]


def validate(
    layout: Layout, folder: Path, *, weights: Path | None = None, say: Callable[[str], None] = lambda _sentence: None
) -> Judged:
    """Run the program over every recording of a folder, each as a stranger.

    A recording that cannot be read costs no other: it is named, and the run goes on. Ctrl-C ends the run with what was read by then.

    Args:
        layout: of the folder, see `layouts`.
        folder: where the recordings are.
        weights: another folder of models.
        say: called with a line per recording.

    Raises:
        UserInputError: there is nothing to read.
        ModelFileError: there are no such models.
    """
    judged = Judged()
    for recording in recordings(layout, folder, say):
        before = judged.frames, judged.faceless
        source = None if recording.video is None else str(recording.video)
        try:
            with FaceTracker(source, weights=weights) as tracker:
                for number, face in _faces(tracker, recording):
                    judged.add(number, face, recording)
        except KeyboardInterrupt:
            judged.stopped = True
        except ModelFileError:  # no recording could be measured
            raise
        except FacemirrorError as error:
            judged.failed.append(recording.name)
            say(f"{recording.name}: {error}")
        frames, faceless = judged.frames - before[0], judged.faceless - before[1]
        say(f"{recording.name}: {frames} coded frames, {faceless} of them without a face")
        if judged.stopped:
            break
        if recording.name not in judged.failed:
            judged.recordings += 1
            unseen = len(recording.coded_frames) - frames
            judged.unseen += unseen
            if unseen:
                say(f"{recording.name}: {unseen} more frames are coded that the recording does not have")
    return judged


def _faces(tracker: FaceTracker, recording: Recording) -> Iterator[tuple[int, Face | None]]:
    """Number, as the codes count, and face of every frame."""
    if recording.video is not None:
        for frame, face in tracker:
            yield frame.sequence + recording.first, face
        return
    for number in sorted(recording.pictures):
        image = cv2.imread(str(recording.pictures[number]))
        if image is None:
            raise UserInputError(f"{recording.pictures[number]} is no picture that can be read.")
        yield number, tracker.update(np.ascontiguousarray(image, np.uint8), number / _RATE)
