"""What a rule's `then` asks of OBS, as requests of obs-websocket 5 (RPC version 1).

Source of the request names: obs-websocket's protocol description, version 5.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from realtime.obs.measures import Measure, parse_measure

_NAMES = """
    GetVersion GetStats BroadcastCustomEvent CallVendorRequest GetHotkeyList TriggerHotkeyByName
    TriggerHotkeyByKeySequence Sleep GetPersistentData SetPersistentData GetSceneCollectionList SetCurrentSceneCollection
    CreateSceneCollection GetProfileList SetCurrentProfile CreateProfile RemoveProfile GetProfileParameter
    SetProfileParameter GetVideoSettings SetVideoSettings GetStreamServiceSettings SetStreamServiceSettings
    GetRecordDirectory SetRecordDirectory GetSourceActive GetSourceScreenshot SaveSourceScreenshot GetSceneList GetGroupList
    GetCurrentProgramScene SetCurrentProgramScene GetCurrentPreviewScene SetCurrentPreviewScene CreateScene RemoveScene
    SetSceneName GetSceneSceneTransitionOverride SetSceneSceneTransitionOverride GetInputList GetInputKindList
    GetSpecialInputs CreateInput RemoveInput SetInputName GetInputDefaultSettings GetInputSettings SetInputSettings
    GetInputMute SetInputMute ToggleInputMute GetInputVolume SetInputVolume GetInputAudioBalance SetInputAudioBalance
    GetInputAudioSyncOffset SetInputAudioSyncOffset GetInputAudioMonitorType SetInputAudioMonitorType GetInputAudioTracks
    SetInputAudioTracks GetInputPropertiesListPropertyItems PressInputPropertiesButton GetTransitionKindList
    GetSceneTransitionList GetCurrentSceneTransition SetCurrentSceneTransition SetCurrentSceneTransitionDuration
    SetCurrentSceneTransitionSettings GetCurrentSceneTransitionCursor TriggerStudioModeTransition SetTBarPosition
    GetSourceFilterList GetSourceFilterDefaultSettings CreateSourceFilter RemoveSourceFilter
    SetSourceFilterName GetSourceFilter SetSourceFilterIndex SetSourceFilterSettings SetSourceFilterEnabled
    GetSceneItemList GetGroupSceneItemList GetSceneItemId GetSceneItemSource CreateSceneItem RemoveSceneItem
    DuplicateSceneItem GetSceneItemTransform SetSceneItemTransform GetSceneItemEnabled SetSceneItemEnabled
    GetSceneItemLocked SetSceneItemLocked GetSceneItemIndex SetSceneItemIndex GetSceneItemBlendMode SetSceneItemBlendMode
    GetVirtualCamStatus ToggleVirtualCam StartVirtualCam StopVirtualCam GetReplayBufferStatus ToggleReplayBuffer
    StartReplayBuffer StopReplayBuffer SaveReplayBuffer GetLastReplayBufferReplay GetOutputList GetOutputStatus
    ToggleOutput StartOutput StopOutput GetOutputSettings SetOutputSettings GetStreamStatus ToggleStream StartStream
    StopStream SendStreamCaption GetRecordStatus ToggleRecord StartRecord StopRecord ToggleRecordPause PauseRecord
    ResumeRecord SplitRecordFile CreateRecordChapter GetMediaInputStatus SetMediaInputCursor OffsetMediaInputCursor
    TriggerMediaInputAction GetStudioModeEnabled SetStudioModeEnabled OpenInputPropertiesDialog OpenInputFiltersDialog
    OpenInputInteractDialog GetMonitorList OpenVideoMixProjector OpenSourceProjector GetSourceFilterKindList
"""
KNOWN_REQUESTS = frozenset(_NAMES.split())
"""What obs-websocket 5 knows; a later version may know more, and the connected OBS says what it knows itself."""
REPLAY_BUFFER = {"save": "SaveReplayBuffer", "start": "StartReplayBuffer", "stop": "StopReplayBuffer"}
_FORMS = (
    '{ scene = "NAME" }, { source = "NAME", on = true }, { filter = "NAME", source = "NAME", on = true }, '
    '{ hotkey = "NAME" }, { replay_buffer = "save" }, { text = "SOURCE", value = "AU12.left" }, '
    'or { request = "NAME", data = { … } }'
)
_KINDS: dict[str, frozenset[str]] = {
    "filter": frozenset({"filter", "source", "on"}),
    "source": frozenset({"source", "on", "scene"}),
    "scene": frozenset({"scene"}),
    "hotkey": frozenset({"hotkey"}),
    "replay_buffer": frozenset({"replay_buffer"}),
    "text": frozenset({"text", "value", "template", "decimals"}),
    "request": frozenset({"request", "data"}),
}


@dataclass(frozen=True, slots=True)
class ObsRequest:
    """One request.

    Attributes:
        type: the request's name.
        data: its fields.
        item: the source whose item in a scene the request is about: its number there is asked for first, and added to
            `data` as "sceneItemId". `data` has "sceneName", or the scene of now is taken.
    """

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    item: str = ""


@dataclass(frozen=True, slots=True)
class TextRequest:
    """A text source that shows a measure.

    Attributes:
        source: the text source's name in OBS.
        value: the measure.
        template: `{}` in it becomes the number.
        decimals: of the number.
    """

    source: str
    value: Measure
    template: str = "{}"
    decimals: int = 1

    def request(self, value: float | None) -> ObsRequest:
        """Make the request that shows a value.

        Args:
            value: the number; None: it was not measured, which is shown as a dash.
        """
        number = "–" if value is None else f"{value:.{self.decimals}f}"
        settings = {"text": self.template.replace("{}", number)}
        return ObsRequest("SetInputSettings", {"inputName": self.source, "inputSettings": settings, "overlay": True})


Action = ObsRequest | TextRequest


def parse_action(table: Mapping[str, Any]) -> Action:
    """Read one `then` or `otherwise`.

    Args:
        table: as in the configuration.

    Raises:
        ValueError: it says no action; the sentence shows the forms that there are.
    """
    kind = next((kind for kind in _KINDS if kind in table), None)
    if kind is None:
        raise ValueError(f"{dict(table)} says nothing that OBS can do; write {_FORMS}")
    strange = sorted(set(table) - _KINDS[kind])
    if strange:
        raise ValueError(f"{strange[0]!r} does not go with {kind!r}; write {_FORMS}")
    match kind:
        case "scene":
            return ObsRequest("SetCurrentProgramScene", {"sceneName": _name(table, "scene")})
        case "source":
            scene = {"sceneName": _name(table, "scene")} if "scene" in table else {}
            data = {**scene, "sceneItemEnabled": _on(table)}
            return ObsRequest("SetSceneItemEnabled", data, item=_name(table, "source"))
        case "filter":
            names = {"sourceName": _name(table, "source"), "filterName": _name(table, "filter")}
            return ObsRequest("SetSourceFilterEnabled", {**names, "filterEnabled": _on(table)})
        case "hotkey":
            return ObsRequest("TriggerHotkeyByName", {"hotkeyName": _name(table, "hotkey")})
        case "replay_buffer":
            wish = table["replay_buffer"]
            if not isinstance(wish, str) or wish not in REPLAY_BUFFER:
                raise ValueError(f"replay_buffer is one of {', '.join(REPLAY_BUFFER)}, not {wish!r}")
            return ObsRequest(REPLAY_BUFFER[wish])
        case "text":
            return _text(table)
    return _free(table)


def _text(table: Mapping[str, Any]) -> TextRequest:
    decimals = table.get("decimals", 1)
    if not isinstance(decimals, int) or isinstance(decimals, bool) or not 0 <= decimals <= 6:
        raise ValueError(f"decimals is a whole number from 0 to 6, not {decimals!r}")
    template = _name(table, "template") if "template" in table else "{}"
    if "{}" not in template:
        raise ValueError(f"template needs {{}} where the number stands, as in 'Smile {{}}', not {template!r}")
    return TextRequest(_name(table, "text"), parse_measure(_name(table, "value")), template, decimals)


def _free(table: Mapping[str, Any]) -> ObsRequest:
    name, data = _name(table, "request"), table.get("data", {})
    if name not in KNOWN_REQUESTS:
        raise ValueError(f"obs-websocket 5 has no request {name!r}{_nearest(name)}")
    if not isinstance(data, Mapping):
        raise ValueError(f"data is a table of the request's fields, not {data!r}")
    for key, value in data.items():
        if not _goes_as_json(value):
            raise ValueError(
                f"data's {key!r} holds {value!r}: texts, numbers, true, false and tables of them go to OBS"
            )
    return ObsRequest(name, dict(data))


def _goes_as_json(value: object) -> bool:
    """TOML has dates, times and numbers without end, which no request to OBS can hold."""
    if isinstance(value, Mapping):
        return all(map(_goes_as_json, value.values()))
    if isinstance(value, list):
        return all(map(_goes_as_json, value))
    return isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    found = get_close_matches(name, KNOWN_REQUESTS, 1)
    return f"; did you mean {found[0]!r}?" if found else ""


def _name(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key!r} needs a name in quotes; write {_FORMS}")
    return value


def _on(table: Mapping[str, Any]) -> bool:
    value = table.get("on")
    if not isinstance(value, bool):
        raise ValueError(f"'on' is true or false, not {value!r}")
    return value
