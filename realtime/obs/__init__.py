"""Steering OBS: rules that turn a measure of the face into a request of obs-websocket 5, and the connection that sends it.

Nothing here opens a picture: analyses come in, requests go out.
"""

from typing import TYPE_CHECKING

from realtime.lazy import lazy_names

if TYPE_CHECKING:
    from realtime.obs.client import ObsClient
    from realtime.obs.conditions import parse_condition
    from realtime.obs.rules import Rule, RuleEngine

__all__ = ["ObsClient", "Rule", "RuleEngine", "parse_condition"]

_HOMES = {
    "ObsClient": "realtime.obs.client",
    "parse_condition": "realtime.obs.conditions",
    "Rule": "realtime.obs.rules",
    "RuleEngine": "realtime.obs.rules",
}
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
