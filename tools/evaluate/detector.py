"""`python -m tools.evaluate.detector --cache F`: the embedded detector against the official one, as a table and JSON.

Reads weights/retinaface.onnx, the official checkpoint of the development material (FACEMIRROR_SHARED), and the held-out
pictures of the cache that `tools.train.detector` prepared. Held out means: another source file, and faces that also occur
in a training file do not count.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

from tools.command import guarded, require

if __name__ == "__main__":  # before the imports that need it
    guarded(lambda: require("torch"))

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.errors import UserInputError
from tools.evaluate.detector_agreement import SAME_IOU, Agreement, share_found, tall
from tools.evaluate.detector_network import Detector
from tools.evaluate.detector_pictures import Window, clip, faceless, familiar, windows
from tools.evaluate.detector_points import of_itself, of_labelled_faces
from tools.evaluate.figures import Figure, Options
from tools.networks import retinaface, retinaface_onnx
from tools.train import detector_sources
from tools.train.detector_targets import overlaps

U8 = NDArray[np.uint8]

START, CONTINUE = 0.5, 0.35
OFFICIAL = 0.5
LEAST_HEIGHT, SMALL = 40, 24
ROOT = Path(__file__).resolve().parents[2]
CLIPS = (
    "WolfgangLanger_Pexels.mp4",
    "head-pose-face-detection-female.gif",
    "head-pose-face-detection-male.gif",
    "noface_face.mov",
)


def shrink(picture: U8, width: int) -> U8:
    """The picture at this width."""
    share = width / picture.shape[1]
    return picture if share == 1 else cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)


def on_windows(ours: Detector, official: Detector, shown: list[Window], width: int) -> dict[int, dict[str, float]]:
    """Agreement on pictures at a network width, by the least height in pixels of the official one's faces to be found.

    The entry at LEAST_HEIGHT also says how many of the faces known to be there (from the unspoilt picture) each one finds.
    """
    agreements = {least: Agreement() for least in (LEAST_HEIGHT, SMALL)}
    mine_known = theirs_known = all_known = 0
    for window in shown:
        image, ratio = shrink(window.image, width), width / window.image.shape[1]
        theirs, mine = official(image), ours(image).above(START)
        sure = theirs.above(OFFICIAL)
        for least, agreement in agreements.items():
            agreement.add(mine, tall(sure, least), theirs.boxes, window.seen_before * ratio)
        known = window.known * ratio
        known = known[known[:, 3] - known[:, 1] >= LEAST_HEIGHT]
        found, count = share_found(mine, known)
        mine_known, all_known = mine_known + found, all_known + count
        theirs_known += share_found(sure, known)[0]
    figures = {least: agreement.figures() for least, agreement in agreements.items()}
    figures[LEAST_HEIGHT] |= {
        "known": all_known,
        "known_found": mine_known / max(all_known, 1),
        "known_found_official": theirs_known / max(all_known, 1),
    }
    return figures


def on_clip(ours: Detector, official: Detector, path: Path, width: int, every: int) -> dict[str, float]:
    """Frames where the official one finds a face and ours finds the same; false faces where the official sees none.

    Ours works as the program does: a face starts at START and goes on at CONTINUE.
    """
    frames = same = empty = false = 0
    tracked = False
    for index, picture in enumerate(clip(path)):
        if index % every:
            continue
        image = shrink(picture, width)
        theirs = official(image)
        mine = ours(image).above(CONTINUE if tracked else START)
        tracked = len(mine.boxes) > 0
        sure = theirs.above(OFFICIAL)
        if len(sure.boxes):
            frames += 1
            same += bool(tracked and overlaps(mine.boxes, sure.boxes[:1]).max() >= SAME_IOU)
        elif not len(theirs.boxes):
            empty += 1
            false += bool(tracked)
    return {
        "frames_with_face": frames,
        "agreement": same / max(frames, 1),
        "frames_without": empty,
        "false_frames": false,
    }


def evaluate(
    model: Path, shared: Path, cache: Path, count: int = 120, every: int = 4, faces: Path | None = None
) -> dict[str, dict[str, float]]:
    """All figures, by what was looked at. faces: labelled faces, if there are any.

    Raises UserInputError when the material is not there.
    """
    held = detector_sources.read(cache, held=True)
    trained = detector_sources.read(cache, held=False)
    if not held:
        raise UserInputError(
            f"{cache} holds no prepared pictures; run tools.train.detector first or name its cache by --cache."
        )
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "official.onnx"
        checkpoint = shared / "models" / "retinaface_mnet025" / "mobilenet0.25_Final.pth"
        retinaface_onnx.export(retinaface.load(checkpoint), exported, source=checkpoint.name, licence="MIT")
        official, ours = Detector(exported), Detector(model)
        known = familiar(held, trained)
        for spoilt in (False, True):
            shown = list(windows(held, known, count, seed=7, spoilt=spoilt))
            for width in (640, 320):
                for least, row in on_windows(ours, official, shown, width).items():
                    figures[f"{'spoilt' if spoilt else 'clean'} {width} px, faces >= {least} px"] = row
        itself = list(windows(held, known, count // 2, seed=7, spoilt=False))
        figures["the official one's eyes, the picture moved by (3, 2) px"] = of_itself(official, itself)
        if faces is not None:
            figures |= of_labelled_faces({"ours": ours, "official": official}, faces)
        for width in (640, 320):
            figures[f"no face {width} px"] = on_faceless(ours, official, held, width, count)
        for name in CLIPS:
            for width in (640, 320):
                figures[f"{name} {width} px"] = on_clip(ours, official, shared / "video" / name, width, every)
    return figures


def on_faceless(
    ours: Detector, official: Detector, held: list[detector_sources.Source], width: int, count: int
) -> dict[str, float]:
    """False faces a picture at START and at CONTINUE, and the official one's at OFFICIAL, on the same pictures.

    A part of a photograph in which the official one is sure of a face (at its full size) does show one; it is left out.
    """
    pictures = at_start = at_continue = theirs = left_out = 0
    for kind, picture in faceless(held, count, seed=11):
        if kind == "photograph" and len(official(picture).above(0.9).boxes):
            left_out += 1
            continue
        image = shrink(picture, width)
        mine = ours(image)
        pictures += 1
        at_start += len(mine.above(START).boxes)
        at_continue += len(mine.above(CONTINUE).boxes)
        theirs += len(official(image).above(OFFICIAL).boxes)
    return {
        "pictures": pictures,
        "left_out": left_out,
        "false_per_picture_start": at_start / max(pictures, 1),
        "false_per_picture_continue": at_continue / max(pictures, 1),
        "false_per_picture_official": theirs / max(pictures, 1),
    }


def measure(options: Options) -> list[Figure]:
    """The figures with their aims, for `python -m tools.evaluate`. The cache is DATA/detector."""
    out: list[Figure] = []
    for name, row in evaluate(
        options.weights / "retinaface.onnx", options.shared, options.data / "detector", 40, 16, options.data / "faces"
    ).items():
        if "recall" in row:
            aim = 0.97 if f">= {LEAST_HEIGHT} px" in name else None
            out.append(Figure("detector", f"{name}: found", row["recall"], at_least=aim, cases=int(row["faces"])))
            out.append(
                Figure("detector", f"{name}: eye error", row["eye_error_mean"], at_most=0.05, cases=int(row["faces"]))
            )
        elif "ours_mean" in row:
            aim, cases = max(0.05, row["official_mean"]), int(row["faces"])
            out.append(Figure("detector", f"{name}: eye error", row["ours_mean"], at_most=aim, cases=cases))
            out.append(Figure("detector", f"{name}: the official one's", row["official_mean"], cases=cases))
        elif "eye_error_mean" in row:
            out.append(Figure("detector", name, row["eye_error_mean"], cases=int(row["faces"])))
        elif "agreement" in row:
            seen, empty = int(row["frames_with_face"]), int(row["frames_without"])
            out.append(Figure("detector", f"{name}: as the official one", row["agreement"], at_least=0.97, cases=seen))
            out.append(Figure("detector", f"{name}: false frames", row["false_frames"], at_most=0, cases=empty))
        else:
            rate, pictures = row["false_per_picture_start"], int(row["pictures"])
            out.append(Figure("detector", f"{name}: false faces a picture", rate, at_most=0.05, cases=pictures))
    return out


def table(figures: dict[str, dict[str, float]]) -> str:
    """One line for each thing looked at."""
    lines = []
    for name, row in figures.items():
        cells = (f"{key} {value:.4f}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items())
        lines.append(f"{name:45} " + "  ".join(cells))
    return "\n".join(lines)


def main() -> None:
    """Print the table, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "weights" / "retinaface.onnx")
    parser.add_argument("--cache", type=Path, required=True, help="cache folder of tools.train.detector")
    parser.add_argument("--count", type=int, default=120, help="windows and face-free pictures (default 120)")
    parser.add_argument("--every", type=int, default=4, help="look at every so manieth frame of a clip (default 4)")
    parser.add_argument("--faces", type=Path, help="folder of labelled faces (DATA/faces of tools.data.labels)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    shared = Path(os.environ.get("FACEMIRROR_SHARED", ROOT.parent / "shared"))
    figures = evaluate(options.model, shared, options.cache, options.count, options.every, options.faces)
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    guarded(main)
