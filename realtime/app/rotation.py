"""`--rotate auto`: by how many quarter turns the pictures of a source must be turned for the face in them to stand upright."""

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from realtime.analyze.still import FaceAnalyzer
from realtime.face.crops import five_of, roll_of_five
from realtime.face.kernel_cache import prepare
from realtime.graph import StopToken
from realtime.media.convert import QUARTER_TURNS, Rotation
from realtime.media.source_spec import SourceSpec
from realtime.media.video_source import VideoSource
from realtime.types import U8

_FRAMES, _EVERY = 60, 12
_SURE = 0.8
_UPRIGHT_DEGREES = 45


def find_rotation(
    spec: SourceSpec,
    *,
    weights: Path | None,
    say: Callable[[str], None],
    compiling: Callable[[str, float], None] | None = None,
) -> Rotation:
    """Look at the beginning of a source, which is opened and closed for it.

    Args:
        spec: the source.
        weights: a folder of models; None: the embedded ones.
        say: called with one sentence, what was found.
        compiling: called while kernels are compiled for the first time.

    Raises:
        DeviceError: the source cannot be opened.
        ModelFileError: a model is missing or damaged.
    """
    prepare(compiling)
    source, stop = VideoSource(spec, time.monotonic, speed="max"), StopToken()
    try:
        source.open()
        with FaceAnalyzer(weights=weights) as analyze:
            for number in range(_FRAMES):
                frame = source.read(stop)
                if frame is None:
                    break
                if number % _EVERY == 0 and (found := upright_rotation(frame.image, analyze)) is not None:
                    say(f"--rotate auto: the pictures are turned by {found} degrees.")
                    return found
    finally:
        source.close()
    say("--rotate auto: no face is seen at the beginning, so the pictures are not turned.")
    return 0


def upright_rotation(image: U8, analyze: FaceAnalyzer) -> Rotation | None:
    """The quarter turn, degrees clockwise, after which the largest face stands most surely upright; None without a sure face.

    Args:
        image: (H, W, 3) uint8 BGR.
        analyze: finds the faces.
    """
    best, rotation = 0.0, None
    for degrees, code in QUARTER_TURNS.items():
        turned = image if code is None else cv2.rotate(image, code)
        for face in analyze(turned):
            upright = abs(np.degrees(roll_of_five(five_of(face.points)))) <= _UPRIGHT_DEGREES
            size = face.presence * float(np.ptp(face.points[:, 1])) / max(image.shape[:2])
            if upright and face.presence >= _SURE and size > best:
                best, rotation = size, degrees
    return rotation
