"""The overlay page as a browser source of OBS: made once, found again, loaded anew when its address has changed."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from realtime.errors import DeviceError
from realtime.obs.protocol import ObsAnswerError, ObsConnection

SOURCE = "facemirror-live overlay"
_KIND = "browser_source"
_SHAPE = 0.9
"""Width to height of a new source: bars of seventeen units just fit, and everything follows the width."""


async def show_overlay(connection: ObsConnection, url: str) -> str:
    """Put the overlay into the scene of now.

    Args:
        connection: to OBS.
        url: of the page, with its token. OBS keeps it in its scene collection.

    Returns:
        What was done, as a sentence.

    Raises:
        DeviceError: this OBS has no browser source, or does not do it.
    """
    kinds = (await connection.request("GetInputKindList", {"unversioned": True})).get("inputKinds")
    if not isinstance(kinds, list) or _KIND not in kinds:
        raise DeviceError(
            "This OBS has no browser source (Linux distributions often leave it out); take the virtual camera or the "
            "window instead, or install OBS from obsproject.com."
        )
    scene = str((await connection.request("GetCurrentProgramScene"))["currentProgramSceneName"])
    inputs = (await connection.request("GetInputList")).get("inputs", [])
    if not any(one.get("inputName") == SOURCE for one in inputs):
        video = await connection.request("GetVideoSettings")
        height = int(video["baseHeight"])
        settings = {"url": url, "width": min(int(video["baseWidth"]), round(_SHAPE * height)), "height": height}
        new = {"sceneName": scene, "inputName": SOURCE, "inputKind": _KIND, "inputSettings": settings}
        await connection.request("CreateInput", {**new, "sceneItemEnabled": True})
        return f"The overlay is a source of OBS's scene {scene!r} now."
    # Its size and the words after the link are the user's by now.
    before = (await connection.request("GetInputSettings", {"inputName": SOURCE})).get("inputSettings") or {}
    settings = {"url": _with_words(url, str(before.get("url", "")))}
    await connection.request("SetInputSettings", {"inputName": SOURCE, "inputSettings": settings, "overlay": True})
    await connection.request("PressInputPropertiesButton", {"inputName": SOURCE, "propertyName": "refreshnocache"})
    try:
        await connection.request("GetSceneItemId", {"sceneName": scene, "sourceName": SOURCE})
    except ObsAnswerError:
        await connection.request(
            "CreateSceneItem", {"sceneName": scene, "sourceName": SOURCE, "sceneItemEnabled": True}
        )
        return f"The overlay is a source of OBS's scene {scene!r} now, too."
    return f"The overlay in OBS's scene {scene!r} was loaded anew."


def _with_words(url: str, before: str) -> str:
    """The new address with the words (`&au=12`) that the user appended to the old one."""
    words = [(name, value) for name, value in parse_qsl(urlsplit(before).query) if name != "token"]
    return f"{url}&{urlencode(words, safe=',')}" if words else url
