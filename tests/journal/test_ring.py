"""The journal: bounded by count and by bytes, the oldest first to go."""

import asyncio
import hashlib

import pytest

from proxy.forward.keeping import LIMIT, Keeping
from proxy.journal.ring import Journal
from tests.journal.exchanges import REQUEST, exchange

MANY = 32 * 1024**2


def numbers(journal: Journal) -> list[int]:
    return [one.exchange.number for one in journal.recorded()]


def test_the_newest_are_kept_and_the_others_counted() -> None:
    journal = Journal(3, MANY)
    made = [exchange() for _ in range(5)]
    journal.record(made[:2])
    journal.record(made[2:])

    assert numbers(journal) == [one.number for one in made[2:]]
    assert [one.sequence for one in journal.recorded()] == [3, 4, 5]
    assert (journal.forgotten, journal.sequence) == (2, 5)


def test_more_at_a_time_than_are_kept() -> None:
    journal = Journal(3, MANY)
    made = [exchange() for _ in range(10)]
    journal.record(made)

    assert numbers(journal) == [one.number for one in made[-3:]]
    assert journal.after(8) == journal.recorded()[-2:]


def test_long_heads_push_others_out_by_their_bytes() -> None:
    journal = Journal(1000, 100_000)
    long = REQUEST + b"\r\nX-Long: " + b"x" * 10_000
    for _ in range(100):
        journal.record([exchange(long)])

    assert 0 < len(journal.recorded()) < 10
    assert journal.bytes <= 75_000


def test_one_that_is_larger_than_everything_is_not_kept() -> None:
    journal = Journal(10, 10_000)
    journal.record([exchange(REQUEST + b"\r\nX-Long: " + b"x" * 20_000)])

    assert journal.recorded() == []
    assert journal.bytes == 0


def test_one_that_keeps_nothing_still_counts() -> None:
    journal = Journal(0, MANY, content=True)
    journal.record([exchange()])

    assert journal.recorded() == []
    assert journal.sequence == 1
    assert not journal.content.is_on


def test_after_tells_what_is_new() -> None:
    journal = Journal(10, MANY)
    made = [exchange() for _ in range(4)]
    journal.record(made)

    assert [one.exchange for one in journal.after(2)] == made[2:]
    assert journal.after(4) == []
    assert len(journal.after(0)) == 4


def test_clearing_forgets_and_says_how_many() -> None:
    journal = Journal(10, MANY)
    journal.record([exchange(), exchange()])

    assert journal.clear() == 2
    assert (journal.recorded(), journal.bytes, journal.forgotten) == ([], 0, 2)
    journal.record([exchange()])
    assert [one.sequence for one in journal.after(2)] == [3]


def test_one_is_found_by_its_id_among_those_under_way_too() -> None:
    journal = Journal(10, MANY)
    ended, running = exchange(), exchange(response=None)
    journal.record([ended])
    journal.under_way = lambda: [running]

    assert journal.find(ended.id) is ended
    assert journal.find(running.id) is running
    assert journal.find("abcdef-0") is None


def test_what_was_not_handed_on_yet_is_brought_when_somebody_looks() -> None:
    journal = Journal(10, MANY)
    waiting = [exchange()]
    journal.hand_on = lambda: journal.record([waiting.pop()]) if waiting else None

    assert len(journal.recorded()) == 1


def test_who_watches_is_woken() -> None:
    journal = Journal(10, MANY)
    event = journal.watch()
    for change in (lambda: journal.record([exchange()]), journal.clear):
        event.clear()
        change()
        assert event.is_set()
    journal.unwatch(event)
    event.clear()
    journal.record([exchange()])
    assert not event.is_set()


class TestContent:
    def test_the_beginning_is_kept_with_size_and_hash_of_all(self) -> None:
        kept = Keeping(MANY).begin()
        for _ in range(5):
            kept.request.take(b"x" * 100_000)

        assert kept.request.kept == LIMIT
        assert len(kept.request.data) == LIMIT
        assert kept.request.size == 500_000
        assert kept.request.sha256 == hashlib.sha256(b"x" * 500_000).hexdigest()
        assert kept.response.size == 0

    def test_all_under_way_together_have_a_bound(self) -> None:
        keeping = Keeping(250_000)
        all_kept = [keeping.begin() for _ in range(10)]
        for kept in all_kept:
            kept.response.take(b"x" * 60_000)

        assert sum(kept.size for kept in all_kept) == keeping.under_way == 250_000
        for kept in all_kept:
            kept.ended()
        assert keeping.under_way == 0

    def test_a_gap_ends_it(self) -> None:
        keeping = Keeping(10)
        first, second = keeping.begin(), keeping.begin()
        first.request.take(b"0123456789")
        second.request.take(b"lost")
        first.ended()
        second.request.take(b"rest")

        assert (second.request.data, second.request.size) == (b"", 8)

    def test_the_journal_counts_it(self) -> None:
        journal = Journal(1000, 4 * 1024**2)
        for _ in range(30):
            kept = journal.content.keeping.begin()
            kept.response.take(b"x" * 200_000)
            kept.ended()
            journal.record([exchange(kept=kept)])

        assert journal.bytes <= 3 * 1024**2
        assert 10 < len(journal.recorded()) < 16

    def test_it_can_be_forgotten_alone(self) -> None:
        journal = Journal(10, MANY)
        keeping = journal.content.keeping
        first, second = keeping.begin(), keeping.begin()
        ended, running = exchange(kept=first), exchange(kept=second)
        for kept in (first, second):
            kept.response.take(b"x" * 1000)
        first.ended()
        journal.record([ended])
        journal.under_way = lambda: [running]
        before = journal.bytes
        journal.forget_content()

        assert ended.kept is None
        assert journal.bytes == before - 1000
        second.response.take(b"more")
        assert second.response.data == b""
        second.ended()
        assert keeping.under_way == 0


def content_state(journal: Journal) -> tuple[bool, float | None]:
    return journal.content.is_on, journal.content.seconds_left


@pytest.mark.parametrize("always", [False, True])
async def test_content_is_kept_for_a_time(always: bool) -> None:
    journal = Journal(10, MANY, content=always)
    event = journal.watch()
    assert content_state(journal) == (always, None)

    journal.content.keep_for(0.05)
    assert journal.content.is_on
    assert event.is_set()
    left = journal.content.seconds_left
    assert left is not None
    assert 0 <= left <= 0.05
    event.clear()
    await asyncio.wait_for(event.wait(), 10)
    assert content_state(journal) == (False, None)


async def test_stopping_ends_the_time_too() -> None:
    journal = Journal(10, MANY)
    journal.content.keep_for(600)
    journal.content.stop()

    assert not journal.content.is_on
    assert journal.content.seconds_left is None
