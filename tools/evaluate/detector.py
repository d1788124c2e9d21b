"""`python -m tools.evaluate.detector --cache F`: the embedded detector against the official one, as a table and JSON.

Reads weights/retinaface.onnx, the official checkpoint of the development material (FACEMIRROR_SHARED), and the held-out
pictures of the cache that `tools.train.detector.train` prepared. Held out means: another source file, and faces that also occur
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


from realtime.errors import UserInputError
from tools.evaluate.detector_looks import LEAST_HEIGHT, on_clip, on_faceless, on_windows
from tools.evaluate.detector_network import Detector
from tools.evaluate.detector_pictures import familiar, windows
from tools.evaluate.detector_points import SHIFT, of_itself, of_labelled_faces
from tools.evaluate.figures import Figure, Options
from tools.networks import retinaface, retinaface_onnx
from tools.train.detector import sources as detector_sources

ROOT = Path(__file__).resolve().parents[2]
CLIPS = (
    "WolfgangLanger_Pexels.mp4",
    "head-pose-face-detection-female.gif",
    "head-pose-face-detection-male.gif",
    "noface_face.mov",
)


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
            f"{cache} holds no prepared pictures; run tools.train.detector.train first or name its cache by --cache."
        )
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "official.onnx"
        checkpoint = shared / "models" / "retinaface_mnet025" / "mobilenet0.25_Final.pth"
        retinaface_onnx.export(retinaface.load(checkpoint), exported, source=checkpoint.name, licence="MIT")
        official, ours = Detector(exported), Detector(model)
        known = familiar(held, trained)
        for degraded in (False, True):
            shown = list(windows(held, known, count, seed=7, degraded=degraded))
            for width in (640, 320):
                for least, row in on_windows(ours, official, shown, width).items():
                    figures[f"{'degraded' if degraded else 'clean'} {width} px, faces >= {least} px"] = row
        itself = list(windows(held, known, count // 2, seed=7, degraded=False))
        figures[f"the official one's eyes, the picture moved by {SHIFT} px"] = of_itself(official, itself)
        if faces is not None:
            figures |= of_labelled_faces({"ours": ours, "official": official}, faces)
        for width in (640, 320):
            figures[f"no face {width} px"] = on_faceless(ours, official, held, width, count)
        for name in CLIPS:
            for width in (640, 320):
                figures[f"{name} {width} px"] = on_clip(ours, official, shared / "video" / name, width, every)
    return figures


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
    parser.add_argument("--cache", type=Path, required=True, help="cache folder of tools.train.detector.train")
    parser.add_argument("--count", type=int, default=120, help="windows and face-free pictures (default 120)")
    parser.add_argument("--every", type=int, default=4, help="look at every n-th frame of a clip (default 4)")
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
