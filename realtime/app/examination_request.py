"""What an examination is begun with: asked for on the command line, and changed by a page within limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from realtime.clinic.protocol import BUILT_IN, DEFAULT, Protocol, load_protocol
from realtime.clinic.types import Affected, AgeGroup, Repetition
from realtime.errors import UserInputError


@dataclass(frozen=True, slots=True)
class ExaminationRequest:
    """What an examination is begun with.

    Attributes:
        person: whose it is; empty: not known yet.
        protocol: what is asked for.
        affected: the affected side.
        language: the words' code.
        age_group: chooses the assumed iris diameter.
        earlier: of an examination that was broken off and is gone on with.
    """

    person: str = ""
    protocol: Protocol = field(default_factory=lambda: load_protocol(DEFAULT))
    affected: Affected = "none"
    language: str = "en"
    age_group: AgeGroup = "adult"
    earlier: tuple[Repetition, ...] = ()

    def with_changes(self, changes: Mapping[str, str]) -> "ExaminationRequest":
        """The same with what a page named.

        Args:
            changes: person (only where the command line named nobody), protocol, affected, language.

        Raises:
            UserInputError: a page cannot ask for that.
        """
        affected: dict[str, Affected] = {"left": "left", "right": "right", "both": "both", "none": "none"}
        side, protocol = changes.get("affected", self.affected), changes.get("protocol", self.protocol.name)
        if protocol not in (*BUILT_IN, self.protocol.name):
            # A page names no files of this machine.
            raise UserInputError(f"A page can ask for {', '.join(BUILT_IN)}; other protocols are named by --protocol.")
        if side not in affected:
            raise UserInputError(f"The affected side is left, right, both or none, not {side[:20]!r}.")
        return ExaminationRequest(
            self.person or changes.get("person", "").strip(),
            self.protocol if protocol == self.protocol.name else load_protocol(protocol),
            affected[side],
            changes.get("language", self.language),
            self.age_group,
            self.earlier,
        )
