"""The detector's training: its command line and its schedule."""

import argparse
import math
from pathlib import Path

from realtime.errors import UserInputError


def arguments(description: str | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the cache, checkpoints, curves and the result"
    )
    parser.add_argument("--steps", type=int, default=6000, help="batches to train on (default 6000)")
    parser.add_argument(
        "--minutes", type=float, help="finish the schedule within this time even if --steps are not reached"
    )
    parser.add_argument("--batch", type=int, default=6, help="pictures of 192 px a batch (default 6)")
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate (default 0.003)")
    parser.add_argument(
        "--apart", type=float, default=0.4, help="share of the run in which blocks learn apart (default 0.4)"
    )
    parser.add_argument(
        "--apart-rate", type=float, default=4e-3, help="highest learning rate of that part (default 0.004)"
    )
    parser.add_argument("--hints", type=float, default=4.0, help="weight of the inner maps at the start (default 4)")
    parser.add_argument("--marks", type=float, default=0.5, help="weight of the five points (default 0.5)")
    parser.add_argument("--half", action="store_true", help="run the joined network in bfloat16 while training")
    parser.add_argument(
        "--again", type=int, default=0, help="old batches gone over again after each new one (default 0)"
    )
    parser.add_argument(
        "--notebook", type=int, default=300, help="old batches kept for that (default 300, some 2 MB each)"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the weights and the pictures (default 1)")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default 1)")
    parser.add_argument("--workers", type=int, default=1, help="processes that make pictures (default 1)")
    parser.add_argument(
        "--from",
        dest="start_from",
        type=Path,
        help="go on from this checkpoint's averaged weights, or from an exported .onnx",
    )
    parser.add_argument(
        "--from-official", action="store_true", help="start from the official weights, not from random ones"
    )
    parser.add_argument(
        "--blend",
        type=float,
        default=1.0,
        help="share of the trained weights in the result, the rest the official ones; only with --from-official (default 1)",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    chosen = parser.parse_args()
    if chosen.steps < 1 or chosen.batch < 2 or not 0 <= chosen.apart < 1:
        raise UserInputError("--steps must be at least 1, --batch at least 2, and --apart from 0 to below 1.")
    return chosen


def schedule(progress: float) -> float:
    """Learning rate as a share of the highest, over 0..1 of one part of the run: a short rise, then half a cosine."""
    if progress < 0.02:
        return 0.05 + 0.95 * progress / 0.02
    return 0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * (progress - 0.02) / 0.98))


def rate(progress: float, apart: float, apart_rate: float, joint_rate: float) -> float:
    """Learning rate at 0..1 of the whole run: one schedule while blocks learn apart, another once they are joined."""
    if progress < apart:
        return apart_rate * schedule(progress / apart)
    return joint_rate * schedule((progress - apart) / max(1 - apart, 1e-6))
