"""The bank of photographic heads: `python -m tools.synth.textures --faces FOLDER --out BANK`.

Every photograph is fitted by the kit's head and unrolled onto the kit's atlas; what the photograph does not show is
taken from the mirrored side, and what neither side shows is diffused from around it. One npz per head.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.files import write_atomically
from tools.data.teachers import MediaPipeMesh
from tools.synth.attachments import Attachments
from tools.synth.camera import Camera, project, to_camera
from tools.synth.fit import Fit, fit_head
from tools.synth.kit import Kit, load_kit, shared_folder
from tools.synth.photographs import FACE_SHARE, Photograph, photograph, read_picture, wflw_from_mesh
from tools.synth.points import place, point_model
from tools.synth.raster import vertex_normals
from tools.synth.sources import sources
from tools.synth.unroll import ATLAS, atlas_map, unroll

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


def fit_photograph(kit: Kit, points: F32, mesh: F32, side: float) -> tuple[Fit, F32]:
    """Fit to the teachers' points (98, 2) and MediaPipe's (478, 2); returns the fit and the points it aimed at.

    Where both teachers mark a place the target is their mean. `side` is the face box's side in pixels,
    FACE_SHARE of the canvas.
    """
    dense, known = wflw_from_mesh(mesh)
    targets = points.copy()
    targets[known] = (points[known] + dense[known]) / 2
    weights = np.ones(98, np.float32)
    weights[:33] = 0.3
    weights[33:51] = 0
    weights[96:] = 0
    model = point_model(kit)
    # A focal length of four face sides puts the head about 75 cm away, as portraits are taken.
    middle = side / FACE_SHARE / 2 - 0.5
    camera = Camera(4.0 * side, (middle, middle))
    attachments = model.fixed
    fit = fit_head(kit, attachments, targets, weights, camera, iterations=8, pixel_sigma=side / 115)
    for _ in range(2):
        attachments = _slid_contour(kit, fit, attachments)
        # Where along the contour a point stands is a habit of annotation, not of the face: each place of the mesh's
        # outline aims at the label's outline, not at the label's point of the same number.
        aims = targets.copy()
        aims[:33] = _nearest_on(targets[:33], attachments, kit, fit)
        fit = fit_head(kit, attachments, aims, weights, camera, iterations=8, pixel_sigma=side / 115)
    seen = to_camera(kit.shape(fit.identity, fit.expression), fit.matrix, fit.translation)
    placed = place(point_model(kit), seen, vertex_normals(seen, kit.triangles), project(seen, camera))
    return replace(fit, residual=targets - placed), targets


def _nearest_on(outline: F32, attachments: Attachments, kit: Kit, fit: Fit) -> F32:
    """The places (33, 2) on a polyline (33, 2) nearest to the fitted head's contour points."""
    contour = Attachments(attachments.index[:33], attachments.weight[:33])
    head = contour.on(kit.shape(fit.identity, fit.expression))
    now = project(to_camera(head, fit.matrix, fit.translation), fit.camera)[:, None]
    start, along = outline[:-1], np.diff(outline, axis=0)
    share = np.clip(((now - start) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-6), 0, 1)
    places = start + share[..., None] * along
    best = np.argmin(np.linalg.norm(places - now, axis=-1), axis=1)
    result: F32 = places[np.arange(33), best].astype(np.float32)
    return result


def _slid_contour(kit: Kit, fit: Fit, attachments: Attachments) -> Attachments:
    """The attachments with the contour moved to where this pose shows the silhouette."""
    lines = point_model(kit).lines
    seen = to_camera(kit.shape(fit.identity, fit.expression), fit.matrix, fit.translation)
    where = lines.on(seen)
    facing = -np.einsum("isc,isc->is", lines.on(vertex_normals(seen, kit.triangles)), where)
    step = np.argmax(facing / np.linalg.norm(where, axis=2) >= 0.04, axis=1)
    index, weight = attachments.index.copy(), attachments.weight.copy()
    index[:33] = lines.index[np.arange(33), step]
    weight[:33] = lines.weight[np.arange(33), step]
    return Attachments(index, weight)


def iris_colour(image: U8, mesh: F32) -> F32:
    """Median BGR (3,) between pupil and rim of both irises (MediaPipe's points 468-477)."""
    samples = []
    for centre, rim in ((468, (469, 471)), (473, (474, 476))):
        radius = float(np.linalg.norm(mesh[list(rim)] - mesh[centre], axis=1).mean())
        for angle in np.deg2rad([-20, 0, 20, 160, 180, 200, 60, 120]):
            for share in (0.55, 0.7):
                p = mesh[centre] + share * radius * np.array([np.cos(angle), np.sin(angle)])
                x, y = np.clip(np.rint(p), 0, image.shape[0] - 1).astype(int)
                samples.append(image[y, x])
    result: F32 = np.median(samples, axis=0).astype(np.float32)
    return result


def head_entry(kit: Kit, shot: Photograph, points: F32, mesh: F32, atlas: int = ATLAS) -> tuple[dict[str, Any], float]:
    """What the bank keeps of one photograph, and the fit's mean error over the inter-ocular distance."""
    fit, targets = fit_photograph(kit, points, mesh, shot.image.shape[0] * FACE_SHARE)
    used = np.r_[0:33, 51:96]
    error = float(np.linalg.norm(fit.residual[used], axis=1).mean() / np.linalg.norm(targets[60] - targets[72]))
    entry = fitted_entry(kit, shot.image, fit, targets, iris_colour(shot.image, mesh), atlas)
    return {**entry, "error": np.float32(error)}, error


def fitted_entry(kit: Kit, image: U8, fit: Fit, targets: F32, iris: F32, atlas: int = ATLAS) -> dict[str, Any]:
    """The bank entry of a photograph whose fit and points (98, 2) are known."""
    texture, extras = unroll(kit, fit, targets, image, atlas)
    luminance = cv2.cvtColor(texture, cv2.COLOR_BGR2GRAY)[atlas_map(atlas).cover > 0.9]
    return {
        "texture": cv2.imencode(".jpg", texture, [cv2.IMWRITE_JPEG_QUALITY, 93])[1],
        "photo": cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 93])[1],
        "identity": fit.identity,
        "expression": fit.expression,
        "matrix": fit.matrix,
        "translation": fit.translation,
        "focal": np.float64(fit.camera.focal),
        "points": targets,
        "iris": iris,
        "brightness": np.float32(np.percentile(luminance, 85)),
        **extras,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=Path, required=True, help="folder with index.npz of tools.data.labels")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--train", type=int, default=10_000, help="at most so many training heads")
    parser.add_argument("--held-out", type=int, default=10_000, help="at most so many held-out heads")
    arguments = parser.parse_args()
    shared = shared_folder()
    mediapipe = MediaPipeMesh(
        shared / "models/mediapipe_face_landmarker/converted/face_landmarks_detector_noprelu.onnx"
    )
    kit = load_kit()
    arguments.out.mkdir(parents=True, exist_ok=True)
    left = {False: arguments.train, True: arguments.held_out}
    done = 0
    for source in sources(arguments.faces):
        file = arguments.out / f"head_{source.name}.npz"
        if left[source.held_out] <= 0:
            continue
        left[source.held_out] -= 1
        if file.exists():
            continue
        shot = photograph(read_picture(shared / "faces" / source.collage), source.box)
        points = source.points * shot.scale + shot.shift
        mesh, score = mediapipe.points(shot.image, points)
        entry, error = head_entry(kit, shot, points, mesh)
        if score < 0.5 or error > 0.05:
            print(f"{source.name}: mesh score {score:.2f}, fit error {error:.3f}, left out", flush=True)
            continue
        with write_atomically(file) as out:
            np.savez(out, **entry, source=np.array(source.collage), held_out=np.array(source.held_out))
        done += 1
        if done % 50 == 0:
            print(f"{done} heads, {left} to go at most", flush=True)
    print(f"{done} new heads in {arguments.out}")


if __name__ == "__main__":
    main()
