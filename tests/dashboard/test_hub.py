"""Newest-only news: what a slow browser costs, and whom."""

import asyncio
import threading

from realtime.dashboard.hub import PICTURES_AHEAD, Client, Hub


def drained(client: Client) -> list[str | bytes]:
    got = []
    while (message := client.take()) is not None:
        got.append(message)
    return got


def test_a_newer_message_replaces_an_unsent_one_of_its_kind() -> None:
    client = Client(picture=True)
    for number in range(100):
        client.offer("state", f"state {number}")
    client.offer("figures", "figures")
    assert drained(client) == ["state 99", "figures"]
    assert client.replaced == {"state": 99}


def test_kinds_take_turns_however_often_one_of_them_is_news() -> None:
    client = Client(picture=True)
    client.offer("figures", "figures")
    client.offer("state", "old")
    client.offer("state", "new")
    assert client.take() == "figures"


def test_pictures_wait_for_a_browser_that_has_not_shown_the_last_ones() -> None:
    client = Client(picture=True)
    sent = []
    for number in range(10):
        client.offer("picture", bytes([number]))
        sent += drained(client)
    assert sent == [bytes([n]) for n in range(PICTURES_AHEAD)]
    client.offer("state", "state")
    assert drained(client) == ["state"], "a waiting picture holds nothing else up"
    client.confirm()
    assert drained(client) == [bytes([9])], "the newest, not the oldest"


def test_confirming_more_than_was_sent_earns_nothing() -> None:
    client = Client(picture=True)
    for _ in range(50):
        client.confirm()
    sent = []
    for number in range(10):
        client.offer("picture", bytes([number]))
        sent += drained(client)
    assert len(sent) == PICTURES_AHEAD


def test_who_wants_no_picture_gets_none() -> None:
    client = Client(picture=False)
    client.offer("picture", b"jpeg")
    assert client.take() is None


def test_a_new_client_is_told_what_is_known() -> None:
    async def scene() -> list[str | bytes]:
        hub = Hub(asyncio.get_running_loop())
        hub.publish("hello", "units")
        hub.publish("state", "state 1")
        await asyncio.sleep(0)
        client = Client(picture=True)
        hub.join(client)
        assert (hub.watchers, hub.picture_watchers) == (1, 1)
        got = drained(client)
        hub.leave(client)
        hub.leave(client)
        assert (hub.watchers, hub.picture_watchers) == (0, 0)
        return got

    assert asyncio.run(scene()) == ["units", "state 1"]


def test_a_loop_that_is_behind_finds_the_newest_only() -> None:
    """A thread publishes ten thousand messages while the loop does not run: nothing piles up."""

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        hub = Hub(loop)
        client = Client(picture=True)
        hub.join(client)
        publisher = threading.Thread(target=lambda: [hub.publish("state", f"{n}") for n in range(10_000)])
        publisher.start()
        publisher.join()  # the loop is held up all the while
        assert not client.waiting
        await asyncio.sleep(0)
        assert dict(client.waiting) == {"state": "9999"}
        assert not client.replaced

    asyncio.run(scene())


def test_a_client_that_takes_nothing_costs_the_others_nothing() -> None:
    async def scene() -> None:
        hub = Hub(asyncio.get_running_loop())
        frozen, lively = Client(picture=True), Client(picture=True)
        hub.join(frozen)
        hub.join(lively)
        got: list[str | bytes] = []
        for number in range(200):
            hub.publish("state", f"{number}")
            await asyncio.sleep(0)
            got += drained(lively)
        assert got == [str(n) for n in range(200)]
        assert dict(frozen.waiting) == {"state": "199"}
        assert frozen.replaced["state"] == 199

    asyncio.run(scene())
