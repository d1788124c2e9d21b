"""Compiled code survives damaged files, and is compiled where nothing can be kept."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numba
import pytest

from realtime import jit
from realtime.files import cache_folder, data_folder
from tests.conftest import ROOT

KERNEL = """
from realtime.jit import njit

@njit(nogil=True)
def triple(x: int) -> int:
    return 3 * x
"""


class Kernel(Protocol):
    """A compiled function as Numba gives it."""

    stats: Any

    def __call__(self, x: int) -> int: ...


def load(path: Path) -> Kernel:
    """The kernel as a new process would see it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.triple


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    path = tmp_path / "kernels.py"
    path.write_text(KERNEL)
    return path


def test_a_kernel_is_compiled_once(kernel: Path) -> None:
    first = load(kernel)
    assert first(4) == 12
    again = load(kernel)
    assert again(5) == 15
    assert sum(again.stats.cache_hits.values()) == 1
    kernel.write_text(KERNEL.replace("3 *", "4 *"))
    assert load(kernel)(5) == 20, "a changed source is compiled anew"


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda raw: b"",
    "cut short": lambda raw: raw[: len(raw) // 2],
    "one bit": lambda raw: bytes([raw[0] ^ 4]) + raw[1:],
    "one bit of the code": lambda raw: (
        raw[: len(raw) // 3] + bytes([raw[len(raw) // 3] ^ 1]) + raw[len(raw) // 3 + 1 :]
    ),
    "noise": lambda raw: os.urandom(len(raw)),
}


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_compiled_anew(kernel: Path, tmp_path: Path, kind: str, damage: str) -> None:
    """Numba raises EOFError or UnpicklingError for good, or runs changed machine code."""
    assert load(kernel)(4) == 12
    (file,) = (tmp_path / "cache").rglob(f"*.{kind}")
    file.write_bytes(DAMAGE[damage](file.read_bytes()))
    assert jit.damaged_files(file.parent) == [file]
    repaired = load(kernel)
    assert repaired(4) == 12
    assert sum(repaired.stats.cache_hits.values()) == 0
    assert jit.damaged_files(file.parent) == []
    again = load(kernel)
    assert again(4) == 12
    assert sum(again.stats.cache_hits.values()) == 1


@pytest.mark.skipif(os.name == "nt", reason="a home folder is given in another way")
def test_without_any_folder_code_is_kept_in_a_private_temporary_one(tmp_path: Path) -> None:
    """A user without a home folder met a traceback at import. (/dev/null is no folder even for root.)"""
    (tmp_path / "kernels.py").write_text(KERNEL)
    (tmp_path / "__pycache__").touch()
    program = (
        "import os, pathlib, kernels; from realtime import jit; folder = jit.cache_path(kernels.triple); "
        "print(kernels.triple(4), folder, jit.is_temporary(folder), len(list(folder.glob('*.nb?'))), "
        "oct(pathlib.Path(os.environ['NUMBA_CACHE_DIR']).stat().st_mode & 0o777))"
    )
    environment = {
        k: v for k, v in os.environ.items() if k not in ("XDG_CACHE_HOME", "FACEMIRROR_CACHE", "NUMBA_CACHE_DIR")
    }
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    ended = subprocess.run(
        [sys.executable, "-B", "-c", program],
        env={**environment, "HOME": os.devnull, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    result, folder, temporary, files, mode = ended.stdout.split()
    assert (result, temporary, files, mode) == ("12", "True", "2", "0o700")
    assert not Path(folder).exists(), "it is gone with the process"


@pytest.mark.skipif(os.name == "nt", reason="a home folder is given in another way")
def test_a_user_without_a_home_gets_no_folder_called_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "FACEMIRROR_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert cache_folder().is_absolute()
    assert data_folder().is_absolute()
    assert not cache_folder().exists()


def test_every_kernel_uses_the_checked_cache() -> None:
    sources = [path for path in (ROOT / "realtime").rglob("*.py") if path.name != "jit.py"]
    assert [path for path in sources if "import njit" in path.read_text("utf-8").replace("from realtime.jit", "")] != []
    assert [path for path in sources if "from numba import njit" in path.read_text("utf-8")] == []
