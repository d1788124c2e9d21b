"""A Linux kernel as a process: User-mode Linux of Debian's source, its v4l2loopback and uvcvideo, and this machine's own files.

It needs no rights and no KVM, and what runs inside runs at the processor's own speed, on one core. Only system calls are slower.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.live.vm.counting import write_counted_demo
from tests.live.vm.feeds import write_feeds, write_usb_pictures

TOOLS = ("apt-get", "apt-cache", "dpkg", "tar", "make", "gcc", "flex", "bison", "bc", "busybox", "ffmpeg")
MISSING = [name for name in TOOLS if shutil.which(name) is None]
_ON = (
    *(
        "64BIT",
        "MODULES",
        "MODULE_UNLOAD",
        "PRINTK",
        "BINFMT_ELF",
        "BINFMT_SCRIPT",
        "MULTIUSER",
        "NULL_CHAN",
        "STDERR_CONSOLE",
    ),
    *("HOSTFS", "OVERLAY_FS", "TMPFS", "DEVTMPFS", "PROC_FS", "SYSFS", "SHMEM", "FILE_LOCKING", "INOTIFY_USER"),
    *("FUTEX", "EPOLL", "SIGNALFD", "TIMERFD", "EVENTFD", "POSIX_TIMERS", "HIGH_RES_TIMERS", "NO_HZ", "HZ_250", "RSEQ"),
    *("SYSVIPC", "POSIX_MQUEUE", "AIO", "MEMBARRIER", "ADVISE_SYSCALLS", "NET", "UNIX", "INET"),
    # PCI stands here only for the memory-mapped devices that it allows; without them there is neither USB nor video.
    *("VIRTIO_UML", "UML_PCI_OVER_VIRTIO", "USB_SUPPORT", "USB", "USBIP_CORE", "USBIP_VHCI_HCD"),
    *("MEDIA_SUPPORT", "MEDIA_SUPPORT_FILTER", "MEDIA_CAMERA_SUPPORT", "MEDIA_USB_SUPPORT", "VIDEO_DEV"),
    *("USB_VIDEO_CLASS", "VIDEOBUF2_VMALLOC"),
)
_OFF = (
    "IPV6",
    "HID",
    "HID_SUPPORT",
    "INPUT_KEYBOARD",
    "INPUT_MOUSE",
    "USB_VIDEO_CLASS_INPUT_EVDEV",
    "UML_NET",
    "BLK_DEV_UBD",
)
_CONFIG = "".join(
    [
        *(f"CONFIG_{name}=y\n" for name in _ON),
        *(f"# CONFIG_{name} is not set\n" for name in _OFF),
        "CONFIG_UML_PCI_OVER_VIRTIO_DEVICE_ID=1234\n",
    ]
)
_INIT = """#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t tmpfs -o size=600m tmpfs /mnt
mkdir -p /mnt/up /mnt/work /mnt/new
mount -t overlay -o lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work overlay /mnt/new
cd /mnt/new
mkdir -p vm modules/usb
mount -t hostfs -o {shared} none vm
cp vm/v4l2loopback.ko modules/
mount -t proc proc proc; mount -t sysfs sys sys; mount -t devtmpfs dev dev
for folder in tmp run dev/shm; do mkdir -p $folder; mount -t tmpfs tmpfs $folder; done
ip link set lo up
chroot . /bin/sh /vm/run.sh
busybox poweroff -f
"""
_RUN = """cd {root}
export HOME=/tmp PYTHONPATH={path} PYTHONDONTWRITEBYTECODE=1 NUMBA_CACHE_DIR=/vm/kernels LIVE_CHECK='{check}'
{python} -m tests.live.vm.guest /vm/results.json > /vm/guest.log 2>&1
"""


class MachineError(Exception):
    """The virtual machine cannot be made or did not answer."""


def build(folder: Path) -> None:
    """Fetch the kernel's and the module's source from Debian and compile both, unless they are there.

    Args:
        folder: keeps them; 2 GB while they are compiled.

    Raises:
        MachineError: a step failed; the sentence ends with what the tool said.
    """
    shared = folder / "shared"
    if (shared / "v4l2loopback.ko").exists():
        return
    shared.mkdir(parents=True, exist_ok=True)
    named = re.search(r"linux-source-[\d.]+", _tool(["apt-cache", "depends", "linux-source"]))
    if named is None:
        raise MachineError("apt-cache names no package for linux-source; run apt-get update first.")
    _tool(["apt-get", "download", named[0], "v4l2loopback-dkms"], folder)
    packages, kernel = folder / "packages", folder / "kernel"
    for package in folder.glob("*.deb"):
        _tool(["dpkg", "-x", str(package), str(packages)])
        package.unlink()
    kernel.mkdir(exist_ok=True)
    archive = packages / "usr" / "src" / f"{named[0]}.tar.xz"
    _tool(["tar", "xf", str(archive), "-C", str(kernel), "--strip-components=1"])
    (kernel / "arch" / "um" / "configs" / "facemirror_defconfig").write_text(_CONFIG, "ascii")
    make = ["make", "-C", str(kernel), "ARCH=um", f"-j{os.cpu_count() or 1}"]
    for target in ("facemirror_defconfig", "linux", "modules_prepare"):
        _tool([*make, target])
    shutil.copy(kernel / "vmlinux.symvers", kernel / "Module.symvers")
    source = next((packages / "usr" / "src").glob("v4l2loopback-*"))
    _tool([*make, f"M={source}", "modules"])
    shutil.copy(kernel / "linux", folder / "linux")
    shutil.copy(source / "v4l2loopback.ko", shared / "v4l2loopback.ko")
    shutil.rmtree(kernel)
    shutil.rmtree(packages)


def run(folder: Path, source: Path, seconds: float) -> list[dict[str, Any]]:
    """Boot, run `guest`, and give what it found.

    Args:
        folder: of `build`; gets the log of the console and of the guest.
        source: the root of this project.
        seconds: the guest is stopped after this time.

    Returns:
        One entry a check: "name", "ok", "detail".

    Raises:
        MachineError: the guest wrote no results.
    """
    shared = (folder / "shared").resolve()
    results = shared / "results.json"
    results.unlink(missing_ok=True)
    paths = os.pathsep.join([str(source), *filter(None, [os.environ.get("PYTHONPATH")])])
    check = os.environ.get("LIVE_CHECK", "")
    (shared / "run.sh").write_text(_RUN.format(root=source, path=paths, python=sys.executable, check=check), "utf-8")
    init = shared / "init.sh"
    init.write_text(_INIT.format(shared=shared), "utf-8")
    init.chmod(0o755)
    _prepare(shared, source)
    command = [str(folder / "linux"), "mem=2500M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro"]
    with (folder / "console.log").open("wb") as console:
        process = subprocess.Popen(
            [*command, f"init={init}", "con0=fd:0,fd:1", "con=null"],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)  # its processes are the host's, too
            process.wait()
    if not results.exists():
        log = shared / "guest.log"
        said = log.read_text("utf-8", "replace") if log.exists() else (folder / "console.log").read_text("latin-1")
        raise MachineError(f"The guest wrote no results: {said[-2000:]}")
    found: list[dict[str, Any]] = json.loads(results.read_text("utf-8"))
    return found


def _prepare(shared: Path, source: Path) -> None:
    """What would take long inside, or need tools: compiled kernels and coded pictures."""
    command = [sys.executable, "-m", "realtime.face.kernel_compiler"]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(shared / "kernels")}
    subprocess.run(command, env=environment, cwd=source, check=True, capture_output=True)
    if not (shared / "counted.mp4").exists():
        write_counted_demo(shared / "counted.mp4", 300)
    if not (shared / "usb").exists():
        write_feeds(shared)
        write_usb_pictures(shared / "usb")


def _tool(command: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MachineError(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout
