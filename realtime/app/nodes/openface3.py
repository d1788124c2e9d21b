"""OpenFace 3.0's multi-task network in the graph: on its own edge and thread, so that neither landmarks nor picture wait for it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from realtime.app.nodes.compose import Compose
from realtime.errors import DeviceError
from realtime.files import open_private, reason
from realtime.graph import Side
from realtime.openface3.multitask import Multitask
from realtime.openface3.panel import ExpressionPanel
from realtime.session.writer import describe_file
from realtime.types import Expression, Frame, RenderedFrame, TrackedFrame

FILE = "openface3.csv"


@dataclass(frozen=True, slots=True)
class ExpressionResult:
    """The multi-task network's answer for one frame.

    Attributes:
        sequence: of the frame.
        capture_time: of the frame, seconds.
        face_id: whose; None: no face.
        expression: None: no face, or nothing that could be measured.
    """

    sequence: int
    capture_time: float
    face_id: int | None
    expression: Expression | None


class Express:
    """Runs the network on the newest tracked face."""

    def __init__(self, network: Multitask) -> None:
        self._network = network

    def process(self, analysed: TrackedFrame) -> ExpressionResult:
        """What the face of this frame expresses."""
        analysis, face = analysed.analysis, analysed.analysis.face
        found = None if face is None else self._network.measure(analysed.frame.image, face.points)
        return ExpressionResult(analysis.sequence, analysis.capture_time, None if face is None else face.face_id, found)


class ComposeExpression:
    """The picture path's node with one more input, held like the analysis and drawn with its own age.

    Args:
        compose: the picture path's node.
        panel: draws the values.
        shows: whether anything is drawn on the picture (the raw view is the frame itself and stays untouched).
    """

    def __init__(self, compose: Compose, panel: ExpressionPanel, shows: Callable[[], bool]) -> None:
        self._compose = compose
        self._panel = panel
        self._shows = shows

    def open(self) -> None:
        """Warm up, before frames flow."""
        self._compose.open()

    def process(
        self, frame: Frame, analysis: Side[TrackedFrame] | None = None, expression: Side[ExpressionResult] | None = None
    ) -> RenderedFrame:
        """The picture to show for this frame.

        Args:
            frame: to be shown.
            analysis: the newest result, or None.
            expression: the newest values, or None.
        """
        shown = self._compose.process(frame, analysis)
        if expression is None or expression.payload.expression is None:
            return shown
        shown = replace(shown, expression=expression.payload.expression, expression_age=expression.age)
        if not self._shows():
            return shown
        image = shown.image.copy() if shown.image is frame.image else shown.image
        self._panel.draw(image, expression.payload.expression, expression.age)
        return replace(shown, image=image)

    def reset(self, reason: str) -> None:
        """The stream was interrupted."""
        self._compose.reset(reason)


class ExpressionRows:
    """Writes `openface3.csv`: one row for every frame that the network saw.

    Its scale is 0..1, hence its own column names. Not measured is an empty cell. timestamp: capture time, in seconds, as in frames.csv.

    Args:
        folder: of the session.
        network: gives the names of units and emotions.

    Raises:
        DeviceError: the file cannot be made.
    """

    def __init__(self, folder: Path, network: Multitask) -> None:
        self._units, self._emotions = network.units, network.emotions
        self.path = folder / FILE
        try:
            # Each row goes out at once: there are few a second, and a kill should lose none of them.
            self._file: IO[str] = open_private(self.path, "x", newline="", buffering=1)
            self._file.write(",".join(columns(network.units, network.emotions)) + "\n")
        except OSError as error:
            raise DeviceError(f"{self.path} cannot be written ({reason(error)}).") from None
        describe_file(folder, FILE, meanings(network.units, network.emotions))

    def process(self, expressed: ExpressionResult) -> None:
        """Write one row.

        Raises:
            DeviceError: the disk does not take it.
        """
        cells = [str(expressed.sequence), f"{expressed.capture_time:.6f}"]
        cells.append("" if expressed.face_id is None else str(expressed.face_id))
        found = expressed.expression
        if found is None:
            cells += [""] * (len(self._units) + 1 + len(self._emotions) + 2)
        else:
            cells += [f"{found.units[unit]:.4f}" for unit in self._units]
            cells.append(found.emotion)
            cells += [f"{found.emotions[name]:.4f}" for name in self._emotions]
            cells += [f"{angle:.4f}" for angle in found.gaze]
        try:
            self._file.write(",".join(cells) + "\n")
        except OSError as error:
            raise DeviceError(f"{self.path} cannot be written ({reason(error)}).") from None

    def close(self) -> None:
        """Close the file.

        Raises:
            DeviceError: the disk does not take the last rows.
        """
        try:
            self._file.close()
        except OSError as error:
            raise DeviceError(f"{self.path} cannot be written ({reason(error)}).") from None


def meanings(units: tuple[int, ...], emotions: tuple[str, ...]) -> dict[str, str]:
    """What each column means, for the session's data dictionary.

    Args:
        units: their numbers.
        emotions: their names.
    """
    words = {
        "sequence": "the frame's row in frames.csv",
        "timestamp": "its capture time, seconds on the session's clock",
        "face_id": "number of the tracked face; empty where no face was seen",
        "of3_emotion": "the likeliest emotion",
        "of3_gaze_yaw": "radians, in the camera's axes",
        "of3_gaze_pitch": "radians, in the camera's axes",
    }
    units_words = {
        f"of3_AU{unit:02d}": f"OpenFace 3.0's score of AU {unit}, 0 to 1, present above 0.5" for unit in units
    }
    emotion_words = {f"of3_emotion_{name}": f"probability of {name}, 0 to 1" for name in emotions}
    return {name: {**words, **units_words, **emotion_words}[name] for name in columns(units, emotions)}


def columns(units: tuple[int, ...], emotions: tuple[str, ...]) -> list[str]:
    """openface3.csv's columns. of3_AUxx and of3_emotion_*: 0..1; of3_gaze_*: radians.

    Args:
        units: their numbers.
        emotions: their names.
    """
    return [
        "sequence",
        "timestamp",
        "face_id",
        *(f"of3_AU{unit:02d}" for unit in units),
        "of3_emotion",
        *(f"of3_emotion_{name}" for name in emotions),
        "of3_gaze_yaw",
        "of3_gaze_pitch",
    ]
