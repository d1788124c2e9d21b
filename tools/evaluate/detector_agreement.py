"""How far one detector finds what another one finds: pure counting."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tools.evaluate.detector_network import Faces
from tools.train.detector.targets import overlaps

F32 = NDArray[np.float32]
SAME_IOU = 0.5


@dataclass
class Agreement:
    """Counts and errors of one detector against another over pictures."""

    wanted: int = 0
    found: int = 0
    extra: int = 0
    eye_errors: list[float] = field(default_factory=list)

    def add(self, ours: Faces, theirs: Faces, doubtful: F32, ignore: F32) -> None:
        """ours: at our threshold; theirs: the faces to be found; doubtful (N, 4): boxes of ours that meet one are no false
        faces; ignore (N, 4): faces of theirs that meet one do not count."""
        counted = overlaps(theirs.boxes, ignore).max(axis=1, initial=0.0) < 0.3
        met = overlaps(ours.boxes, theirs.boxes)
        for k in np.flatnonzero(counted):
            self.wanted += 1
            if not len(ours.boxes) or met[:, k].max() < SAME_IOU:
                continue
            self.found += 1
            self.eye_errors.append(eye_error(ours.points[met[:, k].argmax()], theirs.points[k]))
        self.extra += int((overlaps(ours.boxes, doubtful).max(axis=1, initial=0.0) < 0.3).sum())

    def figures(self) -> dict[str, float]:
        """recall (share), extra faces (count), eye-centre error as a share of the inter-ocular distance."""
        errors = np.array(self.eye_errors) if self.eye_errors else np.array([np.nan])
        return {
            "faces": self.wanted,
            "recall": self.found / max(self.wanted, 1),
            "extra": self.extra,
            "eye_error_mean": float(errors.mean()),
            "eye_error_median": float(np.median(errors)),
            "eye_error_p95": float(np.percentile(errors, 95)),
        }


def eye_error(points: F32, reference: F32) -> float:
    """Mean distance of the two eyes of points (5, 2) from the reference's (5, 2), over the reference's inter-ocular distance."""
    distance = max(float(np.linalg.norm(reference[0] - reference[1])), 1.0)
    return float(np.linalg.norm(points[:2] - reference[:2], axis=1).mean()) / distance


def tall(faces: Faces, least: float) -> Faces:
    """Those of at least this height in pixels."""
    chosen = (faces.boxes[:, 3] - faces.boxes[:, 1]) >= least
    return Faces(faces.boxes[chosen], faces.scores[chosen], faces.points[chosen])


def share_found(faces: Faces, wanted: F32) -> tuple[int, int]:
    """How many of the boxes (N, 4) are found, and N."""
    met = overlaps(wanted, faces.boxes).max(axis=1, initial=0.0)
    return int((met >= SAME_IOU).sum()), len(wanted)
