"""The Action Unit network from nothing, in one command: `python -m tools.train.action_units.pipeline --data DATA --out RUN`.

Needs what `tools.train.landmarks.pipeline` leaves in DATA, and the landmark network in weights/: it sees the rendered people.
"""

import argparse
from pathlib import Path

from tools.manifest import WEIGHTS
from tools.synth.kit import shared_folder
from tools.train.pipeline import Step, run, step

HEADS = 1860
"""Photographic heads to train on, about; people beyond this number are heads that come back as somebody else."""


def steps(data: Path, out: Path, minutes: float) -> list[Step]:
    """The plan. data: folder with synth_bank and synth; out: the training run."""
    people = data / "aus"

    def pictures(name: str, *arguments: object) -> Step:
        given = ("--bank", data / "synth_bank", "--out", people, *arguments)
        return step("tools.train.action_units.pictures", *given, result=people / f"{name}.npz")

    return [
        pictures("held", "--views", 5, "--held-out"),
        pictures("seated_held", "--views", 6, "--held-out", "--seated", "--seed", 7),
        pictures("shut_held", "--views", 5, "--held-out", "--shut", "--seed", 41),
        pictures("rests_held", "--views", 0, "--rests", 8, "--held-out", "--seed", 31),
        pictures("rests_train", "--people", HEADS, "--views", 0, "--rests", 7, "--seed", 32),
        pictures("train", "--people", 1100, "--views", 6),
        pictures("seated_train", "--people", HEADS, "--views", 6, "--seated", "--seed", 8),
        pictures(f"seated_train_{HEADS}", "--people", HEADS, "--first", HEADS, "--views", 6, "--seated", "--seed", 9),
        pictures(f"seated_train_{2 * HEADS}", "--people", 900, "--first", 2 * HEADS, "--views", 6, "--rests", 6,
                 "--seated", "--seed", 12),
        pictures("shut_train", "--people", 1100, "--views", 5, "--shut", "--seed", 42),
        pictures("difficult_train", "--people", 640, "--views", 4, "--rests", 1, "--difficult", "--seed", 90),
        step("tools.train.action_units", "--shards", data / "synth", "--people", people, "--photographs", data,
             "--portraits", shared_folder() / "faces" / "london_ccby", "--strangers", 4,
             "--out", out, "--half", "--minutes", minutes, "--threads", 2, "--to", WEIGHTS / "action_units.onnx"),
        step("tools.manifest"),
    ]  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of landmarks_anew; another 1 GB is written there"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--minutes", type=float, default=90)
    arguments = parser.parse_args()
    run(steps(arguments.data, arguments.out, arguments.minutes))


if __name__ == "__main__":
    main()
