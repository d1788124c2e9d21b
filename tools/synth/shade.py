"""Colour of every drawn pixel: photographic or procedural skin, eyes with gaze, mouth and teeth, one lamp and ambient light."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from realtime.jit import njit
from tools.synth.kit import EYE, EYE_SOCKET, GUMS, SKIN, SOCKET, TEETH

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Light:
    """ambient, lamp: (3,) BGR factors; direction: (3,) unit vector in the camera frame that points to the lamp.

    gloss: strength of the skin's highlight, 0..1.
    """

    ambient: F32
    lamp: F32
    direction: F32
    gloss: float


@dataclass(frozen=True, slots=True)
class Eyes:
    """centre: (2, 3) eyeball centres, right then left, and gaze: (2, 3) unit directions, both in the head frame.

    iris: (3,) BGR 0..255; iris_angle, pupil_angle: half angles in radians; sclera: (3,) BGR 0..255.
    """

    centre: F32
    gaze: F32
    iris: F32
    iris_angle: float
    pupil_angle: float
    sclera: F32


@dataclass(frozen=True, slots=True)
class Mouth:
    """teeth, gums: (3,) BGR 0..255; lips_z: z (cm, head frame) of the lips, behind which the mouth darkens."""

    teeth: F32
    gums: F32
    lips_z: float


def shade(
    ids: I32,
    bary: F32,
    triangles: I32,
    uv: F32,
    material: NDArray[np.int8],
    head: F32,
    seen: F32,
    normals: F32,
    texture: U8,
    cover: F32,
    light: Light,
    eyes: Eyes,
    mouth: Mouth,
    exposure: float,
) -> tuple[F32, F32]:
    """Colours (H, W, 3) BGR 0..255 and opacity (H, W) 0..1 of a rasterised head.

    head, seen: (V, 3) vertices in the head and the camera frame; normals (V, 3) camera frame; texture, cover: the atlas and
    its opacity; exposure scales what is not on the photograph (eyes, mouth) to the photograph's brightness.
    """
    result: tuple[F32, F32] = _shade(
        ids,
        bary,
        triangles,
        uv,
        material,
        head,
        seen,
        normals,
        texture,
        cover,
        light.ambient,
        light.lamp,
        light.direction,
        cast("float", np.float32(light.gloss)),
        eyes.centre,
        eyes.gaze,
        eyes.iris,
        cast("float", np.float32(eyes.iris_angle)),
        cast("float", np.float32(eyes.pupil_angle)),
        eyes.sclera,
        mouth.teeth,
        mouth.gums,
        cast("float", np.float32(mouth.lips_z)),
        cast("float", np.float32(exposure)),
    )
    return result


@njit(fastmath=True, inline="always")
def _smooth(low: float, high: float, x: float) -> float:
    t = min(1.0, max(0.0, (x - low) / (high - low)))
    return t * t * (3.0 - 2.0 * t)


@njit(fastmath=True)
def _shade(
    ids: I32,
    bary: F32,
    triangles: I32,
    uv: F32,
    material: NDArray[np.int8],
    head: F32,
    seen: F32,
    normals: F32,
    texture: U8,
    cover: F32,
    ambient: F32,
    lamp: F32,
    direction: F32,
    gloss: float,
    eye_centre: F32,
    gaze: F32,
    iris: F32,
    iris_angle: float,
    pupil_angle: float,
    sclera: F32,
    teeth: F32,
    gums: F32,
    lips_z: float,
    exposure: float,
) -> tuple[F32, F32]:
    height, width = ids.shape
    size = texture.shape[0]
    colour = np.zeros((height, width, 3), np.float32)
    alpha = np.zeros((height, width), np.float32)
    albedo = np.zeros(3, np.float32)
    for y in range(height):
        for x in range(width):
            t = ids[y, x]
            if t < 0:
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            wa, wb, wc = bary[y, x, 0], bary[y, x, 1], bary[y, x, 2]
            nx = wa * normals[a, 0] + wb * normals[b, 0] + wc * normals[c, 0]
            ny = wa * normals[a, 1] + wb * normals[b, 1] + wc * normals[c, 1]
            nz = wa * normals[a, 2] + wb * normals[b, 2] + wc * normals[c, 2]
            norm = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
            nx, ny, nz = nx * norm, ny * norm, nz * norm
            kind = material[t]
            opacity = 1.0
            shine = 0.0
            if kind == SKIN:
                u = (wa * uv[t, 0, 0] + wb * uv[t, 1, 0] + wc * uv[t, 2, 0]) * size - 0.5
                v = (1.0 - (wa * uv[t, 0, 1] + wb * uv[t, 1, 1] + wc * uv[t, 2, 1])) * size - 0.5
                u = min(max(u, 0.0), size - 1.001)
                v = min(max(v, 0.0), size - 1.001)
                i, j = int(v), int(u)
                fu, fv = u - j, v - i
                for k in range(3):
                    top = texture[i, j, k] * (1 - fu) + texture[i, j + 1, k] * fu
                    bottom = texture[i + 1, j, k] * (1 - fu) + texture[i + 1, j + 1, k] * fu
                    albedo[k] = top * (1 - fv) + bottom * fv
                opacity = cover[i, j]
                shine = gloss
            else:
                hx = wa * head[a, 0] + wb * head[b, 0] + wc * head[c, 0]
                hy = wa * head[a, 1] + wb * head[b, 1] + wc * head[c, 1]
                hz = wa * head[a, 2] + wb * head[b, 2] + wc * head[c, 2]
                if kind == EYE:
                    side = 0 if hx < 0 else 1
                    dx, dy, dz = hx - eye_centre[side, 0], hy - eye_centre[side, 1], hz - eye_centre[side, 2]
                    radius = np.sqrt(dx * dx + dy * dy + dz * dz)
                    cosine = (dx * gaze[side, 0] + dy * gaze[side, 1] + dz * gaze[side, 2]) / radius
                    angle = np.arccos(min(1.0, max(-1.0, cosine)))
                    inside = 1.0 - _smooth(iris_angle - 0.03, iris_angle + 0.04, angle)
                    rim = 1.0 - 0.55 * _smooth(iris_angle * 0.72, iris_angle, angle)
                    spoke = 0.88 + 0.12 * np.sin(
                        23.0 * np.arctan2(dy - gaze[side, 1] * radius, dx - gaze[side, 0] * radius)
                    )
                    black = _smooth(pupil_angle - 0.02, pupil_angle + 0.03, angle)
                    lid = 0.62 + 0.38 * _smooth(0.75, 0.1, dy / radius)
                    for k in range(3):
                        ring = iris[k] * rim * spoke * (0.08 + 0.92 * black)
                        albedo[k] = (inside * ring + (1 - inside) * sclera[k]) * lid * exposure
                    shine = 0.9
                elif kind == TEETH:
                    # Enamel darkens toward the gaps, where it turns away from the camera.
                    dark = (0.25 + 0.75 * _smooth(lips_z - 3.6, lips_z - 0.6, hz)) * (0.3 + 0.7 * max(0.0, -nz) ** 0.8)
                    for k in range(3):
                        albedo[k] = teeth[k] * dark * exposure
                    shine = 0.25
                elif kind == GUMS:
                    dark = 0.12 + 0.75 * _smooth(lips_z - 4.5, lips_z - 0.9, hz)
                    for k in range(3):
                        albedo[k] = gums[k] * dark * exposure
                elif kind == SOCKET:
                    dark = 0.05 + 0.75 * _smooth(lips_z - 3.5, lips_z + 0.1, hz)
                    for k in range(3):
                        albedo[k] = gums[k] * dark * exposure
                elif kind == EYE_SOCKET:
                    for k in range(3):
                        albedo[k] = (0.55 * sclera[k] + 0.25 * gums[k]) * exposure * 0.7
            lit = max(0.0, nx * direction[0] + ny * direction[1] + nz * direction[2])
            spot = 0.0
            if shine > 0.0:
                px = wa * seen[a, 0] + wb * seen[b, 0] + wc * seen[c, 0]
                py = wa * seen[a, 1] + wb * seen[b, 1] + wc * seen[c, 1]
                pz = wa * seen[a, 2] + wb * seen[b, 2] + wc * seen[c, 2]
                far = 1.0 / np.sqrt(px * px + py * py + pz * pz)
                sx, sy, sz = direction[0] - px * far, direction[1] - py * far, direction[2] - pz * far
                length = 1.0 / np.sqrt(sx * sx + sy * sy + sz * sz + 1e-9)
                half = max(0.0, (nx * sx + ny * sy + nz * sz) * length)
                spot = shine * (half**120 * 230.0 if kind == EYE else half**14 * 60.0)
            for k in range(3):
                colour[y, x, k] = albedo[k] * (ambient[k] + lamp[k] * lit) + spot * lamp[k] * exposure
            alpha[y, x] = opacity
    return colour, alpha


@njit(fastmath=True)
def draw_relief(ids: I32, bary: F32, triangles: I32, place: F32, photo: U8, lit: F32, out: F32) -> None:
    """Draw the relief over `out` (H, W, 3): place (N, 2) are photograph pixels of its nodes, lit (N, 3) their light.

    Beyond the photograph's border its last pixels are repeated.
    """
    height, width = ids.shape
    rows, columns = photo.shape[0], photo.shape[1]
    for y in range(height):
        for x in range(width):
            t = ids[y, x]
            if t < 0:
                continue
            u = 0.0
            v = 0.0
            for k in range(3):
                u += bary[y, x, k] * place[triangles[t, k], 0]
                v += bary[y, x, k] * place[triangles[t, k], 1]
            u = min(max(u, 0.0), columns - 1.001)
            v = min(max(v, 0.0), rows - 1.001)
            i, j = int(v), int(u)
            fu, fv = u - j, v - i
            for k in range(3):
                top = photo[i, j, k] * (1 - fu) + photo[i, j + 1, k] * fu
                bottom = photo[i + 1, j, k] * (1 - fu) + photo[i + 1, j + 1, k] * fu
                light = 0.0
                for corner in range(3):
                    light += bary[y, x, corner] * lit[triangles[t, corner], k]
                out[y, x, k] = (top * (1 - fv) + bottom * fv) * light
