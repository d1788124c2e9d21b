import asyncio

import pytest

from realtime.graph import VirtualClock


def test_time_jumps_to_the_next_deadline_and_no_further() -> None:
    clock = VirtualClock()
    seen = []

    async def sleeper(seconds: float) -> None:
        await asyncio.sleep(seconds)
        seen.append((seconds, clock.now()))

    async def main() -> None:
        await asyncio.gather(sleeper(3600.0), sleeper(0.25), sleeper(0.5))

    clock.run(main())
    assert seen == [(0.25, 0.25), (0.5, 0.5), (3600.0, 3600.0)]


def test_time_outs_of_asyncio_run_on_it() -> None:
    clock = VirtualClock(start=10.0)

    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(7.0):
                await asyncio.sleep(100.0)
        return clock.now()

    assert clock.run(main()) == 17.0


def test_work_takes_no_time() -> None:
    clock = VirtualClock()

    async def main() -> float:
        for _ in range(100):
            await asyncio.sleep(0)
        return clock.now()

    assert clock.run(main()) == 0.0


def test_a_deadlock_is_an_error_and_not_a_hang() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="deadlock"):
        VirtualClock().run(main())


def test_it_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="back"):
        VirtualClock().advance(-1.0)


def test_a_program_that_never_ends_is_given_up() -> None:
    clock = VirtualClock(rounds=1000)

    async def forever() -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def tick() -> None:
            loop.call_later(1.0, tick)

        tick()
        await ended.wait()

    with pytest.raises(RuntimeError, match="no end"):
        clock.run(forever())
