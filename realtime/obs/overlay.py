"""The overlay page as a browser source of OBS: made once, found again, loaded anew when its address has changed."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from realtime.errors import DeviceError
from realtime.files import one_line
from realtime.obs.protocol import ObsAnswerError, ObsConnection, number_in, text_in

SOURCE = "facemirror-live overlay"
_KIND = "browser_source"
_SHAPE = 0.88
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
    scene = text_in(await connection.request("GetCurrentProgramScene"), "currentProgramSceneName")
    inputs = (await connection.request("GetInputList")).get("inputs")
    listed = inputs if isinstance(inputs, list) else []
    if not any(isinstance(one, Mapping) and one.get("inputName") == SOURCE for one in listed):
        video = await connection.request("GetVideoSettings")
        width, height = number_in(video, "baseWidth"), number_in(video, "baseHeight")
        settings = {"url": url, "width": min(width, round(_SHAPE * height)), "height": height}
        new = {"sceneName": scene, "inputName": SOURCE, "inputKind": _KIND, "inputSettings": settings}
        await connection.request("CreateInput", {**new, "sceneItemEnabled": True})
        return f"The overlay is a source of OBS's scene {one_line(scene)!r} now."
    # Its size and the words after the link are the user's by now.
    before = (await connection.request("GetInputSettings", {"inputName": SOURCE})).get("inputSettings")
    shown = before.get("url") if isinstance(before, Mapping) else None
    settings = {"url": _with_words(url, shown if isinstance(shown, str) else "")}
    await connection.request("SetInputSettings", {"inputName": SOURCE, "inputSettings": settings, "overlay": True})
    await connection.request("PressInputPropertiesButton", {"inputName": SOURCE, "propertyName": "refreshnocache"})
    try:
        await connection.request("GetSceneItemId", {"sceneName": scene, "sourceName": SOURCE})
    except ObsAnswerError:
        await connection.request(
            "CreateSceneItem", {"sceneName": scene, "sourceName": SOURCE, "sceneItemEnabled": True}
        )
        return f"The overlay is a source of OBS's scene {one_line(scene)!r} now, too."
    return f"The overlay in OBS's scene {one_line(scene)!r} was loaded anew."


def _with_words(url: str, before: str) -> str:
    """The new address with the words (`&au=12`) that the user appended to the old one."""
    try:
        words = [(name, value) for name, value in parse_qsl(urlsplit(before).query) if name != "token"]
    except ValueError:  # it is no address
        return url
    return f"{url}&{urlencode(words, safe=',')}" if words else url
