"""The detector's training curves as a picture."""

import csv
from pathlib import Path

PARTS = ("score", "box", "marks", "hint")
"""The columns of curves.csv after the step and the seconds."""


def plot(curves: Path, picture: Path) -> None:
    """Draw the columns of curves.csv over the steps, logarithmically."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    with curves.open(newline="") as stream:
        rows = [[float(v) for v in row] for row in csv.reader(stream)]
    figure, axes = plt.subplots(figsize=(8, 5))
    for index, name in enumerate(PARTS):
        axes.semilogy([r[0] for r in rows], [r[2 + index] for r in rows], label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.legend()
    figure.savefig(picture, dpi=100)
    plt.close(figure)
