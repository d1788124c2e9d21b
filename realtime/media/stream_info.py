"""What a source really gives, as opposed to what was asked for."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What the source delivers.

    Attributes:
        source: how messages call it.
        input_format: libav's name of the container or device.
        codec: libav's name.
        pixel_format: libav's name, before the conversion to BGR.
        width: pixels of the delivered picture, after turning and scaling.
        height: likewise.
        fps: nominal frames per second, None if unknown.
        rotation: degrees counter-clockwise by which the picture was turned to stand upright.
        live: frames come when they come; otherwise they are taken from a recording or a generator.
        duration: seconds, None if unknown or endless.
        mirrored: the file has its picture mirrored: left and right are exchanged in what is shown and measured.
        pixel_aspect: width to height of a stored pixel, 1 where they are square.
    """

    source: str
    input_format: str
    codec: str
    pixel_format: str
    width: int
    height: int
    fps: float | None
    rotation: int
    live: bool
    duration: float | None
    mirrored: bool = False
    pixel_aspect: float = 1.0

    def as_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        rate = f" at {self.fps:.4g} fps" if self.fps else ""
        turned = f", turned by {self.rotation} degrees" if self.rotation else ""
        mirrored = ", mirrored by the file" if self.mirrored else ""
        return f"{self.width}x{self.height}{rate}, {self.codec} {self.pixel_format} through {self.input_format}{turned}{mirrored}"
