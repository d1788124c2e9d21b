"""What the documentation shows is run: Python blocks as they stand, command lines through the program's own parser."""

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from realtime.cli.parser import build_parser
from realtime.media.demux_options import demo_clip
from tests.conftest import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs" / "pages").rglob("*.md")),
    *sorted((ROOT / "tools").glob("*.md")),
]

# A guard against hanging, not a measurement: where no compiled code is cached, the first block that meets a face compiles it,
# which takes 20 s of processor time, and longer while other tests do the same.
LIMIT = 300


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# Runs every block in a namespace of its own, all in one process: loading the libraries takes longer than most of them.
RUN_ALL = """
import json, sys, traceback
found = []
for block in json.load(sys.stdin):
    try:
        exec(compile(block, "<block>", "exec"), {"__name__": "__main__"})
        found.append("")
    except BaseException:
        found.append(traceback.format_exc())
print("\\n" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the picture and the clip that the examples name."""
    tmp_path = tmp_path_factory.mktemp("desk")
    source = demo_clip()
    capture = cv2.VideoCapture(str(source))
    ok, image = capture.read()
    assert ok
    assert cv2.imwrite(str(tmp_path / "face.jpg"), image)
    size = (image.shape[1], image.shape[0])
    clip = cv2.VideoWriter(str(tmp_path / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 30, size)
    for _ in range(20):
        clip.write(image)
        ok, image = capture.read()
    clip.release()
    capture.release()
    return tmp_path


BLOCKS = {
    f"{name_of(page)}-{number}": block for page in PAGES for number, block in enumerate(blocks(page, "python"), 1)
}


@pytest.fixture(scope="module")
def errors(desk: Path) -> dict[str, str]:
    """What each block raised, as a traceback; empty: nothing."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL],
        input=json.dumps(list(BLOCKS.values())),
        cwd=desk,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT - 20,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(BLOCKS, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize("name", BLOCKS)
def test_python_block_runs(name: str, errors: dict[str, str]) -> None:
    assert errors[name] == ""


def command_lines(page: Path) -> Iterator[list[str]]:
    """The words of every command line of ours that a page shows in a shell block."""
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\|\|?", line.split("#")[0]):
                words = shlex.split(part)
                while words and "=" in words[0]:
                    words = words[1:]
                if words:
                    yield words


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")], ids=name_of)
def test_command_lines_are_understood(page: Path) -> None:
    for words in command_lines(page):
        if words[0].endswith("facemirror-live") and len(words) > 1:
            build_parser().parse_args(words[1:])
        elif words[:2] == ["python", "-m"] and words[2].startswith("tools"):
            assert importlib.util.find_spec(words[2]) is not None, words
