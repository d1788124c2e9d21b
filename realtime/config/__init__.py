"""Every setting, with its default, unit and range, and where its value came from."""

from realtime.config.layers import Resolved, descriptions, resolve
from realtime.config.settings import Config

__all__ = ["Config", "Resolved", "descriptions", "resolve"]
