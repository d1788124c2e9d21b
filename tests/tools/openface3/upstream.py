"""Upstream's own network code as a reference, where it is at hand.

FACEMIRROR_OPENFACE_TEST names a folder into which the PyPI wheels `openface-test` (and for the multi-task network `timm`)
were unpacked: `pip download --no-deps openface-test==0.1.26 timm==1.0.15`, then unzip. Their many imports for training and
drawing are met by stand-ins; only network code is used.
"""

import importlib
import importlib.abc
import importlib.machinery
import os
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

STAND_INS = (
    "torchvision",
    "huggingface_hub",
    "safetensors",
    "tensorboardX",
    "seaborn",
    "skimage",
    "imageio",
    "yaml",
    "click",
)


class _Anything(type):
    """A class of which every attribute exists, each another object."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return f"{cls.__name__}.{name}"


class _StandInModule(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Anything(name, (), {})


class _StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers for packages that only training, drawing and downloading need."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if fullname.split(".")[0] not in STAND_INS:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _StandInModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def folder() -> Path:
    named = os.environ.get("FACEMIRROR_OPENFACE_TEST")
    if not named or not (Path(named) / "openface" / "STAR").is_dir():
        pytest.skip(
            "upstream's network code is not here (FACEMIRROR_OPENFACE_TEST names the unpacked openface-test wheel)"
        )
    return Path(named)


@contextmanager
def importable(root: Path) -> Iterator[None]:
    """Upstream's packages can be imported inside; nothing of them stays in sys.modules afterwards."""
    before = set(sys.modules)
    finder = _StandIns()
    sys.path.insert(0, str(root))
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.path.remove(str(root))
        sys.meta_path.remove(finder)
        for name in set(sys.modules) - before:
            if name.split(".")[0] in (*STAND_INS, "openface", "timm"):
                del sys.modules[name]


def star(edge_members: tuple[range, ...], points: int = 98) -> Any:
    root = folder()
    with importable(root):
        # The packages' own __init__ files pull in the training code; empty ones with the right path do not.
        for name in ("openface.STAR.lib", "openface.STAR.lib.dataset"):
            module = types.ModuleType(name)
            module.__path__ = [str(root / name.replace(".", "/"))]
            sys.modules[name] = module
        decoder = importlib.import_module("openface.STAR.lib.dataset.decoder")
        sys.modules["openface.STAR.lib.dataset"].get_decoder = decoder.get_decoder  # type: ignore[attr-defined]
        network = importlib.import_module("openface.STAR.lib.backbone.stackedHGNetV1")
        config = types.SimpleNamespace(width=256, height=256, use_AAM=True)
        edges = [(False, members) for members in edge_members]
        return network.StackedHGNetV1(config, [points, len(edges), points], edges).eval()


def multitask() -> Any:
    root = folder()
    if not (root / "timm").is_dir():
        pytest.skip("timm is not unpacked beside upstream's network code")
    with importable(root):
        return importlib.import_module("openface.model.MTL").MTL().eval()
