"""Cut every collage of synthetic photographs into face crops and label them by the teachers.

`python -m tools.data.collages --detector RETINAFACE.onnx --out FOLDER` writes FOLDER/faces/NNNNN.jpg and FOLDER/faces/index.npz.
The crops reach one box length beyond the face on each side, so that an augmentation finds picture where it looks.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.errors import UserInputError
from tools.data.scan import FaceScanner
from tools.data.teachers import MediaPipeMesh, PfldEnsemble

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

LONGEST = 384
"""Longest side of a stored crop, pixels."""
SMALLEST_FACE = 36
"""Faces with a shorter box (pixels of the collage) are left out: their labels would be guesses."""


def cut(picture: U8, box: F32) -> tuple[U8, float, F32]:
    """The crop around `box` grown by its own size on every side; the scale and the origin (2,) that lead into it."""
    size = float((box[2:] - box[:2]).max())
    low = np.floor(np.maximum((box[:2] + box[2:]) / 2 - 1.5 * size, 0)).astype(int)
    high = np.ceil(np.minimum((box[:2] + box[2:]) / 2 + 1.5 * size, picture.shape[1::-1])).astype(int)
    crop = picture[low[1] : high[1], low[0] : high[0]]
    scale = min(1.0, LONGEST / max(crop.shape[:2]))
    if scale < 1:
        crop = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return crop, scale, low.astype(np.float32)


def fingerprint(picture: U8, five: F32) -> NDArray[np.float32]:
    """A unit vector (768,) of the face, aligned by eyes and mouth and blind to light: copies of one face lie close together."""
    target = np.array([(10, 13), (22, 13), (16, 20), (11.5, 25), (20.5, 25)], np.float32)
    matrix, _ = cv2.estimateAffinePartial2D(five, target, method=cv2.LMEDS)
    if matrix is None:
        matrix = np.array([[1, 0, 0], [0, 1, 0]], np.float64)
    small = cv2.warpAffine(picture, matrix, (32, 32), flags=cv2.INTER_AREA)
    lab = cv2.cvtColor(cv2.resize(small, (16, 16), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2LAB).astype(np.float32)
    lab -= lab.mean((0, 1))
    result: NDArray[np.float32] = (lab / np.maximum(np.linalg.norm(lab), 1e-6)).reshape(-1)
    return result


def families(prints: F32, alike: float) -> NDArray[np.int64]:
    """Group number of every face: faces whose prints correlate above `alike`, directly or over others, share one."""
    parent = np.arange(len(prints))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = int(parent[i])
        return i

    for start in range(0, len(prints), 512):
        near = prints[start : start + 512] @ prints.T > alike
        for a, b in np.argwhere(near):
            if start + a < b:
                parent[root(int(b))] = root(int(start + a))
    return np.array([root(i) for i in range(len(prints))])


def run(pictures: list[Path], detector: Path, shared: Path, out: Path) -> dict[str, Any]:
    """Cut and label; returns the columns of the index."""
    scanner = FaceScanner(detector)
    ensemble = PfldEnsemble(shared / "models/pfld_ghostone_98")
    mesh = MediaPipeMesh(shared / "models/mediapipe_face_landmarker/converted/face_landmarks_detector_noprelu.onnx")
    rows: list[dict[str, Any]] = []
    (out / "faces").mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(pictures):
        picture = cv2.imread(str(path))
        if picture is None:
            raise UserInputError(f"{path} cannot be read as a picture.")
        scales = (1.0, 0.5, 0.25, 0.125) if max(picture.shape[:2]) > 1500 else (1.0, 0.5, 0.25)
        boxes, scores, fives = scanner.scan(picture, scales)
        for box, score, five in zip(boxes, scores, fives, strict=True):
            if (box[2:] - box[:2]).min() < SMALLEST_FACE:
                continue
            crop, scale, low = cut(picture, box)
            box_in, five_in = ((box.reshape(2, 2) - low) * scale).reshape(4), (five - low) * scale
            guess = ensemble.first_guess(crop, box_in, five_in)
            each, spread = ensemble.label(crop, guess)
            points478, face_score = mesh.points(crop, each.mean(0))
            name = f"{len(rows):05d}.jpg"
            cv2.imwrite(str(out / "faces" / name), crop, [cv2.IMWRITE_JPEG_QUALITY, 95])
            rows.append(
                {
                    "name": name,
                    "collage": f"{path.parent.name}/{path.name}",
                    "collage_box": box,
                    "score": score,
                    "scale": scale,
                    "box": box_in,
                    "five": five_in,
                    "teachers": each,
                    "spread": spread,
                    "mesh": points478,
                    "mesh_score": face_score,
                    "print": fingerprint(crop, five_in.astype(np.float32)),
                }
            )
        print(f"{number + 1}/{len(pictures)} {path.name}: {len(boxes)} faces, {len(rows)} in all", flush=True)
    columns: dict[str, Any] = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    for key, value in columns.items():
        if value.dtype == np.float64:
            columns[key] = value.astype(np.float32)
    return columns


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detector", type=Path, required=True, help="RetinaFace ONNX file with free height and width")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, help="only the first so many collages")
    arguments = parser.parse_args()
    shared = Path(os.environ.get("FACEMIRROR_SHARED", "../shared"))
    pictures = sorted((shared / "faces").glob("sfhq*/*.jpg"))[: arguments.limit]
    columns = run(pictures, arguments.detector, shared, arguments.out)
    np.savez(arguments.out / "faces" / "raw.npz", **columns)
    print(f"{len(columns['name'])} faces written to {arguments.out / 'faces'}")


if __name__ == "__main__":
    main()
