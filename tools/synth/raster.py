"""A z-buffer rasteriser: which triangle, and where in it, every pixel sees."""

import numpy as np
from numpy.typing import NDArray

from realtime.jit import njit

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]


@njit(fastmath=True)
def rasterise(
    screen: F32, depth: F32, triangles: I32, height: int, width: int, cull: bool = True
) -> tuple[I32, F32, F32]:
    """Draw triangles into a z-buffer.

    screen: (V, 2) pixels, pixel centres at integers. depth: (V,) distance from the camera, > 0. triangles: (T, 3);
    with `cull`, those that turn their back (clockwise on the screen, y down, for outside = counter-clockwise) are not drawn.
    Returns ids (H, W), -1 where empty; bary (H, W, 3), perspective-correct weights of the corners; z (H, W), inf where empty.
    """
    ids = np.full((height, width), -1, np.int32)
    bary = np.zeros((height, width, 3), np.float32)
    zbuffer = np.full((height, width), np.inf, np.float32)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        xa, ya, xb, yb, xc, yc = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1]
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        # With y down, a counter-clockwise triangle in a y-up world has negative area on the screen.
        if area == 0.0 or (cull and area > 0.0):
            continue
        if depth[a] <= 0.0 or depth[b] <= 0.0 or depth[c] <= 0.0:
            continue
        x0 = max(0, int(np.ceil(min(xa, xb, xc))))
        x1 = min(width - 1, int(np.floor(max(xa, xb, xc))))
        y0 = max(0, int(np.ceil(min(ya, yb, yc))))
        y1 = min(height - 1, int(np.floor(max(ya, yb, yc))))
        inverse = 1.0 / area
        ia, ib, ic = 1.0 / depth[a], 1.0 / depth[b], 1.0 / depth[c]
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                wa = ((xb - x) * (yc - y) - (xc - x) * (yb - y)) * inverse
                wb = ((xc - x) * (ya - y) - (xa - x) * (yc - y)) * inverse
                wc = 1.0 - wa - wb
                if wa < 0.0 or wb < 0.0 or wc < 0.0:
                    continue
                pa, pb, pc = wa * ia, wb * ib, wc * ic
                z = 1.0 / (pa + pb + pc)
                if z < zbuffer[y, x]:
                    zbuffer[y, x] = z
                    ids[y, x] = t
                    bary[y, x, 0] = pa * z
                    bary[y, x, 1] = pb * z
                    bary[y, x, 2] = pc * z
    return ids, bary, zbuffer


@njit(fastmath=True)
def vertex_normals(vertices: F32, triangles: I32) -> F32:
    """Unit normals (V, 3), area-weighted means of the triangles that meet in a vertex; zero where none do."""
    normals = np.zeros_like(vertices)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
        vx, vy, vz = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in range(3):
            i = triangles[t, k]
            normals[i, 0] += nx
            normals[i, 1] += ny
            normals[i, 2] += nz
    for i in range(normals.shape[0]):
        length = np.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2)
        if length > 0.0:
            normals[i] /= length
    return normals
