"""Left and right Action Units: a small network that sees one side at a time, in points and in a picture of the face.

The same network is asked twice, once with the face as it is (for the patient's left) and once with its mirror image (for
the patient's right), so a mirrored face gives swapped values and no side is favoured. Points say where the features are
against the person's rest; the aligned picture shows what points of a light network miss (lids, brows, folds, teeth). What
the network makes of the picture, its embedding, is compared with that at rest, as a change says more than a face; and how far the
skin itself has moved since a picture at rest (`skin_flow`) shows movements of the brows that points and edges miss.
"""

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np

from realtime.action_units.baseline import EMBEDDING_SIZE, Baseline
from realtime.action_units.descriptor import Descriptor, mirror_shape
from realtime.action_units.rest_frame import ANGLE, EYE, FLOW_FEATURES, MOUTH, RestFrame, Windows, flow_features
from realtime.face import wflw
from realtime.face.alignment import Aligner
from realtime.face.geometry import transform
from realtime.face.skin_flow import LEAST_SPREAD
from realtime.types import F32, U8, Sides

Network = Callable[[F32], Mapping[str, F32]]

POINT_FEATURES = 98 * 2 * 2 + 4
PICTURE_FEATURES = EYE[0] * EYE[1] + MOUTH[0] * MOUTH[1]
REST_FEATURES = EMBEDDING_SIZE + 1
FEATURES = POINT_FEATURES + REST_FEATURES + FLOW_FEATURES + PICTURE_FEATURES
FULL = 5.0
_SIDE = 160
# rows by which the windows lie above the eye's and below the mouth's middle: raised brows and the chin matter too
_EYE_UP, _MOUTH_DOWN = 8, 3


def point_features(found: Descriptor, rest: F32 | None) -> F32:
    """(2, POINT_FEATURES): the face as it is, then its mirror image.

    Per row: displacement from the shape at rest (98 x 2), the shape at rest itself (98 x 2), yaw, pitch and roll in units
    of 30 degrees, and whether the person's rest is known (without it the mean face stands in).

    Args:
        found: of this frame.
        rest: (98, 2) the shape at rest, or None.
    """
    out = np.empty((2, POINT_FEATURES), np.float32)
    base = np.zeros_like(found.shape) if rest is None else rest
    mirror = found.mirrored()
    for row, shape, start, pose in (
        (out[0], found.shape, base, found.pose),
        (out[1], mirror.shape, mirror_shape(base), mirror.pose),
    ):
        row[:196] = (shape - start).reshape(-1)
        row[196:392] = start.reshape(-1)
        row[392:395] = np.array(pose) / ANGLE
        row[395] = rest is not None
    return out


def rest_features(embedding: F32 | None) -> F32:
    """(2, REST_FEATURES): the embeddings at rest of the left and the right side, and whether they are known.

    Args:
        embedding: (2, EMBEDDING_SIZE), the left side first, or None.
    """
    out = np.zeros((2, REST_FEATURES), np.float32)
    if embedding is not None:
        out[:, :EMBEDDING_SIZE] = embedding
        out[:, EMBEDDING_SIZE] = 1
    return out


def settled(window: F32) -> F32:
    """A grey window without its brightness and contrast."""
    out = window - window.mean()
    out /= max(float(out.std()), LEAST_SPREAD)
    result: F32 = out
    return result


def picture_features(windows: Windows) -> F32:
    """(2, PICTURE_FEATURES) from the windows of the left eye, the right eye and the mouth (see `FaceWindows`).

    The first row is the patient's left eye and the mouth; the second is what the mirror image would show there.
    """
    left, right, mouth = (settled(w.astype(np.float32)) for w in windows)
    return np.stack(
        [
            np.concatenate([left.reshape(-1), mouth.reshape(-1)]),
            np.concatenate([right[:, ::-1].reshape(-1), mouth[:, ::-1].reshape(-1)]),
        ]
    )


class FaceWindows:
    """Grey windows around eyes (with brows) and mouth of an aligned face. One caller at a time.

    Args:
        margin: pixels more on every side than the network sees (training shifts them about).
    """

    def __init__(self, margin: int = 0) -> None:
        self._aligner = Aligner(_SIDE)
        self._colour: U8 = np.empty((_SIDE, _SIDE, 3), np.uint8)
        self._margin = margin

    def cut(self, image: U8, points: F32) -> Windows:
        """Cut left eye, right eye (the patient's) and mouth out of a picture.

        Args:
            image: (H, W, 3) uint8 BGR.
            points: (98, 2) pixels of it.
        """
        grey = cv2.cvtColor(self._aligner.picture(image, points, self._colour), cv2.COLOR_BGR2GRAY)
        placed = transform(self._aligner.matrix(points), points)
        left, right = placed[list(wflw.LEFT_EYE)].mean(axis=0), placed[list(wflw.RIGHT_EYE)].mean(axis=0)
        mouth = placed[[76, 82, 79, 85]].mean(axis=0)
        eye_up, mouth_down = np.array((0, _EYE_UP), np.float32), np.array((0, _MOUTH_DOWN), np.float32)
        return (
            self._window(grey, left - eye_up, EYE),
            self._window(grey, right - eye_up, EYE),
            self._window(grey, mouth + mouth_down, MOUTH),
        )

    def _window(self, grey: U8, centre: F32, size: tuple[int, int]) -> U8:
        height, width = size[0] + 2 * self._margin, size[1] + 2 * self._margin
        result: U8 = cv2.getRectSubPix(grey, (width, height), (float(centre[0]), float(centre[1])))
        return result


class ActionUnits:
    """Intensities 0 to 5 of the patient's left and right side.

    Args:
        network: takes (2, FEATURES), gives "intensity" (2, len(units)) in 0 to 5 and "look", the embedding, (2, EMBEDDING_SIZE).
        units: Action Unit of each output.
        unobservable: units that the network computes but that were found not to be measurable; they are left out.
        identity: the network's checksum.

    Attributes:
        units: the Action Units that are measured.
        identity: the network's checksum, by which its embeddings are known as its own.
        embedding: (2, EMBEDDING_SIZE) of the last picture measured, left and right: what `Baseline.embedding` is made of.
    """

    def __init__(
        self, network: Network, units: Sequence[int], unobservable: Sequence[int] = (), identity: str = ""
    ) -> None:
        self.identity = identity
        self._network = network
        self._units = tuple(units)
        self._kept = [i for i, unit in enumerate(units) if unit not in set(unobservable)]
        self._windows = FaceWindows()
        self.units = tuple(units[i] for i in self._kept)
        self.embedding: F32 | None = None

    def cut(self, image: U8, points: F32) -> Windows:
        """The windows that `measure` takes.

        Args:
            image: (H, W, 3) uint8 BGR.
            points: (98, 2) pixels of it.
        """
        return self._windows.cut(image, points)

    def measure(
        self, found: Descriptor, rest: Baseline | None, windows: Windows, picture: RestFrame | None = None
    ) -> Sides[dict[int, float]]:
        """Measure one face.

        Args:
            found: its descriptor.
            rest: the person's baseline; None: the mean face stands in.
            windows: as `cut` gives them.
            picture: the person's picture at rest; None: movements of the skin are not measured.

        Returns:
            Intensity 0 to 5 by Action Unit, of the patient's left and right.
        """
        shape, embedding = (None, None) if rest is None else (rest.shape, rest.embedding)
        rows = np.concatenate(
            [
                point_features(found, shape),
                rest_features(embedding),
                flow_features(picture, found.pose, windows),
                picture_features(windows),
            ],
            axis=1,
        )
        answer = self._network(rows)
        self.embedding = answer["look"]  # the output's name in the file
        values = answer["intensity"].clip(0.0, FULL).tolist()
        left, right = ({self._units[i]: row[i] for i in self._kept} for row in values)
        return Sides(left, right)
