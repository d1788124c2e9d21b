"""Limits of the system that would end the program inside a library, where nothing can be said any more."""

import importlib.util

from realtime.errors import DeviceError

_NEEDED_MB = 2048
"""Measured: a run has mapped 1,960 MB of address space, most of it never touched; it uses some 250 MB of memory."""


def check_memory_limit() -> None:
    """Refuse a limit of the address space under which the libraries crash while they are loaded.

    Raises:
        DeviceError: the limit is too small.
    """
    if importlib.util.find_spec("resource") is None:  # Windows has no such limit
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < _NEEDED_MB << 20:
        raise DeviceError(
            f"This process may have {limit >> 20:,} MB of address space (ulimit -v), and the program needs {_NEEDED_MB:,} MB: "
            f"raise the limit."
        )
