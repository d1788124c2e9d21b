"""What of the outside world works on this machine, for `doctor`: each probe answers in words and never raises."""

import importlib
import sys
from typing import NamedTuple

from realtime.errors import FacemirrorError
from realtime.media.cameras import list_cameras
from realtime.media.encoders import available_encoders
from realtime.media.virtual_camera import INSTALL_PACKAGE, how_to_get, open_pyvirtualcam
from realtime.media.window import no_window_reason


class Probe(NamedTuple):
    """Whether a device or library is there.

    Attributes:
        ok: usable as it is.
        sentence: what was found.
        how: how to get it, empty when ok.
    """

    ok: bool
    sentence: str
    how: str = ""


def display() -> Probe:
    """Can a preview window be shown?"""
    reason = no_window_reason()
    if reason is None:
        return Probe(True, "A preview window can be shown.")
    return Probe(False, reason, "Run on a desktop, or with --headless and the dashboard.")


def cameras() -> Probe:
    """Which cameras are there? (None is opened.)"""
    known = list_cameras()
    if known:
        return Probe(True, f"Cameras: {'; '.join(camera.label for camera in known)}.")
    how = {
        "darwin": "Plug one in, and allow it under System Settings > Privacy & Security > Camera.",
        "win32": "Plug one in, and allow desktop apps under Settings > Privacy & security > Camera.",
    }.get(sys.platform, "Plug one in; in a virtual machine or container, pass /dev/video0 through.")
    return Probe(False, "No camera was found.", how)


def virtual_camera() -> Probe:
    """Can a virtual camera be opened? It is opened for a moment, with 640x480 pixels."""
    try:
        importlib.import_module("pyvirtualcam")
    except ImportError:
        return Probe(False, "The package pyvirtualcam is not installed.", f"{INSTALL_PACKAGE}. {how_to_get()}")
    try:
        backend = open_pyvirtualcam(640, 480, 30.0, None)
    except FacemirrorError as error:
        return Probe(False, str(error).removesuffix(how_to_get()).strip(), how_to_get())
    device = backend.device
    backend.close()
    return Probe(True, f"Virtual camera: {device}.")


def audio() -> Probe:
    """Is there PortAudio, and a microphone?"""
    try:
        sounddevice = importlib.import_module("sounddevice")
    except ImportError:
        return Probe(False, "The package sounddevice is not installed.", "pip install sounddevice")
    except OSError:
        how = (
            "sudo apt install libportaudio2 (Debian, Ubuntu)" if sys.platform == "linux" else "pip install sounddevice"
        )
        return Probe(False, "The PortAudio library is missing, so there is no sound.", how)
    try:
        devices = list(sounddevice.query_devices())
    except sounddevice.PortAudioError as error:
        return Probe(False, f"PortAudio cannot list devices ({error}).", "Start the sound server, then try again.")
    microphones = [str(device["name"]) for device in devices if device["max_input_channels"] > 0]
    if not microphones:
        return Probe(
            False, "No microphone was found.", "Plug one in, or start the sound server (PulseAudio, PipeWire)."
        )
    return Probe(True, f"Microphones: {'; '.join(microphones)}.")


def encoders() -> Probe:
    """Which video encoder will recordings use?"""
    names = [encoder.name for encoder in available_encoders()]
    if not names:
        return Probe(False, "No video encoder is available, so nothing can be recorded.", "Install PyAV from PyPI.")
    return Probe(True, f"Recordings use {names[0]}.")


def all_probes() -> dict[str, Probe]:
    """Every probe by name, in the order a report shows them."""
    probes = (display, cameras, virtual_camera, audio, encoders)
    return {probe.__name__: probe() for probe in probes}
