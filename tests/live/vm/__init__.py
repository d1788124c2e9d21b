"""A Linux kernel as a process, with video devices, for what no container has: v4l2loopback and a camera that can be unplugged.

`machine` builds and boots it; `guest` is what runs inside.
"""
