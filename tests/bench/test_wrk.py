"""What wrk prints is read whole, failures included."""

import pytest

from bench.wrk import Load, OutputError, parse

OUTPUT = """\
Running 3s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.33ms    1.86ms  37.13ms   95.49%
    Req/Sec    29.12k     3.05k   33.17k    83.33%
  Latency Distribution
     50%  950.00us
     75%    2.42ms
     90%    3.00ms
     99%    1.02s
  86845 requests in 3.00s, 24.60MB read
"""


def test_calls_seconds_and_percentiles_are_read() -> None:
    load = parse(OUTPUT)

    assert load.requests == 86845
    assert load.failed == 0
    assert load.rate == pytest.approx(28948.3, abs=0.1)
    assert load.percentile(50) == pytest.approx(0.00095)
    assert load.percentile(99) == pytest.approx(1.02)


def test_every_kind_of_failure_counts() -> None:
    load = parse(
        OUTPUT
        + "  Socket errors: connect 1, read 20, write 300, timeout 4000\n"
        + "  Non-2xx or 3xx responses: 50000\n"
    )

    assert load.failed == 54321


def test_where_no_call_ended_each_took_all_the_time_there_was() -> None:
    assert Load(0, 2.0, {50: 0.0, 99: 0.0}, 0).percentile(99) == 2.0


def test_an_output_without_a_result_is_an_error() -> None:
    with pytest.raises(OutputError):
        parse("unable to connect to 127.0.0.1:8080 Connection refused\n")
