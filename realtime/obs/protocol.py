"""One connection to obs-websocket 5: greeting, password, requests and their answers.

Source: obs-websocket's protocol description, version 5 (JSON encoding, RPC version 1). No events are subscribed to.
"""

import asyncio
import base64
import contextlib
import hashlib
import itertools
import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from realtime.errors import DeviceError
from realtime.files import one_line

_RPC_VERSION = 1
_ANSWER_SECONDS = 3.0
_GREETING_SECONDS = 3.0
_FAREWELL_SECONDS = 1.0
_LARGEST = 4 << 20
_LARGEST_NUMBER = 10**9
_HELLO, _IDENTIFY, _IDENTIFIED, _REQUEST, _RESPONSE = 0, 1, 2, 6, 7
_WRONG_PASSWORD = 4009


class ObsAbsentError(DeviceError):
    """Nobody answers at this address, or not in time. It may come later."""


class ObsRefusalError(DeviceError):
    """OBS does not let us in: wrong password, another protocol. Trying again changes nothing until somebody acts."""


class ObsPasswordError(ObsRefusalError):
    """The password is missing or wrong."""


class ObsAnswerError(DeviceError):
    """OBS answered a request with an error.

    Args:
        sentence: for the user.
        code: obs-websocket's status.
    """

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


def text_in(answer: Mapping[str, Any], name: str) -> str:
    """A text of an answer.

    Args:
        answer: of `ObsConnection.request`.
        name: of the field.

    Raises:
        ObsAnswerError: there is none.
    """
    found = answer.get(name)
    if not isinstance(found, str):
        raise ObsAnswerError(f"OBS's answer has no text {name}.", 0)
    return found


def number_in(answer: Mapping[str, Any], name: str) -> int:
    """A whole number of an answer, from 0 to a billion.

    Args:
        answer: of `ObsConnection.request`.
        name: of the field.

    Raises:
        ObsAnswerError: there is none.
    """
    found = answer.get(name)
    if not isinstance(found, int | float) or isinstance(found, bool) or not 0 <= found <= _LARGEST_NUMBER:
        raise ObsAnswerError(f"OBS's answer has no number {name}.", 0)
    return int(found)


def authentication(password: str, salt: str, challenge: str) -> str:
    """Answer a challenge: base64(sha256(base64(sha256(password + salt)) + challenge)).

    Args:
        password: the user's.
        salt: of the greeting.
        challenge: likewise.
    """
    secret = base64.b64encode(hashlib.sha256((password + salt).encode()).digest())
    return base64.b64encode(hashlib.sha256(secret + challenge.encode()).digest()).decode()


class ObsConnection:
    """An identified connection. Made by `connect`.

    Args:
        session: of the client.
        socket: open.
        version: of obs-websocket.
        answer_seconds: the longest wait for an answer.

    Attributes:
        version: of obs-websocket, as its greeting says.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        socket: aiohttp.ClientWebSocketResponse,
        version: str,
        answer_seconds: float,
    ) -> None:
        self.version = version
        self._answer_seconds = answer_seconds
        self._session = session
        self._socket = socket
        self._waiting: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._reader = asyncio.create_task(self._read())

    async def request(self, kind: str, data: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Ask for something and wait for the answer.

        Args:
            kind: the request's name.
            data: its fields.

        Returns:
            The answer's fields.

        Raises:
            ObsAnswerError: OBS does not do it.
            ObsAbsentError: the connection is gone, or no answer comes.
        """
        number = str(next(self._numbers))
        answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            if self._reader.done():
                raise ObsAbsentError("The connection to OBS is gone.")
            body = {"requestType": kind, "requestId": number, "requestData": dict(data or {})}
            await self._socket.send_str(json.dumps({"op": _REQUEST, "d": body}))
            async with asyncio.timeout(self._answer_seconds):
                found = await answer
        except TimeoutError:
            raise ObsAbsentError(f"OBS did not answer {kind} within {self._answer_seconds:.0f} s.") from None
        except (ConnectionError, aiohttp.ClientError) as error:
            raise ObsAbsentError(f"The connection to OBS is gone ({type(error).__name__}).") from None
        finally:
            self._waiting.pop(number, None)
        status = found.get("requestStatus")
        status = status if isinstance(status, Mapping) else {}
        if status.get("result") is not True:
            said = one_line(status.get("comment") or f"status {status.get('code')}")
            code = status.get("code")
            raise ObsAnswerError(f"OBS refuses {kind}: {said}.", code if isinstance(code, int) else 0)
        answered = found.get("responseData")
        return answered if isinstance(answered, Mapping) else {}

    async def closed(self) -> None:
        """Wait until the connection is gone."""
        await asyncio.wait([self._reader])

    async def close(self) -> None:
        """Close the connection. Safe to call twice."""
        self._reader.cancel()
        await _hang_up(self._socket)
        await self._session.close()

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                body = _decoded(message)
                if body is None or body.get("op") != _RESPONSE or not isinstance(body.get("d"), Mapping):
                    continue
                answer = self._waiting.get(str(body["d"].get("requestId")))
                if answer is not None and not answer.done():
                    answer.set_result(body["d"])
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(ObsAbsentError("The connection to OBS is gone."))


async def connect(url: str, password: str | None, answer_seconds: float = _ANSWER_SECONDS) -> ObsConnection:
    """Open a connection and identify.

    Args:
        url: ws://HOST:PORT.
        password: None: there is none.
        answer_seconds: how long to wait for each answer.

    Raises:
        ObsAbsentError: nobody answers there, or not in time.
        ObsPasswordError: OBS wants a password and there is none, or it is wrong.
        ObsRefusalError: what answers is no obs-websocket 5.
    """
    async with contextlib.AsyncExitStack() as stack:
        session = aiohttp.ClientSession(trust_env=False)
        stack.push_async_callback(session.close)
        socket = await _open(session, url)
        stack.push_async_callback(_hang_up, socket)
        try:
            async with asyncio.timeout(_GREETING_SECONDS):
                version = await _identify(socket, password)
        except TimeoutError:
            # obs-websocket 4 waits to be asked.
            raise ObsAbsentError(f"What answers at {url} does not greet, as OBS 28 and later do.") from None
        except (OSError, aiohttp.ClientError):
            raise ObsAbsentError(f"The OBS at {url} went away while it greeted.") from None
        stack.pop_all()
        return ObsConnection(session, socket, version, answer_seconds)


async def _open(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    try:
        async with asyncio.timeout(_GREETING_SECONDS):
            return await session.ws_connect(url, protocols=("obswebsocket.json",), max_msg_size=_LARGEST)
    except aiohttp.WSServerHandshakeError as error:
        raise ObsRefusalError(f"What answers at {url} is no OBS: HTTP status {error.status}.") from None
    except aiohttp.ClientSSLError:
        raise ObsRefusalError(
            f"No trusted TLS connection with {url} is possible; OBS itself speaks no TLS and is at ws://."
        ) from None
    except (TimeoutError, OSError):
        raise ObsAbsentError(
            f"No OBS answers at {url}; in OBS, Tools > WebSocket Server Settings turns its server on."
        ) from None
    except aiohttp.ClientError:
        raise ObsAbsentError(f"What answers at {url} is no OBS; a server with TLS is at wss://.") from None


async def _hang_up(socket: aiohttp.ClientWebSocketResponse) -> None:
    with contextlib.suppress(aiohttp.ClientError, ConnectionError, TimeoutError):
        async with asyncio.timeout(_FAREWELL_SECONDS):
            await socket.close()


async def _identify(socket: aiohttp.ClientWebSocketResponse, password: str | None) -> str:
    hello = await _expect(socket, _HELLO)
    if hello.get("rpcVersion") != _RPC_VERSION:
        raise ObsRefusalError(
            f"This OBS speaks RPC version {one_line(hello.get('rpcVersion'))}; 1 is needed (OBS 28 or later)."
        )
    identify: dict[str, Any] = {"rpcVersion": _RPC_VERSION, "eventSubscriptions": 0}
    challenge = hello.get("authentication")
    if isinstance(challenge, Mapping):
        if password is None:
            raise ObsPasswordError("OBS wants a password; set FACEMIRROR_OBS_PASSWORD to the one in its settings.")
        identify["authentication"] = authentication(
            password, str(challenge.get("salt")), str(challenge.get("challenge"))
        )
    await socket.send_str(json.dumps({"op": _IDENTIFY, "d": identify}))
    await _expect(socket, _IDENTIFIED)
    return one_line(hello.get("obsWebSocketVersion", ""))


async def _expect(socket: aiohttp.ClientWebSocketResponse, operation: int) -> Mapping[str, Any]:
    message = await socket.receive()
    if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED):
        if socket.close_code == _WRONG_PASSWORD:
            raise ObsPasswordError("OBS refuses the password; set FACEMIRROR_OBS_PASSWORD to the one in its settings.")
        raise ObsRefusalError(f"OBS closed the connection while it was greeted (code {socket.close_code}).")
    body = _decoded(message)
    if body is None or body.get("op") != operation or not isinstance(body.get("d"), Mapping):
        raise ObsRefusalError("What answers there does not speak obs-websocket 5 (OBS 28 or later).")
    found: Mapping[str, Any] = body["d"]
    return found


def _decoded(message: aiohttp.WSMessage) -> dict[str, Any] | None:
    if message.type is not aiohttp.WSMsgType.TEXT:
        return None
    try:
        body = json.loads(message.data)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None
