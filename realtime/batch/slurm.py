"""A script for Slurm: an array of jobs that take recordings from the ledger, and one job that writes the tables at the end.

It needs no engine: each job of the array is `batch --join`, and who does what is decided by the ledger alone. A job that is
preempted gives its recording back (SIGTERM), one that is killed leaves a claim that another takes over.
"""

import shlex
import sys
from pathlib import Path

from realtime.batch.ledger import Ledger
from realtime.errors import DeviceError
from realtime.files import reason, write_atomically

NAME = "slurm.sh"
_MOST_JOBS = 64

_SCRIPT = """#!/bin/bash
#SBATCH --job-name=facemirror-batch
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=1G
#SBATCH --requeue
# Run it with `bash {script}`: it submits an array of {jobs} jobs, and a last one that writes the tables.
# Change the limits above, and add your account, partition and time here.
set -u
facemirror=({command})
if [ -z "${{SLURM_JOB_ID:-}}" ]; then
    id=$(sbatch --parsable --array=1-{jobs} --output={logs}/slurm-%A_%a.log {script}) || exit 3
    exec sbatch --dependency="afterany:${{id%%;*}}" --output={logs}/slurm-finish-%j.log {script} finish
fi
if [ "${{1:-}}" = finish ]; then
    exec "${{facemirror[@]}}" --out {out} --workers 1 --quiet
fi
exec "${{facemirror[@]}}" --join {out} --workers 1 --quiet
"""


def write_script(ledger: Ledger, jobs: int | None = None) -> Path:
    """Write the script beside the results.

    Args:
        ledger: of a batch that was begun.
        jobs: how many jobs the array has; None: one for each recording that is left, 64 at most.

    Returns:
        The script.

    Raises:
        DeviceError: it cannot be written.
    """
    left = sum(state in ("waiting", "claimed") for state in ledger.states().values())
    script = ledger.out / NAME
    text = _SCRIPT.format(
        jobs=jobs or max(1, min(left, _MOST_JOBS)),
        command=shlex.join([sys.executable, "-P", "-m", "realtime", "batch"]),
        script=shlex.quote(str(script)),
        logs=shlex.quote(str(ledger.folder / "logs")),
        out=shlex.quote(str(ledger.out)),
    )
    try:
        with write_atomically(script) as file:
            file.write(text.encode())
    except OSError as error:
        raise DeviceError(f"{script} cannot be written ({reason(error)}).") from None
    return script
