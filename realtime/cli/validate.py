"""`facemirror-live validate`: agreement with human coders on recordings that a laboratory holds."""

import argparse
import sys
from dataclasses import asdict

from realtime.action_units.names import name_of
from realtime.app.interrupts import INTERRUPTED
from realtime.app.output_files import AGREEMENT, check_output
from realtime.app.validation.published import NOT_FOUND, PUBLISHED
from realtime.app.validation.run import Judged, validate
from realtime.errors import DeviceError, UserInputError
from realtime.files import write_json


def run(options: argparse.Namespace) -> int:
    """Print the table; 0 where every recording was read, 3 where one was not, 130 where the user ended the run.

    Raises:
        UserInputError: the file of --json cannot be written there.
    """
    if options.json is not None:
        check_output(options.json, "--json", AGREEMENT)
        if not options.json.absolute().parent.is_dir():  # hours later it would be too late
            raise UserInputError(f"--json {options.json}: there is no folder {options.json.parent}.")
    judged = validate(
        options.layout, options.folder, weights=options.weights, say=lambda line: print(line, file=sys.stderr)
    )
    print(as_text(judged))
    if options.json is not None:
        write_json(options.json, as_json(judged))
    return INTERRUPTED if judged.stopped else DeviceError.exit_code if judged.failed else 0


def as_json(judged: Judged) -> dict[str, object]:
    """Plain values of everything that is printed."""
    return {
        "recordings": judged.recordings,
        "failed": judged.failed,
        "stopped": judged.stopped,
        "frames": judged.frames,
        "frames_without_a_face": judged.faceless,
        "coded_frames_that_are_not_there": judged.unseen,
        "coded_but_not_measured": sorted(judged.unmeasured),
        "figures": [{"unit": unit, "side": side, **asdict(found)} for (unit, side), found in judged.figures().items()],
        "published": [asdict(entry) | {"units": dict(entry.units)} for entry in PUBLISHED],
    }


def as_text(judged: Judged) -> str:
    """A table of agreement per Action Unit and side, what others reported beside it, and where they did."""
    named = [entry for entry in PUBLISHED if entry.units]
    heads = [f"{entry.tool.split(' (')[0]} {_SHORT[entry.measure]}" for entry in named]
    count = f"{judged.recordings} recording{'' if judged.recordings == 1 else 's'}"
    lines = [f"{count}, {judged.frames} coded frames, {judged.faceless} without a face"]
    if judged.failed:
        lines.append(f"Not read to the end: {', '.join(judged.failed)}.")
    if judged.unseen:
        lines.append(
            f"{judged.unseen} more frames are coded that their recordings do not have: see above whether numbers fit."
        )
    if judged.stopped:
        lines.append("Interrupted: these are the figures of what was read by then.")
    lines.append("")
    lines.append("AU                          side     frames  ICC(3,1)      r     F1  | " + "  ".join(heads))
    for (unit, side), found in judged.figures().items():
        others = [
            _cell(entry.units.get(unit) if side == "mean" else None).rjust(len(head))
            for entry, head in zip(named, heads, strict=True)
        ]
        cells = f"{_cell(found.icc):>8}  {_cell(found.pearson):>5}  {_cell(found.f1):>5}"
        lines.append(f"{f'{unit} {name_of(unit)}':<27} {side:<6} {found.frames:>8}  {cells}  | {'  '.join(others)}")
    if judged.unmeasured:
        lines.append(
            "coded but not measured: " + ", ".join(f"AU {unit} {name_of(unit)}" for unit in sorted(judged.unmeasured))
        )
    lines += ["", "F1: present at intensity 2 and above. A dash: not defined, or not reported.", "Published:"]
    for entry in PUBLISHED:
        mean = "" if entry.mean is None else f", mean {entry.mean:.3f}"
        lines.append(f"  {entry.tool}, {_SHORT[entry.measure]} on {entry.data}{mean}: {entry.source}")
    return "\n".join([*lines, NOT_FOUND])


_SHORT = {"pearson": "r", "icc": "ICC", "f1": "F1"}


def _cell(value: float | None) -> str:
    # + 0.0: what rounds to nothing has no sign
    return "-" if value is None else f"{round(value, 2) + 0.0:.2f}"
