"""`facemirror-live batch`: many recordings, on one machine or several."""

import argparse
import json
import os
import shlex
import sys
from pathlib import Path

from realtime.batch.fingerprint import Fingerprint
from realtime.batch.ledger import Ledger
from realtime.batch.options import Options
from realtime.batch.plan import Plan, begin, problems_of
from realtime.batch.run import Watch, work
from realtime.cli.batch_progress import ProgressBar
from realtime.cli.settings import resolved
from realtime.cli.terminal import messages
from realtime.config import Config
from realtime.errors import DeviceError, UserInputError

_LOOK = 3
_SETTINGS = (
    "config",
    "set",
    "weights",
    "rotate",
    "people",
    "patient_rule",
    "person",
    "people_folder",
    "models.mirror_average",
    "models.crop_average",
)
_EXTRAS = ("overlay", "parquet", "openface2")


def batch(options: argparse.Namespace) -> int:
    """0: everything is measured. 3: something needs a look, and a sentence says what.

    Raises:
        UserInputError: options are missing or do not go together.
    """
    if options.workers is not None and options.workers < 1:
        raise UserInputError("--workers is a number from 1 on.")
    if options.status is not None:
        return _status(options)
    if options.join is not None:
        return _join(options)
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    from realtime.batch.inputs import find_inputs

    if options.out is None:
        raise UserInputError("`batch` needs --out DIR, the folder for its results.")
    ledger = Ledger(options.out.absolute())
    if not options.paths and not ledger.exists:
        raise UserInputError(
            "`batch` needs the recordings' files or folders, or an --out that holds a batch to go on with."
        )
    fingerprint, config, wanted = _wanted(options, ledger)
    inputs = find_inputs(options.paths)
    plan = begin(
        ledger,
        inputs.found,
        fingerprint,
        config,
        wanted,
        retry=options.retry,
        force=options.force,
        say=messages.say,
    )
    if options.slurm is not None:
        return _slurm(ledger, options.slurm or None, [*inputs.problems, *plan.changed.values()])
    stopped = _work(options, ledger, plan)
    return _finish(ledger, plan, wanted, [*inputs.problems, *filter(None, [stopped])])


def _wanted(options: argparse.Namespace, ledger: Ledger) -> tuple[Fingerprint, Config, Options]:
    """What is to be measured with. Where a batch is only gone on with, its own settings hold."""
    from realtime.batch.worker import own_fingerprint

    said = any(getattr(options, name) for name in (*_SETTINGS, *_EXTRAS)) or options.openface2 is not None
    if not options.paths and not said:
        _, config, wanted = ledger.head()
    else:
        kept = {name: getattr(options, name) for name in (*_SETTINGS, "quiet")}
        config = resolved(argparse.Namespace(command=None, **kept)).config
        if config.rotate == "auto":
            raise UserInputError("`batch` turns all recordings by the same angle: --rotate 0, 90, 180 or 270.")
        if config.weights is not None:  # another machine or folder may go on with the batch
            config = config.model_copy(update={"weights": config.weights.absolute()})
        if config.people_folder is not None:
            config = config.model_copy(update={"people_folder": config.people_folder.absolute()})
        if config.patient_rule == "person" and config.people == 1:
            raise UserInputError("--patient person finds the person among several, so it needs --people 2 or more.")
        wanted = Options(options.overlay, options.parquet, _openface2(options))
    return own_fingerprint(config, wanted), config, wanted


def _openface2(options: argparse.Namespace) -> Path | None:
    if options.openface2 is None:
        return None
    from realtime.openface2.pull import default_folder

    return Path(options.openface2).absolute() if options.openface2 else default_folder()


def _work(options: argparse.Namespace, ledger: Ledger, plan: Plan, *, wait: bool = True) -> str:
    """Work off what is left. Returns a sentence where it had to stop."""
    from realtime.face.kernel_cache import prepare

    shown = not options.quiet and sys.stderr.isatty()
    if not shown:
        prepare()
    else:
        prepare(lambda _what, seconds: messages.status(f"compiling for this machine, once … {seconds:.0f} s"))
        messages.status("")
    workers = options.workers or max(1, os.cpu_count() or 1)
    bar = ProgressBar() if shown else None
    watch = Watch(said=messages.say) if bar is None else bar.watch
    try:
        if bar is not None:
            bar.start()
        if options.cluster is not None:
            from realtime.batch.cluster import work_on_cluster

            return work_on_cluster(ledger, plan, options.cluster, workers, watch)
        return work(ledger, plan, workers, watch, wait=wait)
    finally:
        if bar is not None:
            bar.stop()


def _finish(ledger: Ledger, plan: Plan, wanted: Options, problems: list[str]) -> int:
    """Write the tables and the page, and say what needs a look."""
    from realtime.batch.page import write_page
    from realtime.batch.tables import write_tables

    problems = [*problems, *problems_of(ledger, plan)]
    try:
        write_tables(ledger, plan, parquet=wanted.parquet)
        write_page(ledger, plan)
    except DeviceError as error:
        problems.append(str(error))
    ledger.clean()
    states = list(ledger.states().values())
    for sentence in dict.fromkeys(problems):
        messages.say(sentence)
    messages.flush(1.0)
    print(f"{states.count('done')} of {len(states)} recordings are measured: {ledger.out}")
    return _LOOK if problems or states.count("done") < len(states) else 0


def _join(options: argparse.Namespace) -> int:
    """Take part in a batch that another start has begun: work as long as there is something to take."""
    from realtime.batch.worker import own_fingerprint

    ledger = Ledger(options.join.absolute())
    fingerprint, config, wanted = ledger.head()
    here = own_fingerprint(config, wanted)
    if here.hash != fingerprint.hash:
        raise DeviceError(
            f"This program is of another version than the batch: {here.differences(fingerprint)}. "
            "Install the same version everywhere."
        )
    stopped = _work(options, ledger, Plan(ledger.inputs()), wait=False)
    if stopped:
        raise DeviceError(stopped)
    return 0


def _slurm(ledger: Ledger, jobs: int | None, problems: list[str]) -> int:
    from realtime.batch.slurm import write_script

    for sentence in problems:
        messages.say(sentence)
    print(f"bash {shlex.quote(str(write_script(ledger, jobs)))}")
    return _LOOK if problems else 0


def _status(options: argparse.Namespace) -> int:
    """Say how far a batch is. 0: nothing needs a look."""
    from realtime.batch.status import read_status

    status = read_status(Ledger(options.status.absolute()))
    if options.json:
        print(json.dumps(status.as_json(), indent=2))
        return _LOOK if status.sentences else 0
    counts = status.counts
    print(f"{counts['done']} of {status.total} recordings are measured ({status.seconds / 60:.1f} min of video)")
    for word, text in (("claimed", "at work"), ("waiting", "waiting"), ("failed", "failed"), ("aside", "put aside")):
        if counts[word]:
            print(f"  {counts[word]} {text}")
    for worker in status.workers:
        what = f"{worker['recording']}, {worker['seconds']:.0f} s" if worker["recording"] else "between two recordings"
        print(f"  {worker['host']} {worker['pid']}: {what}, {worker['memory_mb']} MB")
    for sentence in status.sentences:
        print(f"  {sentence}")
    return _LOOK if status.sentences else 0
