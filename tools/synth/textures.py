"""The bank of photographic heads: `python -m tools.synth.textures --faces FOLDER --out BANK`.

Every photograph is fitted by the kit's head and unrolled onto the kit's atlas; what the photograph does not show is
taken from the mirrored side, and what neither side shows is diffused from around it. One npz per head.
"""

import argparse
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from realtime.errors import UserInputError
from tools.data.teachers import MediaPipeMesh
from tools.synth.camera import Camera, project, to_camera
from tools.synth.fit import Fit, fit_head
from tools.synth.kit import SKIN, Kit, load_kit, shared_folder
from tools.synth.photographs import FACE_SHARE, Photograph, diffuse, photograph, wflw_from_mesh
from tools.synth.points import Attachments, place, point_model
from tools.synth.raster import rasterise, vertex_normals

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]

ATLAS = 512
SMALLEST_FACE = 130
"""Faces with a shorter box (collage pixels) are too coarse to be a texture."""
RELIEF_NODES = 65
"""Nodes per side of the relief that carries hair, neck and background; it spans the canvas twice."""


@dataclass(frozen=True, slots=True)
class AtlasMap:
    """Per texel: triangle (A, A), -1 where none; corner weights (A, A, 3); cover: (A, A) 0..1, 1 well inside the face."""

    triangle: I32
    weight: F32
    cover: F32


@lru_cache(maxsize=4)
def atlas_map(size: int = ATLAS, kit_file: Path | None = None) -> AtlasMap:
    """Which skin triangle every texel shows."""
    kit = load_kit(kit_file)
    skin = np.flatnonzero(kit.material == SKIN)
    corners = kit.uv[skin].reshape(-1, 2)
    screen = np.stack([corners[:, 0] * size - 0.5, (1 - corners[:, 1]) * size - 0.5], 1).astype(np.float32)
    order = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    ids, bary, _ = rasterise(screen, np.ones(len(corners), np.float32), order, size, size, False)
    triangle = np.where(ids >= 0, skin[np.maximum(ids, 0)], -1).astype(np.int32)
    first, end = kit.part_triangles["face"]
    inside = ((triangle >= first) & (triangle < end)).astype(np.uint8)
    inside = cv2.morphologyEx(inside, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    holes = _fill_holes(inside)
    distance = cv2.distanceTransform(holes, cv2.DIST_L2, 5) / size
    cover = np.clip((distance - 0.004) / 0.045, 0, 1)
    return AtlasMap(triangle, bary, (cover * cover * (3 - 2 * cover)).astype(np.float32))


def _fill_holes(mask: U8) -> U8:
    """The eye and mouth slits belong to the inside: only what the corner reaches is outside."""
    padded = np.pad(mask, 1)
    cv2.floodFill(padded, None, (0, 0), 2)
    return (padded[1:-1, 1:-1] != 2).astype(np.uint8)


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
        fit = fit_head(kit, attachments, targets, weights, camera, iterations=8, pixel_sigma=side / 115)
    return fit, targets


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


def unroll(kit: Kit, fit: Fit, targets: F32, image: U8, size: int = ATLAS) -> tuple[U8, dict[str, Any]]:
    """The photograph on the atlas (size, size, 3), and what else the bank keeps of the fit (brows, relief)."""
    vertices = kit.shape(fit.identity, fit.expression)
    seen = to_camera(vertices, fit.matrix, fit.translation)
    normals = vertex_normals(seen, kit.triangles)
    screen = project(seen, fit.camera)
    canvas = image.shape[0]
    ids, bary, depth = rasterise(screen, np.ascontiguousarray(seen[:, 2]), kit.triangles, canvas, canvas)
    placed = place(point_model(kit), seen, normals, screen)
    used = np.r_[0:33, 51:96]
    shift = RBFInterpolator(
        placed[used].astype(float),
        (targets[used] - placed[used]).astype(float),
        smoothing=4.0,
        kernel="thin_plate_spline",
    )
    corrected = (screen + shift(screen.astype(float))).astype(np.float32)
    atlas = atlas_map(size)
    corner = kit.triangles[np.maximum(atlas.triangle, 0)]
    here = np.einsum("yxk,yxkc->yxc", atlas.weight, corrected[corner]).astype(np.float32)
    plain = np.einsum("yxk,yxkc->yxc", atlas.weight, screen[corner])
    normal = np.einsum("yxk,yxkc->yxc", atlas.weight, normals[corner])
    place3 = np.einsum("yxk,yxkc->yxc", atlas.weight, seen[corner])
    facing = -(normal * place3).sum(-1) / np.maximum(
        np.linalg.norm(normal, axis=-1) * np.linalg.norm(place3, axis=-1), 1e-6
    )
    x, y = (np.clip(np.rint(plain[..., i]), 0, canvas - 1).astype(int) for i in (0, 1))
    shown = (place3[..., 2] <= depth[y, x] + 0.35) & (atlas.triangle >= 0)
    weight = (np.clip((facing - 0.12) / 0.4, 0, 1) * shown).astype(np.float32)
    colour = cv2.remap(image, here, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT).astype(np.float32)
    texture = _complete(colour, weight, atlas.triangle >= 0)
    return texture, {
        **_brows(kit, targets[33:51], shift, ids, bary),
        **_relief(kit, fit, vertices, depth),
    }


def _complete(colour: F32, weight: F32, used: NDArray[np.bool_]) -> U8:
    """Own colour where seen, else the mirrored side's in this side's brightness, else diffused from around."""
    mirrored, mirrored_weight = colour[:, ::-1], weight[:, ::-1]
    both = np.minimum(weight, mirrored_weight)[..., None]
    blur = (0, 0), colour.shape[0] / 12
    ratio = cv2.GaussianBlur(colour * both, *blur) + 1.0
    ratio = np.clip(ratio / (cv2.GaussianBlur(mirrored * both, *blur) + 1.0), 0.5, 2.0)
    own = np.clip(weight * 2.5, 0, 1)
    other = (1 - own) * np.clip(mirrored_weight * 2.5, 0, 1)
    total = own + other
    known = (own[..., None] * colour + other[..., None] * mirrored * ratio) / np.maximum(total, 1e-4)[..., None]
    return np.clip(diffuse(known, (total * used).astype(np.float32)), 0, 255).astype(np.uint8)


def _brows(kit: Kit, brows: F32, shift: RBFInterpolator, ids: I32, bary: F32) -> dict[str, NDArray[Any]]:
    """Where on the mesh the photograph's brow points (18, 2) lie."""
    on_mesh = brows - shift(brows.astype(float)).astype(np.float32)
    skin = (ids >= 0) & (kit.material[np.maximum(ids, 0)] == SKIN)
    rows, columns = np.nonzero(skin)
    _, nearest = cKDTree(np.stack([columns, rows], 1)).query(on_mesh)
    y, x = rows[nearest], columns[nearest]
    return {"brow_index": kit.triangles[ids[y, x]], "brow_weight": bary[y, x].astype(np.float32)}


def _relief(kit: Kit, fit: Fit, vertices: F32, depth: F32) -> dict[str, NDArray[Any]]:
    """A net over the photograph as a surface in the head frame: on the head it lies on it, elsewhere it runs on."""
    canvas = depth.shape[0]
    known = np.isfinite(depth)
    rows = np.flatnonzero(known.any(1))
    known[rows[-1] + 1 :] = False
    depth3 = np.repeat(np.where(known, depth, 0)[..., None], 3, 2).astype(np.float32)
    filled = diffuse(depth3, known.astype(np.float32))[..., 0]
    filled = np.where(known, depth, filled)
    # Cliffs at the ears and the jaw would tear the picture when the head turns.
    filled = cv2.GaussianBlur(filled.astype(np.float32), (0, 0), canvas / 100)
    nodes = np.linspace(-0.5 * canvas, 1.5 * canvas, RELIEF_NODES)
    gx, gy = np.meshgrid(nodes, nodes)
    inside = (np.clip(gx, 0, canvas - 1).astype(np.float32), np.clip(gy, 0, canvas - 1).astype(np.float32))
    z = cv2.remap(filled, *inside, cv2.INTER_LINEAR)
    camera = fit.camera
    seen = np.stack([(gx - camera.centre[0]) * z / camera.focal, (gy - camera.centre[1]) * z / camera.focal, z], -1)
    facing = np.diag([1.0, -1.0, -1.0]) @ fit.matrix
    head = (seen.reshape(-1, 3) - fit.translation) @ facing
    first, end = kit.part_vertices["face"][0], kit.part_vertices["head"][1]
    distance, nearest = cKDTree(vertices[first:end]).query(head)
    return {
        "relief": head.astype(np.float32),
        "relief_vertex": (first + nearest).astype(np.int32),
        "relief_follow": np.exp(-((distance / 3.0) ** 2)).astype(np.float32),
    }


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
    return np.median(samples, axis=0).astype(np.float32)


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


@dataclass(frozen=True, slots=True)
class Source:
    """One face of the index that tools.data.labels wrote: where it stands in which collage, and its label (98, 2) there."""

    name: str
    collage: str
    box: F32
    points: F32
    held_out: bool


def sources(faces: Path, every: bool = False) -> list[Source]:
    """Usable faces, one per family of look-alikes, in a fixed mixed order (with `every`, also the look-alikes).

    Held-out heads come from the index's held-out collages, training heads from its training faces: the photographs of one
    side and their look-alikes never meet the other side. Raises UserInputError where there is no index.
    """
    file = faces / "index.npz"
    if not file.is_file():
        raise UserInputError(
            f"{file} is missing; make it with `python -m tools.data.collages` and `python -m tools.data.labels`."
        )
    with np.load(file) as data:
        box = data["collage_box"]
        side = (box[:, 2:] - box[:, :2]).max(1)
        fit = data["usable"] & (side >= SMALLEST_FACE) & (data["split"] != "copy")
        low = np.floor(np.maximum((box[:, :2] + box[:, 2:]) / 2 - 1.5 * side[:, None], 0))
        points = data["points"] / data["scale"][:, None, None] + low[:, None]
        best: dict[int, int] = {}
        for i in np.flatnonzero(fit):
            family = int(i) if every else int(data["family"][i])
            if family not in best or side[i] > side[best[family]]:
                best[family] = int(i)
        rows = np.random.default_rng(0).permutation(sorted(best.values()))
        names, collages, split = data["name"], data["collage"], data["split"]
        return [
            Source(
                Path(str(names[i])).stem,
                str(collages[i]),
                box[i],
                points[i].astype(np.float32),
                bool(split[i] == "held"),
            )
            for i in rows
        ]


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
        shot = photograph(cv2.imread(str(shared / "faces" / source.collage)), source.box)
        points = source.points * shot.scale + shot.shift
        mesh, score = mediapipe.points(shot.image, points)
        entry, error = head_entry(kit, shot, points, mesh)
        if score < 0.5 or error > 0.05:
            print(f"{source.name}: mesh score {score:.2f}, fit error {error:.3f}, left out", flush=True)
            continue
        part = file.with_suffix(".part.npz")
        np.savez(part, **entry, source=np.array(source.collage), held_out=np.array(source.held_out))
        part.replace(file)
        done += 1
        if done % 50 == 0:
            print(f"{done} heads, {left} to go at most", flush=True)
    print(f"{done} new heads in {arguments.out}")


if __name__ == "__main__":
    main()
