"""LabRecorder's place in tests: what real LSL inlets give, written as an XDF 1.0 file (https://github.com/sccn/xdf/wiki)."""

import struct
import time
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape


def _chunk(tag: int, content: bytes) -> bytes:
    return struct.pack("<BIH", 4, len(content) + 2, tag) + content


def header(number: int, xml: str) -> bytes:
    return _chunk(2, struct.pack("<I", number) + xml.encode())


def sample(number: int, stamp: float, values: bytes) -> bytes:
    return _chunk(3, struct.pack("<IBBBd", number, 1, 1, 8, stamp) + values)


def clock_offset(number: int, collected: float, value: float) -> bytes:
    return _chunk(4, struct.pack("<Idd", number, collected, value))


def footer(number: int) -> bytes:
    return _chunk(6, struct.pack("<I", number) + b"<info><sample_count>0</sample_count></info>")


FILE_HEADER = b"XDF:" + _chunk(1, b'<?xml version="1.0"?><info><version>1.0</version></info>')


def write_xdf(path: Path, *chunks: bytes) -> Path:
    path.write_bytes(FILE_HEADER + b"".join(chunks))
    return path


class Recorder:
    """Records float32 and string streams by pylsl inlets.

    Args:
        pylsl: the module.
        source_ids: of the streams.
        ahead: seconds that the recorder's clock is pretended to be ahead of the streams' clock.
        drift: seconds that it gains in each second.
    """

    def __init__(self, pylsl: Any, source_ids: list[str], *, ahead: float = 0.0, drift: float = 0.0) -> None:
        self._pylsl, self._ahead, self._drift = pylsl, ahead, drift
        found = [pylsl.resolve_byprop("source_id", source, timeout=20.0)[0] for source in source_ids]
        self._inlets = [pylsl.StreamInlet(info) for info in found]
        self._chunks: list[bytes] = []
        self._count = len(found)
        for number, inlet in enumerate(self._inlets, 1):
            inlet.open_stream(timeout=20.0)
            self._chunks.append(header(number, inlet.info().as_xml()))
            self.measure_clock(number)

    def measure_clock(self, number: int) -> None:
        correction = self._inlets[number - 1].time_correction(timeout=20.0)
        now = self._pylsl.local_clock() - correction
        self._chunks.append(clock_offset(number, now, correction + self._ahead + self._drift * now))

    def pull(self, counts: list[int], within: float = 20.0) -> None:
        """Take so many samples of each stream."""
        deadline = time.monotonic() + within
        for number, (inlet, count) in enumerate(zip(self._inlets, counts, strict=True), 1):
            while count and time.monotonic() < deadline:
                values, stamp = inlet.pull_sample(timeout=1.0)
                if stamp is not None:
                    self._chunks.append(sample(number, stamp, _packed(values)))
                    count -= 1
            assert not count, "the stream gave too few samples"
            self.measure_clock(number)

    def close(self) -> None:
        for inlet in self._inlets:
            inlet.close_stream()
        self._inlets.clear()

    def save(self, path: Path) -> Path:
        return write_xdf(path, *self._chunks, *(footer(number) for number in range(1, self._count + 1)))


def _packed(values: list[Any]) -> bytes:
    if isinstance(values[0], str):
        text = values[0].encode()
        return struct.pack("<BB", 1, len(text)) + text
    return struct.pack(f"<{len(values)}f", *values)


def described(name: str, source: str, labels: list[str]) -> str:
    """A stream header as LSL writes it."""
    channels = "".join(f"<channel><label>{escape(label)}</label></channel>" for label in labels)
    return (
        f"<info><name>{escape(name)}</name><type>AU</type><channel_count>{len(labels)}</channel_count>"
        f"<nominal_srate>0</nominal_srate><channel_format>float32</channel_format><source_id>{escape(source)}</source_id>"
        f"<desc><channels>{channels}</channels></desc></info>"
    )
