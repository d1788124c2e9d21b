"""Pre-render a training or held-out set: `python -m tools.synth.make --bank BANK --count N --seed S --out DIR`.

Writes DIR/SPLIT_SSSSS_NNN.npz shards of up to 500 pictures: `jpeg` (concatenated bytes) with `offset` (n + 1), `points` (n, 98, 2),
`visible` (n, 98), `box` (n, 4), `pose` (n, 3), `expression` (n, 57), `identity` (n,). A shard depends on seed and number alone, so
an interrupted run continues where it stopped, and any number of jobs gives the same files.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from realtime.files import write_atomically
from tools.synth.photographs import unpack_jpeg
from tools.synth.sampler import Rendered, Sampler

SHARD = 500


def shard_file(out: Path, held_out: bool, seed: int, number: int) -> Path:
    """Where a shard lies."""
    return out / f"{'held' if held_out else 'train'}_{seed:05d}_{number:03d}.npz"


def render_shard(bank: Path, out: Path, held_out: bool, seed: int, number: int, count: int, size: int) -> Path:
    """Render and write one shard; returns its file, untouched where it already stands."""
    file = shard_file(out, held_out, seed, number)
    if file.exists():
        return file
    sampler = Sampler(bank, size=size, seed=seed * 100_003 + number, held_out=held_out)
    write_shard(file, [sampler.next() for _ in range(count)])
    return file


def write_shard(file: Path, samples: list[Rendered], quality: int = 95, **more: Any) -> None:
    """Pictures as JPEG, their truth, and what `more` says of each, in one npz that is there whole or not at all."""
    pictures = [cv2.imencode(".jpg", s.image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1] for s in samples]
    with write_atomically(file) as out:
        np.savez(
            out,
            jpeg=np.concatenate(pictures),
            offset=np.cumsum([0, *(len(p) for p in pictures)]),
            points=np.array([s.points for s in samples], np.float32),
            visible=np.array([s.visible for s in samples]),
            box=np.array([s.box for s in samples], np.float32),
            pose=np.array([s.pose for s in samples], np.float32),
            expression=np.array([s.expression for s in samples], np.float32),
            identity=np.array([s.identity for s in samples]),
            **more,
        )


def read_shard(file: Path) -> dict[str, np.ndarray]:
    """A shard with its pictures decoded under `image` (n, size, size, 3) uint8 BGR."""
    with np.load(file) as data:
        out = {name: data[name] for name in data.files}
    jpeg, offset = out.pop("jpeg"), out.pop("offset")
    out["image"] = np.array([unpack_jpeg(jpeg[a:b]) for a, b in pairwise(offset)])
    return out


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bank", type=Path, required=True, help="folder of `python -m tools.synth.textures`")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--held-out", action="store_true", help="draw from the held-out identities")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    numbers = range(-(-arguments.count // SHARD))
    counts = [min(SHARD, arguments.count - n * SHARD) for n in numbers]
    common = arguments.bank, arguments.out, arguments.held_out, arguments.seed
    if arguments.jobs == 1:
        for number, count in zip(numbers, counts, strict=True):
            print(render_shard(*common, number, count, arguments.size), flush=True)
        return
    with ProcessPoolExecutor(arguments.jobs) as pool:
        jobs = [
            pool.submit(render_shard, *common, number, count, arguments.size)
            for number, count in zip(numbers, counts, strict=True)
        ]
        for job in jobs:
            print(job.result(), flush=True)


if __name__ == "__main__":
    main()
