"""Taking the server's port, and saying who holds it when it is taken."""

import contextlib
import errno
import ipaddress
import socket
import sys

import psutil

from realtime.errors import DeviceError, UserInputError

_SEND_BUFFER = 128 * 1024


def bind(address: str, port: int) -> socket.socket:
    """A listening socket.

    Args:
        address: of this machine.
        port: 0 takes any free one.

    Raises:
        UserInputError: the address is none of this machine's.
        DeviceError: the port cannot be had.
    """
    try:
        family, _, _, _, where = socket.getaddrinfo(address.strip("[]"), port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise UserInputError(f"--listen {address} is no address of this machine; 127.0.0.1 is the usual one.") from None
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it: without a limit the system would hold megabytes of old pictures for a slow browser.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        taken.bind(where)
        taken.listen(64)
    except OSError as error:
        taken.close()
        raise _refusal(error, address, port) from None
    return taken


def _refusal(error: OSError, address: str, port: int) -> DeviceError | UserInputError:
    if error.errno == errno.EADDRINUSE or getattr(error, "winerror", None) == 10048:
        return DeviceError(
            f"Port {port} is taken{_by_whom(port)}; choose another with --port N, or --port 0 for a free one."
        )
    if error.errno == errno.EADDRNOTAVAIL or getattr(error, "winerror", None) == 10049:
        return UserInputError(f"--listen {address} is no address of this machine; 127.0.0.1 is the usual one.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return DeviceError(
            f"Port {port} may not be used by this program; choose one above 1023, or --port 0 for a free one."
        )
    return DeviceError(
        f"The dashboard cannot listen on {address} port {port} ({error.strerror or error}); try --port 0."
    )


def _by_whom(port: int) -> str:
    """The program that listens there, in words; nothing where the system does not tell."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""


def own_names(address: str) -> set[str]:
    """By which names a browser may call a server that listens on `address`, as they stand in a Host header."""
    bare = address.strip("[]")
    try:
        unspecified = ipaddress.ip_address(bare).is_unspecified
    except ValueError:
        return {bare}
    if not unspecified:
        return {_in_host(bare)}
    addresses = (entry.address.split("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries)
    return {socket.gethostname(), *(_in_host(a) for a in addresses if _is_ip(a))}


def reachable_name(listen: str, address: str) -> str:
    """The name for a link to a server on this machine, as it stands in a URL.

    Args:
        listen: what the user asked for, a name or an address.
        address: the numeric one that was bound.
    """
    bound = ipaddress.ip_address(address.split("%")[0])
    if bound.is_unspecified:
        return "[::1]" if bound.version == 6 else "127.0.0.1"
    if bound.is_loopback:
        return _in_host(address)
    return _in_host(listen.strip("[]"))


def _is_ip(text: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(text)
        return True
    return False


def _in_host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
