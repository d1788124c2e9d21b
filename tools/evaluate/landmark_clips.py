"""Real people: the landmark network against the average of its three teachers on clips that nobody was trained on."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.data.points98 import nme, square_from_box, square_from_points
from tools.data.scan import FaceScanner
from tools.data.teachers import PfldEnsemble
from tools.evaluate.detector_pictures import clip
from tools.evaluate.figures import Figure
from tools.evaluate.landmark_behaviour import PART
from tools.evaluate.landmark_models import Model

F32 = NDArray[np.float32]

CLIPS = (
    ("WolfgangLanger_Pexels.mp4", 12, 0),
    ("head-pose-face-detection-female.gif", 3, 0),
    ("head-pose-face-detection-male.gif", 8, 0),
    ("noface_face.mov", 6, 102),
)
"""A clip, which of its frames are looked at (every n-th), and the first of them: the last clip begins with an empty room."""
LOOKS = 3
"""A tracker's looks at one frame: from the detector's box, then twice from its own points."""


def real_clips(ours: Model, teachers: Path, videos: Path, detector: Path) -> list[Figure]:
    """Mean distance from the teachers' average, and for comparison each teacher's own from it; percent of the eye distance.

    No annotated photographs of real people are in the development material; this says how near their habits ours comes on
    real faces, not how near the truth.
    """
    scanner, ensemble = FaceScanner(detector), PfldEnsemble(teachers)
    out, all_mine = [], []
    for name, every, first in CLIPS:
        mine, apart = [], []
        for number, picture in enumerate(clip(videos / name)):
            if number < first or number % every:
                continue
            boxes, scores, fives = scanner.scan(picture, (1.0,))
            if not len(boxes) or scores[0] < 0.7:
                continue
            each, _ = ensemble.label(picture, ensemble.first_guess(picture, boxes[0], fives[0]))
            average = each.mean(0)
            square = square_from_box(boxes[0], fives[0])
            for _ in range(LOOKS):
                points = ours(picture, square)
                square = square_from_points(points)
            mine.append(100 * float(nme(points, average)))
            apart.append(100 * float(np.mean([nme(teacher, average) for teacher in each])))
        stem = name.split(".")[0]
        out.append(
            Figure(PART, f"real clip {stem}, from the teachers' average", float(np.mean(mine)), "%", cases=len(mine))
        )
        out.append(Figure(PART, f"real clip {stem}, a teacher from it", float(np.mean(apart)), "%", cases=len(mine)))
        all_mine += mine
    return [*out, Figure(PART, "real clips together: median", float(np.median(all_mine)), "%", cases=len(all_mine))]
