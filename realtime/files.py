"""Putting a finished folder in the place of an old one."""

from pathlib import Path


def swap_folder(staged: Path, target: Path, old: Path) -> None:
    """Move `staged` to `target`; what was there goes to `old`, and comes back if the move fails (which raises OSError)."""
    if target.exists():
        target.rename(old)
    try:
        staged.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
