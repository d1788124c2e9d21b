"""The landmark network from nothing, in one command: `python -m tools.train.landmarks.pipeline --data DATA --out RUN`.

Cuts and labels the collages, builds the bank of heads, renders, trains and exports to weights/landmarks98.onnx.
"""

import argparse
from pathlib import Path

from tools.manifest import WEIGHTS
from tools.synth.kit import shared_folder
from tools.train.pipeline import Step, run, step


def steps(data: Path, out: Path, detector: Path, minutes: float, heads: int) -> list[Step]:
    """The plan. data: folder for crops and renderings; out: the training run."""
    faces, bank, synth = data / "faces", data / "synth_bank", data / "synth"
    make = ("tools.synth.make", "--bank", bank, "--out", synth)
    portraits = shared_folder() / "faces" / "london_ccby"
    people = data / "people"
    pictures = ("tools.train.action_units.pictures", "--bank", bank, "--out", people, "--rests", 1)
    moving = [people / name for name in ("seated_train.npz", "shut_train.npz", "smiles_train.npz")]
    train = (
        "--data",
        data,
        "--out",
        out,
        "--rendered",
        0.25,
        "--people",
        *moving,
        "--people-share",
        0.33,
        "--portraits",
        portraits,
        "--portraits-share",
        0.11,
        "--half-smiles",
        0.09,
        "--same",
        3,
        "--grain",
        6,
    )
    return [
        step("tools.data.collages", "--detector", detector, "--out", data, result=faces / "raw.npz"),
        step("tools.data.labels", data, result=faces / "index.npz"),
        step("tools.synth.textures", "--faces", faces, "--out", bank, result=bank),
        step(*make, "--count", heads),
        step(*make, "--count", 500, "--seed", 2, "--held-out"),
        step(*pictures, "--people", 1300, "--views", 7, "--seated", "--seed", 8, result=moving[0]),
        step(*pictures, "--people", 400, "--views", 5, "--shut", "--seed", 42, result=moving[1]),
        step(*pictures, "--people", 960, "--views", 3, "--smiles", "--seed", 31, result=moving[2]),
        step("tools.train.landmarks", *train, "--batch", 38, "--echo", 14, "--half", "--minutes", minutes, "--resume"),
        step("tools.train.landmarks.export", "--run", out, "--data", data, "--portraits", portraits,
             "--to", WEIGHTS / "landmarks98.onnx"),
        step("tools.manifest"),
    ]  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder for crops and rendered heads (about 1 GB)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--detector", type=Path, default=WEIGHTS / "retinaface.onnx")
    parser.add_argument("--minutes", type=float, default=280)
    parser.add_argument("--heads", type=int, default=34000, help="rendered training pictures")
    arguments = parser.parse_args()
    run(steps(arguments.data, arguments.out, arguments.detector, arguments.minutes, arguments.heads))


if __name__ == "__main__":
    main()
