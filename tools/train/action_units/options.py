"""What `python -m tools.train.action_units` is told."""

import argparse
from pathlib import Path


def options(description: str | None) -> argparse.Namespace:
    """From the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--people", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=Path("weights"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--from", dest="start_from", type=Path, help="begin with this checkpoint.pt or exported .onnx")
    parser.add_argument(
        "--branches",
        action="store_true",
        help="teach the branches alone; the network of --from stays as it is and may have none yet",
    )
    parser.add_argument("--to", type=Path, help="also export to this file")
    parser.add_argument("--strangers", type=int, default=12, help="how many of --shards to learn from")
    parser.add_argument(
        "--photographs", type=Path, help="folder of tools.data.collages: open and shut eyes of photographs"
    )
    parser.add_argument("--most-photographs", type=int, default=1000, help="how many of them")
    parser.add_argument(
        "--portraits", type=Path, help="folder of tools.data.london: real people at rest, with eyes shut"
    )
    parser.add_argument(
        "--taught-by",
        type=Path,
        metavar="FILE.onnx",
        help="an exported network whose answers on the pictures as they are count where the truth is not known (photographs)",
    )
    parser.add_argument("--clean", action="store_true", help="no second, degraded view of the people")
    parser.add_argument("--minutes", type=float, default=12)
    parser.add_argument("--batch", type=int, default=64, help="faces; each gives two samples, each beside its rest")
    parser.add_argument("--echo", type=int, default=1, help="how often each batch is learnt from, in turn with others")
    parser.add_argument(
        "--emphasis", nargs="*", default=[], metavar="UNIT=FACTOR", help="what units count beyond the table's emphasis"
    )
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument(
        "--half", action="store_true", help="convolutions in bfloat16: twice as fast where the processor has it"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()
