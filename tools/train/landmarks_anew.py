"""The landmark network from nothing, in one command: `python -m tools.train.landmarks_anew --data DATA --out RUN`.

Cuts and labels the collages, builds the bank of heads, renders, trains and exports to weights/landmarks98.onnx. A step whose result
is already there is left out, so an interrupted run goes on where it stopped.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def steps(data: Path, out: Path, detector: Path, minutes: float, heads: int) -> list[tuple[Path | None, list[str]]]:
    """Each step's result (None: always run) and the arguments of `python -m`."""
    bank, synth = data / "synth_bank", data / "synth"
    return [
        (data / "faces" / "raw.npz", ["tools.data.collages", "--detector", str(detector), "--out", str(data)]),
        (data / "faces" / "index.npz", ["tools.data.labels", str(data)]),
        (bank, ["tools.synth.textures", "--faces", str(data / "faces"), "--out", str(bank)]),
        (None, ["tools.synth.make", "--bank", str(bank), "--count", str(heads), "--out", str(synth)]),
        (None, ["tools.synth.make", "--bank", str(bank), "--count", "500", "--seed", "2", "--held-out", "--out", str(synth)]),
        (None, ["tools.train.landmarks", "--data", str(data), "--out", str(out), "--minutes", str(minutes), "--resume"]),
        (None, ["tools.train.landmarks_export", "--run", str(out), "--data", str(data), "--to", str(ROOT / "weights/landmarks98.onnx")]),
    ]  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder for crops and rendered heads (about 1 GB)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training run")
    parser.add_argument("--detector", type=Path, default=ROOT / "weights/retinaface.onnx")
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--heads", type=int, default=9000, help="rendered training pictures")
    arguments = parser.parse_args()
    plan = steps(arguments.data, arguments.out, arguments.detector, arguments.minutes, arguments.heads)
    for result, command in plan:
        if result is not None and result.exists():
            print(f"{command[0]}: {result} is there already", flush=True)
            continue
        print("python -m " + " ".join(command), flush=True)
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
