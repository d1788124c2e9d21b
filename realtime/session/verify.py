"""What is in a session folder, and whether it is what the session left there."""

import csv
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import av
from av.audio.frame import AudioFrame
from av.error import FFmpegError

from realtime.errors import UserInputError
from realtime.files import file_sha256
from realtime.media import lossless
from realtime.session import decision_log, markers
from realtime.session.manifest import Listed, files_of, read_manifest, session_of

Fault = Literal["changed", "missing", "truncated", "extra", "damaged"]
VIDEOS = ("video.mp4", lossless.NAME)


class Problem(NamedTuple):
    """file: its path below the folder. sentence: what is wrong with it."""

    file: str
    fault: Fault
    sentence: str


@dataclass(slots=True)
class Verdict:
    """finished: the session ended in order (there is a manifest). contents: what each file holds, as a sentence."""

    finished: bool
    problems: list[Problem] = field(default_factory=list)
    contents: dict[str, str] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        """Nothing is wrong, nothing is missing."""
        return self.finished and not self.problems


def verify(folder: Path) -> Verdict:
    """Compare every file with the manifest; without one, check what can be checked, and say how far it goes.

    Raises UserInputError when the folder holds no session of this format.
    """
    manifest = read_manifest(folder) if folder.is_dir() else None
    if manifest is None or "session.json" not in manifest:
        session_of(folder)
    verdict = Verdict(finished=manifest is not None)
    present = {path.relative_to(folder).as_posix(): path for path in files_of(folder)}
    if manifest is not None:
        verdict.problems += _compare(manifest, present)
        if not verdict.problems:
            session_of(folder)
    for name, path in present.items():
        _look_into(name, path, verdict)
    return verdict


def _compare(manifest: dict[str, Listed], present: dict[str, Path]) -> list[Problem]:
    problems = []
    for name, listed in manifest.items():
        path = present.get(name)
        if path is None:
            problems.append(Problem(name, "missing", f"is missing ({listed.size:,} bytes)"))
            continue
        size = path.stat().st_size
        if size < listed.size:
            problems.append(Problem(name, "truncated", f"is cut short: {size:,} of {listed.size:,} bytes"))
        elif size > listed.size:
            problems.append(Problem(name, "changed", f"has grown: {size:,} bytes instead of {listed.size:,}"))
        elif file_sha256(path) != listed.sha256:
            problems.append(Problem(name, "changed", "has other content than when the session ended"))
    extra = sorted(present.keys() - manifest.keys())
    return problems + [Problem(name, "extra", "was not there when the session ended") for name in extra]


def _look_into(name: str, path: Path, verdict: Verdict) -> None:
    """Say what a file holds, and where it breaks off."""
    try:
        if name in VIDEOS and path.stat().st_size == 0:
            verdict.contents[name] = "no picture"
        elif name in VIDEOS:
            verdict.contents[name] = _video(path)
        elif name in ("frames.csv", "openface3.csv", markers.NAME):
            sentence, whole = _rows(path)
            verdict.contents[name] = sentence
            if not whole and not verdict.finished:
                verdict.problems.append(Problem(name, "truncated", "its last row is cut short"))
        elif name == decision_log.NAME:
            verdict.contents[name] = f"{sum(1 for _ in decision_log.read_journal(path)):,} decisions"
        else:
            verdict.contents[name] = f"{path.stat().st_size:,} bytes"
    except (UserInputError, OSError, ValueError, IndexError, FFmpegError) as error:
        verdict.contents[name] = "cannot be read"
        if not any(problem.file == name for problem in verdict.problems):
            verdict.problems.append(Problem(name, "damaged", f"cannot be read ({error})"))


def _video(path: Path) -> str:
    """How many pictures can be decoded, how long they last, and where the sound ends."""
    frames, last, sound = 0, 0.0, 0.0
    with av.open(str(path)) as container:
        streams = [container.streams.video[0], *container.streams.audio[:1]]
        try:
            for decoded in container.decode(*streams):
                if isinstance(decoded, AudioFrame):
                    sound = max(sound, float(decoded.time or 0.0) + decoded.samples / decoded.sample_rate)
                else:
                    frames += 1
                    last = float(decoded.time or 0.0)
        except FFmpegError:
            if not frames:
                raise
    heard = f"; sound to {sound:.2f} s" if sound else "; a sound track without sound" if len(streams) > 1 else ""
    return f"{frames:,} frames, the last at {last:.2f} s{heard}"


def _rows(path: Path) -> tuple[str, bool]:
    """(what the rows are, whether the last one is whole)."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        count, tail = 0, deque[list[str]](maxlen=2)
        first = ""
        for row in rows:
            tail.append(row)
            count += 1
            first = first or (row[1] if len(row) > 1 else "")
    with path.open("rb") as raw_bytes:
        raw_bytes.seek(0, 2)
        raw_bytes.seek(max(0, raw_bytes.tell() - 1))
        ended = raw_bytes.read(1) == b"\n"
    whole = ended and (not tail or len(tail[-1]) == len(header))
    if not whole and tail:
        tail.pop()
        count -= 1
    if not tail:
        return f"{count:,} rows", whole
    return f"{count:,} rows, capture times {float(first):.2f} to {float(tail[-1][1]):.2f} s", whole
