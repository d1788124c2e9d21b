"""`facemirror-live batch`: many recordings, on one machine or several."""

import argparse
import os
import sys
from pathlib import Path

from realtime.batch.ledger import Ledger
from realtime.batch.options import Options
from realtime.batch.plan import Plan, begin, problems_of
from realtime.batch.run import Watch, work
from realtime.cli.settings import resolved
from realtime.cli.terminal import messages
from realtime.errors import UserInputError

_LOOK = 3


def batch(options: argparse.Namespace) -> int:
    """0: everything is measured. 3: something needs a look, and a sentence says what."""
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    from realtime.batch.inputs import find_inputs
    from realtime.batch.worker import own_fingerprint
    from realtime.face.kernel_cache import prepare

    if options.out is None:
        raise UserInputError("`batch` needs --out DIR, the folder for its results.")
    ledger = Ledger(options.out.absolute())
    if not options.paths and not ledger.exists:
        raise UserInputError(
            "`batch` needs the recordings' files or folders, or an --out that holds a batch to go on with."
        )
    config = resolved(_settings(options)).config
    wanted = Options(options.overlay, options.parquet, _openface2(options))
    inputs = find_inputs(options.paths)
    fingerprint = own_fingerprint(config, wanted)
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
    prepare(lambda _what, seconds: messages.status(f"compiling for this machine, once … {seconds:.0f} s"))
    messages.status("")
    stopped = work(ledger, plan, options.workers or max(1, os.cpu_count() or 1), _watch())
    return _finish(ledger, plan, [*inputs.problems, *filter(None, [stopped])])


def _settings(options: argparse.Namespace) -> argparse.Namespace:
    """What of the command line are settings of the face path."""
    kept = {name: getattr(options, name) for name in ("config", "set", "weights", "rotate", "quiet")}
    return argparse.Namespace(command=None, **kept)


def _openface2(options: argparse.Namespace) -> Path | None:
    if options.openface2 is None:
        return None
    from realtime.openface2.pull import default_folder

    return Path(options.openface2).absolute() if options.openface2 else default_folder()


def _watch() -> Watch:
    return Watch(said=messages.say)


def _finish(ledger: Ledger, plan: Plan, problems: list[str]) -> int:
    from realtime.batch.tables import write_tables

    problems += problems_of(ledger, plan)
    write_tables(ledger, plan)
    states = list(ledger.states().values())
    for sentence in problems:
        messages.say(sentence)
    messages.flush(1.0)
    print(f"{states.count('done')} of {len(plan.inputs)} recordings are measured: {ledger.out}")
    sys.stdout.flush()
    return _LOOK if problems or states.count("done") < len(states) else 0
