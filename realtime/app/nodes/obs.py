"""Measurements on their way to OBS: every analysis goes through the rules, and what they ask for is sent."""

import getpass
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from realtime.action_units.names import measured_units
from realtime.config import Config
from realtime.errors import FacemirrorError, UserInputError
from realtime.obs.password import ask_for_password, check_address, find_password
from realtime.obs.rules import Fired, Rule, RuleEngine
from realtime.session.markers import Mark
from realtime.types import TrackedFrame

if TYPE_CHECKING:
    from realtime.obs.client import ObsClient


class Sender(Protocol):
    """What sends requests to OBS.

    Attributes:
        connections: how often it was connected so far.
    """

    connections: int

    def send(self, fired: Fired) -> None: ...


class SteerObs:
    """Sink behind the analysis path, on a thread of its own.

    Args:
        rules: of the configuration.
        sender: of the requests.

    Attributes:
        rules: as given.
    """

    def __init__(self, rules: Sequence[Rule], sender: Sender) -> None:
        self.rules = tuple(rules)
        self._engine = RuleEngine(rules)
        self._sender = sender
        self._connections = sender.connections

    def process(self, analysed: TrackedFrame) -> None:
        """Take one frame."""
        analysis, connections = analysed.analysis, self._sender.connections
        fired = self._engine.update(analysis)
        if connections != self._connections:
            # Another OBS, or the same one started anew: it shows what its scenes were stored with.
            self._connections = connections
            fired += self._engine.standing(analysis.capture_time)
        for one in fired:
            self._sender.send(one)

    def marker(self, mark: Mark) -> None:
        """A marker was set; from any thread."""
        self._engine.event("marker", mark.text)

    @property
    def notices(self) -> list[str]:
        """Which rules wanted more than their interval allows, as sentences."""
        found = self._engine.suppressed.items()
        return [f"Rule {name!r} was held back {count} times (at_most_every)." for name, count in found]

    def calibrated(self) -> None:
        """A calibration is done; from any thread."""
        self._engine.event("calibration done")


def check_rules(rules: Sequence[Rule], units: Sequence[int], *, millimetres: bool) -> None:
    """Refuse rules that name what this run does not measure.

    Args:
        rules: of the configuration.
        units: the Action Units that are measured.
        millimetres: lengths are measured.

    Raises:
        UserInputError: one does; the sentence names it.
    """
    for rule in rules:
        strange = [one.unit for one in rule.measures if one.unit is not None and one.unit not in units]
        if strange:
            raise UserInputError(
                f"Rule {rule.name!r}: AU {strange[0]} is not measured; there are {measured_units(units)}."
            )
        if not millimetres and any(one.length for one in rule.measures):
            raise UserInputError(f"Rule {rule.name!r} compares a length, so it needs --millimetres.")


def read_rules(config: Config) -> tuple[Rule, ...]:
    """The configuration's rules, each with a name."""
    return tuple(rule.read(f"{number}") for number, rule in enumerate(config.obs.rules, 1))


def open_client(
    config: Config,
    clock: Callable[[], float],
    say: Callable[[str], None],
    read: Callable[[str], str] = getpass.getpass,
) -> "ObsClient":
    """Find OBS's password and make the client; it is not started yet.

    Args:
        config: has an address of OBS.
        clock: the frames' clock.
        say: see `ObsClient`.
        read: asks for a password on the terminal.

    Raises:
        UserInputError: the address is none.
    """
    # Imported here: without --obs the web client costs neither time nor memory.
    from realtime.obs.client import ObsClient

    assert config.obs.url is not None
    url = check_address(config.obs.url)
    password = find_password(url)
    if password is None and sys.stdin.isatty() and _wants_password(url):
        password = ask_for_password(url, read)
    return ObsClient(url, password, clock, say)


def _wants_password(url: str) -> bool:
    """Whether an OBS that answers now asks for one; an OBS that is not there yet cannot be asked."""
    import asyncio

    from realtime.obs.protocol import ObsPasswordError, connect

    async def ask() -> bool:
        try:
            connection = await connect(url, None)
        except ObsPasswordError:
            return True
        except FacemirrorError:
            return False
        await connection.close()
        return False

    return asyncio.run(ask())
