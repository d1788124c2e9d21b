"""What `python -m tools.train.landmarks` is told."""

import argparse
from pathlib import Path


def options(description: str | None) -> argparse.Namespace:
    """From the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--minutes", type=float, default=90, help="planned training time in all, also that already spent"
    )
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument(
        "--echo", type=int, default=10, help="samples of a batch shown a second time, moved a little, for consistency"
    )
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--nothing", type=float, default=0.15, help="share of samples without a face")
    parser.add_argument("--rendered", type=float, default=0.4, help="share of rendered heads among the faces")
    parser.add_argument("--portraits", type=Path, help="folder of `tools.data.london`: hand-placed lids of real people")
    parser.add_argument("--portraits-share", type=float, default=0.15, help="share of them among the faces")
    parser.add_argument(
        "--half-smiles", type=float, default=0.0, help="share of the portraits' half smiles among the faces"
    )
    parser.add_argument(
        "--people",
        type=Path,
        nargs="*",
        default=[],
        help="files of `tools.train.action_units.pictures`: rendered people at rest and moving, drawn two pictures at a time",
    )
    parser.add_argument("--people-share", type=float, default=0.3, help="share of them among the faces")
    parser.add_argument(
        "--same", type=float, default=1.0, help="weight of the consistency of moved and mirrored crops with the first"
    )
    parser.add_argument(
        "--grain",
        type=float,
        default=0.0,
        help="most grain, in grey levels, on the crops shown a second time: two frames of a camera are never alike",
    )
    parser.add_argument(
        "--own-answers",
        type=Path,
        help="an exported landmark network: photographs' labels are moved towards its mean answer over three crops and their mirror images",
    )
    parser.add_argument("--own-share", type=float, default=0.5, help="how far they are moved, 0 to 1 (the answer)")
    parser.add_argument(
        "--half",
        action="store_true",
        help="all but the moments in bfloat16: a quarter faster where the processor has it",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument(
        "--from",
        dest="start_from",
        type=Path,
        nargs="+",
        help="begin with the weights of this checkpoint.pt or exported .onnx; of several checkpoints: with the mean of their weights",
    )
    found = parser.parse_args()
    # Opened only in the processes that make batches, whose errors come as tracebacks.
    if found.own_answers is not None and not found.own_answers.is_file():
        parser.error(f"--own-answers: there is no file {found.own_answers}")
    begin = found.start_from or []
    if len(begin) > 1 and any(file.suffix != ".pt" for file in begin):
        parser.error("--from: the mean can be taken of several checkpoint.pt, not of exported files")
    return found
