"""The architecture report as plain values, whatever kind of file it came from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tools.analyze import neural_engine
from tools.analyze.neural_engine import Concern, Operation, Placement


@dataclass(frozen=True, slots=True)
class Parameters:
    """Numbers the file or network holds. unused: never read by a run. constants: folded tables that are not weights."""

    total: int
    unused: int = 0
    constants: int = 0

    @property
    def live(self) -> int:
        """What a run reads."""
        return self.total - self.unused


@dataclass(frozen=True, slots=True)
class Report:
    """One network. macs: multiplications with accumulation of one run. modules: below the root, by class (torch only).

    functions: what is called without a module of its own."""

    subject: str
    kind: str
    parameters: Parameters
    operations: tuple[Operation, ...]
    macs: int
    bytes_on_disk: int | None = None
    modules: dict[str, int] = field(default_factory=dict)
    functions: dict[str, int] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Operations by type, the most frequent first."""
        return dict(Counter(operation.kind for operation in self.operations).most_common())

    @property
    def module_count(self) -> int:
        """Modules below the root."""
        return sum(self.modules.values())

    def concerns(self) -> list[Concern]:
        """What a Neural Engine dislikes here, and why."""
        return neural_engine.concerns(self.operations, self.inputs)

    def placement(self) -> Placement:
        """An estimate of how the program would be cut between the Neural Engine and the rest."""
        return neural_engine.estimate(self.operations)

    def as_values(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "subject": self.subject,
            "kind": self.kind,
            "bytes": self.bytes_on_disk,
            "parameters": asdict(self.parameters) | {"live": self.parameters.live},
            "modules": {"below_root": self.module_count, "by_class": self.modules},
            "functions_without_module": self.functions,
            "operations": {"total": len(self.operations), "by_type": self.counts},
            "macs": self.macs,
            "types": self.types,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "neural_engine": {
                "concerns": [asdict(concern) for concern in self.concerns()],
                "estimate": asdict(self.placement()),
            },
            "notes": list(self.notes),
        }


def compare(before: Report, after: Report) -> list[tuple[str, int, int]]:
    """(operation, count before, count after), the largest change first; unchanged ones are left out."""
    first, second = before.counts, after.counts
    rows = [(kind, first.get(kind, 0), second.get(kind, 0)) for kind in {*first, *second}]
    return sorted((row for row in rows if row[1] != row[2]), key=lambda row: (-abs(row[2] - row[1]), row[0]))


def shape_words(shape: Sequence[int | str | None]) -> str:
    """1x3x256x256, with ? for what is open."""
    return "x".join("?" if size is None else str(size) for size in shape)
