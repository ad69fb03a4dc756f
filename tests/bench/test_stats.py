"""Medians, ratios and tails of what a run measured."""

import pytest

from bench.load import Calls
from bench.relay import due
from bench.rows.memory import growth
from bench.rows.refresh import seconds_around
from bench.stats import Figure, difference, figure, percentile, ratio


def test_a_figure_is_the_median_with_its_spread() -> None:
    assert figure([3.0, 1.0, 2.0]) == Figure(2.0, 1.0, 3.0)


def test_a_ratio_is_that_of_the_medians_and_spreads_as_its_rounds_do() -> None:
    # The second round was slow for both.
    assert ratio([20.0, 44.0, 24.0], [10.0, 20.0, 10.0]) == Figure(2.4, 2.0, 2.4)


def test_a_ratio_compares_what_was_measured_more_often_than_the_other() -> None:
    assert ratio([4.0], [1.0, 2.0, 3.0]).median == 2.0


def test_a_difference_is_that_of_the_medians() -> None:
    assert difference([5.0, 7.0], [1.0, 2.0]) == Figure(4.5, 4.0, 5.0)


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (1.0, 100.0)]
)
def test_a_percentile_is_a_value_that_occurred(share: float, value: float) -> None:
    assert percentile([float(each) for each in range(100, 0, -1)], share) == value


def test_the_second_of_a_refresh_is_kept_apart_from_the_whole_others() -> None:
    moments = [second + part / 10 for second in range(6) for part in range(10)]
    calls = Calls([100 + each for each in moments], [0.001] * len(moments))
    calls.seconds[25] = 0.5  # in the third second, half a second after the refresh

    during, others = seconds_around(calls, 102.0)

    assert during == 0.5
    assert others == [0.001] * 3  # neither the first nor the last


def test_memory_has_grown_when_its_end_is_above_its_beginning() -> None:
    assert growth([40.0, 41.0] * 10) == 0.0
    assert growth([40.0 + each for each in range(20)]) == 16.0


def test_the_first_bytes_on_a_far_way_come_after_a_handshake() -> None:
    assert due(now=10.0, delay=0.025, last=0.0, opens=True) == pytest.approx(10.075)
    assert due(now=10.0, delay=0.025, last=0.0, opens=False) == pytest.approx(10.025)


def test_bytes_on_a_far_way_do_not_overtake_others() -> None:
    assert due(now=10.0, delay=0.025, last=10.075, opens=False) == 10.075
