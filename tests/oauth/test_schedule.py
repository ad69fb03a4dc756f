import random

import pytest

from proxy.oauth.messages import TokenPair
from proxy.oauth.schedule import MAX_DELAY, Allowance, Backoff, Schedule

NOW = 1_700_000_000.0


def schedule(lifetime: float, share: float = 0.5, seed: int = 1) -> Schedule:
    pair = TokenPair("access", "refresh", NOW, NOW + lifetime)
    return Schedule.of(pair, share, random.Random(seed))


@pytest.mark.parametrize("lifetime", [0.5, 1, 60, 3600, 1209599, 31536000])
@pytest.mark.parametrize("seed", range(5))
def test_a_pair_is_due_around_its_share_and_before_it_is_over(
    lifetime: float, seed: int
) -> None:
    it = schedule(lifetime, seed=seed)

    assert not it.is_due(NOW)
    assert not it.is_due(NOW + 0.47 * lifetime)
    assert it.is_due(NOW + 0.53 * lifetime)
    assert not it.is_over(NOW + 0.89 * lifetime) or lifetime > 50
    assert it.is_over(NOW + lifetime)


def test_refreshes_of_proxies_started_together_spread() -> None:
    assert len({schedule(3600, seed=seed).due_at for seed in range(20)}) == 20


def test_a_large_share_is_due_before_it_is_over() -> None:
    it = schedule(3600, share=0.999)

    assert it.due_at <= it.over_at < NOW + 3600


def test_a_long_lived_token_is_over_a_few_seconds_early() -> None:
    assert not schedule(3600).is_over(NOW + 3594)
    assert schedule(3600).is_over(NOW + 3596)


@pytest.mark.parametrize(
    ("back", "due"), [(5, False), (59, False), (61, True), (86400, True)]
)
def test_a_clock_set_back_makes_it_due(back: float, due: bool) -> None:
    assert schedule(3600).is_due(NOW - back) is due


def test_tries_move_apart_up_to_five_minutes() -> None:
    backoff = Backoff(random.Random(1))

    delays = [backoff.failed(NOW) for _ in range(40)]

    assert 0.8 <= delays[0] <= 1
    assert all(0.8 * 2**n <= delays[n] <= 2**n for n in range(8))
    assert all(0.8 * MAX_DELAY <= delay <= MAX_DELAY for delay in delays[9:])


def test_a_try_is_held_back_until_its_delay_has_passed() -> None:
    backoff = Backoff(random.Random(1))
    assert backoff.remaining(NOW) == 0

    delay = backoff.failed(NOW)

    assert backoff.remaining(NOW) == pytest.approx(delay, abs=1e-6)
    assert backoff.remaining(NOW + delay) == 0
    backoff.failed(NOW)
    backoff.cleared()
    assert backoff.remaining(NOW) == 0
    assert backoff.failed(NOW) <= 1


def test_the_first_delay_can_be_another() -> None:
    backoff = Backoff(random.Random(1), first_delay=0.05)

    assert 0.04 <= backoff.failed(NOW) <= 0.05
    assert 0.08 <= backoff.failed(NOW) <= 0.1


def test_a_clock_set_back_does_not_hold_a_try_back_for_days() -> None:
    backoff = Backoff(random.Random(1))
    backoff.failed(NOW)

    assert backoff.remaining(NOW - 86400) == 0


def test_an_allowance_is_spent_and_grows_again() -> None:
    allowance = Allowance(burst=3, every=10)

    assert [allowance.take(NOW) for _ in range(4)] == [True, True, True, False]
    assert not allowance.take(NOW + 9)
    assert allowance.take(NOW + 10)
    assert not allowance.take(NOW + 10)
    assert not allowance.take(NOW - 86400)  # a clock set back gives nothing
    assert [allowance.take(NOW + 100) for _ in range(4)] == [True, True, True, False]
