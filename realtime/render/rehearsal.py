"""Draw once before going live: OpenCV unpacks its letters at their first use on a thread, which takes as long as two pictures."""

from collections.abc import Sequence

import numpy as np

from realtime.face.alignment import canonical
from realtime.render.scene import Scene
from realtime.render.status import LiveFigures
from realtime.types import Analysis, FaceObservation, OtherFace, PanelMode, View


def rehearse_drawing(
    mode: View, units: Sequence[int], height: int, width: int, *, selfie: bool = False, panel: PanelMode = "auto"
) -> None:
    """Draw a made-up face with everything that is drawn of faces, on a picture of this size that nobody sees.

    Args:
        mode: the view; kernels of the mirrored ones are compiled already.
        units: the Action Units that have a bar.
        height: of the pictures to come, pixels.
        width: likewise.
        selfie: see `Scene`.
        panel: see `Scene`.
    """
    picture = np.zeros((height, width, 3), np.uint8)
    picture.flags.writeable = False  # as captured frames are: to the compiler that is another type
    side = min(height, width) // 2
    points = canonical(side) + np.float32(side // 2)
    box = np.concatenate([points.min(axis=0), points.max(axis=0)]).astype(np.float32)
    face = FaceObservation(0, box, points, points, confidence=1.0, detected=True)
    values = dict.fromkeys(units, 1.0)
    analysis = Analysis(0, 0.0, face, values, values)
    scene = Scene(mode, units, selfie=selfie, panel=panel)
    figures = LiveFigures(30.0, 10.0, 0.0, 0, "tracked", "settled")
    for others in ((), (OtherFace(1, points),)):
        scene.draw(picture, analysis, points, figures, others)
