"""What is recorded reaches its readers, in order and soon."""

import asyncio
from collections.abc import Sequence

import pytest

from proxy.recording import DELAY, MOST, Records


async def test_what_is_recorded_is_handed_on_a_little_later_and_together() -> None:
    one: list[Sequence[int]] = []
    two: list[Sequence[int]] = []
    records = Records[int](one.append, two.append)
    for number in range(3):
        records.record(number)
    assert one == []
    await asyncio.sleep(2 * DELAY)
    assert one == two == [[0, 1, 2]]
    records.record(3)
    records.hand_on()
    assert one[1:] == [[3]]
    records.hand_on()
    assert len(one) == 2


async def test_no_more_than_so_many_wait() -> None:
    got: list[Sequence[int]] = []
    records = Records[int](got.append)
    for number in range(2 * MOST):
        records.record(number)
    records.hand_on()
    assert [number for some in got for number in some] == list(range(2 * MOST))
    assert max(map(len, got)) <= MOST


async def test_a_reader_that_fails_keeps_nothing_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    got: list[Sequence[int]] = []

    def fail(_: Sequence[int]) -> None:
        raise ValueError("no")

    records = Records[int](fail, got.append)
    records.record(1)
    records.hand_on()
    records.record(2)
    records.hand_on()
    assert got == [[1], [2]]
    assert caplog.text.count("could not be read") == 2
