"""Commands of the page that choose one of several: the view, the camera, the face, the side, the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, get_args

from realtime.dashboard.commands import Action, CommandError, CommandUnavailableError, Request
from realtime.types import View


class Choice(Protocol):
    """One of several: the view, the affected side, the camera, the model."""

    @property
    def value(self) -> str:
        """What is chosen now."""
        ...

    @property
    def options(self) -> Sequence[str]:
        """What can be chosen."""
        ...

    def choose(self, value: str) -> None:
        """Take `value`, one of `options`."""
        ...


@dataclass(frozen=True, slots=True)
class ChoiceCommand:
    """Chooses one of several; the page draws a list with this label.

    Attributes:
        label: a word or two.
        choice: what is chosen.
        key: the letter that takes the next option on the page; None for no key.
    """

    label: str
    choice: Choice
    key: str | None = None

    def describe(self) -> dict[str, Any]:
        """Label, key, value and options."""
        choice = self.choice
        return {
            "reason": None,
            "label": self.label,
            "key": self.key,
            "value": choice.value,
            "options": list(choice.options),
        }

    def action(self, request: Request) -> Action:
        """Choose the payload's "value", or, with "next": true, the option after that of now."""
        if request.payload.get("next") is True:
            return self._choose_next
        value = request.payload.get("value")
        if not isinstance(value, str) or value not in self.choice.options:
            raise CommandError(400, f'"value" must be one of {", ".join(self.choice.options)}.')
        return lambda: self.choice.choose(value)

    def _choose_next(self) -> None:
        options, value = list(self.choice.options), self.choice.value
        place = options.index(value) + 1 if value in options else 0
        self.choice.choose(options[place % len(options)])


@dataclass(frozen=True, slots=True)
class Fixed:
    """A choice that was made at the start and cannot be changed while the program runs.

    Attributes:
        label: as for `ChoiceCommand`.
        value: what was chosen.
        reason: why it cannot be changed, one sentence.
    """

    label: str
    value: str
    reason: str

    def describe(self) -> dict[str, Any]:
        """The value as the only option, and the reason."""
        return {"reason": self.reason, "label": self.label, "key": None, "value": self.value, "options": [self.value]}

    def action(self, request: Request) -> Action:  # noqa: ARG002  the protocol's
        """Refuse."""
        raise CommandUnavailableError(self.reason)


class HasMode(Protocol):
    """What draws: its view may be changed between two pictures."""

    mode: View


class SceneChoice:
    """The view. It changes between two pictures."""

    options: tuple[View, ...] = get_args(View)

    def __init__(self, scene: HasMode) -> None:
        self._scene = scene

    @property
    def value(self) -> View:
        """The view that is drawn now."""
        return self._scene.mode

    def choose(self, value: str) -> None:
        """Take `value`, one of `options`."""
        self._scene.mode = self.options[self.options.index(value)]
