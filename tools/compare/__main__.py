"""`python -m tools.compare A B --images FOLDER`: how far B is from A on the same pictures, and whether that is within limits."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from realtime.errors import UserInputError
from realtime.models.registry import Registry, weights_folder
from tools import pictures
from tools.command import guarded
from tools.compare import measures, models


def run(
    a: models.Model, b: models.Model, folder: Path, detector: Path | None, limit: int | None
) -> list[measures.Pair]:
    """Both models on every picture of the folder in which a face is found (without a detector: the central square)."""
    if a.kind != b.kind:
        raise UserInputError(f"{a.label} gives {a.kind} and {b.label} {b.kind}; they cannot be compared.")
    detect = pictures.detector(detector) if detector is not None and a.kind != "detections" else None
    pairs = []
    for _, picture in pictures.read_all(folder, limit):
        found = pictures.central_face(picture) if detect is None else detect(picture)
        if found is not None:
            pairs.append(measures.Pair(a.call(picture, found), b.call(picture, found), found.box))
    if not pairs:
        raise UserInputError(f"no face was found in the pictures of {folder}.")
    return pairs


def _own_detector(weights: Path | None) -> Path | None:
    """The detector of the weights folder, where there is one."""
    folder = weights if weights is not None else weights_folder()
    if not (folder / "manifest.toml").is_file():
        return None
    registry = Registry(folder)
    detectors = registry.manifest.tiers("detector")
    return registry.checked_path(detectors[0]) if detectors else None


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Exit code 1 when the difference is beyond the limits."""
    parser = argparse.ArgumentParser(prog="python -m tools.compare", description=__doc__)
    parser.add_argument("a", help="the reference: an .onnx, a checkpoint, or a landmark model of the weights folder")
    parser.add_argument("b", help="what is held against it")
    parser.add_argument("--images", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--detector", type=Path, help="RetinaFace ONNX that finds the faces (else the weights folder's own)"
    )
    parser.add_argument("--central", action="store_true", help="take the central square of each picture for the face")
    parser.add_argument("--weights", type=Path, help="folder with manifest.toml")
    parser.add_argument("--limit", type=int, help="use this many pictures at most")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    a, b = (models.of(words, options.weights) for words in (options.a, options.b))
    detector = None if options.central else options.detector or _own_detector(options.weights)
    pairs = run(a, b, options.images, detector, options.limit)
    found = measures.figures(a.kind, pairs)
    within = all(figure.within for figure in found)
    print(f"{b.label} against {a.label}, {a.kind}, {len(pairs)} pictures")
    for figure in found:
        limit = "" if figure.limit is None else f"   at most {figure.limit:g}: {'yes' if figure.within else 'NO'}"
        print(f"  {figure.name:<28}{figure.value:10.3f} {figure.unit}{limit}")
    print("verdict: " + ("within the limits" if within else "BEYOND the limits"))
    if options.json:
        values = {"a": a.label, "b": b.label, "kind": a.kind, "pictures": len(pairs), "within": within}
        values["figures"] = [asdict(figure) | {"within": figure.within} for figure in found]
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(values, indent=2), encoding="utf-8")
    if not within:
        sys.exit(1)


if __name__ == "__main__":
    guarded(main)
