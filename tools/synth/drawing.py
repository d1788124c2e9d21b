"""The drawing of one photographic head with another expression, pose, camera and light."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.synth.camera import Camera, project, to_camera
from tools.synth.expressions import gaze_directions, moved_by
from tools.synth.folds import Skin, folded, skin_of
from tools.synth.heads import Head, remembered
from tools.synth.hidden import COVERED_BROWS, DARK_GLASSES, photograph_of
from tools.synth.kit import Kit, load_kit
from tools.synth.points import place, point_model, visible
from tools.synth.raster import rasterise, vertex_normals
from tools.synth.shade import Eyes, Light, Mouth, draw_relief, shade
from tools.synth.unroll import RELIEF_NODES, atlas_map

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Drawn:
    """picture: (H, W, 3) float32 BGR 0..255; points (98, 2) px; visible (98,): not hidden by the head itself, within the picture;
    box: (4,) forehead to chin; head_alpha: (H, W) where the kit's head was drawn."""

    picture: F32
    points: F32
    visible: Bools
    box: F32
    head_alpha: F32


@lru_cache(maxsize=2)
def relief_net(canvas: int) -> tuple[NDArray[np.int32], F32]:
    """Triangles of the relief and its nodes' pixels (N, 2) on a photograph of canvas x canvas pixels."""
    n = RELIEF_NODES
    nodes = np.linspace(-0.5 * canvas, 1.5 * canvas, n)
    gx, gy = np.meshgrid(nodes, nodes)
    corner = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    lower = np.stack([corner, corner + n, corner + n + 1], 1)
    upper = np.stack([corner, corner + n + 1, corner + 1], 1)
    return np.concatenate([lower, upper]).astype(np.int32), np.stack([gx, gy], -1).reshape(-1, 2).astype(np.float32)


def eye_geometry(kit: Kit, vertices: F32) -> tuple[F32, F32]:
    """Centres (2, 3) and radii (2,) of the right and the left eyeball."""
    centre, radius = [], []
    for part in ("eye_right", "eye_left"):
        ball = vertices[slice(*kit.part_vertices[part])]
        low, high = ball.min(0), ball.max(0)
        centre.append((low + high) / 2)
        radius.append((high - low)[:2].mean() / 2)
    return np.array(centre, np.float32), np.array(radius, np.float32)


@dataclass(frozen=True, slots=True)
class Looks:
    """Colours that the photograph does not give. sclera, teeth, gums, iris: BGR 0..255."""

    iris: F32
    sclera: F32
    teeth: F32
    gums: F32
    iris_angle: float = 0.44
    pupil_angle: float = 0.17


def draw(
    kit: Kit,
    head: Head,
    identity: F32,
    expression: F32,
    matrix: F64,
    translation: F64,
    camera: Camera,
    size: tuple[int, int],
    light: Light,
    looks: Looks,
    behind: F32,
    surroundings: str = "relief",
) -> Drawn:
    """Draw a head over `behind` (H, W, 3).

    identity (100,), expression (57,); matrix, translation: head frame to camera frame; size: height, width in pixels.
    surroundings: "relief", hair, ears, neck and background come from the head's photograph as a surface that turns with the
    head; "bare", the kit's bald head and neck are drawn; "given", `behind` already shows them.
    """
    height, width = size
    vertices = kit.shape(identity, moved_by(expression))
    seen = to_camera(vertices, matrix, translation)
    normals = vertex_normals(seen, kit.triangles)
    screen = project(seen, camera)
    depth = np.ascontiguousarray(seen[:, 2])
    centres, radii = eye_geometry(kit, vertices)
    gaze = gaze_directions(expression)
    exposure = float(np.clip(head.brightness / 190.0, 0.3, 1.1))
    eyes = Eyes(centres, gaze, looks.iris, looks.iris_angle, looks.pupil_angle, looks.sclera)
    mouth = Mouth(looks.teeth, looks.gums, float(vertices[kit.landmarks68[[62, 66]], 2].mean()))
    picture = behind.copy()
    if surroundings == "relief":
        _draw_relief(head, vertices, matrix, translation, camera, light, picture)
    first, end = kit.part_triangles["head"]
    triangles = kit.triangles
    bare = surroundings == "bare"
    if not bare:
        # Hair, ears and neck come with the surroundings: degenerate triangles are never drawn.
        triangles = triangles.copy()
        triangles[first:end] = 0
    ids, bary, zbuffer = rasterise(screen, depth, triangles, height, width)
    atlas = head.texture.shape[0]
    cover = np.ones((atlas, atlas), np.float32) if bare else atlas_map(atlas).cover
    colour, alpha = shade(
        ids, bary, kit.triangles, kit.uv, kit.material, vertices, seen, normals,
        folded(head.texture, _skin(head), expression), cover, light, eyes, mouth, exposure,
    )  # fmt: skip
    picture += alpha[..., None] * (colour - picture)
    points = place(point_model(kit), seen, normals, screen, head.brows)
    pupils = to_camera(centres + gaze * radii[:, None], matrix, translation)
    points[96:98] = project(pupils, camera)
    own = point_model(kit).fixed.on(depth[:, None])[:, 0]
    own[33:51] = head.brows.on(depth[:, None])[:, 0]
    tolerance = np.full(98, 0.5, np.float32)
    own[96:98], tolerance[96:98] = pupils[:, 2], 0.18
    # Contour points lie on the silhouette by construction: something else must stand well before them to hide them.
    own[:33] = point_model(kit).lines.on(depth[:, None])[..., 0].min(1)
    seen_flag = visible(points, own, zbuffer, tolerance)
    if photograph_of(head.name) in COVERED_BROWS:
        seen_flag[33:51] = False
    if photograph_of(head.name) in DARK_GLASSES:
        seen_flag[[*range(60, 76), 96, 97]] = False
    top = project(to_camera(kit_forehead(kit, vertices), matrix, translation), camera)
    extent = np.concatenate([points[:96], top])
    box = np.concatenate([extent.min(0), extent.max(0)]).astype(np.float32)
    return Drawn(picture, points, seen_flag, box, alpha)


def kit_forehead(kit: Kit, vertices: F32) -> F32:
    """A few places (3, 3) at the hair line, which a face box reaches up to."""
    brow = vertices[kit.landmarks68[[19, 24, 27]]]
    lift = np.array([[0, 3.4, -0.9]], np.float32)
    return brow[:2] + lift


def _draw_relief(
    head: Head, vertices: F32, matrix: F64, translation: F64, camera: Camera, light: Light, picture: F32
) -> None:
    triangles, places = relief_net(head.photo.shape[0])
    moved = head.relief + head.relief_follow[:, None] * (vertices[head.relief_vertex] - fitted_places(head))
    seen = to_camera(moved.astype(np.float32), matrix, translation)
    height, width = picture.shape[:2]
    depth = np.maximum(seen[:, 2], 5.0)
    ids, bary, _ = rasterise(project(seen, camera), depth, triangles, height, width, False)
    normals = vertex_normals(seen, triangles)
    lit = light.ambient + light.lamp * np.clip(normals @ light.direction, 0, 1)[:, None]
    net = lit.reshape(RELIEF_NODES, RELIEF_NODES, 3)
    smooth = cv2.GaussianBlur(net.astype(np.float32), (0, 0), 2).reshape(-1, 3)
    draw_relief(ids, bary, triangles, places, head.photo, smooth, picture)


_skins: dict[str, Skin] = {}
_fitted: dict[str, F32] = {}


def fitted_places(head: Head) -> F32:
    """Where the vertices that the relief follows lay in the photograph's fit, (N, 3)."""
    return remembered(_fitted, head, lambda: load_kit().shape(head.identity, head.expression)[head.relief_vertex])


def _skin(head: Head) -> Skin:
    """The head's folds, always the same."""
    return remembered(_skins, head, lambda: skin_of(head.name, head.brows, load_kit()))
