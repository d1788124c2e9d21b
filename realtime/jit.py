"""Numba's compiler with a disk cache that can be missing or damaged without harm.

Kernels are decorated with this module's `njit`. Numba alone raises at import where no folder can be written, and for good
once a file of its cache is cut short. Here a cache without a folder lies in a private temporary one, every file ends with
a checksum, and a damaged file is deleted and compiled anew.
"""

import atexit
import contextlib
import functools
import hashlib
import logging
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core.caching import IndexDataCacheFile
from numba.core.runtime import rtsys

from realtime.files import cache_folder, private_folder

log = logging.getLogger(__name__)

_MARK = b"facemirror-live sha256 "
_TAIL = len(_MARK) + hashlib.sha256().digest_size
_VARIABLE = "NUMBA_CACHE_DIR"

P = ParamSpec("P")
T = TypeVar("T")


def njit(**options: Any) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Compile a function at its first call, or load it from the cache.

    A division by zero gives an infinity or NaN, as in NumPy: the test that raises would be compiled at every division.

    Args:
        options: those of `numba.njit`; `cache` is always on.
    """
    options = {"error_model": "numpy", "no_cfunc_wrapper": True} | options

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        _choose_folder(Path(function.__code__.co_filename).parent)
        options.pop("cache", None)
        try:
            kernel = numba.njit(cache=True, **options)(function)
        except RuntimeError:  # no folder at all: each process compiles for itself
            return cast("Callable[P, T]", numba.njit(**options)(function))
        cache = kernel._cache
        with contextlib.suppress(AttributeError):  # a later Numba may keep its files in another way
            stamp = cache._impl.locator.get_source_stamp()
            cache._cache_file = _CheckedFile(cache.cache_path, cache._impl.filename_base, stamp)
            cache.load_overload = functools.partial(_load, cache)
        return cast("Callable[P, T]", kernel)

    return decorate


def _load(cache: Any, signature: Any, context: Any) -> Any:
    """Numba's `load_overload` without `context.refresh()`.

    That fills the tables from which code is compiled, and imports SciPy for them: half a second and 40 MB that running
    compiled code has no use for. Where nothing is found in the cache, the compiler fills them itself.
    """
    rtsys.initialize(context)
    with cache._guard_against_spurious_io_errors():
        return cache._load_overload(signature, context)


@functools.cache
def _choose_folder(sources: Path) -> None:
    """See to it that Numba has a folder: the user's, `__pycache__` beside the sources, our cache, or a temporary one."""
    if numba.config.CACHE_DIR or _is_writable(sources / "__pycache__"):
        return
    own = cache_folder() / "compiled"
    if not _is_writable(own):
        try:
            own = Path(tempfile.mkdtemp(prefix="facemirror-live-"))
        except OSError:
            return
        atexit.register(shutil.rmtree, own, ignore_errors=True)
    numba.config.CACHE_DIR = str(own)
    os.environ[_VARIABLE] = str(own)  # child processes compile for this one


def _is_writable(folder: Path) -> bool:
    try:
        private_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def cache_path(kernel: Callable[..., Any]) -> Path | None:
    """The folder where a kernel's compiled code is kept; None where it is compiled in each process."""
    path = kernel.stats.cache_path  # type: ignore[attr-defined]
    return None if path is None else Path(path)


def is_temporary(folder: Path) -> bool:
    """Whether compiled code in this folder is gone when the process ends."""
    # The name comes first: `gettempdir` writes a file to find its folder, which other folders give no reason for.
    return any(p.startswith("facemirror-live-") for p in folder.parts) and folder.is_relative_to(tempfile.gettempdir())


def damaged_files(folder: Path) -> list[Path]:
    """The files of Numba's cache in `folder` that are cut short, changed, or were written without a checksum."""
    return [path for path in _cache_files(folder) if _content(path) is None]


def delete_damaged(folder: Path) -> list[Path]:
    """Delete them. Returns those that were found; what is missing is compiled at its next use.

    Args:
        folder: of the cache.
    """
    found = damaged_files(folder)
    for path in found:
        with contextlib.suppress(OSError):
            path.unlink()
    return found


def sealed(content: bytes) -> bytes:
    """The content of a cache file as it is stored, with its checksum at the end."""
    return content + _MARK + hashlib.sha256(content).digest()


def _cache_files(folder: Path) -> Iterator[Path]:
    for pattern in ("*.nbi", "*.nbc"):
        yield from sorted(folder.glob(pattern))


def _content(path: Path) -> bytes | None:
    """A cache file's content without its checksum; None where the checksum is missing or wrong. Raises FileNotFoundError."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError:
        return None
    content = raw[:-_TAIL]
    return content if raw == sealed(content) else None


class _CheckedFile(IndexDataCacheFile):
    """One function's files in the cache, each with a checksum at its end. A damaged file counts as one that is not there."""

    def load(self, key: Any) -> Any:
        name = self._load_index().get(key)
        return None if name is None else self._read(name)

    def save(self, key: Any, data: Any) -> None:
        with contextlib.suppress(OSError):  # a full disk costs time at the next start, nothing else
            super().save(key, data)

    def _load_index(self) -> dict[Any, str]:
        found = self._read(self._index_name)
        if not isinstance(found, tuple) or found[:2] != (self._version, self._source_stamp):
            return {}
        return dict(found[2])

    def _save_index(self, overloads: dict[Any, str]) -> None:
        self._write(self._index_name, (self._version, self._source_stamp, overloads))

    def _save_data(self, name: str, data: Any) -> None:
        self._write(name, data)

    def _write(self, name: str, data: Any) -> None:
        content = self._dump(data)
        with self._open_for_write(self._data_path(name)) as file:
            file.write(sealed(content))

    def _read(self, name: str) -> Any:
        path = Path(self._data_path(name))
        try:
            content = _content(path)
        except FileNotFoundError:
            return None
        if content is not None:
            return pickle.loads(content)  # noqa: S301  our own file in this user's folder, with the right checksum
        log.info("compiled code in %s is damaged or of another version; compiling it anew", path)
        with contextlib.suppress(OSError):
            path.unlink()
        return None
