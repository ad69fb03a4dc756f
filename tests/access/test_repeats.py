"""A paid call is sent a second time only if that is meant."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from proxy.access.repeats import PaidCalls, means_it
from proxy.config import CallRule, ForwardConfig
from proxy.config.values import parse_rule
from proxy.errors import RepeatedCallError

VOIP = "/api/v1/voiprequest/start"
CONTENT = b'{"doctorId": 7}'


@dataclass
class Time:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def paid(
    time: Time,
    *,
    window: float = 60.0,
    rules: Sequence[CallRule] = ForwardConfig().paid_calls,
) -> PaidCalls:
    return PaidCalls(rules, window, time)


def submit(
    calls: PaidCalls,
    *,
    method: str = "POST",
    target: str = VOIP,
    content: bytes | None = CONTENT,
    caller: str | None = "report",
    repeat: bool = False,
    sent: bool = True,
    status: int | None = 200,
) -> None:
    """Send the call and settle it."""
    key = calls.key(method, target, content, caller)
    calls.begin(key, repeat=repeat).settle(sent=sent, status=status)


def is_refused(calls: PaidCalls, **call: object) -> bool:
    try:
        submit(calls, **call)  # type: ignore[arg-type]
    except RepeatedCallError:
        return True
    return False


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/callbackrequest/start-callback",
        "/api/v1/voiprequest/start",
        "/api/v1/writingrequest/start-writing",
        "/api/v2/writingrequest/start-writing",
    ],
)
def test_the_three_paid_calls_are_known(time: Time, target: str) -> None:
    calls = paid(time)

    assert not is_refused(calls, target=target)
    assert is_refused(calls, target=target)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", VOIP),
        ("POST", "/api/v1/voiprequest/terminate"),
        ("POST", "/api/v1/voiprequest/start/more"),
        ("POST", "/api/v1/message/add"),
        ("POST", "/"),
        ("POST", "*"),
        ("POST", "/" + "%25" * 9),
        ("POST", "/" + "(a" * 40),
    ],
)
def test_other_calls_are_repeated_at_will(time: Time, method: str, target: str) -> None:
    calls = paid(time)

    assert not calls.concerns(method, target)
    assert calls.key(method, target, CONTENT, None) is None
    for _ in range(3):
        submit(calls, method=method, target=target)


@pytest.mark.parametrize(
    "target",
    [
        "/API/V1/VoipRequest/Start",
        "/api/v1/voiprequest/start/",
        "//api/v1/./voiprequest/x/../start",
        "/api/v1/voiprequest/%73tart",
        "/api/v1/voiprequest/%2573tart",
        "http://localhost:8080/api/v1/voiprequest/start",
        "/api/v1/voiprequest/" + "./" * 1000 + "start",
    ],
)
@pytest.mark.parametrize("method", ["POST", "post"])
def test_another_spelling_is_the_same_call(
    time: Time, method: str, target: str
) -> None:
    calls = paid(time)
    submit(calls)

    assert is_refused(calls, method=method, target=target)


@pytest.mark.parametrize(
    "other",
    [
        {"content": b'{"doctorId": 8}'},
        {"content": b""},
        {"caller": "another"},
        {"caller": None},
        {"target": VOIP + "?x=1"},
        {"target": "/api/v2/voiprequest/start"},
    ],
    ids=str,
)
def test_another_call_is_no_repetition(time: Time, other: dict[str, object]) -> None:
    calls = paid(time)
    submit(calls)

    assert not is_refused(calls, **other)
    assert is_refused(calls)
    assert is_refused(calls, **other)


def test_parts_of_a_call_do_not_run_into_each_other(time: Time) -> None:
    calls = paid(time)

    assert calls.key("POST", VOIP + "?a", b"", "b") != calls.key(
        "POST", VOIP + "?ab", b"", ""
    )
    assert calls.key("POST", VOIP, b"c", "b") != calls.key("POST", VOIP, b"bc", None)


def test_content_too_long_to_be_compared_is_not(time: Time) -> None:
    calls = paid(time)

    for _ in range(2):
        submit(calls, content=None)


def test_the_window_runs_from_the_end_of_the_first_call(time: Time) -> None:
    calls = paid(time)
    first = calls.begin(calls.key("POST", VOIP, CONTENT, "report"))
    time.now += 100
    assert is_refused(calls)
    first.settle(sent=True, status=None)

    time.now += 59.9
    assert is_refused(calls)
    time.now += 0.1
    assert not is_refused(calls)
    assert is_refused(calls)


def test_a_refusal_says_when_and_how_to_repeat(time: Time) -> None:
    calls = paid(time)
    key = calls.key("POST", VOIP, CONTENT, None)
    first = calls.begin(key)
    time.now += 3.4

    with pytest.raises(RepeatedCallError) as caught:
        calls.begin(key)
    assert "sent 3 seconds ago and is still under way, so" in caught.value.description
    first.settle(sent=True, status=200)
    with pytest.raises(RepeatedCallError, match="sent 3 seconds ago, so") as caught:
        calls.begin(key)

    error = caught.value
    assert (error.status, error.type, error.value) == (409, "conflict", "paid_call")
    assert "X-Proxy-Allow-Repeat: 1" in error.description
    assert "forward.paid_window" in error.description
    assert error.retry_after is None
    assert "doctorId" not in error.description


@pytest.mark.parametrize(
    ("sent", "status"),
    [(True, 200), (True, 302), (True, 500), (True, 503), (True, None), (True, 408)],
)
def test_what_may_have_been_carried_out_counts(
    time: Time, sent: bool, status: int | None
) -> None:
    calls = paid(time)
    submit(calls, sent=sent, status=status)

    assert is_refused(calls)


@pytest.mark.parametrize(
    ("sent", "status"),
    [(False, None), (True, 400), (True, 401), (True, 402), (True, 409), (True, 429)],
)
def test_what_surely_was_not_does_not(
    time: Time, sent: bool, status: int | None
) -> None:
    calls = paid(time)
    submit(calls, sent=sent, status=status)

    assert not is_refused(calls)


def test_two_at_once_are_one_too_many(time: Time) -> None:
    calls = paid(time)
    key = calls.key("POST", VOIP, CONTENT, None)
    first = calls.begin(key)

    with pytest.raises(RepeatedCallError):
        calls.begin(key)

    first.settle(sent=False, status=None)
    calls.begin(key).settle(sent=True, status=200)


def test_a_repetition_on_purpose_passes_and_begins_the_window_anew(time: Time) -> None:
    calls = paid(time)
    submit(calls)
    time.now += 50
    submit(calls, repeat=True)
    time.now += 50

    assert is_refused(calls)


def test_a_repetition_that_was_refused_leaves_the_first_one_known(time: Time) -> None:
    calls = paid(time)
    submit(calls)
    submit(calls, repeat=True, sent=False, status=None)

    assert is_refused(calls)


def test_of_two_under_way_each_counts(time: Time) -> None:
    calls = paid(time)
    key = calls.key("POST", VOIP, CONTENT, None)
    first, second = calls.begin(key), calls.begin(key, repeat=True)
    first.settle(sent=False, status=None)
    with pytest.raises(RepeatedCallError, match="under way"):
        calls.begin(key)
    second.settle(sent=False, status=None)

    calls.begin(key)


def test_a_call_is_settled_once(time: Time) -> None:
    calls = paid(time)
    key = calls.key("POST", VOIP, CONTENT, None)
    first = calls.begin(key)
    first.settle(sent=True, status=None)
    first.settle(sent=False, status=None)

    with pytest.raises(RepeatedCallError):
        calls.begin(key)


def test_without_a_window_or_rules_everything_passes(time: Time) -> None:
    for calls in (paid(time, window=0), paid(time, rules=())):
        assert not calls.concerns("POST", VOIP)
        for _ in range(2):
            submit(calls)


def test_a_rule_may_be_about_any_method(time: Time) -> None:
    calls = paid(time, rules=[parse_rule("* /pay/*")])
    submit(calls, method="PUT", target="/pay/7")

    assert is_refused(calls, method="PUT", target="/pay/7")
    assert not is_refused(calls, method="POST", target="/pay/7")


def test_many_calls_take_no_memory(time: Time) -> None:
    calls = paid(time)
    submit(calls, content=b"the first")
    for number in range(3000):
        submit(calls, content=b"%d" % number)
    assert len(calls._calls) <= 1024
    assert is_refused(calls, content=b"2999")

    time.now += 60
    for number in range(1024):
        submit(calls, content=b"later %d" % number)
    assert len(calls._calls) <= 1024


def test_what_is_over_goes_before_what_is_not(time: Time) -> None:
    calls = paid(time)
    kept = calls.begin(calls.key("POST", VOIP, b"kept", "report"))
    for number in range(1023):
        submit(calls, content=b"%d" % number)
    time.now += 60
    submit(calls, content=b"one more")

    assert len(calls._calls) == 2
    assert is_refused(calls, content=b"kept")
    kept.settle(sent=True, status=200)


@pytest.mark.parametrize("field", [b"1", b" 1 "])
def test_one_means_it(field: bytes) -> None:
    assert means_it(field)


@pytest.mark.parametrize("field", [None, b"", b"0", b"true", b"1, 1", b"11"])
def test_nothing_else_does(field: bytes | None) -> None:
    assert not means_it(field)
