"""Who may talk to the server, as pure checks.

A page of another site must not reach it: a browser names the page's site in `Origin` (cross-site requests and WebSockets)
and the name it resolved in `Host` (DNS rebinding), and both have to be ours. Programs send no Origin; they show the token itself.
"""

import hmac
import ipaddress
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from realtime.errors import UserInputError

TOKEN_VARIABLE = "FACEMIRROR_TOKEN"  # noqa: S105  a name, not a token
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,128}")


def make_token(given: str | None) -> str:
    """The user's own token (so that a link stays good after a restart), or a new one of 256 random bits.

    Args:
        given: the user's, or None.

    Raises:
        UserInputError: the given one could be guessed or does not fit into a link.
    """
    if given is None:
        return secrets.token_urlsafe(32)
    if not _TOKEN.fullmatch(given):
        raise UserInputError(
            f"{TOKEN_VARIABLE} must be 22 to 128 letters, digits, - or _; leave it out to get a good one."
        )
    return given


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address == "localhost"


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides who may talk to the server.

    Attributes:
        token: of this run.
        port: of the server.
        hosts: names by which the server may be called, lower case, IPv6 in brackets, without the port.
    """

    token: str
    port: int
    hosts: frozenset[str]

    @classmethod
    def make(cls, token: str, port: int, more_hosts: Iterable[str] = ()) -> "Guard":
        """A guard for loopback names, and those the user asked to listen on.

        Args:
            token: of this run.
            port: of the server.
            more_hosts: further names or addresses.
        """
        return cls(token, port, frozenset([*LOOPBACK_NAMES, *(host.lower() for host in more_hosts)]))

    def right_token(self, shown: str | None) -> bool:
        """Whether this is the run's token; compared in constant time.

        Args:
            shown: by the request, or None.
        """
        return shown is not None and hmac.compare_digest(shown.encode(errors="surrogateescape"), self.token.encode())

    def right_host(self, header: str | None) -> bool:
        """Whether the server is called by one of its names.

        Args:
            header: the request's Host.
        """
        name, port = _split(header or "")
        return name in self.hosts and port == str(self.port)

    def right_origin(self, origin: str | None, host: str | None, *, token_shown: bool) -> bool:
        """Whether a page of this server asks, or a program.

        Args:
            origin: the page that asks. None comes from programs, which must have shown the token and not only a cookie.
            host: the request's Host.
            token_shown: the request carries the token, not only a cookie.
        """
        if origin is None:
            return token_shown
        return self.right_host(host) and origin.lower() == f"http://{(host or '').lower()}"

    @property
    def cookie(self) -> str:
        """Cookies do not know ports; the name keeps two servers on one machine apart."""
        return f"facemirror_{self.port}"


def security_headers(host: str) -> dict[str, str]:
    """For every response.

    Args:
        host: the Host that was checked; WebSockets are named for browsers whose 'self' leaves them out.
    """
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; font-src 'self'; "
        f"connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


class Bucket:
    """Allows `rate` events a second on the long run and `burst` at once.

    Args:
        rate: events a second on the long run.
        burst: events at once.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._left = burst
        self._at: float | None = None

    def allow(self, now: float) -> bool:
        """Whether an event at `now` (seconds) is still within the limit."""
        if self._at is not None:
            self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _split(host: str) -> tuple[str, str]:
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::(\d+))?", host)
    return (match[1].lower(), match[2] or "80") if match else ("", "")
