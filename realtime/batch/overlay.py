"""The overlay video of a recording: its frames once more, each with what was measured on it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from realtime.errors import DeviceError
from realtime.media.recorder import VideoRecorder
from realtime.render.scene import Scene
from realtime.render.status import LiveFigures, rest_words
from realtime.types import U8, Analysis, Frame, OtherFace


def draw_overlay(
    target: Path, frames: Iterator[Frame], analyses: Iterator[Analysis], units: Sequence[int], fps: float | None
) -> None:
    """Write the video; its time stamps are the rows' capture times.

    Args:
        target: the file.
        frames: every frame of the recording, from the beginning.
        analyses: one for each frame, in their order.
        units: Action Units that have a bar.
        fps: the recording's nominal rate; None: 30.

    Raises:
        DeviceError: it cannot be written, or the second reading of the recording gives other frames than the first.
    """
    scene = Scene("overlay", units)
    recorder = VideoRecorder(target, fps=fps or 30.0)
    try:
        for analysis in analyses:
            frame = next(frames, None)
            if frame is None or frame.sequence != analysis.sequence:
                raise DeviceError(
                    f"The recording gave other frames when it was read again (frame {analysis.sequence})."
                )
            recorder.write(_drawn(scene, frame, analysis, fps), frame.capture_time)
            if recorder.failed:
                raise DeviceError(recorder.notices[-1])
    finally:
        recorder.close()
    if recorder.failed:
        raise DeviceError(recorder.notices[-1])


def _drawn(scene: Scene, frame: Frame, analysis: Analysis, fps: float | None) -> U8:
    face = analysis.face
    figures = LiveFigures(
        fps or 0.0,
        None,
        0.0,
        0,
        "no face" if face is None else "tracked",
        rest_words(analysis.rest, analysis.rest_share),
    )
    faces = [other.face for other in analysis.others if other.face is not None]
    others = [OtherFace(other.face_id, other.points) for other in faces]
    return scene.draw(frame.image, analysis, None if face is None else face.points, figures, others)
