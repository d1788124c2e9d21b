"""ICT-FaceKit (MIT) as arrays: the head's vertices, parts, triangles, identities and left/right expressions.

Head frame: centimetres, x to the patient's left, y up, z out of the face. The kit's neutral looks a little upward: portraits
fitted with it came out at a median pitch of -12 degrees. So it is turned down by LOOKS_UP degrees, and pose zero means
what it means elsewhere: the face looks straight into the camera.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.errors import UserInputError
from realtime.jit import njit
from tools.synth.camera import rotation

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]

# Vertex and polygon ranges [first, end) from the kit's README; the transparent outer eye, the lacrimal
# fluid, the blend meshes and the lashes are left out: they need an alpha texture that the kit does not ship.
PARTS: dict[str, tuple[int, int, int, int]] = {
    "face": (0, 9409, 0, 9230),
    "head": (9409, 11248, 9230, 11144),
    "mouth_socket": (11248, 13294, 11144, 13226),
    "eye_socket_left": (13294, 13678, 13226, 13630),
    "eye_socket_right": (13678, 14062, 13630, 14034),
    "gums": (14062, 17039, 14034, 17006),
    "teeth": (17039, 21451, 17006, 21496),
    "eye_left": (22221, 23021, 22296, 23094),
    "eye_right": (23791, 24591, 23894, 24692),
}
LOOKS_UP = 10.0
SKIN, SOCKET, EYE_SOCKET, GUMS, TEETH, EYE = range(6)
_MATERIAL = {
    "face": SKIN,
    "head": SKIN,
    "mouth_socket": SOCKET,
    "eye_socket_left": EYE_SOCKET,
    "eye_socket_right": EYE_SOCKET,
    "gums": GUMS,
    "teeth": TEETH,
    "eye_left": EYE,
    "eye_right": EYE,
}

# The kit's expressions in its own order, _L and _R the patient's own sides.
_EXPRESSIONS = """
PupilDilate_L PupilDilate_R browDown_L browDown_R browInnerUp_L browInnerUp_R browOuterUp_L browOuterUp_R cheekPuff_L
cheekPuff_R cheekRaiser_L cheekRaiser_R cheekSquint_L cheekSquint_R eyeBlink_L eyeBlink_R eyeLookDown_L eyeLookDown_R
eyeLookIn_L eyeLookIn_R eyeLookOut_L eyeLookOut_R eyeLookUp_L eyeLookUp_R eyeSquint_L eyeSquint_R eyeWide_L eyeWide_R
jawForward jawLeft jawOpen jawRight mouthClose mouthDimple_L mouthDimple_R mouthFrown_L mouthFrown_R mouthFunnel
mouthLeft mouthLowerDown_L mouthLowerDown_R mouthPress_L mouthPress_R mouthPucker mouthRight mouthRollLower
mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmile_L mouthSmile_R mouthStretch_L mouthStretch_R mouthUpperUp_L
mouthUpperUp_R noseSneer_L noseSneer_R
"""
EXPRESSION_NAMES: tuple[str, ...] = tuple(_EXPRESSIONS.split())
EXPRESSION_INDEX = {name: i for i, name in enumerate(EXPRESSION_NAMES)}


def sided(name: str, side: str) -> int:
    """Index of an expression's side ("L" or "R"), or of the expression itself where it has no sides. Raises KeyError."""
    own = f"{name}_{side}"
    return EXPRESSION_INDEX[own if own in EXPRESSION_INDEX else name]


@dataclass(frozen=True, slots=True)
class Kit:
    """The parts of the head that are drawn, re-indexed without gaps.

    neutral: (V, 3) cm. identity: (100, V, 3) cm per unit coefficient. expression: (57, V, 3) cm per unit.
    triangles: (T, 3) vertex indices, counter-clockwise seen from outside. uv: (T, 3, 2) atlas coordinates in 0..1,
    v upward; material: (T,) one of SKIN...; part_vertices: first and end vertex of every part. places: (V, 2) atlas
    coordinates of the skin's vertices, zero elsewhere. landmarks68: (68,) the kit's Multi-PIE points. remap: kit vertex ->
    own vertex, -1 where not drawn.
    """

    neutral: F32
    identity: F32
    expression: F32
    triangles: I32
    uv: F32
    material: NDArray[np.int8]
    places: F32
    part_vertices: dict[str, tuple[int, int]]
    part_triangles: dict[str, tuple[int, int]]
    landmarks68: I32
    remap: I32

    def shape(self, identity: F32, expression: F32) -> F32:
        """Vertices (V, 3) of identity coefficients (up to 100,) and expression coefficients (57,)."""
        vertices = self.neutral.copy()
        add_shapes(vertices, self.identity, np.asarray(identity, np.float32))
        add_shapes(vertices, self.expression, np.asarray(expression, np.float32))
        return vertices


@njit(fastmath=True)
def add_shapes(vertices: F32, basis: F32, weights: F32) -> None:
    """vertices (V, 3) += sum of weights[k] * basis[k], in place; zero weights cost nothing."""
    for k in range(weights.shape[0]):
        w = weights[k]
        if w != 0.0:
            for i in range(vertices.shape[0]):
                vertices[i, 0] += w * basis[k, i, 0]
                vertices[i, 1] += w * basis[k, i, 1]
                vertices[i, 2] += w * basis[k, i, 2]


def shared_folder() -> Path:
    """The folder of development material: FACEMIRROR_SHARED, or ../shared beside the repository."""
    root = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("FACEMIRROR_SHARED", root.parent / "shared"))


def default_kit_file() -> Path:
    """Where the light kit lies in the development material."""
    return shared_folder() / "faces" / "ict_facekit" / "ict_facekit_light.npz"


@lru_cache(maxsize=2)
def load_kit(path: Path | None = None) -> Kit:
    """The kit from its npz (cached). Raises UserInputError when the file is not there or lists other expressions."""
    file = path or default_kit_file()
    if not file.is_file():
        raise UserInputError(
            f"ICT-FaceKit is not at {file}; set FACEMIRROR_SHARED to the development material's folder."
        )
    with np.load(file) as data:
        if tuple(str(n) for n in data["expression_names"]) != EXPRESSION_NAMES:
            raise UserInputError(f"{file} lists other expressions than ICT-FaceKit light does.")
        keep, remap, part_vertices = _kept_vertices(len(data["neutral"]))
        triangles, uv, material, part_triangles = _triangulate(
            data["faces"], data["faces_uv"], data["uv"].astype(np.float32), remap
        )
        down = rotation(0, -LOOKS_UP, 0).T.astype(np.float32)
        skin, places = material == SKIN, np.zeros((len(keep), 2), np.float32)
        places[triangles[skin].ravel()] = uv[skin].reshape(-1, 2)
        return Kit(
            places=places,
            neutral=np.ascontiguousarray(data["neutral"][keep].astype(np.float32) @ down),
            identity=np.ascontiguousarray(data["identity"][:, keep].astype(np.float32) @ down),
            expression=np.ascontiguousarray(data["expression"][:, keep].astype(np.float32) @ down),
            triangles=triangles,
            uv=uv,
            material=material,
            part_vertices=part_vertices,
            part_triangles=part_triangles,
            landmarks68=remap[data["lm68"]].astype(np.int32),
            remap=remap,
        )


def _kept_vertices(count: int) -> tuple[I32, I32, dict[str, tuple[int, int]]]:
    remap = np.full(count, -1, np.int32)
    keep: list[int] = []
    ranges = {}
    for name, (first, end, _, _) in PARTS.items():
        ranges[name] = (len(keep), len(keep) + end - first)
        remap[first:end] = np.arange(len(keep), len(keep) + end - first)
        keep.extend(range(first, end))
    return np.array(keep, np.int32), remap, ranges


def _triangulate(
    faces: I32, faces_uv: I32, uv: F32, remap: I32
) -> tuple[I32, F32, NDArray[np.int8], dict[str, tuple[int, int]]]:
    triangles, corners, material = [], [], []
    ranges = {}
    total = 0
    for name, (_, _, first, end) in PARTS.items():
        start = total
        for a, b, c in ((0, 1, 2), (0, 2, 3)):
            used = faces[first:end][:, [a, b, c]]
            real = used[:, 2] >= 0
            triangles.append(remap[used[real]])
            corners.append(uv[faces_uv[first:end][:, [a, b, c]][real]])
            material.append(np.full(int(real.sum()), _MATERIAL[name], np.int8))
            total += int(real.sum())
        ranges[name] = (start, total)
    return (
        np.ascontiguousarray(np.concatenate(triangles), np.int32),
        np.ascontiguousarray(np.concatenate(corners), np.float32),
        np.concatenate(material),
        ranges,
    )
