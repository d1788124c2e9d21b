"""The options of the command line, generated from the settings: name, help, choices and what a bare option means."""

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True)
class Option:
    """How a setting is said on the command line, where its name and type do not tell. Stands in the field's `Annotated`.

    Attributes:
        flag: default: the setting's name with dashes.
        metavar: the value's place in the help.
        bare: the value of the option without a word behind it; None: it needs one.
        off: the value that `--no-…` gives; None: there is no such option.
    """

    flag: str | None = None
    metavar: str | None = None
    bare: str | None = None
    off: str | bool | None = None


@dataclass(frozen=True, slots=True)
class CommandLineOption:
    """One option as the parser needs it.

    Attributes:
        setting: the dotted name.
        flag: with its dashes.
        help: the setting's description.
        switch: it is said without a value.
        choices: the values there are; empty: any.
        metavar: see `Option`; None where the choices stand in its place.
        bare: see `Option`.
        off: see `Option`.
    """

    setting: str
    flag: str
    help: str
    switch: bool
    choices: tuple[str, ...]
    metavar: str | None
    bare: str | None
    off: str | bool | None


def command_line_options(model: type[BaseModel], before: str = "") -> Iterator[CommandLineOption]:
    """The options of every setting at the top, and of those in sections that have an `Option`, in the settings' order.

    Args:
        model: the settings.
        before: what every name begins with.
    """
    for name, field in model.model_fields.items():
        said = next((entry for entry in field.metadata if isinstance(entry, Option)), None)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from command_line_options(field.annotation, f"{before}{name}.")
        elif said is not None or not before:
            yield _option(f"{before}{name}", field, said or Option())


def _option(setting: str, field: FieldInfo, said: Option) -> CommandLineOption:
    kinds = _kinds(field.annotation)
    choices = tuple(
        str(choice) for kind in kinds if typing.get_origin(kind) is Literal for choice in typing.get_args(kind)
    )
    flag = said.flag or "--" + setting.replace("_", "-")
    metavar = None if choices else said.metavar or _metavar(kinds)
    switch = kinds == (bool,)
    return CommandLineOption(setting, flag, field.description or "", switch, choices, metavar, said.bare, said.off)


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """The types that a value may have, without None."""
    if typing.get_origin(annotation) in (Union, types.UnionType):
        return tuple(kind for part in typing.get_args(annotation) for kind in _kinds(part) if kind is not type(None))
    if typing.get_origin(annotation) is typing.Annotated:
        return _kinds(typing.get_args(annotation)[0])
    return (annotation,)


def _metavar(kinds: tuple[Any, ...]) -> str:
    if Path in kinds:
        return "PATH"
    return "N" if int in kinds or float in kinds else "TEXT"
