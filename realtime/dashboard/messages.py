"""What the pages are told, as plain values. What was not measured is None, never 0."""

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.action_units.symmetry import symmetry
from realtime.clinic.measures import MIDLINE, SIDED, sides_of
from realtime.graph import Report
from realtime.types import PRESENT, Expression, Millimetres, RenderedFrame

PICTURE_HEADER = struct.Struct("<dI")
"""Before the JPEG of a picture message: capture time (seconds on the program's clock), sequence number."""
_QUALITY = 75


def state_message(shown: RenderedFrame, now: float, units: Sequence[int]) -> dict[str, Any]:
    """One shown frame.

    "left" and "right" (the patient's own): intensity 0..5 or None by position in `units`. "symmetry": per unit, 0..1.
    "openface3": OpenFace 3.0's values, a scale of their own (see `expression_words`); None where there are none.
    "rest": provisional, settled or calibrated. "rest_share": of the newest baseline in the values; below 1 it is being blended in.
    "age_ms": capture to here. "result_age_ms": how much older the analysis is than the picture.

    Args:
        shown: the frame.
        now: seconds on the clock of its capture time.
        units: the Action Units to tell, in order.
    """
    found = shown.analysis
    face = found.face if found is not None else None
    left = [_measured(found.au_left if found else {}, unit) for unit in units]
    right = [_measured(found.au_right if found else {}, unit) for unit in units]
    shares = [symmetry(a, b) for a, b in zip(left, right, strict=True)]
    per_unit = [None if share is None else round(share, 3) for share in shares]
    known = [value for value in per_unit if value is not None]
    return {
        "type": "state",
        "sequence": shown.sequence,
        "capture_time": round(shown.capture_time, 6),
        "status": "no face" if shown.analysis is not None and face is None else shown.status,
        "age_ms": round((now - shown.capture_time) * 1e3, 1),
        "result_age_ms": None if shown.result_age is None else round(shown.result_age * 1e3, 1),
        "pose": None if face is None or face.pose is None else [_finite(angle) for angle in face.pose],
        "confidence": None if face is None else _finite(face.confidence),
        "left": left,
        "right": right,
        "symmetry": per_unit,
        "overall": round(sum(known) / len(known), 3) if known else None,
        "rest": None if face is None or found is None or not found.rest else found.rest,
        "rest_share": None if face is None or found is None or not found.rest else round(found.rest_share, 2),
        "openface3": expression_words(shown.expression, shown.expression_age),
        **length_words(None if found is None else found.millimetres),
    }


def length_words(found: Millimetres | None) -> dict[str, Any]:
    """Nothing in a run without lengths. "mm": "values" of left and right, or one alone, with their "name", words and unit; "source",
    "state" and "withheld" as in frames.csv; "per_pixel": millimetres."""
    if found is None:
        return {}
    values = [
        {
            "name": m.name,
            "words": m.words,
            "unit": m.unit,
            **dict(zip(("left", "right"), map(_finite, sides), strict=True)),
        }
        for m, sides in ((m, sides_of(found, m.name)) for m in SIDED)
    ]
    values += [
        {"name": m.name, "words": m.words, "unit": m.unit, "value": _finite(getattr(found, m.name))} for m in MIDLINE
    ]
    return {
        "mm": {
            "values": values,
            "per_pixel": _finite(found.mm_per_pixel),
            "source": found.source,
            "state": found.scale_state,
            "withheld": found.withheld,
        }
    }


def expression_words(found: Expression | None, age: float | None) -> dict[str, Any] | None:
    """OpenFace 3.0's values for the page.

    The keys: "units" is [[Action Unit, 0..1], ...] of the whole face, "present" the threshold, "emotion" and "probability" the
    likeliest and its 0..1, "gaze" yaw and pitch in degrees, "age_ms" how much older they are than the picture.

    Args:
        found: the values, or None.
        age: how much older they are than the picture, seconds.
    """
    if found is None:
        return None
    return {
        "units": [[unit, _finite(value)] for unit, value in found.units.items()],
        "present": PRESENT,
        "emotion": found.emotion,
        "probability": _finite(found.emotions[found.emotion]),
        "gaze": [_finite(math.degrees(angle)) for angle in found.gaze],
        "age_ms": None if age is None else round(age * 1e3, 1),
    }


def figures_message(report: Report, output: str, fps: float) -> dict[str, Any]:
    """Rates and losses so far.

    Args:
        report: of the run so far.
        output: name of the node that shows.
        fps: pictures per second lately.
    """
    age, path = report.nodes[output].age, report.paths[output]
    return {
        "type": "figures",
        "fps": round(fps, 1),
        "age_ms": {"p50": age.p50, "p95": age.p95, "p99": age.p99},
        "captured": path.captured,
        "delivered": path.delivered,
        "dropped": sum(path.dropped.values()),
        "causes": {f"{cause} ({edge})": count for (edge, cause), count in path.dropped.items()},
    }


def encode_picture(image: NDArray[np.uint8], capture_time: float, sequence: int, width: int) -> bytes:
    """A picture message: header and JPEG.

    Args:
        image: (H, W, 3) BGR; wider ones are scaled down to `width`.
        capture_time: seconds.
        sequence: of the frame.
        width: of the JPEG at most, pixels.
    """
    height = round(image.shape[0] * width / image.shape[1])
    if image.shape[1] > width:
        image = cv2.resize(image, (width, max(1, height)), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise ValueError(f"a picture of shape {image.shape} cannot be made a JPEG")
    return PICTURE_HEADER.pack(capture_time, sequence % 2**32) + jpeg.tobytes()


def _measured(values: Mapping[int, float], unit: int) -> float | None:
    return _finite(values.get(unit, math.nan))


def _finite(value: float) -> float | None:
    return round(float(value), 3) if math.isfinite(value) else None
