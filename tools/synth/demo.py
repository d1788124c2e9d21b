"""The demo clip and its truth: `python -m tools.synth.demo --faces FACES --out realtime/media/assets`.

One photograph of the collages is fitted and unrolled in fine resolution. Hair, ears and neck are the photograph itself,
bent so that they turn with the head while the shoulders and the wall stay; the script's face is drawn over it.
"""

import argparse
import csv
import gzip
import io
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from realtime.errors import UserInputError
from tools.data.teachers import MediaPipeMesh
from tools.synth.camera import Camera, project, rotation, to_camera
from tools.synth.demo_script import DURATION, FPS, Moment, moment
from tools.synth.drawing import Looks, draw, fitted_places, relief_net
from tools.synth.heads import Head, head_from
from tools.synth.kit import EXPRESSION_NAMES, Kit, load_kit, shared_folder
from tools.synth.photographs import diffuse, photograph, read_picture
from tools.synth.raster import rasterise, vertex_normals
from tools.synth.sampler import smaller
from tools.synth.shade import Light, draw_relief
from tools.synth.sources import Source, sources
from tools.synth.textures import head_entry
from tools.synth.unroll import RELIEF_NODES

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]

WIDTH, HEIGHT = 1280, 720
CANVAS, ATLAS = 768, 1024
_SUPERSAMPLING = 2
# The person of the demo: a photograph of SFHQ (MIT), its collage and where its face's centre lies there (share of the sides).
PERSON = ("sfhq/SFHQ_sample_2x4.jpg", 0.370, 0.70)
CAMERA = Camera(1500.0, (WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5))
LIGHT = Light(
    np.full(3, 0.93, np.float32),
    np.full(3, 0.1, np.float32),
    np.array([-0.4, -0.6, -0.7], np.float32) / np.float32(1.005),
    0.1,
)
# Rotation and translation (cm, camera frame) of the person at rest, and the neck's joint, about which the head turns.
REST = (rotation(0, 0, 0), np.array([-1.5, 2.4, 70.0]))
_JOINT = np.array([0.0, -9.0, -1.0])
# The window that holds the face, pixels of the picture.
_WINDOW = (600, 700)


@dataclass(frozen=True, slots=True)
class Person:
    """The fitted head; matte: (C, C, 3) uint8, 255 where the photograph is shown, falling off to the wall; wall: (H, W, 3);
    turns: (N, 1) how much of the head's motion each node of the relief makes, 0..1."""

    head: Head
    matte: U8
    looks: Looks
    wall: F32
    turns: F32


def find_source(faces: Path) -> Source:
    """The demo's photograph in the index. Raises UserInputError where it is not."""
    collage, x, y = PERSON
    picture = read_picture(shared_folder() / "faces" / collage)
    aim = np.array([x * picture.shape[1], y * picture.shape[0]])
    near = [s for s in sources(faces, every=True) if s.collage == collage]
    if not near:
        raise UserInputError(f"{faces} lists no face of {collage}.")
    return min(near, key=lambda s: float(np.linalg.norm((s.box[:2] + s.box[2:]) / 2 - aim)))


def load_person(kit: Kit, faces: Path) -> Person:
    """Fit, unroll and cut out the person."""
    shared = shared_folder()
    source = find_source(faces)
    shot = photograph(read_picture(shared / "faces" / source.collage), source.box, CANVAS)
    mediapipe = MediaPipeMesh(
        shared / "models/mediapipe_face_landmarker/converted/face_landmarks_detector_noprelu.onnx"
    )
    points = source.points * shot.scale + shot.shift
    entry, _ = head_entry(kit, shot, points, mediapipe.points(shot.image, points)[0], ATLAS)
    head = head_from("demo", {**entry, "source": np.array(source.collage), "held_out": np.array(False)})
    looks = Looks(
        iris=np.array([22, 34, 52], np.float32),
        sclera=np.array([190, 194, 200], np.float32),
        teeth=np.array([178, 196, 206], np.float32),
        gums=np.array([78, 74, 138], np.float32),
        iris_angle=0.42,
        pupil_angle=0.15,
    )
    alone = without_person(head.photo, points)
    matte = np.repeat(soft_matte(points)[..., None], 3, 2)
    person = Person(head, matte, looks, np.zeros((HEIGHT, WIDTH, 3), np.float32), turning(kit, head))
    # The wall is the photograph's own background where it stands at rest, so nothing shows where the photograph fades out.
    vertices = kit.shape(head.identity, head.expression)
    _draw_body(
        replace(person, head=replace(head, photo=alone), matte=np.full_like(matte, 255)),
        vertices,
        REST,
        REST,
        person.wall,
    )
    return replace(person, wall=cv2.GaussianBlur(person.wall, (0, 0), 4))


def _surroundings(points: F32, grow: float) -> tuple[int, int, int, int, int]:
    """An ellipse about head and hair (centre x, y, half axes) and the y below which the body is; grow: 1 hugs them."""
    x, y, w, h = cv2.boundingRect(np.rint(points).astype(np.int32))
    return x + w // 2, y + h // 3, int(0.68 * w * grow), int(0.95 * h * grow), y + h


def without_person(photo: U8, points: F32) -> U8:
    """The photograph with head and body diffused away."""
    x, y, a, b, chin = _surroundings(points, 1.4)
    keep = np.ones(photo.shape[:2], np.float32)
    cv2.ellipse(keep, (x, y), (a, b), 0, 0, 360, 0.0, -1)
    keep[chin - b // 8 :, x - 3 * a : x + 3 * a] = 0
    return np.clip(diffuse(photo.astype(np.float32), keep), 0, 255).astype(np.uint8)


def soft_matte(points: F32) -> U8:
    """Matte (C, C): 255 on the person and close by, falling to 0 further off."""
    x, y, a, b, chin = _surroundings(points, 1.05)
    shape = np.zeros((CANVAS, CANVAS), np.uint8)
    cv2.ellipse(shape, (x, y), (a, b), 0, 0, 360, 255, -1)
    cv2.ellipse(shape, (x, CANVAS), (int(2.1 * a), CANVAS - chin + b // 6), 0, 0, 360, 255, -1)
    away = cv2.distanceTransform(255 - shape, cv2.DIST_L2, 5)
    fade = np.clip(1 - away / (0.5 * a), 0, 1)
    result: U8 = np.rint(255 * fade * fade * (3 - 2 * fade)).astype(np.uint8)
    return result


def turning(kit: Kit, head: Head) -> F32:
    """How much each node (N, 1) of the relief turns with the head: all of it on head and hair, none far off or low down."""
    vertices = kit.shape(head.identity, head.expression)[: kit.part_vertices["head"][1]]
    distance, _ = cKDTree(vertices[vertices[:, 1] > -9]).query(head.relief)
    near = np.clip((14.0 - distance) / 10.0, 0, 1)
    high = np.clip((head.relief[:, 1] + 17.0) / 9.0, 0, 1)
    near, high = (x * x * (3 - 2 * x) for x in (near, high))
    result: F32 = (near * high)[:, None].astype(np.float32)
    return result


def draw_frame(kit: Kit, person: Person, now: Moment) -> tuple[U8, F32]:
    """The picture (720, 1280, 3) and the points (98, 2) in it."""
    matrix = rotation(*now.pose)
    at = REST[1] + np.array(now.shift)
    translation = at + np.diag([1.0, -1.0, -1.0]) @ (_JOINT - matrix @ _JOINT)
    vertices = kit.shape(person.head.identity, now.expression)
    picture = person.wall.copy()
    _draw_body(person, vertices, (matrix, translation), (REST[0], at), picture)
    # The face alone is drawn finer than the picture, in a window about it.
    x, y = project(to_camera(np.zeros((1, 3), np.float32), matrix, translation), CAMERA)[0]
    left = int(np.clip(x - _WINDOW[0] / 2, 0, WIDTH - 16))
    right = int(np.clip(x + _WINDOW[0] / 2, left + 16, WIDTH))
    top = int(np.clip(y - _WINDOW[1] / 2, 0, HEIGHT - 16))
    bottom = int(np.clip(y + _WINDOW[1] / 2, top + 16, HEIGHT))
    centre = (np.array(CAMERA.centre) - [left, top] + 0.5) * _SUPERSAMPLING - 0.5
    size = ((bottom - top) * _SUPERSAMPLING, (right - left) * _SUPERSAMPLING)
    behind = cv2.resize(picture[top:bottom, left:right], size[::-1], interpolation=cv2.INTER_LINEAR)
    drawn = draw(
        kit, person.head, person.head.identity, now.expression, matrix, translation,
        Camera(CAMERA.focal * _SUPERSAMPLING, (float(centre[0]), float(centre[1]))), size,
        LIGHT, person.looks, behind, "given",
    )  # fmt: skip
    face = cv2.resize(drawn.picture, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    covered = cv2.resize(drawn.head_alpha, (right - left, bottom - top), interpolation=cv2.INTER_AREA) > 0
    picture[top:bottom, left:right][covered] = face[covered]
    return np.clip(picture, 0, 255).astype(np.uint8), smaller(drawn.points, _SUPERSAMPLING) + np.array(
        [left, top], np.float32
    )


def _draw_body(
    person: Person,
    vertices: F32,
    head_at: tuple[F64, F64],
    body_at: tuple[F64, F64],
    out: F32,
) -> None:
    """Hair, ears, neck and shoulders over `out`, in part at the head's rotation and translation, in part at the body's."""
    head = person.head
    triangles, places = relief_net(head.photo.shape[0])
    moved = head.relief + head.relief_follow[:, None] * (vertices[head.relief_vertex] - fitted_places(head))
    moved = moved.astype(np.float32)
    seen = person.turns * to_camera(moved, *head_at) + (1 - person.turns) * to_camera(moved, *body_at)
    seen = seen.astype(np.float32)
    depth = np.maximum(seen[:, 2], 5.0)
    ids, bary, _ = rasterise(project(seen, CAMERA), depth, triangles, out.shape[0], out.shape[1], False)
    lit = LIGHT.ambient + LIGHT.lamp * np.clip(vertex_normals(seen, triangles) @ LIGHT.direction, 0, 1)[:, None]
    net = cv2.GaussianBlur(lit.reshape(RELIEF_NODES, RELIEF_NODES, 3).astype(np.float32), (0, 0), 2).reshape(-1, 3)
    colour, alpha = np.zeros_like(out), np.zeros_like(out)
    draw_relief(ids, bary, triangles, places, head.photo, net, colour)
    draw_relief(ids, bary, triangles, places, person.matte, np.ones_like(net), alpha)
    out += alpha / 255 * (colour - out)


def truth_columns() -> list[str]:
    """The truth file's columns, in order."""
    return [
        *("frame", "time_s", "movement", "visible", "yaw_deg", "pitch_deg", "roll_deg"),
        *(f"{axis}_{i}" for i in range(98) for axis in "xy"),
        *EXPRESSION_NAMES,
    ]


def truth_row(number: int, now: Moment, points: F32) -> list[str]:
    """One frame's truth; points (98, 2) in its pixels, empty when none lies in the picture."""
    inside = ((points >= 0) & (points <= [WIDTH - 1, HEIGHT - 1])).all(1)
    seen = int(inside.mean() >= 0.5)
    places = [f"{v:.2f}" for v in points.ravel()] if inside.any() else [""] * 196
    return [
        *(str(number), f"{number / FPS:.4f}", now.label, str(seen)),
        *(f"{v:.3f}" for v in now.pose),
        *places,
        *(f"{v:.4f}" for v in now.expression),
    ]


def render(faces: Path, out: Path, crf: int) -> tuple[Path, Path]:
    """Render the clip and its truth; returns both files."""
    kit = load_kit()
    person = load_person(kit, faces)
    out.mkdir(parents=True, exist_ok=True)
    clip, truth = out / "demo.mp4", out / "demo_truth.csv.gz"
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(truth_columns())
    grain = np.random.default_rng(0)
    with av.open(str(clip), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": str(crf), "preset": "slow"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(round(DURATION * FPS)):
            now = moment(number / FPS)
            picture, points = draw_frame(kit, person, now)
            noisy = picture + grain.normal(0, 1.0, picture.shape)
            frame = av.VideoFrame.from_ndarray(np.clip(noisy, 0, 255).astype(np.uint8), format="bgr24")
            for packet in stream.encode(frame):
                container.mux(packet)
            table.writerow(truth_row(number, now, points))
        for packet in stream.encode():
            container.mux(packet)
    # A fixed time stamp keeps the file the same from run to run.
    truth.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
    return clip, truth


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=Path, required=True, help="folder with index.npz of tools.data.labels")
    parser.add_argument("--out", type=Path, default=Path("realtime/media/assets"))
    parser.add_argument("--crf", type=int, default=22, help="x264 quality, lower is better and larger")
    arguments = parser.parse_args()
    for file in render(arguments.faces, arguments.out, arguments.crf):
        print(f"{file} {file.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
