"""PortAudio, loaded when sound is first wanted, and words for what it does not find."""

import contextlib
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from realtime.errors import DeviceError, UserInputError

BLOCK = 480
"""Samples per callback: 10 ms at 48 kHz."""
LATENCY = 0.02
"""Seconds asked of PortAudio. 'low' loses most of the sound behind PulseAudio."""
RATE = 48_000


def portaudio() -> ModuleType:
    """The module sounddevice.

    Raises:
        DeviceError: it or PortAudio's library is missing.
    """
    try:
        return importlib.import_module("sounddevice")
    except ImportError:
        raise DeviceError("The package sounddevice is not installed, so there is no sound.") from None
    except OSError:
        how = " (sudo apt install libportaudio2)" if sys.platform == "linux" else ""
        raise DeviceError(f"The PortAudio library is missing, so there is no sound{how}.") from None


def choose(module: ModuleType, device: str, kind: str) -> tuple[int, int]:
    """Find a device.

    Args:
        module: sounddevice.
        device: '' for the default, a number, or part of a name.
        kind: "input" or "output".

    Returns:
        Its number and rate in samples per second.

    Raises:
        DeviceError: there is none at all.
        UserInputError: there are some, but not this one.
    """
    what = "microphone" if kind == "input" else "sound output"
    try:
        listed = list(module.query_devices())
    except module.PortAudioError as error:
        raise DeviceError(f"PortAudio cannot list the sound devices ({error}).") from None
    able = [n for n, found in enumerate(listed) if found[f"max_{kind}_channels"] > 0]
    if not able:
        raise DeviceError(f"No {what} was found.")
    if device:
        able = [n for n in able if str(n) == device or device.casefold() in str(listed[n]["name"]).casefold()]
        if not able:
            known = "; ".join(str(d["name"]) for d in listed if d[f"max_{kind}_channels"] > 0)
            raise UserInputError(f"There is no {what} '{device}'; there are: {known}.")
    preferred = int(module.default.device[0 if kind == "input" else 1])
    number = preferred if not device and preferred in able else able[0]
    check = module.check_input_settings if kind == "input" else module.check_output_settings
    try:
        check(device=number, channels=1, samplerate=RATE)
    except (module.PortAudioError, ValueError):
        return number, int(listed[number]["default_samplerate"])
    return number, RATE


def open_stream(kind: Callable[..., Any], device: int, rate: int, callback: Callable[..., None]) -> Any:
    """A stream of one channel, not started.

    Args:
        kind: sounddevice's InputStream or OutputStream.
        device: its number.
        rate: samples per second.
        callback: called on PortAudio's thread.

    Raises:
        Exception: what PortAudio raises.
    """
    return kind(
        device=device,
        channels=1,
        samplerate=rate,
        dtype="float32",
        blocksize=BLOCK,
        latency=LATENCY,
        callback=callback,
    )


def close_stream(stream: Any) -> None:
    """Let go of the device at once, whatever state it is in.

    Args:
        stream: of sounddevice.
    """
    with contextlib.suppress(Exception):
        stream.abort(ignore_errors=True)
        stream.close(ignore_errors=True)
