"""From OpenFace 3.0's published checkpoints to ONNX files with a manifest.

torch and onnx are imported at the first call, so that the manifest entries can be written without them.
"""

import hashlib
import json
import math
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import av
import cv2

from realtime.media.demux_options import demo_clip
from realtime.models.registry import Registry
from realtime.openface3.download import ACADEMIC, BASE

Precision = Literal["int8", "float32"]
CALIBRATION_PICTURES = 12
WORST_LANDMARKS = 2.0
"""Mean distance, in pixels of the 256 crop, above which 8-bit landmarks are not used."""
WORST_MULTITASK = 0.02
"""Mean difference, in shares of each output's spread, above which an 8-bit multi-task net is not used."""
ACTION_UNITS = (1, 2, 4, 6, 9, 12, 25, 26)
EMOTIONS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


def convert(
    checkpoints: dict[str, Path],
    out: Path,
    say: Callable[[str], None],
    precision: Precision = "int8",
    calibration: Path | None = None,
) -> None:
    """Write every network and manifest.toml into `out`.

    checkpoints: by network (retinaface, star, multitask). precision: int8 is taken network by network, where it stays within
    the limits above. calibration: a folder with pictures of faces; None takes them from the demo clip.

    Raises ModelFileError: a checkpoint is damaged or another network's, or the result differs from torch.
    """
    from tools.export import networks as export

    say("converting RetinaFace")
    export.export("retinaface", checkpoints["retinaface"], out / "retinaface.onnx")
    stacks = _stacks(checkpoints["star"])
    embedded = Registry()
    finder = embedded.checked_path(embedded.manifest.find("detector"))
    entries = [detector_entry(out / "retinaface.onnx")]
    with tempfile.TemporaryDirectory() as scratch:
        pictures: Path | None = calibration
        if precision == "int8" and pictures is None:
            pictures = _faces_of_the_demo(Path(scratch))

        def make(name: str, file: str, limit: float, **options: Any) -> tuple[Path, str]:
            exact, small = Path(scratch) / file, Path(scratch) / f"int8-{file}"
            export.export(name, checkpoints[name], exact, **options)
            chosen, words = exact, "float32"
            if precision == "int8":
                from tools.quantise import int8 as quantise

                assert pictures is not None
                loss = quantise.quantise(name, checkpoints[name], exact, small, pictures, detector=finder, **options)
                if math.isfinite(loss.mean) and loss.mean <= limit:
                    chosen, words = small, f"int8 ({loss})"
                else:
                    say(f"{file} stays in float32: 8 bits would cost {loss}, more than {limit:g} {loss.unit} allow")
            shutil.move(chosen, out / file)
            return out / file, words

        for tier, kept in enumerate(dict.fromkeys((stacks, 1))):
            say(f"converting STAR, {kept} of {stacks} stacks")
            path, words = make("star", f"star{kept}.onnx", WORST_LANDMARKS, stacks=kept)
            entries.append(landmark_entry(path, tier, f"{kept} of {stacks} stacks, {words}"))
        say("converting the multi-task net")
        path, words = make("multitask", "multitask.onnx", WORST_MULTITASK)
        entries.append(multitask_entry(path, words))
    (out / "manifest.toml").write_text("\n".join(entries), encoding="utf-8")


def _stacks(checkpoint: Path) -> int:
    from tools.networks import catalogue

    module, _ = catalogue.load("star", checkpoint)
    return int(module.stacks)


def _faces_of_the_demo(folder: Path) -> Path:
    """Pictures from all over the demo clip."""
    pictures = folder / "pictures"
    pictures.mkdir()
    with av.open(str(demo_clip())) as clip:
        stream = clip.streams.video[0]
        every = max(1, (stream.frames or 10 * CALIBRATION_PICTURES) // CALIBRATION_PICTURES)
        for number, frame in enumerate(clip.decode(stream)):
            if number % every == 0:
                cv2.imwrite(str(pictures / f"{number:05d}.png"), frame.to_ndarray(format="bgr24"))
    return pictures


def _entry(name: str, role: str, path: Path, licence: str, purpose: str, rest: list[str]) -> str:
    content = path.read_bytes()
    return "\n".join(
        [
            "[[model]]",
            f'name = "{name}"',
            f'role = "{role}"',
            f'file = "{path.name}"',
            f'sha256 = "{hashlib.sha256(content).hexdigest()}"',
            f"bytes = {len(content)}",
            f'licence = "{licence}"',
            f'source = "{BASE}"',
            f'purpose = "{purpose}"',
            "embedded = false",
            *rest,
            "",
        ]
    )


def detector_entry(path: Path) -> str:
    """RetinaFace in the manifest."""
    rest = [
        'input = { name = "input", order = "BGR", mean = [104.0, 117.0, 123.0] }',
        'outputs = { loc = "loc", conf = "conf", landmarks = "landmarks" }',
    ]
    return _entry("openface3-retinaface", "detector", path, "MIT", "faces with box, score and five points", rest)


def landmark_entry(path: Path, tier: int, what: str) -> str:
    """A tier of STAR in the manifest. what: which one it is, for people."""
    half = [127.5] * 3
    crop = "box_scale = 1.05, box_shift = 0.0, point_scale = 1.05"
    rest = [
        f"tier = {tier}",
        f'input = {{ name = "image", height = 256, width = 256, order = "BGR", mean = {half}, scale = {[1 / 127.5] * 3} }}',
        'outputs = { points = "landmarks" }',
        f'parameters = {{ layout = "signed", square = "shorter", upright = false, {crop} }}',
    ]
    return _entry(f"openface3-{path.stem}", "landmarks", path, ACADEMIC, f"STAR, 98 WFLW points; {what}", rest)


def multitask_entry(path: Path, what: str) -> str:
    """The multi-task net in the manifest."""
    mean, scale = [255 * m for m in _IMAGENET_MEAN], [1 / (255 * s) for s in _IMAGENET_STD]
    rest = [
        f'input = {{ name = "image", height = 224, width = 224, order = "RGB", mean = {mean}, scale = {scale} }}',
        'outputs = { emotion = "emotion", gaze = "gaze", au = "au" }',
        f"parameters = {{ units = {list(ACTION_UNITS)}, emotions = {json.dumps(EMOTIONS)}, box_growth = 0.15 }}",
    ]
    return _entry(
        "openface3-multitask", "multitask", path, ACADEMIC, f"Action Units 0..1, emotion and gaze; {what}", rest
    )
