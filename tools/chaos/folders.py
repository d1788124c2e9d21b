"""Short recordings for a batch, and what differs between two of its results."""

from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import VideoFrame

from realtime.media.demux_options import demo_clip

OUT = "results"
"""The name of every --out that is compared."""
TABLES = ("recordings.csv", "combined.csv", "report.html")


def make_clips(folder: Path, count: int, frames: int = 8, size: tuple[int, int] = (320, 180)) -> Path:
    """`count` recordings, no two of which are alike: stretches of the embedded clip."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures: list[VideoFrame] = []
    with av.open(str(demo_clip())) as container:
        pictures += [frame.reformat(*size, format="yuv420p") for frame in container.decode(video=0)]
    for number in range(count):
        start = number * (len(pictures) - frames) // max(count, 1)
        with av.open(str(folder / f"clip{number:04d}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            stream.codec_context.thread_count = 1
            for index, picture in enumerate(pictures[start : start + frames + number % 3]):
                picture.pts, picture.time_base = index, Fraction(1, 30)
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
    return folder


def differences(wanted: Path, found: Path) -> list[str]:
    """What is missing, extra or other in a batch's results; the ledger's own files are not compared, but must be at rest.

    Args:
        wanted: the folder given with --out.
        found: another one of the same name, since the report is called by it.
    """
    there, here = (_files(folder) for folder in (wanted, found))
    words = [f"missing: {name}" for name in sorted(there.keys() - here.keys())]
    words += [f"extra: {name}" for name in sorted(here.keys() - there.keys())]
    words += [f"other: {name}" for name in sorted(there.keys() & here.keys()) if there[name] != here[name]]
    left = [path for kind in ("claims", "parts") for path in (found / "ledger" / kind).iterdir()]
    return words + [f"left behind: {path.relative_to(found)}" for path in left]


def _files(folder: Path) -> dict[str, bytes]:
    kept = [path for path in (folder / "recordings").rglob("*") if path.is_file()]
    kept += [folder / name for name in TABLES if (folder / name).is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in kept}
