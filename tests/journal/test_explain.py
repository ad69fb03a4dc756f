"""Why an exchange failed, in one sentence."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from proxy import errors
from proxy.errors import ProxyError
from proxy.forward import dial
from proxy.journal.entry import Entry, KeptContent, Message
from proxy.journal.explain import LARGEST_ERROR, why

PACKAGE = Path(errors.__file__).parent

FINE = Entry(
    id="9f1c2a-2f",
    number=47,
    request_id="9f1c2a-2f",
    started=0.0,
    method="GET",
    target="/api/v1/doctor/get/17",
    request=Message([], None),
    response=Message([], None),
    status=200,
    seconds=1.25,
    sent=512,
)


def entry(**changes: object) -> Entry:
    return replace(FINE, **changes)  # type: ignore[arg-type]


def answered(status: int, content: bytes, **changes: object) -> Entry:
    kept = KeptContent(content, len(content), sha256(content).hexdigest())
    return entry(status=status, response=Message([], kept), **changes)


def error(kind: object, description: str = "") -> bytes:
    return json.dumps({"type": kind, "description": description}).encode()


def words() -> set[str]:
    """Return every error word that some module of the package names."""
    named = re.compile(r'proxy_error\s*(?::\s*\w+\s*)?=\s*"(\w+)"')
    texts = [file.read_text("utf-8") for file in PACKAGE.rglob("*.py")]
    classes = {kind.proxy_error for kind in tree(ProxyError)}
    dialled = {row[2] for row in dial._BY_EXCEPTION}
    return classes | dialled | {word for text in texts for word in named.findall(text)}


def tree(kind: type[ProxyError]) -> Iterator[type[ProxyError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from tree(below)


WORDS = sorted(words() - {"client_left"})


@pytest.mark.parametrize(
    "fine",
    [
        entry(),
        entry(status=304),
        entry(status=101),
        entry(status=204, answered_by="proxy"),
        entry(status=0, response=None, running=True),
        entry(status=404, running=True),
        entry(status=200, paid=True, replay_of="9f1c2a-1"),
    ],
)
def test_there_is_nothing_to_say_of_what_went_well(fine: Entry) -> None:
    assert why(fine) is None


def test_no_word_is_missing_that_the_package_uses() -> None:
    assert {"connection_refused", "http_response_incomplete", "dns_error"} <= {*WORDS}
    assert len(WORDS) > 15


@pytest.mark.parametrize("word", WORDS)
def test_every_error_has_a_sentence_with_a_next_step(word: str) -> None:
    told = why(entry(status=502, answered_by="proxy", error=word))

    assert told is not None
    assert "It failed on the way" not in told
    assert re.search(r"[;:,] ", told)
    assert told.endswith(".") or re.search(r": telemed-proxy \w+$", told)


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ("nobody has logged in; run: telemed-proxy login", "Nobody has logged in; run"),
        ("it is too large", "It is too large."),
        ("It is too large.", "It is too large."),
    ],
)
def test_what_the_client_was_told_goes_before(detail: str, told: str) -> None:
    failed = entry(status=503, answered_by="proxy", error="dns_error", detail=detail)

    assert (why(failed) or "").startswith(told)
    assert "run: telemed-proxy login." not in (why(failed) or "")
    assert ".." not in (why(failed) or "")


def test_a_cut_answer_says_how_far_it_came() -> None:
    cut = entry(error="http_response_incomplete")
    tls = entry(error="tls_protocol_error")

    assert why(cut) == (
        "The answer was cut after 512 bytes: the API closed the connection before its "
        "answer was complete; try again."
    )
    assert (why(tls) or "").startswith("The answer was cut after 512 bytes: TLS with")


def test_a_client_that_left_is_told_with_how_far_it_was() -> None:
    early = why(entry(status=0, response=None, error="client_left")) or ""
    late = why(entry(error="client_left")) or ""

    assert "left after 1.2 s, before there was an answer" in early
    assert "left when it had 512 bytes" in late


def test_a_word_that_nobody_knows_points_at_the_log() -> None:
    assert "log says more" in (why(entry(error="of_tomorrow")) or "")


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (400, "bad_argument", "does not accept an argument"),
        (400, "limit_exceeded", "limit of the API is exceeded"),
        (402, "insufficient_funds", "enough money"),
        (403, "oauth", "did not accept the access token, and the request could not"),
        (403, "forbidden", "a new login would not help"),
        (404, "not_found", "nothing under this id"),
        (409, "conflict", "read that anew"),
        (500, "internal_server_error", "A fault of the API itself"),
    ],
)
def test_every_documented_error_is_explained(status: int, kind: str, told: str) -> None:
    with_content = why(answered(status, error(kind)))
    without = why(entry(status=status))

    assert told in (with_content or "")
    assert without is not None
    if kind not in {"limit_exceeded", "oauth", "forbidden"}:
        assert without == with_content


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "did not accept the access token"),
        (403, "the type in its answer says which"),
        (405, "not with this method"),
        (413, "10 MB"),
        (418, "refuses the request with 418"),
        (429, "limit"),
        (503, "maintenance"),
        (511, "failed with 511"),
        (999, "failed with 999"),
    ],
)
def test_without_a_type_the_status_is_explained(status: int, told: str) -> None:
    assert told in (why(entry(status=status)) or "")


def test_of_5xx_only_the_status_counts() -> None:
    assert why(answered(503, error("conflict"))) == why(entry(status=503))


def test_a_path_that_is_not_documented_is_looked_at_itself() -> None:
    assert "mistake in it" in (why(entry(status=404, target="/api/v1/docto")) or "")
    told = why(answered(404, error("not_found"), target="/api/v1/docto"))
    assert "mistake in it" in (told or "")
    assert "mistake" not in (why(entry(status=404)) or "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"\x1f\x8b",
        b"[1]",
        b'"oauth"',
        b"[" * 20_000,
        error(["oauth"]),
        error(None),
        error("Anna Ivanova"),
        error("oauth") + b" " * LARGEST_ERROR,
    ],
)
def test_content_that_is_no_documented_error_changes_nothing(content: bytes) -> None:
    assert why(answered(403, content)) == why(entry(status=403))


def test_content_that_was_not_kept_whole_changes_nothing() -> None:
    data = error("oauth")
    part = Message([], KeptContent(data, len(data) + 1, ""))

    assert why(entry(status=403, response=part)) == why(entry(status=403))


def test_what_the_api_wrote_is_never_repeated() -> None:
    assert "Anna" not in (why(answered(409, error("conflict", "Anna Ivanova"))) or "")


@pytest.mark.parametrize("status", [401, 403])
def test_a_fresh_token_that_was_refused_too_needs_a_login(status: int) -> None:
    told = why(entry(status=status, replayed=True)) or ""

    assert "nor a fresh one; run: telemed-proxy login" in told
    assert told == why(answered(status, error("oauth"), replayed=True))


def test_a_refusal_after_a_replay_is_one() -> None:
    told = why(answered(403, error("forbidden"), replayed=True)) or ""

    assert "a new login would not help" in told


def test_what_the_proxy_mended_is_told() -> None:
    assert "refreshed it and sent" in (why(entry(replayed=True)) or "")
    assert "on a new one" in (why(entry(resent=True)) or "")


@pytest.mark.parametrize(
    ("changes", "unsure"),
    [
        ({"error": "http_response_timeout", "answered_by": "proxy"}, True),
        ({"error": "client_left", "status": 0}, True),
        ({"status": 500}, True),
        ({"error": "connection_refused", "answered_by": "proxy"}, False),
        ({"error": "http_request_denied", "answered_by": "proxy"}, False),
        ({"status": 402}, False),
    ],
)
def test_of_a_paid_call_is_said_that_it_may_have_been_done(
    changes: dict[str, object], unsure: bool
) -> None:
    said = "costs money and may have been carried out"

    changes = {"status": 504, **changes}
    told = why(entry(**changes, paid=True)) or ""

    assert (said in told) is unsure
    assert ".;" not in told
    assert said not in (why(entry(**changes)) or "")
