"""What is in a session folder, and whether it is what the session left there."""

import csv
import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import av
from av.audio.frame import AudioFrame
from av.error import FFmpegError

from realtime.errors import UserInputError
from realtime.files import counted, file_sha256, reason
from realtime.media import lossless
from realtime.session import decision_log, markers
from realtime.session.folder import FRAMES, SESSION, VIDEO
from realtime.session.manifest import Entry, Listed, Manifest, entries_of, read_manifest, session_of

Fault = Literal["changed", "missing", "truncated", "extra", "damaged", "incomplete"]
VIDEOS = (VIDEO, lossless.NAME)


class Problem(NamedTuple):
    """What is wrong with a file.

    Attributes:
        file: its path below the folder.
        fault: what kind of fault it is.
        sentence: the same in words, to be read after the file's name.
    """

    file: str
    fault: Fault
    sentence: str


@dataclass(slots=True)
class Verdict:
    """What `verify` found.

    Attributes:
        finished: the session ended in order: there is a manifest.
        problems: what is wrong.
        contents: what each file holds, as a sentence.
    """

    finished: bool
    problems: list[Problem] = field(default_factory=list)
    contents: dict[str, str] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        """Whether the session ended in order and nothing is wrong with it."""
        return self.finished and not self.problems


def verify(folder: Path) -> Verdict:
    """Compare every file with the manifest; without one, check what can be checked, and say how far it goes.

    Args:
        folder: a session's folder.

    Raises:
        UserInputError: the folder holds no session of this format.
    """
    verdict = compare(folder)
    for entry in entries_of(folder):
        if entry.kind is None:
            _inspect(entry.name, entry.path, verdict)
    return verdict


def compare(folder: Path, *, checksums: bool = True) -> Verdict:
    """Compare every file with the manifest, without looking at what it holds; `contents` stays empty.

    Args:
        folder: a session's folder.
        checksums: read every file through; otherwise sizes are compared only, which takes no time.

    Raises:
        UserInputError: the folder holds no session of this format.
    """
    manifest = read_manifest(folder) if folder.is_dir() else None
    if manifest is None or SESSION not in manifest.files:
        session_of(folder)
    verdict = Verdict(finished=manifest is not None)
    present = {entry.name: entry for entry in entries_of(folder)}
    if manifest is not None:
        verdict.problems += _compare(manifest, present, checksums=checksums)
        if not verdict.problems:
            session_of(folder)
        verdict.problems += [Problem(name, "incomplete", sentence) for name, sentence in manifest.incomplete.items()]
    else:
        verdict.problems += [Problem(e.name, "damaged", f"is {e.kind}") for e in present.values() if e.kind is not None]
    return verdict


def _compare(manifest: Manifest, present: dict[str, Entry], *, checksums: bool) -> list[Problem]:
    problems = []
    known = {**manifest.added, **manifest.files}
    for name, listed in known.items():
        entry = present.get(name)
        if entry is None:
            problems.append(Problem(name, "missing", f"is missing ({listed.size:,} bytes)"))
        elif entry.kind is not None:
            problems.append(Problem(name, "changed", f"is {entry.kind} instead of a file of {listed.size:,} bytes"))
        else:
            problems += _compare_file(name, listed, entry.path, checksums=checksums)
    for name in sorted(present.keys() - known.keys()):
        kind = present[name].kind
        problems.append(
            Problem(name, "extra", f"{f'is {kind}, and ' if kind else ''}was not there when the session ended")
        )
    return problems


def _compare_file(name: str, listed: Listed, path: Path, *, checksums: bool) -> list[Problem]:
    try:
        size = path.stat().st_size
        if size < listed.size:
            return [Problem(name, "truncated", f"is cut short: {size:,} of {listed.size:,} bytes")]
        if size > listed.size:
            return [Problem(name, "changed", f"has grown: {size:,} bytes instead of {listed.size:,}")]
        if checksums and file_sha256(path) != listed.sha256:
            return [Problem(name, "changed", "has other content than when the session ended")]
    except OSError as error:
        return [Problem(name, "damaged", f"cannot be read ({reason(error)})")]
    return []


def _inspect(name: str, path: Path, verdict: Verdict) -> None:
    """Add what a file holds, and where it breaks off, to the verdict."""
    try:
        if name in VIDEOS and path.stat().st_size == 0:
            verdict.contents[name] = "no picture"
        elif name in VIDEOS:
            verdict.contents[name] = _video(path)
        elif name in (FRAMES, "openface3.csv", markers.NAME):
            sentence, complete = _rows(path)
            verdict.contents[name] = sentence
            if not complete and not verdict.finished:
                verdict.problems.append(Problem(name, "truncated", "its last row is cut short"))
        elif name == decision_log.NAME:
            verdict.contents[name] = counted(sum(1 for _ in decision_log.read_decisions(path)), "decision")
        else:
            verdict.contents[name] = f"{path.stat().st_size:,} bytes"
    except (UserInputError, OSError, ValueError, ArithmeticError, LookupError, FFmpegError, csv.Error) as error:
        verdict.contents[name] = "cannot be read"
        if not any(problem.file == name for problem in verdict.problems):
            verdict.problems.append(Problem(name, "damaged", f"cannot be read ({error})"))


def _video(path: Path) -> str:
    """How many pictures can be decoded, how long they last, and where the sound ends."""
    frames, last, sound = 0, 0.0, 0.0
    with av.open(str(path), metadata_errors="replace") as container:
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
    return f"{counted(frames, 'frame')}, the last at {last:.2f} s{heard}"


def _rows(path: Path) -> tuple[str, bool]:
    """(what the rows are, whether the last one is complete)."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        count, tail = 0, deque[list[str]](maxlen=2)
        first = ""
        for row in rows:
            tail.append(row)
            count += 1
            first = first or (row[1] if len(row) > 1 else "")
    complete = _ends_with_a_line(path) and (not tail or len(tail[-1]) == len(header))
    if not complete and tail:
        tail.pop()
        count -= 1
    if not tail:
        return counted(count, "row"), complete
    return f"{counted(count, 'row')}, capture times {float(first):.2f} to {float(tail[-1][1]):.2f} s", complete


def _ends_with_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 1))
        return file.read(1) == b"\n"
