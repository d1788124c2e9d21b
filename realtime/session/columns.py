"""The columns of frames.csv, in order, and what each one means."""

from collections.abc import Sequence

AUS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 18, 20, 23, 25, 26, 43, 45)
POINTS = 98

_LEADING = {
    "sequence": "frame number in capture order; a missing number is a frame the source itself lost",
    "capture_time": "seconds on the session's clock when the picture was taken",
    "status": "measured: this frame was analysed; held: shown with an older result; dropped: never shown",
    "cause": "why the frame was dropped, or why it was not analysed",
    "face_id": "number of the tracked face; empty where no face was seen",
    "confidence": "the landmark model's presence score, 0 to 1",
    "result_age_ms": "age of the result shown with this frame, milliseconds",
    "found_by": "detected: a detector result entered; tracked: followed from the frame before",
    "box_x1": "face box, left edge, pixels",
    "box_y1": "face box, top edge, pixels",
    "box_x2": "face box, right edge, pixels",
    "box_y2": "face box, bottom edge, pixels",
    "yaw": "degrees; positive: turned to the patient's left",
    "pitch": "degrees; positive: looking up",
    "roll": "degrees; positive: tilted to the patient's left",
    "neutral": "what the Action Units were measured against: none (the mean face), running (median of this face so far) or calibrated",
}


def column_names(aus: Sequence[int] = AUS) -> list[str]:
    """Every column in order: leading columns, wflw_x_0..97, wflw_y_0..97, then AUxx_left and AUxx_right by AU."""
    points = [f"wflw_{axis}_{index}" for axis in "xy" for index in range(POINTS)]
    return [*_LEADING, *points, *(f"AU{au:02d}_{side}" for au in aus for side in ("left", "right"))]


def data_dictionary(aus: Sequence[int] = AUS) -> dict[str, str]:
    """What each column means and its unit, for session.json. Empty cells always mean: not measured."""
    meanings = dict(_LEADING)
    for axis, word in (("x", "right"), ("y", "down")):
        for index in range(POINTS):
            meanings[f"wflw_{axis}_{index}"] = f"WFLW point {index}, pixels {word} from the top left pixel's centre"
    for au in aus:
        for side in ("left", "right"):
            meanings[f"AU{au:02d}_{side}"] = f"intensity 0 to 5 of Action Unit {au} on the patient's {side}"
    return meanings
