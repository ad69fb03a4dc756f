"""The filter language."""

from typing import Any, NoReturn

import pytest
from hypothesis import given, strategies as st

from proxy.errors import RequestError
from proxy.journal.filters import LONGEST, MOST_TERMS, Filter

DOCTOR = "/api/v1/doctor/get/17?from=2026-11-25T03:00:00%2B0300"


def summary(**changes: Any) -> dict[str, Any]:
    return {
        "id": "9f1c2a-2f",
        "number": 47,
        "request_id": "order-1",
        "method": "GET",
        "target": DOCTOR,
        "endpoint": "/api/v1/doctor/get/{id}",
        "status": 200,
        "answered_by": "upstream",
        "error": None,
        "seconds": 0.01,
        "caller": None,
        "agent": None,
        "running": False,
        "replayed": False,
        "resent": False,
        "paid": False,
        "replay_of": None,
        **changes,
    }


def found(expression: str, text: str = "", **changes: Any) -> bool:
    return Filter.parse(expression).matches(summary(**changes), text.casefold)


@pytest.mark.parametrize(
    ("expression", "fits", "does_not"),
    [
        ("method:GET", {}, {"method": "POST"}),
        ("method:get", {}, {"method": "GETS"}),
        ("METHOD:GET", {}, {"method": "POST"}),
        ("status:404", {"status": 404}, {"status": 400}),
        ("status:4xx", {"status": 499}, {"status": 500}),
        ("status:4XX", {"status": 400}, {"status": 399}),
        ("status:0", {"status": 0}, {"status": 200}),
        ("path:/v1/doctor", {}, {"target": "/api/v1/profile/get"}),
        ("path:/V1/Doctor", {}, {"target": "/api/v1/profile/get"}),
        ("path:/api/*/get/", {}, {"target": "/get/api/"}),
        ("path:get*api", {"target": "/get/api"}, {}),
        ("path:aa*aa", {"target": "/aaaa"}, {"target": "/aaa"}),
        ("path:*", {}, None),
        ("path:врач", {"target": "/%D0%B2%D1%80%D0%B0%D1%87"}, {}),
        ("path:from", {"target": "/from"}, {}),
        ("caller:Report", {"caller": "report"}, {"caller": "reports"}),
        ("caller:report", {"caller": "report"}, {}),
        ("is:error", {"error": "client_left", "status": 0}, {}),
        ("is:error", {"status": 400}, {"status": 399}),
        ("is:proxy", {"answered_by": "proxy"}, {}),
        ("is:running", {"running": True}, {}),
        ("is:error", {"status": 0}, {"status": 0, "running": True}),
        ("is:replayed", {"replayed": True}, {}),
        ("is:replayed", {"resent": True}, {}),
        ("is:replayed", {"replay_of": "9f1c2a-1"}, {}),
        ("is:paid", {"paid": True}, {}),
        ("is:slow", {"seconds": 1.1}, {"seconds": 1.0}),
        ("IS:Slow", {"seconds": 1.1}, {}),
    ],
)
def test_a_term_finds_what_it_says_and_nothing_else(
    expression: str, fits: dict[str, Any], does_not: dict[str, Any] | None
) -> None:
    assert found(expression, **fits)
    assert not found(f"-{expression}", **fits)
    if does_not is not None:
        assert not found(expression, **does_not)
        assert found(f"-{expression}", **does_not)


@pytest.mark.parametrize(
    ("word", "changes"),
    [
        ("9F1C2A", {}),
        ("order-1", {}),
        ("get", {"target": "/", "endpoint": None}),
        ("2026-11", {}),
        ("+0300", {}),
        ("%2b0300", {}),
        ("{ID}", {}),
        ("404", {"status": 404}),
        ("refused", {"error": "connection_refused"}),
        ("reporter", {"caller": "Reporter"}),
        ("CURL", {"agent": "curl/8.5.0"}),
    ],
)
def test_a_plain_word_is_looked_for_everywhere(
    word: str, changes: dict[str, Any]
) -> None:
    assert found(word, **changes)
    assert not found(f"-{word}", **changes)


def test_fields_and_content_are_asked_for_only_when_needed() -> None:
    def fail() -> NoReturn:
        raise AssertionError("asked for")

    assert Filter.parse("order is:error -is:slow").matches(summary(status=500), fail)
    assert not Filter.parse("is:error other").matches(summary(), fail)
    assert found("Иванова", 'Name: "ИВАНОВА"')
    assert not found("Иванова", "Петрова")
    assert not found("none")


def test_all_terms_have_to_match() -> None:
    assert found("method:GET  status:2xx\tdoctor")
    assert not found("method:GET status:4xx doctor")
    assert not found("method:GET -doctor")


@pytest.mark.parametrize(
    "expression", ["", "  ", '""', '"" ""', "-", '-""', "-status:"]
)
def test_without_a_term_everything_matches(expression: str) -> None:
    assert Filter.parse(expression) == Filter()
    assert found(expression)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ('"no such doctor"', "No such doctor"),
        ('no" such "doctor', "no such doctor"),
        ('"no such', "no such doctor"),
        ('"no ', "no such doctor"),
        ('"is:error"', "this is:error"),
        ('"-order"', "re-order"),
        ('is":error"', "this is:error"),
        ("unit:mm", "unit:mmHg"),
        ("unit:", "unit:mmHg"),
        (":8080", "127.0.0.1:8080"),
        ('a" "b "c d"', "c d a b"),
    ],
)
def test_what_is_quoted_or_unknown_is_plain_text(expression: str, text: str) -> None:
    assert found(expression, text, status=200)
    assert not found(
        expression, text.replace(" ", "").replace(":", "").replace("-", "")
    )


def test_what_is_quoted_says_nothing_of_the_other_words() -> None:
    assert found('"" is:error', status=500)
    assert not found('"order" is:error', status=200)
    assert not found('-is":error"', "this is:error", status=200)
    assert found('-is":error"', status=500)


def test_a_value_may_be_quoted() -> None:
    assert found('caller:"my report"', caller="my report")
    assert found('-caller:"my report"', caller="my")
    assert found('path:"a b"', target="/a%20b")


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("status:abc", "such as 404, a class such as 4xx"),
        ("status:40", "such as 404"),
        ("status:0xx", "such as 404"),
        ("status:4x", "such as 404"),
        ("status:٤٠٤", "such as 404"),
        ("-status:²xx", "such as 404"),
        ("is:foo", "error, proxy, running, replayed, paid, slow"),
        ("x" * (LONGEST + 1), f"at most {LONGEST} characters"),
        ("x " * (MOST_TERMS + 1), f"at most {MOST_TERMS} terms"),
    ],
)
def test_a_mistake_is_one_sentence_that_says_what_is_allowed(
    expression: str, sentence: str
) -> None:
    with pytest.raises(RequestError) as raised:
        Filter.parse(expression)

    assert sentence in raised.value.description
    assert (raised.value.status, raised.value.value) == (400, "filter")


def test_the_longest_are_allowed() -> None:
    assert found("g" * LONGEST, "g" * LONGEST)
    assert found("g " * MOST_TERMS, "g")


@pytest.mark.timeout(5)
def test_no_expression_takes_long() -> None:
    """A backtracking search would not come to its end."""
    expression = "path:" + "a*" * 490 + "b"
    many = " ".join(["path:" + "*a" * 12 + "*b"] * MOST_TERMS)
    target = "/" + "a" * 100_000

    assert not found(expression, target=target)
    assert not found(many, target=target)


@given(st.text(alphabet=st.sampled_from('ab :"-*4x\té'), max_size=40))
def test_any_text_is_a_filter_or_a_sentence(text: str) -> None:
    try:
        parsed = Filter.parse(text)
    except RequestError:
        return
    assert parsed.matches(summary(), lambda: text) in {True, False}


@given(st.lists(st.text(alphabet="abc -:", min_size=1, max_size=8), max_size=5))
def test_quoted_words_are_found_as_they_are(words: list[str]) -> None:
    quoted = " ".join(f'"{word}"' for word in words)
    text = "\n".join(words)

    assert found(quoted, text)
    if words:
        assert not found(f'{quoted} -"{words[0]}"', text)
