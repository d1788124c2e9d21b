"""Errors a user can do something about, and the exit code each one means."""


class FacemirrorError(Exception):
    """One clear sentence: what was wrong and what to do. The command line prints it and exits with `exit_code`."""

    exit_code = 3


class UserInputError(FacemirrorError):
    """The user's words or input are wrong (exit code 2)."""

    exit_code = 2


class PictureError(UserInputError, ValueError):
    """A picture is of another kind than (H, W, 3) uint8 BGR (exit code 2)."""


class DeviceError(FacemirrorError):
    """A device, stream or file failed (exit code 3)."""


class ModelFileError(FacemirrorError):
    """A model file is missing, corrupt, or not the network it should be (exit code 3)."""
