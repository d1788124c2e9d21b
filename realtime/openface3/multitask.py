"""OpenFace 3.0's multi-task network on the tracked face: Action Units, emotion and gaze of the whole face.

Its Action Units are cosine similarities trained on "intensity of at least 2 or not": 0..1 with 0.5 between no and yes. They are
no FACS intensities of 0..5 and never share a column or a bar with those.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.errors import ModelFileError
from realtime.face.matching import face_box
from realtime.models.manifest import ModelSpec
from realtime.models.onnx_session import ModelSession
from realtime.types import F32, U8, Expression


@dataclass(slots=True)
class Multitask:
    """The network with its manifest entry. One caller at a time: buffers are used again by the next call.

    Attributes:
        session: runs the network.
        units: the Action Units it scores, in the order of its output.
        emotions: the emotions it knows, in the order of its output.

    Raises:
        ModelFileError: the manifest does not list units and emotions, or gives the input no fixed size.
    """

    session: ModelSession
    units: tuple[int, ...] = field(init=False)
    emotions: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        spec = self.session.spec
        self.units = tuple(int(unit) for unit in _listed(spec, "units"))
        self.emotions = tuple(_listed(spec, "emotions"))
        if spec.input.height is None or spec.input.width is None:
            raise ModelFileError(f"{spec.name}: the manifest should give its input one fixed size.")
        missing = {"emotion", "gaze", "au"} - set(spec.outputs)
        if missing:
            raise ModelFileError(f"{spec.name}: the manifest names no output {', '.join(sorted(missing))}.")

    def measure(self, image: U8, points: F32) -> Expression | None:
        """Measure the tracked face.

        Args:
            image: (H, W, 3) uint8 BGR.
            points: (98, 2) of the face, in pixels of `image`.

        Returns:
            None where the face lies outside the picture, or the network gave values that are no numbers.

        Raises:
            ModelFileError: the outputs do not fit the manifest.
        """
        spec = self.session.spec
        assert spec.input.height is not None
        assert spec.input.width is not None
        region = grown(face_box(points), spec.number("box_growth", 0.15), image.shape[1], image.shape[0])
        if region is None:
            return None
        x1, y1, x2, y2 = region
        size = (spec.input.width, spec.input.height)
        crop = cv2.resize(image[y1:y2, x1:x2], size, interpolation=cv2.INTER_LINEAR)
        outputs = self.session.run(self._prepared(crop))
        logits, gaze, units = (np.ravel(outputs[word]) for word in ("emotion", "gaze", "au"))
        if (logits.size, gaze.size, units.size) != (len(self.emotions), 2, len(self.units)):
            raise ModelFileError(
                f"{spec.name} gives {logits.size} emotions, {gaze.size} angles and {units.size} Action Units, not "
                f"{len(self.emotions)}, 2 and {len(self.units)}: another network?"
            )
        if not all(np.isfinite(values).all() for values in (logits, gaze, units)):
            return None
        return Expression(
            {unit: float(value) for unit, value in zip(self.units, np.clip(units, 0, 1), strict=True)},
            dict(zip(self.emotions, softmax(logits).tolist(), strict=True)),
            (float(gaze[0]), float(gaze[1])),
        )

    def _prepared(self, crop: U8) -> F32:
        entry = self.session.spec.input
        ordered = crop[..., ::-1] if entry.order == "RGB" else crop
        values = (ordered.astype(np.float32) - np.array(entry.mean, np.float32)) * np.array(entry.scale, np.float32)
        return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def grown(box: F32, growth: float, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Enlarge a box.

    Args:
        box: (4,) x1, y1, x2, y2, pixels.
        growth: share of its size that is added on every side.
        width: of the picture, pixels.
        height: of the picture, pixels.

    Returns:
        Whole pixels inside the picture; None where less than two are left, or the box is not finite.
    """
    if not np.isfinite(box).all():
        return None
    dx, dy = growth * float(box[2] - box[0]), growth * float(box[3] - box[1])
    x1, y1 = max(0, int(box[0] - dx)), max(0, int(box[1] - dy))
    x2, y2 = min(width, int(box[2] + dx)), min(height, int(box[3] + dy))
    return (x1, y1, x2, y2) if x2 - x1 >= 2 and y2 - y1 >= 2 else None


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give the probabilities (N,) of logits (N,)."""
    weights = np.exp(logits.astype(np.float64) - float(logits.max()))
    return np.asarray(weights / weights.sum(), np.float64)


def _listed(spec: ModelSpec, key: str) -> list[str]:
    values = spec.parameters.get(key)
    if not isinstance(values, list) or not values:
        raise ModelFileError(f"Model {spec.name}: the manifest should list its `{key}`.")
    return [str(value) for value in values]
