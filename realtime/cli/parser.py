"""The command line. Commands are imported only when they run, so that `--help` is quick."""

import argparse
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from realtime import __version__
from realtime.cli.limits import check_memory_limit
from realtime.config.options import CommandLineOption, command_line_options
from realtime.config.settings import Config

Command = Callable[[argparse.Namespace], int]
FORMATS = ("elan", "boris", "boris-tsv", "bids", "openface", "parquet")
"""What `export --to` takes."""

_NETWORKS = ("live:run", "live:demo", "session:replay", "validate:run", "bench:bench")
"""Commands that load everything."""


def _lazy(where: str) -> Command:
    """`module:function` below realtime.cli, imported when called."""
    module, name = where.split(":")

    def call(options: argparse.Namespace) -> int:
        if where in _NETWORKS:
            check_memory_limit()
        return int(getattr(importlib.import_module(f"realtime.cli.{module}"), name)(options))

    return call


def _port(word: str) -> int:
    """Raises ArgumentTypeError."""
    if not word.isdecimal() or not 0 <= int(word) <= 65535:
        raise argparse.ArgumentTypeError(f"{word!r} is no port; they run from 0 (any free one) to 65535")
    return int(word)


def add_run_options(parser: argparse.ArgumentParser, *, source: bool = True) -> None:
    """The options of a run: one for every setting at the top of `Config`, and those about the settings themselves.

    Args:
        parser: gets them; every `dest` is the name of a setting, and None means that the user did not say it.
        source: also `--source`.
    """
    for option in command_line_options(Config):
        if option.setting != "source" or source:
            _add_option(parser, option)
    add = parser.add_argument
    add("--config", type=Path, metavar="FILE", help="settings from a TOML file")
    add("--set", action="append", metavar="NAME=VALUE", default=[], help="any setting of `facemirror-live config`")
    add("--quiet", action="store_true", help="no live status line, no table")


def _add_option(parser: argparse.ArgumentParser, option: CommandLineOption) -> None:
    named: dict[str, Any] = {"dest": option.setting, "help": option.help.replace("%", "%%")}
    if option.switch:
        parser.add_argument(option.flag, action="store_const", const=True, **named)
    else:
        if option.bare is not None:
            named |= {"nargs": "?", "const": option.bare}
        if option.choices:
            named["choices"] = option.choices
        else:
            named["metavar"] = option.metavar
        parser.add_argument(option.flag, **named)
    if option.off is not None:
        off = option.flag.replace("--", "--no-", 1)
        parser.add_argument(off, dest=option.setting, action="store_const", const=option.off, help=f"not {option.flag}")


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="facemirror-live",
        description="Live Action Units, landmarks and mirrored half-faces from a camera, with a bounded latency.",
    )
    parser.add_argument("--version", action="version", version=f"facemirror-live {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, where: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=_lazy(where))
        return sub

    add_run_options(
        command("demo", "live:demo", "the embedded clip through the whole graph, in real time"), source=False
    )
    add_run_options(command("run", "live:run", "a camera, file or stream through the whole graph"))

    examine = command(
        "examine", "live:examine", "a guided examination of facial movement, in at most four minutes; begins by itself"
    )
    add_run_options(examine)

    config = command("config", "config:show", "the settings in force, each with where it came from")
    add_run_options(config)
    config.add_argument("--json", action="store_true")

    cameras = command("cameras", "machine:cameras", "the cameras of this machine and their modes")
    cameras.add_argument("--json", action="store_true")
    doctor = command("doctor", "machine:doctor", "what works on this machine, what is missing and how to get it")
    doctor.add_argument("--json", action="store_true")
    doctor.add_argument(
        "--av-sync", action="store_true", help="measure how far sound and picture are apart, with flashes and beeps"
    )
    doctor.add_argument("--weights", type=Path, metavar="DIR", help="folder with manifest.toml and models")

    graph = command("graph", "graph:show", "the dataflow graph as Mermaid, each edge with its policy")
    add_run_options(graph)

    models = command("models", "models:show", "list models, verify their checksums, show their licences")
    models.add_argument("action", nargs="?", choices=["list", "verify", "licences", "pull"], default="list")
    models.add_argument("which", nargs="?", metavar="SET", help="what to pull: openface2 or openface3")
    models.add_argument(
        "--from", dest="folder", type=Path, metavar="FOLDER", help="pull from this installation, not the network"
    )
    models.add_argument(
        "--precision",
        choices=["int8", "float32"],
        default="int8",
        help="openface3: 8 bits where they cost little (default), or everything in 32",
    )
    models.add_argument(
        "--calibration", type=Path, metavar="FOLDER", help="openface3: pictures of faces for 8 bits; default: the demo"
    )
    models.add_argument("--accept-licence", action="store_true", help="say yes to the licence without being asked")
    models.add_argument("--weights", type=Path, metavar="DIR", help="folder with manifest.toml and models")
    models.add_argument("--json", action="store_true")

    reprocess = command(
        "reprocess", "reprocess:reprocess", "the full offline pass over a session's OpenFace 2.2 Action Units"
    )
    reprocess.add_argument("session", type=Path, metavar="SESSION")

    def session(name: str, text: str) -> argparse.ArgumentParser:
        sub = command(name, f"session:{name}", text)
        sub.add_argument("session", type=Path, metavar="SESSION", help="a session's folder")
        return sub

    verify = session("verify", "check every file of a session against its manifest, and say what is there")
    verify.add_argument("--json", action="store_true")
    viewer = command(
        "open", "open:open_sessions", "look at a session in the browser: recording, overlay, curves, markers, labels"
    )
    viewer.add_argument("session", type=Path, metavar="SESSION", help="a session's folder")
    viewer.add_argument("second", type=Path, nargs="?", metavar="SESSION2", help="another one, beside the first")
    viewer.add_argument(
        "--video",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="the recording that a batch measured, where it has moved; once for each session",
    )
    viewer.add_argument(
        "--port", type=_port, default=0, metavar="N", help="of the page on this machine; default: any free one"
    )
    replay = session("replay", "run a session's raw frames again with the live run's decisions")
    replay.add_argument(
        "--out", type=Path, metavar="DIR", help="where frames.csv goes; default: SESSION-replay beside the session"
    )
    replay.add_argument("--weights", type=Path, metavar="DIR", help="folder with manifest.toml and models")
    report = session(
        "report", "a page with curves of every Action Unit, symmetry, gaps and markers; an examination's sheet"
    )
    report.add_argument("--out", type=Path, metavar="FILE", help="default: SESSION-report.html beside the session")
    report.add_argument(
        "--landmarks-only", action="store_true", help="an examination's sheet shows drawn faces, no pictures"
    )
    report.add_argument("--weights", type=Path, metavar="DIR", help="folder with manifest.toml and models")
    score = command("score", "clinic:score", "an examination's scores; a clinician can overrule the estimates")
    score.add_argument("session", type=Path, metavar="SESSION", help="a session's folder")
    score.add_argument(
        "--overrule",
        action="append",
        default=[],
        metavar="ITEM=VALUE",
        help="the clinician's own value, such as sunnybrook.rest.cheek=1; the estimate stays beside it",
    )
    score.add_argument(
        "--withdraw", action="append", default=[], metavar="ITEM", help="go back to the estimate of this item"
    )
    score.add_argument("--json", action="store_true")
    progress = command("progress", "clinic:progress", "one person's course over several examinations, with its noise")
    progress.add_argument("--person", required=True, metavar="NAME")
    progress.add_argument(
        "--sessions", type=Path, default=Path("sessions"), metavar="DIR", help="folder of sessions (default: sessions)"
    )
    progress.add_argument("--out", type=Path, metavar="FILE", help="the page; default: DIR/NAME-progress.html")
    _add_exchange(command)
    people = command("people", "session:people", "the people whose calibration is stored")
    people.add_argument(
        "--people-folder", "--people", dest="people", type=Path, metavar="DIR", help="folder of stored calibrations"
    )
    people.add_argument("--delete", metavar="NAME", help="forget this person's calibration, and the stored face")
    people.add_argument("--forget-face", metavar="NAME", help="forget only what this person's face looks like")
    people.add_argument("--json", action="store_true")

    validate = command(
        "validate", "validate:run", "how well the Action Units agree with coded recordings (DISFA, BP4D, CSV)"
    )
    validate.add_argument("layout", choices=["csv", "disfa", "bp4d"], help="how the folder is laid out")
    validate.add_argument("folder", type=Path, metavar="DIR", help="the folder with recordings and codes")
    validate.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    validate.add_argument("--weights", type=Path, metavar="DIR", help="folder with manifest.toml and models")

    _add_batch(
        command("batch", "batch:batch", "many recordings: files, folders or a list, each into a bundle of its own")
    )

    bench = command("bench", "bench:bench", "how fast this machine runs the graph (the demo clip, as fast as possible)")
    bench.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    bench.add_argument("--weights", type=Path, metavar="DIR", help="folder with manifest.toml and models")
    return parser


def _add_exchange(command: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    """The options of `export`, `import`, `align` and `compare`."""
    export = command("export", "exchange:export", "a session's annotations or rows in another program's format")
    export.add_argument("session", type=Path, metavar="SESSION", help="a session's folder")
    kind = export.add_mutually_exclusive_group(required=True)
    kind.add_argument("--to", choices=FORMATS, help="annotations: elan, boris, boris-tsv; all: bids; rows: the others")
    kind.add_argument("--parquet", action="store_true", help="the same as --to parquet")
    export.add_argument(
        "--out", type=Path, metavar="PATH", help="file, or folder for bids; default: beside the session"
    )
    export.add_argument("--coder", metavar="NAME", help="whose annotations; default: the only ones")
    export.add_argument("--subject", metavar="LABEL", default="01", help="bids: sub-LABEL (default: 01)")
    export.add_argument("--bids-session", metavar="LABEL", help="bids: ses-LABEL")
    export.add_argument("--task", metavar="LABEL", default="face", help="bids: task-LABEL (default: face)")
    export.add_argument(
        "--space-after-comma", action="store_true", help="openface: as OpenFace up to 2.1 wrote it, for older scripts"
    )
    read = command("import", "exchange:read", "another program's annotations or rows of a session, beside it")
    read.add_argument("session", type=Path, metavar="SESSION", help="a session's folder")
    read.add_argument(
        "file", type=Path, metavar="FILE", help=".eaf, .boris, BORIS's or BIDS's events (.tsv), OpenFace's .csv"
    )
    read.add_argument("--coder", metavar="NAME", help="whose annotations these are; default: as the file says")
    read.add_argument("--observation", metavar="NAME", help="BORIS: which observation, where the file has several")
    read.add_argument("--replace", action="store_true", help="in place of what this coder has said so far")
    for one in (export, read):
        one.add_argument(
            "--from-first-row", action="store_true", help="times count from the first row, also where there is a film"
        )
    align = command("align", "compare:align", "a session's rows on the clock of a recorder of LSL streams, beside it")
    align.add_argument("session", type=Path, metavar="SESSION", help="a session's folder")
    align.add_argument("xdf", type=Path, metavar="FILE.xdf", help="LabRecorder's file with our stream in it")
    align.add_argument("--out", type=Path, metavar="FILE", help="default: SESSION-aligned.csv beside the session")
    compare = command("compare", "compare:compare", "agreement of two sessions, programs or coders: ICC, limits, kappa")
    for name in ("a", "b"):
        compare.add_argument(
            name, type=Path, metavar=name.upper(), help="a session, OpenFace's CSV, or a file of annotations"
        )
    compare.add_argument("--out", type=Path, metavar="PAGE", help="the page; default: A-and-B.html beside A")
    compare.add_argument(
        "--by",
        choices=["wall", "capture", "start"],
        help="the clock; start: first rows lie on each other (default: wall)",
    )
    compare.add_argument(
        "--until", type=float, metavar="SECONDS", help="coders: compare 0 to here; default: to the last one"
    )


def _add_batch(parser: argparse.ArgumentParser) -> None:
    """The options of `batch`."""
    add = parser.add_argument
    add(
        "paths",
        nargs="*",
        metavar="PATH",
        help="videos, folders, patterns, a .txt list or a .csv table with a column `path`",
    )
    add("--out", type=Path, metavar="DIR", help="folder for the results; one that holds a batch is gone on with")
    add("--workers", type=int, metavar="N", help="processes on this machine; default: one for each core")
    add("--status", type=Path, metavar="DIR", help="say how far the batch in this folder is, also while it runs")
    add("--json", action="store_true", help="--status as JSON")
    add(
        "--join",
        type=Path,
        metavar="DIR",
        help="take part in the batch in this folder, from another terminal or machine",
    )
    add("--cluster", metavar="ADDRESS", help="measure on a Dask cluster: local, or a scheduler such as tcp://host:8786")
    add(
        "--slurm",
        nargs="?",
        type=int,
        const=0,
        metavar="JOBS",
        help="measure nothing here: write a script that submits an array of so many jobs to Slurm",
    )
    add("--retry", action="store_true", help="also try again what failed or was put aside")
    add(
        "--force",
        action="store_true",
        help="measure again what was made with another program, models, settings or input",
    )
    add("--overlay", action="store_true", help="also video.mp4 with what was measured drawn on it")
    add("--parquet", action="store_true", help="also the rows as Parquet")
    add(
        "--openface2",
        nargs="?",
        const="",
        metavar="DIR",
        help="also OpenFace 2.2's Action Units (after `models pull openface2`, or from this folder)",
    )
    add("--people", metavar="N", help="follow up to N faces (1 to 8): a row for each on each frame; one is the patient")
    add(
        "--patient",
        dest="patient_rule",
        choices=["first", "largest", "left-most", "person"],
        help="with several people, who is the patient; person: whose face is stored",
    )
    add(
        "--person", metavar="NAME", help="for --patient person: whose recordings these are, where the list does not say"
    )
    add("--people-folder", metavar="DIR", help="folder of stored calibrations and faces")
    add("--rotate", choices=["0", "90", "180", "270"], help="turn every picture clockwise (degrees)")
    add(
        "--mirror-average",
        dest="models.mirror_average",
        action="store_const",
        const="every",
        help="average landmarks with those of the mirror image: nearer to the truth, the same for both sides, slower",
    )
    add(
        "--crop-average",
        dest="models.crop_average",
        choices=["1", "2", "3"],
        help="average landmarks over so many crops of the face: steadier, slower",
    )
    add("--weights", type=Path, metavar="DIR", help="folder with manifest.toml and models")
    add("--config", type=Path, metavar="FILE", help="settings from a TOML file")
    add("--set", action="append", metavar="NAME=VALUE", default=[], help="any setting of `facemirror-live config`")
    add("--quiet", action="store_true", help="no progress bar")
