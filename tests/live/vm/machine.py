"""QEMU with Debian's kernel, its v4l2loopback module, and this machine's own files as a read-only root.

Emulated (TCG), so it needs no rights and no KVM, and is 10 to 30 times slower than the machine itself: what is measured
inside is order, colours, sizes and messages; times tell little.
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

TOOLS = (
    "qemu-system-x86_64",
    "busybox",
    "ffmpeg",
    "apt-get",
    "apt-cache",
    "dpkg",
    "make",
    "gcc",
    "depmod",
    "modprobe",
    "cpio",
    "gzip",
)
MISSING = [name for name in TOOLS if shutil.which(name) is None]
_MODULES = {"boot": ("virtio_pci", "9p", "9pnet_virtio", "overlay", "videodev"), "usb": ("vhci-hcd", "uvcvideo")}
"""What is loaded at the start, and what the guest loads for the USB camera."""
_MOUNT = "trans=virtio,version=9p2000.L,msize=512000"
_INIT = f"""#!/bin/busybox sh
B=/bin/busybox
$B mount -t proc proc /proc; $B mount -t sysfs sys /sys; $B mount -t devtmpfs dev /dev
for module in /modules/boot/*.ko; do $B insmod $module; done
$B mount -t 9p -o {_MOUNT},cache=loose,ro host /lower
$B mount -t tmpfs -o size=1500m tmpfs /rw; $B mkdir -p /rw/up /rw/work
$B mount -t overlay -o lowerdir=/lower,upperdir=/rw/up,workdir=/rw/work overlay /new
$B mkdir -p /new/vm /new/modules; $B cp -r /modules/* /new/modules/
$B mount -t 9p -o {_MOUNT} shared /new/vm
$B mount --move /proc /new/proc; $B mount --move /sys /new/sys; $B mount --move /dev /new/dev
exec $B switch_root /new /bin/sh /vm/run.sh
"""
_RUN = """mount -t tmpfs tmpfs /tmp; mount -t tmpfs tmpfs /run; mkdir -p /dev/shm; mount -t tmpfs tmpfs /dev/shm
ip link set lo up 2>/dev/null
cd {root}
export HOME=/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PYTHONPATH={path} PYTHONDONTWRITEBYTECODE=1
export LIVE_CHECK='{check}'
export NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES= NUMBA_CACHE_DIR=/vm/kernels
{python} -m tests.live.vm.guest /vm/results.json > /vm/guest.log 2>&1
sync; echo o > /proc/sysrq-trigger; sleep 60
"""


class MachineError(Exception):
    """The virtual machine cannot be made or did not answer."""


def build(folder: Path) -> None:
    """Fetch kernel and module source from Debian and make the boot files, unless they are there.

    Args:
        folder: keeps them, some 500 MB.

    Raises:
        MachineError: a step failed; the sentence ends with what the tool said.
    """
    if (folder / "initrd.gz").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    depends = _tool(["apt-cache", "depends", "linux-image-amd64"])
    image = re.search(r"linux-image-(\S+-amd64)", depends)
    if image is None:
        raise MachineError("apt-cache names no kernel for linux-image-amd64; run apt-get update first.")
    release = image[1]
    common, series = release.removesuffix("-amd64") + "-common", ".".join(release.split(".")[:2])
    packages = [
        f"linux-image-{release}",
        f"linux-headers-{release}",
        f"linux-headers-{common}",
        f"linux-kbuild-{series}",
        "v4l2loopback-dkms",
    ]
    _tool(["apt-get", "download", *packages], folder)
    root = folder / "root"
    for package in folder.glob("*.deb"):
        _tool(["dpkg", "-x", str(package), str(root)])
        package.unlink()
    headers = root / "usr" / "src" / f"linux-headers-{release}"
    makefile = headers / "Makefile"
    makefile.write_text(makefile.read_text("ascii").replace("/usr/src", str(root / "usr" / "src")), "ascii")
    source = next((root / "usr" / "src").glob("v4l2loopback-*"))
    _tool(["make", "-C", str(headers), f"M={source}", "modules"])
    _tool(["depmod", "-b", str(root), release])
    shutil.copy(root / "boot" / f"vmlinuz-{release}", folder / "vmlinuz")
    _pack(folder, root, release, source / "v4l2loopback.ko")


def _pack(folder: Path, root: Path, release: str, loopback: Path) -> None:
    """The first root: busybox, the modules in the order in which they are loaded, and `_INIT`."""
    first = folder / "first"
    for name in ("bin", "modules", "proc", "sys", "dev", "new", "lower", "rw"):
        (first / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(str(shutil.which("busybox")), first / "bin" / "busybox")
    for group, modules in _MODULES.items():
        (first / "modules" / group).mkdir(exist_ok=True)
        order: list[str] = []
        for module in modules:
            listed = _tool(["modprobe", "-d", str(root), "-S", release, "--show-depends", module])
            order += [line.split()[1] for line in listed.splitlines() if line.startswith("insmod")]
        for number, path in enumerate(dict.fromkeys(order)):
            shutil.copy(path, first / "modules" / group / f"{number:02d}-{Path(path).name}")
    shutil.copy(loopback, first / "modules" / loopback.name)
    (first / "init").write_text(_INIT, "ascii")
    (first / "init").chmod(0o755)
    archive = _tool(["sh", "-c", "find . | cpio -o -H newc --quiet | gzip > ../initrd.part"], first)
    assert not archive
    (folder / "initrd.part").rename(folder / "initrd.gz")


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
    shared = folder / "shared"
    shared.mkdir(exist_ok=True)
    results = shared / "results.json"
    results.unlink(missing_ok=True)
    paths = os.pathsep.join([str(source), *filter(None, [os.environ.get("PYTHONPATH")])])
    check = os.environ.get("LIVE_CHECK", "")
    (shared / "run.sh").write_text(_RUN.format(root=source, path=paths, python=sys.executable, check=check), "utf-8")
    _compile_kernels(shared / "kernels", source)
    if not (shared / "counted.mp4").exists():
        write_counted_demo(shared / "counted.mp4", 300)
    if not (shared / "usb").exists():
        write_feeds(shared)
        write_usb_pictures(shared / "usb")
    command = [
        *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "3000"),
        *("-nographic", "-no-reboot", "-net", "none"),
        *("-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initrd.gz")),
        *("-append", "console=ttyS0 quiet panic=1 no_timer_check nowatchdog"),
        *("-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap"),
        *("-virtfs", f"local,path={shared},mount_tag=shared,security_model=none"),
    ]
    with (folder / "console.log").open("wb") as console:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if not results.exists():
        log = shared / "guest.log"
        said = (
            log.read_text("utf-8", "replace")[-2000:] if log.exists() else (folder / "console.log").read_text("latin-1")
        )
        raise MachineError(f"The guest wrote no results: {said[-2000:]}")
    found: list[dict[str, Any]] = json.loads(results.read_text("utf-8"))
    return found


def _compile_kernels(kernels: Path, source: Path) -> None:
    """Compile the kernels here, for any processor: inside it would take half an hour."""
    generic = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(kernels)}
    command = [sys.executable, "-m", "realtime.face.kernel_cache"]
    subprocess.run(command, env=os.environ | generic, cwd=source, check=True, capture_output=True)


def _tool(command: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MachineError(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout
