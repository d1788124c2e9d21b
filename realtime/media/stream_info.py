"""What a source really gives, as opposed to what was asked for."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """width, height: pixels of the delivered, upright picture. fps: nominal frames per second, None if unknown.

    rotation: degrees counter-clockwise by which the picture was turned to stand upright. live: frames come when they
    come; otherwise they are taken from a recording or a generator. duration: seconds, None if unknown or endless.
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

    def as_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        rate = f" at {self.fps:.4g} fps" if self.fps else ""
        turned = f", turned by {self.rotation} degrees" if self.rotation else ""
        return f"{self.width}x{self.height}{rate}, {self.codec} {self.pixel_format} through {self.input_format}{turned}"
