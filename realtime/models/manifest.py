"""`manifest.toml`: what every model is, where it comes from, what it takes and gives.

A model is data, not code: swapping one for another of the same role changes this file and no Python.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from realtime import strict_toml
from realtime.errors import ModelFileError
from realtime.files import open_regular, reason

Role = Literal["detector", "landmarks", "action-units", "multitask", "pose", "iris"]
Number = int | float
_LARGEST = 2**20


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ModelInput(_Strict):
    """One image input. A pixel value v enters the network as (v - mean) * scale, channel by channel in `order`."""

    name: str
    height: int | None = Field(default=None, description="pixels; absent: any")
    width: int | None = Field(default=None, description="pixels; absent: any")
    order: Literal["BGR", "RGB", "none"] = "BGR"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)


class ModelSpec(_Strict):
    """One entry of the manifest."""

    name: str = Field(pattern=r"^[\w .+-]{1,80}$")
    role: Role
    file: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int
    licence: str
    source: str
    purpose: str
    embedded: bool = True
    tier: int = Field(default=0, description="0 is the best; higher tiers are cheaper and coarser")
    card: str | None = None
    input: ModelInput
    outputs: dict[str, str] = Field(description="the program's word for an output -> its name in the file")
    parameters: dict[str, Number | str | bool | list[Number] | list[str] | list[list[Number]]] = {}

    def number(self, key: str, default: float) -> float:
        """A numeric parameter of this model, or `default` where the manifest does not give it.

        Args:
            key: of the parameter.
            default: where there is none.

        Raises:
            ModelFileError: it is no number.
        """
        value = self.parameters.get(key, default)
        if not isinstance(value, int | float):
            raise ModelFileError(f"{self.name}: the manifest's parameter {key!r} should be a number, not {value!r}.")
        return float(value)


class Manifest(_Strict):
    """All models of one weights folder, by name."""

    folder: Path
    models: dict[str, ModelSpec]

    def find(self, role: Role, name: str | None = None) -> ModelSpec:
        """The model of this role called `name`, or the best tier of the role.

        Args:
            role: detector, landmarks or another.
            name: None: the best tier.

        Raises:
            ModelFileError: no such model in this folder.
        """
        fitting = sorted((m for m in self.models.values() if m.role == role), key=lambda m: m.tier)
        if name is not None:
            fitting = [m for m in fitting if m.name == name]
        if not fitting:
            known = ", ".join(m.name for m in self.models.values() if m.role == role) or "none"
            wanted = f"{role} model called {name!r}" if name else f"{role} model"
            raise ModelFileError(f"There is no {wanted} in {self.folder / 'manifest.toml'} (known: {known}).")
        return fitting[0]

    def tiers(self, role: Role) -> list[ModelSpec]:
        """Every model of a role, best first."""
        return sorted((m for m in self.models.values() if m.role == role), key=lambda m: m.tier)


def load_manifest(folder: Path) -> Manifest:
    """Read `folder/manifest.toml`.

    Raises:
        ModelFileError: missing, not TOML, or an entry is not as it should be (the sentence names the entry and the field).
    """
    path = folder / "manifest.toml"
    try:
        with open_regular(path, limit=_LARGEST) as file:
            content = strict_toml.loads(file.read())
    except FileNotFoundError:
        raise ModelFileError(
            f"There is no model manifest at {path}. Choose the folder that holds manifest.toml."
        ) from None
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else " ".join(str(error).split())[:300].rstrip(".")
        raise ModelFileError(f"The model manifest {path} cannot be read: {why}.") from None
    entries = content.get("model", [])
    if not isinstance(entries, list):
        raise ModelFileError(f"The model manifest {path} holds no list of models: each begins with a line [[model]].")
    models: dict[str, ModelSpec] = {}
    for position, entry in enumerate(entries, start=1):
        try:
            spec = ModelSpec.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            name = entry.get("name", f"entry {position}") if isinstance(entry, dict) else f"entry {position}"
            raise ModelFileError(f"{path}, model {name!r}: {field}: {first['msg']}.") from None
        if spec.name in models:
            raise ModelFileError(f"{path}: two models are called {spec.name!r}.")
        if not spec.file.isprintable():
            raise ModelFileError(f"{path}, model {spec.name!r}: file holds characters that no file of ours has.")
        if Path(spec.file).is_absolute() or ".." in Path(spec.file).parts:
            raise ModelFileError(f"{path}, model {spec.name!r}: file must lie inside the weights folder.")
        models[spec.name] = spec
    return Manifest(folder=folder, models=models)
