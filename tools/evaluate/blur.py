"""`python -m tools.evaluate blur --frames 10000`: are faces open in what `--blur-face` records?

Scenes of one to six people (still, moving, entering, leaving, crossing, fast, approaching, turned, posters, cuts) run through
the whole program; every recorded frame is compared with its scene, and searched by detectors that the program does not
use. The aim is no open face at all. A detection on a flat cover with drawn landmarks is counted apart, as the detector's false
alarm (`blur_judge.is_flat_cover`).
"""

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.cli import main as program
from realtime.errors import DeviceError, FacemirrorError
from tools.evaluate.blur_judge import LEAST_VISIBLE, BlazeFace, judge_detections, open_faces, upstream_retinaface
from tools.evaluate.blur_scenes import Face, Scene, collage_portraits, scenes

U8 = NDArray[np.uint8]
Judge = Callable[[U8], list[NDArray[np.float32]]]

FPS = 30
FRAMES_PER_SCENE = 90
SCENES_PER_CLIP = 10


def evaluate(
    stories: Iterator[Scene],
    frames: int,
    judges: Sequence[Judge],
    *,
    speed: str = "max",
    keep: Path | None = None,
    frames_per_scene: int = FRAMES_PER_SCENE,
) -> Counter[str]:
    """Run scenes until so many frames are recorded and judged; counts by name.

    Args:
        stories: the scenes, without end.
        frames: how many.
        judges: detectors that see boxes in a picture.
        speed: the program's `--speed`.
        keep: a folder for the pictures with an open face.
        frames_per_scene: of every scene.
    """
    counts: Counter[str] = Counter()
    while counts["frames"] < frames:
        chosen = list(islice(stories, min(SCENES_PER_CLIP, -(-(frames - counts["frames"]) // frames_per_scene))))
        with tempfile.TemporaryDirectory() as folder:
            clip = Path(folder) / "scenes.mp4"
            drawn = _write(clip, chosen)
            for recorded, scene, faces, kind, number in _recorded(clip, chosen, drawn, speed):
                _judge(counts, recorded, scene, faces, kind, judges)
                if keep is not None and counts["open now"]:
                    cv2.imwrite(str(keep / f"{counts['frames']:06}-{kind}-{number}.png"), np.hstack([scene, recorded]))
        print(json.dumps({k: v for k, v in counts.items() if k != "open now"}), file=sys.stderr, flush=True)
    del counts["open now"]
    return counts


def _judge(
    counts: Counter[str], recorded: U8, scene: U8, faces: Sequence[Face], kind: str, judges: Sequence[Judge]
) -> None:
    counts["frames"] += 1
    counts["faces"] += sum(face.visible >= LEAST_VISIBLE for face in faces)
    known = len(open_faces(scene, recorded, faces))
    found = [judge_detections(scene, recorded, faces, judge(recorded)) for judge in judges]
    seen = [len(detections.open) for detections in found]
    counts["open faces"] += known
    counts["open faces that a detector sees"] += max(seen, default=0)
    counts["false alarms on flat covers"] += sum(len(detections.false_alarms) for detections in found)
    counts["open now"] = known + sum(seen)
    counts[f"frames with an open face, {kind}"] += counts["open now"] > 0
    counts["frames hidden as a whole"] += _one_colour(recorded)


def _one_colour(picture: U8) -> bool:
    """Nothing but one colour and a line of writing?"""
    pixels = picture[::8, ::8].reshape(-1, 3).astype(int)
    return bool((np.abs(pixels - np.median(pixels, axis=0)).max(axis=1) < 20).mean() > 0.95)


def _write(path: Path, chosen: Sequence[Scene]) -> U8:
    """Write the clip; gives all its pictures as they were drawn, (N, H, W, 3), kept in a file beside it."""
    count, shape = sum(one.frames for one in chosen), chosen[0].background.shape
    drawn = np.memmap(path.with_suffix(".raw"), np.uint8, "w+", shape=(count, *shape))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "qp": "14"})
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = "yuv420p"
        stream.height, stream.width = shape[:2]
        for place in range(count):
            one, number = chosen[place // chosen[0].frames], place % chosen[0].frames
            drawn[place] = one.draw(number)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(drawn[place], format="bgr24")))
        container.mux(stream.encode(None))
    return drawn


def _recorded(
    clip: Path, chosen: Sequence[Scene], drawn: U8, speed: str
) -> Iterator[tuple[U8, U8, list[Face], str, int]]:
    session = clip.parent / "session"
    words = ["--speed", speed, "--headless", "--quiet", "--record", "--blur-face", "--session", str(session)]
    if program(["run", "--source", str(clip), *words]) != 0:
        raise DeviceError("The program failed on the composed scenes; see above.")
    with av.open(str(session / "video.mp4")) as container:
        for frame in container.decode(video=0):
            assert frame.time is not None
            place = round(frame.time * FPS)
            one, number = chosen[place // chosen[0].frames], place % chosen[0].frames
            yield frame.to_ndarray(format="bgr24"), drawn[place], one.faces(number), one.kind, number


def main(words: Sequence[str] | None = None) -> int:
    """Print the counts; 1 where a face was open."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.evaluate blur", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=900, help="recorded frames to judge (default 900)")
    parser.add_argument("--seed", type=int, default=1, help="of the scenes (default 1)")
    parser.add_argument("--size", default="1280x720", help="of the pictures (default 1280x720)")
    parser.add_argument("--speed", choices=["max", "realtime"], default="max", help="the program's --speed")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the pictures with an open face here")
    parser.add_argument("--json", type=Path, help="also write the counts there")
    options = parser.parse_args(words)
    shared = Path(os.environ.get("FACEMIRROR_SHARED", "../shared"))
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            judges: list[Judge] = [BlazeFace(shared / "models/mediapipe_face_landmarker/converted/face_detector.onnx")]
            judges.append(
                upstream_retinaface(shared / "models/retinaface_mnet025/mobilenet0.25_Final.pth", Path(folder))
            )
            width, height = (int(part) for part in options.size.split("x"))
            portraits = collage_portraits(shared / "faces" / "sfhq")
            stories = scenes(portraits, options.seed, height=height, width=width, frames=FRAMES_PER_SCENE)
            counts: dict[str, Any] = dict(
                evaluate(stories, options.frames, judges, speed=options.speed, keep=options.keep)
            )
    except FacemirrorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for name, value in counts.items():
        print(f"{name:45} {value}")
    if options.json:
        options.json.write_text(json.dumps(counts, indent=2), encoding="utf-8")
    return int(counts["open faces"] + counts["open faces that a detector sees"] > 0)


if __name__ == "__main__":
    sys.exit(main())
