"""Which video encoder this machine's libav offers for recording, and with which options it is cheap."""

from dataclasses import dataclass

from av.codec import Codec
from av.codec.codec import UnknownCodecError


@dataclass(frozen=True, slots=True)
class Encoder:
    """A codec for live recording.

    Attributes:
        name: libav's.
        options: of the codec.
        ticks: the finest clock it can stamp pictures with, per second.
    """

    name: str
    options: dict[str, str]
    ticks: int = 90_000


# Measured per 1280x720 frame of a talking face, one thread, without the conversion to I420: x264 ultrafast 2.7 ms,
# superfast 4.9, veryfast 7.8; MPEG-4 Part 2 1.8 ms. MPEG-4's time base is 16 bit.
ENCODERS = (
    Encoder("libx264", {"preset": "ultrafast", "tune": "zerolatency", "crf": "23"}),
    Encoder("libopenh264", {"rc_mode": "quality", "qmax": "30"}),
    Encoder("h264_videotoolbox", {"realtime": "1", "allow_sw": "1", "b": "6000000"}),
    Encoder("h264_mf", {"rate_control": "quality", "quality": "70"}),
    Encoder("mpeg4", {"b": "8000000"}, ticks=30_000),
)


def available_encoders() -> list[Encoder]:
    """The encoders of ENCODERS that this libav was built with, best first."""
    found = []
    for encoder in ENCODERS:
        try:
            Codec(encoder.name, "w")
        except (UnknownCodecError, ValueError):
            continue
        found.append(encoder)
    return found
