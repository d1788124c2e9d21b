"""Left and right Action Units: a small network that sees one side at a time, in points and in a picture of the face.

The same network is asked twice, once with the face as it is (for the patient's left) and once with its mirror image (for
the patient's right), so a mirrored face gives swapped values and no side is favoured. Points say where the features are
against the person's rest; the aligned picture shows what points of a light network miss (lids, brows, folds, teeth). What
the network makes of the picture, its embedding, is compared with that at rest, as a change says more than a face; and how far the
skin itself has moved since a picture at rest (`skin_flow`) shows movements of the brows that points and edges miss.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from realtime.action_units.baseline import EMBEDDING_SIZE, Baseline
from realtime.action_units.descriptor import Descriptor
from realtime.action_units.rest_frame import ANGLE, EYE, FLOW_FEATURES, LOWER, MOUTH, RestFrame, Windows, flow_features
from realtime.face import wflw
from realtime.face.alignment import Aligner, back_to_picture, warp_grey
from realtime.face.geometry import middle_of, transform
from realtime.face.matching import eye_centres
from realtime.face.skin_flow import settle
from realtime.types import F32, F64, U8, Sides

Network = Callable[[F32], Mapping[str, F32]]

_COORDINATES = 98 * 2
POINT_FEATURES = 2 * _COORDINATES + 4
PICTURE_FEATURES = EYE[0] * EYE[1] + MOUTH[0] * MOUTH[1] + LOWER[0] * LOWER[1]
REST_FEATURES = EMBEDDING_SIZE + 1
STATE_FEATURES = POINT_FEATURES + REST_FEATURES + FLOW_FEATURES
"""Of one reference: what the face is against it."""
FEATURES = STATE_FEATURES + PICTURE_FEATURES
FULL = 5.0
_SIDE = 160
# rows by which the windows lie above the eye's and below the mouth's middle: raised brows and the chin matter too
_ABOVE, _BELOW, _LOWER_BELOW = (np.array((0, rows), np.float32) for rows in (8, 3, 5))
# aligned pixels of one pixel of the lower window: it reaches from beside the nose to the chin's edge
_LOWER_STEP = 1.3
# coordinates of a flat shape in the order of its mirror image, and the signs they have there
_MIRRORED = (2 * np.asarray(wflw.FLIP_ORDER)[:, None] + np.arange(2)).reshape(-1)
_SIGNS = np.tile(np.array((-1, 1), np.float32), 98)
_MOUTH = np.array((76, 82, 79, 85))


def point_features(found: Descriptor, rest: F32 | None, out: F32 | None = None) -> F32:
    """(2, POINT_FEATURES): the face as it is, then its mirror image.

    Per row: displacement from the shape at rest (98 x 2), the shape at rest itself (98 x 2), yaw, pitch and roll in units
    of 30 degrees, and whether the person's rest is known (without it the mean face stands in).

    Args:
        found: of this frame.
        rest: (98, 2) the shape at rest, or None.
        out: where to put the result.
    """
    out = np.empty((2, POINT_FEATURES), np.float32) if out is None else out
    moved, start, angles = out[:, :_COORDINATES], out[:, _COORDINATES : 2 * _COORDINATES], out[:, -4:-1]
    if rest is None:
        moved[0] = found.shape.reshape(-1)
        start[:] = 0
    else:
        np.subtract(found.shape.reshape(-1), rest.reshape(-1), out=moved[0])
        start[0] = rest.reshape(-1)
        np.multiply(start[0, _MIRRORED], _SIGNS, out=start[1])
    np.multiply(moved[0, _MIRRORED], _SIGNS, out=moved[1])
    yaw, pitch, roll = (angle / ANGLE for angle in found.pose)
    angles[0] = yaw, pitch, roll
    angles[1] = -yaw, pitch, -roll
    out[:, -1] = rest is not None
    return out


def rest_features(embedding: F32 | None, out: F32 | None = None) -> F32:
    """(2, REST_FEATURES): the embeddings at rest of the left and the right side, and whether they are known.

    Args:
        embedding: (2, EMBEDDING_SIZE), the left side first, or None.
        out: where to put the result.
    """
    out = np.empty((2, REST_FEATURES), np.float32) if out is None else out
    if embedding is None:
        out[:] = 0
        return out
    out[:, :EMBEDDING_SIZE] = embedding
    out[:, EMBEDDING_SIZE] = 1
    return out


def picture_features(windows: Windows, out: F32 | None = None) -> F32:
    """(2, PICTURE_FEATURES) from the windows of the left eye, the right eye, the mouth and the lower face (see `FaceWindows`).

    The first row is the patient's left eye, the mouth and the lower face; the second is what the mirror image would show there.

    Args:
        windows: of the frame.
        out: where to put the result; each row contiguous.
    """
    left, right, *middle = windows
    out = np.empty((2, PICTURE_FEATURES), np.float32) if out is None else out
    for row, eye in enumerate((left, right)):
        start = 0
        for window in (eye, *middle):
            settle(window, bool(row), out[row, start : start + window.size])
            start += window.size
    return out


class FaceWindows:
    """Grey windows of an aligned face: eyes with brows, mouth, lower face. One caller at a time.

    Args:
        margin: pixels more on every side than the network sees (training shifts them about).
    """

    def __init__(self, margin: int = 0) -> None:
        self._aligner = Aligner(_SIDE)
        self._margin = margin

    def cut(self, image: U8, points: F32) -> Windows:
        """Cut left eye, right eye (the patient's), mouth and lower face out of a picture.

        Args:
            image: (H, W, 3) uint8 BGR.
            points: (98, 2) pixels of it.
        """
        matrix = self._aligner.matrix(points)
        placed = transform(matrix, points)
        (right, left), mouth = eye_centres(placed), middle_of(placed, _MOUTH)
        back = back_to_picture(matrix)
        # The part around the lower face holds the mouth's window, too.
        lower = self._part(image, back, mouth + _LOWER_BELOW, LOWER, _LOWER_STEP)
        return (
            self._window(self._part(image, back, left - _ABOVE, EYE), EYE),
            self._window(self._part(image, back, right - _ABOVE, EYE), EYE),
            self._window(lower.seen_from(mouth + _BELOW), MOUTH),
            self._reduced(lower),
        )

    def _part(self, image: U8, back: F64, centre: F32, size: tuple[int, int], step: float = 1.0) -> "_Part":
        """The part of the aligned picture that a window about `centre` is made of. back: (2, 3) from it to pixels of `image`."""
        x, y = centre.tolist()
        height, width = (math.ceil(step * (length + 2 * self._margin)) for length in size)
        left, right = _reach(x, width)
        top, bottom = _reach(y, height)
        grey = np.empty((bottom - top, right - left), np.uint8)
        warp_grey(image, back, _SIDE, (left, top), grey)
        return _Part(grey, (left, top), (x - left, y - top))

    def _window(self, part: "_Part", size: tuple[int, int]) -> U8:
        height, width = size[0] + 2 * self._margin, size[1] + 2 * self._margin
        result: U8 = cv2.getRectSubPix(part.grey, (width, height), part.centre)
        return result

    def _reduced(self, part: "_Part") -> U8:
        """The lower face's window: one of its pixels every `_LOWER_STEP` pixels of the aligned picture."""
        height, width = LOWER[0] + 2 * self._margin, LOWER[1] + 2 * self._margin
        x, y = (
            middle - _LOWER_STEP * (side - 1) / 2 for middle, side in zip(part.centre, (width, height), strict=True)
        )
        matrix = np.array(((_LOWER_STEP, 0, x), (0, _LOWER_STEP, y)))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cut = cv2.warpAffine(part.grey, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cut, np.uint8)


class Compared(NamedTuple):
    """What one frame is measured against.

    Attributes:
        rest: the person's baseline; None: the mean face stands in.
        picture: the person's picture at rest; None: movements of the skin are not measured.
    """

    rest: Baseline | None
    picture: RestFrame | None = None


class Taken(NamedTuple):
    """One frame of several that are measured at once.

    Attributes:
        found: its descriptor.
        windows: as `ActionUnits.cut` gives them.
        against: what it is measured against.
    """

    found: Descriptor
    windows: Windows
    against: Compared


class Measured(NamedTuple):
    """One frame's intensities.

    Attributes:
        values: 0 to 5 by Action Unit, of the patient's left and right.
        embedding: (2, EMBEDDING_SIZE) of its picture, left and right.
    """

    values: Sides[dict[int, float]]
    embedding: F32


class _Part(NamedTuple):
    """A part of the aligned picture in grey, its corner in that picture, and a window's middle in the part (x, y)."""

    grey: U8
    corner: tuple[int, int]
    centre: tuple[float, float]

    def seen_from(self, centre: F32) -> "_Part":
        """The same with the middle of another window, given in the aligned picture."""
        return self._replace(centre=(float(centre[0]) - self.corner[0], float(centre[1]) - self.corner[1]))


def _reach(middle: float, length: int) -> tuple[int, int]:
    """First and last pixel (excluded) of the aligned picture that a window between pixels is made of; at least one."""
    start = math.floor(middle - (length - 1) / 2) - 1
    first = min(max(start, 0), _SIDE - 1)
    return first, max(min(start + length + 3, _SIDE), first + 1)


class ActionUnits:
    """Intensities 0 to 5 of the patient's left and right side.

    Args:
        network: takes (2, FEATURES), gives "intensity" (2, len(units)) in 0 to 5 and "look", the embedding, (2, EMBEDDING_SIZE).
        units: Action Unit of each output.
        unobservable: units that the network computes but that were found not to be measurable; they are left out.
        identity: checksum by which the network's embeddings are known as its own.
        together: the network takes several references at once, (2, R * STATE_FEATURES + PICTURE_FEATURES), and gives their
            intensities one after another, (2, R * len(units)): it looks at the pictures once.
        frames: the network takes several frames at once, two rows for each.

    Attributes:
        units: the Action Units that are measured.
        identity: as given.
        embedding: (2, EMBEDDING_SIZE) of the last picture measured, left and right: what `Baseline.embedding` is made of.
    """

    def __init__(
        self,
        network: Network,
        units: Sequence[int],
        unobservable: Sequence[int] = (),
        identity: str = "",
        *,
        together: bool = False,
        frames: bool = False,
    ) -> None:
        self.identity = identity
        self._frames = frames
        self._network = network
        self._together = together
        self._count = len(units)
        self._kept = [(i, unit) for i, unit in enumerate(units) if unit not in set(unobservable)]
        self._windows = FaceWindows()
        self.units = tuple(unit for _, unit in self._kept)
        self.embedding: F32 | None = None
        self._seen: Windows | None = None
        self._seen_features: F32 = np.empty((2, 0), np.float32)

    def _fill_picture(self, windows: Windows, out: F32) -> None:
        """Fill (2, PICTURE_FEATURES); of a frame that is measured more than once, made once."""
        if windows is self._seen:
            out[:] = self._seen_features
        else:
            self._seen, self._seen_features = windows, picture_features(windows, out)

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
        return self.measure_against(found, windows, [Compared(rest, picture)])[0]

    def measure_against(
        self, found: Descriptor, windows: Windows, references: Sequence[Compared]
    ) -> list[Sides[dict[int, float]]]:
        """Measure one face against several references, with one call of the network where it takes them together.

        Args:
            found: its descriptor.
            windows: as `cut` gives them.
            references: at least one.

        Returns:
            For each reference, intensity 0 to 5 by Action Unit of the patient's left and right.
        """
        if not self._together and len(references) > 1:
            return [self.measure_against(found, windows, [reference])[0] for reference in references]
        states = len(references) * STATE_FEATURES
        rows = np.empty((2, states + PICTURE_FEATURES), np.float32)
        for number, reference in enumerate(references):
            place = slice(number * STATE_FEATURES, (number + 1) * STATE_FEATURES)
            _fill_state(rows[:, place], found, reference, windows)
        self._fill_picture(windows, rows[:, states:])
        answer = self._network(rows)
        self.embedding = answer["look"]  # the output's name in the file
        values = answer["intensity"].clip(0.0, FULL)
        return [self._by_unit(values[:, n * self._count :].tolist()) for n in range(len(references))]

    def measure_frames(self, frames: Sequence[Taken]) -> list[Measured]:
        """Measure several frames with one call of the network where it takes them so.

        The numbers are those of one call for each frame. A call for eight takes two thirds of the processor time of eight calls: most of
        its operators are so small that calling them is what they cost.

        Args:
            frames: at least one.

        Returns:
            What each frame gave, in their order.
        """
        if not self._frames and len(frames) > 1:
            return [self.measure_frames([frame])[0] for frame in frames]
        rows = np.empty((2 * len(frames), STATE_FEATURES + PICTURE_FEATURES), np.float32)
        for number, (found, windows, against) in enumerate(frames):
            both = rows[2 * number : 2 * number + 2]
            _fill_state(both[:, :STATE_FEATURES], found, against, windows)
            picture_features(windows, both[:, STATE_FEATURES:])
        answer = self._network(rows)
        looks = answer["look"].reshape(len(frames), 2, -1)
        values = answer["intensity"].clip(0.0, FULL).reshape(len(frames), 2, -1).tolist()
        return [Measured(self._by_unit(own), look) for own, look in zip(values, looks, strict=True)]

    def _by_unit(self, values: Sequence[Sequence[float]]) -> Sides[dict[int, float]]:
        """Of both sides' outputs for one reference, which stand first."""
        left, right = ({unit: row[i] for i, unit in self._kept} for row in values)
        return Sides(left, right)


def _fill_state(out: F32, found: Descriptor, reference: Compared, windows: Windows) -> None:
    """Fill (2, STATE_FEATURES) with what a face is against a reference; see `point_features`, `rest_features` and `flow_features`."""
    rest = reference.rest
    point_features(found, None if rest is None else rest.shape, out[:, :POINT_FEATURES])
    middle = slice(POINT_FEATURES, POINT_FEATURES + REST_FEATURES)
    rest_features(None if rest is None else rest.embedding, out[:, middle])
    flow_features(reference.picture, found.pose, windows, out[:, POINT_FEATURES + REST_FEATURES :])
