"""What a start of `batch` finds: what is new, done, changed, failed or put aside, and what is left to do."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from realtime.batch.claims import DEATHS
from realtime.batch.fingerprint import Fingerprint
from realtime.batch.inputs import Input
from realtime.batch.ledger import Ledger, State
from realtime.batch.options import Options
from realtime.batch.results import Identity
from realtime.batch.worker import columns_digest
from realtime.config import Config
from realtime.errors import UserInputError
from realtime.files import file_sha256


@dataclass(slots=True)
class Plan:
    """What a batch will do.

    Attributes:
        inputs: every recording of the batch, by name.
        changed: a sentence for each done recording whose file or columns are others than when it was measured.
    """

    inputs: list[Input] = field(default_factory=list)
    changed: dict[str, str] = field(default_factory=dict)


def begin(
    ledger: Ledger,
    found: Iterable[Input],
    fingerprint: Fingerprint,
    config: Config,
    options: Options,
    *,
    retry: bool = False,
    force: bool = False,
    say: Callable[[str], None] = lambda _sentence: None,
) -> Plan:
    """Begin a batch, or go on with the one there is.

    Args:
        ledger: of the --out folder.
        found: recordings that the user named; they are added to those of before.
        fingerprint: of this program, its models and settings.
        config: the settings of the face path.
        options: what a bundle holds.
        retry: what failed or was put aside waits again.
        force: what was made from other things (program, models, settings, input) is made again.
        say: told what is going to be made again, and why.

    Raises:
        UserInputError: the batch was made with another program, models or settings, and `force` is not given.
        DeviceError: the ledger cannot be written, or is of a newer program.
    """
    other = ""
    if ledger.exists:
        then, _, _ = ledger.head()
        if then.hash != fingerprint.hash:
            other = fingerprint.differences(then)
            done = sum(state == "done" for state in ledger.states().values())
            if done and not force:
                raise UserInputError(
                    f"{done} recordings in {ledger.out} were made differently: {other}. Nothing is mixed: --force makes them "
                    "again, another --out keeps both."
                )
            say(f"What was made before is made again, because of what differs: {other}.")
    if not ledger.exists or other:
        ledger.create(fingerprint, config, options)
    ledger.clean()
    for one in found:
        ledger.add(one)
    plan = Plan(ledger.inputs())
    states = ledger.states()
    for one in plan.inputs:
        _look(ledger, one, states[one.name], fingerprint, config, plan, retry=retry, force=force)
    return plan


def _look(
    ledger: Ledger,
    one: Input,
    state: State,
    fingerprint: Fingerprint,
    config: Config,
    plan: Plan,
    *,
    retry: bool,
    force: bool,
) -> None:
    if state == "done":
        change = _change(ledger, one, fingerprint, config)
        if change and force:
            ledger.results.forget(one.name)
        elif change:
            plan.changed[one.name] = f"{one.path}: {change}; --force measures it again."
    elif state == "failed":
        failure = ledger.results.failure(one.name)
        # Whoever put the missing file there, or a whole one in its place, wants it measured.
        if retry or failure is None or not failure[1].looks_like(Identity.of(one.path)):
            ledger.retry(one.name)
    elif state == "aside" and retry:
        ledger.retry(one.name)


def _change(ledger: Ledger, one: Input, fingerprint: Fingerprint, config: Config) -> str:
    """What is another than when the recording was measured; empty: nothing."""
    content = ledger.results.done(one.name) or {}
    if content.get("fingerprint") != fingerprint.hash:
        return "it was measured with another program, models or settings"
    if content.get("columns") != columns_digest(one, config):
        return "its columns, its calibration window or its person's stored face are others than when it was measured"
    try:
        then = Identity.from_json(content["input"])
    except (KeyError, TypeError, ValueError):
        return "its file in the ledger is damaged"
    now = Identity.of(one.path)
    if now.looks_like(then) or now.size < 0:  # a recording that was moved away stays measured
        return ""
    try:
        sha256 = file_sha256(one.path)
    except OSError:
        return ""
    if sha256 != then.sha256:
        return "the file has changed since it was measured"
    ledger.results.note_identity(one.name, Identity(now.path, now.size, now.modified, sha256))
    return ""


def problems_of(ledger: Ledger, plan: Plan) -> list[str]:
    """One sentence for each recording that needs a look, by name.

    Args:
        ledger: of the batch.
        plan: of the batch.
    """
    found, states = [], ledger.states()
    for one in plan.inputs:
        state = states.get(one.name)
        if one.name in plan.changed:
            found.append(plan.changed[one.name])
        elif state == "failed":
            failure = ledger.results.failure(one.name)
            found.append(failure[0] if failure else f"{one.path} failed.")
        elif state == "aside":
            found.append(
                f"{one.path} was put aside: {DEATHS} workers died over it; their log is {ledger.log(one.name)}. "
                "--retry tries it again."
            )
        elif state == "done":
            found += ledger.results.figures(one.name).get("notices", [])
    return found
