"""Four layers, the later one wins: defaults, TOML file, environment (`FACEMIRROR_…`), command line.

Environment names are the settings' names in capitals, sections joined by two underscores:
`FACEMIRROR_MAX_AGE_MS=150`, `FACEMIRROR_CADENCE__LONGEST=20`.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from realtime import strict_toml
from realtime.config.settings import Config
from realtime.errors import UserInputError
from realtime.files import one_line, open_regular, reason

PREFIX = "FACEMIRROR_"
_LARGEST_FILE = 2**20
# Variables of this prefix that are no settings of a run.
OTHERS = {
    "FACEMIRROR_OBS_PASSWORD",
    "FACEMIRROR_TOKEN",
    "FACEMIRROR_SHARED",
    "FACEMIRROR_CACHE",
    "FACEMIRROR_UMASK",
    "FACEMIRROR_OPENFACE_TEST",
}


@dataclass(frozen=True, slots=True)
class Resolved:
    """The settings of a run, and where each came from.

    Attributes:
        config: the values in force.
        origin: dotted name -> where its value came from.
    """

    config: Config
    origin: dict[str, str]

    def rows(self) -> list[tuple[str, Any, str]]:
        """(dotted name, value, origin) of every setting, in the order of the settings' file."""
        values = _flatten(self.config)
        return [(name, value, self.origin.get(name, "default")) for name, value in values.items()]


def resolve(
    command_line: Mapping[str, Any],
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Resolved:
    """Merge the layers.

    Args:
        command_line: dotted setting -> value; None means the user did not say.
        file: a TOML file.
        environment: the variables; None: those of this process.

    Raises:
        UserInputError: an unknown setting, a value out of its range, a file that cannot be read.
    """
    origin: dict[str, str] = {}
    values: dict[str, Any] = {}
    layers = [
        (f"file {file}", _from_file(file) if file else {}),
        ("environment", _from_environment(os.environ if environment is None else environment)),
        ("command line", {k: v for k, v in command_line.items() if v is not None}),
    ]
    known = set(_flatten(Config()))
    for name, layer in layers:
        for key, value in layer.items():
            if isinstance(value, str) and "\0" in value:
                raise UserInputError(f"{_spelled(key, name)} ({name}) holds a NUL character, which no name has.")
    for name, layer in layers:
        for key, value in layer.items():
            if key not in known:
                raise UserInputError(
                    f"There is no setting {one_line(repr(_spelled(key, name)))} ({name}). `facemirror-live config` lists all."
                )
            values[key] = value
            origin[key] = f"{name} {PREFIX}{key.replace('.', '__').upper()}" if name == "environment" else name
    try:
        config = Config.model_validate(nested(values))
    except ValidationError as error:
        first = error.errors()[0]
        path = [part for part in first["loc"] if not str(part).startswith("function-")]
        key = ".".join(map(str, path))
        key = next((k for k in values if key.startswith(k)), key)
        where = origin.get(key, "default")
        message = first["msg"].removeprefix("Value error, ")
        name, value = _element(key, values.get(key), path[key.count(".") + 1 :])
        raise UserInputError(f"{one_line(name)} = {one_line(repr(value))} ({where}): {one_line(message)}.") from None
    return Resolved(config, origin)


def _element(name: str, value: Any, path: Sequence[int | str]) -> tuple[str, Any]:
    """The part of a setting that is wrong: its name, counted from 1 in lists, and its value."""
    for part in path:
        if isinstance(value, list) and isinstance(part, int) and part < len(value):
            name, value = f"{name}, entry {part + 1}", value[part]
        elif isinstance(value, Mapping) and part in value:
            name, value = f"{name}, {part}", value[part]
    return name, value


def _from_file(file: Path) -> dict[str, Any]:
    try:
        with open_regular(file, limit=_LARGEST_FILE) as opened:
            content = strict_toml.loads(opened.read())
    except FileNotFoundError:
        raise UserInputError(f"The configuration file {file} does not exist.") from None
    except OSError as error:
        raise UserInputError(f"The configuration file {file} cannot be read: {reason(error)}.") from None
    except ValueError as error:
        raise UserInputError(f"The configuration file {file} cannot be read: {one_line(error)}.") from None
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            flat.update({f"{key}.{inner}": v for inner, v in value.items()})
        else:
            flat[key] = value
    return flat


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    return {
        name.removeprefix(PREFIX).lower().replace("__", "."): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and name not in OTHERS
    }


def _spelled(key: str, layer: str) -> str:
    return PREFIX + key.replace(".", "__").upper() if layer == "environment" else key


def _flatten(model: BaseModel, before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            flat.update(_flatten(value, f"{before}{name}."))
        else:
            flat[before + name] = value
    return flat


def descriptions(model: type[BaseModel] = Config, before: str = "") -> dict[str, str]:
    """What every setting means, by its dotted name.

    Args:
        model: the settings.
        before: what every name begins with.
    """
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= descriptions(field.annotation, f"{before}{name}.")
        else:
            found[before + name] = field.description or ""
    return found


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Turn {"a.b": 1} into {"a": {"b": 1}}.

    Args:
        flat: by dotted names.
    """
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        *path, last = key.split(".")
        place = tree
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return tree
