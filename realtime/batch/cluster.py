"""The same work on a Dask cluster: `--cluster local`, or `--cluster tcp://HOST:PORT` for a scheduler that runs already.

Dask only says which machine is free. What is done, who works on what and what has failed stays in the ledger, so that a
scheduler may die at any moment. A Dask worker measures in a child process of its own: the child's memory and its crashes
are then none of Dask's business, and a child whose Dask worker was killed gives its recording back.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from realtime.batch.fingerprint import Fingerprint
from realtime.batch.ledger import Ledger
from realtime.batch.plan import Plan
from realtime.batch.pool import Message, WorkerProcess
from realtime.batch.run import Settled, Watch, WorkQueue
from realtime.errors import DeviceError, UserInputError

_POLL_SECONDS = 0.1
_CONNECT_SECONDS = 20
_AHEAD = 2
"""Tasks for each Dask worker at a time: one is measured, one waits, so that no worker is idle in between."""

_child: WorkerProcess | None = None
_inbox: "queue.SimpleQueue[Message]" = queue.SimpleQueue()
_one_at_a_time = threading.Lock()


def work_on_cluster(ledger: Ledger, plan: Plan, address: str, workers: int, watch: Watch) -> str:
    """Work off what is left with Dask.

    Args:
        ledger: the truth, in a folder that every machine sees under the same name.
        plan: as `begin` made it.
        address: "local", or a scheduler's.
        workers: how many processes, for "local".
        watch: told what happens.

    Returns:
        A sentence where it had to stop before the end; empty where all is finished.

    Raises:
        UserInputError: the address is none.
        DeviceError: Dask is not installed, the scheduler is not reached, or its workers are of another version.
    """
    try:
        import distributed
    except ImportError:
        raise DeviceError('--cluster needs Dask: pip install "facemirror-live[cluster]".') from None
    if address != "local" and "://" not in address:
        raise UserInputError(f"--cluster {address}: say local, or a scheduler's address such as tcp://host:8786.")
    with ExitStack() as stack:
        # Its own words about connections that close would hide ours.
        stack.enter_context(_quiet("distributed"))
        client = stack.enter_context(_client(distributed, stack, address, workers))
        _refuse_others(client, ledger, address)
        return _run(client, ledger, plan, address, watch)


def _client(distributed: Any, stack: ExitStack, address: str, workers: int) -> Any:
    target: Any = address
    if address == "local":
        try:
            target = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=0,  # the decoder's memory is the child's, and no reason to restart anything
                dashboard_address=None,
            )
        except Exception as error:  # noqa: BLE001  whatever Dask raises when one of its processes ends meanwhile
            raise DeviceError(f"Dask's workers did not start ({_short(error)}); start again to go on.") from None
        stack.callback(_close, target)
    try:
        return distributed.Client(target, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise DeviceError(f"The Dask scheduler at {address} cannot be reached ({error}).") from None


def _refuse_others(client: Any, ledger: Ledger, address: str) -> None:
    """Compare what every worker is made of with the batch: not Dask's versions, but program, models and settings."""
    wanted, _, _ = ledger.head()
    try:
        answers = client.run(fingerprint_here, str(ledger.out), on_error="return")
    except Exception as error:  # noqa: BLE001  whatever a remote process says
        raise DeviceError(f"The workers of {address} cannot be asked ({_short(error)}).") from None
    for worker, answer in sorted(answers.items()):
        if isinstance(answer, OSError):
            continue  # it ended meanwhile, and says what it is made of when it comes back
        if isinstance(answer, BaseException):
            raise DeviceError(f"The worker {worker} cannot take part ({_short(answer)}).")
        there = Fingerprint.from_json(answer)
        if there.hash != wanted.hash:
            raise DeviceError(
                f"The worker {worker} is of another version than this program: {there.differences(wanted)}. "
                "Install the same version everywhere."
            )


def _run(client: Any, ledger: Ledger, plan: Plan, address: str, watch: Watch) -> str:
    todo = WorkQueue(ledger)
    todo.fill(one.name for one in plan.inputs)
    settled = Settled(ledger, todo, watch)
    states = ledger.states()
    watch.begun(len(plan.inputs), sum(state in ("done", "failed", "aside") for state in states.values()))
    tasks: dict[str, Any] = {}
    attempt = 0
    try:
        while not todo.finished:
            if client.status != "running":
                return f"The Dask scheduler at {address} is gone; what is done is kept: start again to go on."
            try:
                free = _AHEAD * max(1, len(client.scheduler_info(n_workers=-1)["workers"])) - len(tasks)
                while free > 0 and (name := todo.next()) is not None:
                    attempt += 1
                    key = f"facemirror-{name}-{attempt}"
                    tasks[name] = client.submit(measure_here, str(ledger.out), name, key=key, pure=False, retries=0)
                    free -= 1
            except (OSError, RuntimeError) as error:
                return f"The Dask scheduler at {address} does not answer ({_short(error)}); start again to go on."
            for name in [name for name, task in tasks.items() if task.done()]:
                stopped = _settle(name, tasks.pop(name), settled)
                if stopped:
                    return stopped
            time.sleep(_POLL_SECONDS)
    finally:
        for task in tasks.values():
            with contextlib.suppress(Exception):
                task.cancel()
    return ""


def _settle(name: str, task: Any, settled: Settled) -> str:
    """Take one answer. Returns a sentence where nothing more can be done."""
    try:
        content: Mapping[str, Any] = task.result(timeout=5)
    except Exception as error:  # noqa: BLE001  Dask lost the task, with its worker or its scheduler: the ledger knows
        if type(error).__name__ in ("ModuleNotFoundError", "ImportError"):
            return f"A worker cannot take part ({_short(error)}): install this program there."
        settled.todo.settle(name, busy=True)
        return ""
    if content["outcome"] == "died":
        settled.died(name, str(content["why"]))
    elif content["outcome"] in ("full", "version", "unusable"):
        settled.todo.settle(name)
        return str(content["sentence"])
    else:
        settled.finished(name, content)
    return ""


def fingerprint_here(out: str) -> dict[str, Any]:
    """What a Dask worker would measure with. Runs on the worker."""
    from realtime.batch.worker import own_fingerprint

    _, config, options = Ledger(Path(out)).head()
    return own_fingerprint(config, options).as_json()


def measure_here(out: str, name: str) -> dict[str, Any]:
    """Measure one recording in this Dask worker's child. Runs on the worker.

    Args:
        out: folder of the batch.
        name: of the recording.

    Returns:
        The child's answer; outcome "died" where it died over the recording.
    """
    global _child
    ledger = Ledger(Path(out))
    with _one_at_a_time:
        if _child is None or _child.process.poll() is not None or _child.out != ledger.out:
            if _child is not None:
                _child.close()
            _child = WorkerProcess(ledger.out, _inbox, time.monotonic)
        child = _child
        child.give(name)
        while True:
            message = _inbox.get()
            if message.worker is not child:
                continue  # the end of an earlier one
            if message.content is None:
                return _ended(ledger, child, name)
            if "outcome" in message.content:
                return dict(message.content)


def _ended(ledger: Ledger, child: WorkerProcess, name: str) -> dict[str, Any]:
    code = child.process.returncode
    why = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    held = ledger.claims.holder(name)
    if held is not None and held.worker.here and held.worker.pid == child.process.pid:
        ledger.claims.revoke(held, witnessed=True, why=why)
        return {"name": name, "outcome": "died", "why": why}
    return {"name": name, "outcome": "busy"}


def _close(cluster: Any) -> None:
    """End a local cluster. What its processes still had to say is of no interest: the ledger has everything."""
    with contextlib.suppress(Exception):
        cluster.close(timeout=10)


@contextlib.contextmanager
def _quiet(name: str) -> Any:
    import logging

    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}"
