"""A command of the page that is one button: it does something and says how that is going."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from realtime.dashboard.commands import Action, Request


@dataclass(frozen=True, slots=True)
class ButtonCommand:
    """One button.

    Attributes:
        label: on the button.
        act: what it does; may raise FacemirrorError, whose sentence the page shows.
        note: what stands beside it.
        obstacle: why it cannot be pressed now, one sentence; None: it can.
    """

    label: str
    act: Action
    note: Callable[[], str]
    obstacle: Callable[[], str | None] = lambda: None

    def describe(self) -> dict[str, Any]:
        """Label, note and reason."""
        return {"reason": self.obstacle(), "button": self.label, "note": self.note()}

    def action(self, request: Request) -> Action:  # noqa: ARG002  needs no argument
        """Do it.

        Args:
            request: what was asked.
        """
        return self.act
