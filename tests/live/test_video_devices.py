"""The virtual camera and real device nodes, in a virtual machine; see `tests.live.vm`.

LIVE_TESTS=1 pytest tests/live/test_video_devices.py -s

takes five minutes, and ten more the first time to compile the kernel. LIVE_MACHINE names a folder that keeps the machine for
the next time; LIVE_CHECK="usb loopback" runs only the checks with one of these words in their name.
"""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.live.vm.machine import MISSING, build, run

CHECKS = 20
pytestmark = [
    pytest.mark.skipif(bool(MISSING) or sys.platform != "linux", reason=f"needs {', '.join(MISSING)} (Debian)"),
    pytest.mark.skipif(importlib.util.find_spec("pyvirtualcam") is None, reason="needs pyvirtualcam"),
    pytest.mark.skipif("LIVE_TESTS" not in os.environ, reason="takes five minutes; set LIVE_TESTS"),
    pytest.mark.timeout(4000),
]


def test_the_virtual_camera_and_cameras_in_a_virtual_machine(tmp_path: Path) -> None:
    folder = Path(os.environ.get("LIVE_MACHINE", tmp_path / "machine"))
    build(folder)
    found = run(folder, ROOT, 3600)
    for one in found:
        print(f"\n{'ok  ' if one['ok'] else 'FAIL'} {one['name']} ({one['seconds']} s): {one['detail']}")
    assert len(found) == CHECKS or "LIVE_CHECK" in os.environ
    assert found
    assert [one["name"] for one in found if not one["ok"]] == []
