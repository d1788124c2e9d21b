"""A photograph unrolled onto the kit's atlas, and what surrounds the head as a relief that turns with it."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from tools.synth.camera import project, to_camera
from tools.synth.fit import Fit
from tools.synth.kit import SKIN, Kit, load_kit
from tools.synth.photographs import diffuse
from tools.synth.points import place, point_model
from tools.synth.raster import rasterise, vertex_normals

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]

ATLAS = 512
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
    result: U8 = (padded[1:-1, 1:-1] != 2).astype(np.uint8)
    return result


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
