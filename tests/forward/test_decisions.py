"""May it be sent again, and was the token not accepted."""

import gzip
import json
import zlib

import pytest

from proxy.forward.rejection import SUSPECT, is_rejection
from proxy.forward.replay import may_replay_after_rejection, may_resend_after_fault


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_an_idempotent_request_survives_a_stale_connection(method: str) -> None:
    assert may_resend_after_fault(
        method, content_kept=True, answer_begun=False, connection_reused=True
    )


@pytest.mark.parametrize("method", ["POST", "PATCH", "PROPPATCH", "LOCK"])
def test_what_may_have_cost_money_is_never_sent_again(method: str) -> None:
    assert not may_resend_after_fault(
        method, content_kept=True, answer_begun=False, connection_reused=True
    )


@pytest.mark.parametrize(
    ("content_kept", "answer_begun", "connection_reused"),
    [(False, False, True), (True, True, True), (True, False, False)],
    ids=["content gone", "answer begun", "new connection"],
)
def test_a_fault_is_shown_when_sending_again_would_not_mend_it(
    content_kept: bool, answer_begun: bool, connection_reused: bool
) -> None:
    assert not may_resend_after_fault(
        "GET",
        content_kept=content_kept,
        answer_begun=answer_begun,
        connection_reused=connection_reused,
    )


def test_a_rejected_request_is_replayed_once_if_its_content_is_kept() -> None:
    assert may_replay_after_rejection(content_kept=True, replayed=False)
    assert not may_replay_after_rejection(content_kept=True, replayed=True)
    assert not may_replay_after_rejection(content_kept=False, replayed=False)


OAUTH = json.dumps({"type": "oauth", "value": None}).encode()


@pytest.mark.parametrize(
    ("status", "content", "coding"),
    [
        (401, b"", b""),
        (401, b'{"type": "forbidden"}', b""),
        (403, OAUTH, b""),
        (403, OAUTH, b"identity"),
        (403, b"\xef\xbb\xbf" + OAUTH, b""),
        (403, gzip.compress(OAUTH, mtime=0), b"gzip"),
        (403, gzip.compress(OAUTH, mtime=0), b" GZip "),
        (403, zlib.compress(OAUTH), b"deflate"),
    ],
    ids=["401", "401 any", "plain", "identity", "BOM", "gzip", "GZip", "deflate"],
)
def test_both_shapes_mean_that_the_token_was_not_accepted(
    status: int, content: bytes, coding: bytes
) -> None:
    assert status in SUSPECT
    assert is_rejection(status, content, coding)


@pytest.mark.parametrize(
    ("status", "content", "coding"),
    [
        (403, b'{"type": "forbidden"}', b""),
        (403, b'{"value": "oauth"}', b""),
        (403, b'["oauth"]', b""),
        (403, b"<html>oauth</html>", b""),
        (403, b"", b""),
        (403, b"[" * 50_000, b""),
        (403, OAUTH, b"br"),
        (403, OAUTH, b"gzip"),
        (200, OAUTH, b""),
        (400, OAUTH, b""),
        (500, OAUTH, b""),
    ],
    ids=[
        "forbidden",
        "another member",
        "a list",
        "HTML",
        "empty",
        "deep",
        "br",
        "not gzip",
        "200",
        "400",
        "500",
    ],
)
def test_everything_else_is_passed_on(
    status: int, content: bytes, coding: bytes
) -> None:
    assert not is_rejection(status, content, coding)


def test_a_compressed_bomb_is_not_inflated() -> None:
    bomb = gzip.compress(b" " * 50_000_000 + OAUTH)
    assert not is_rejection(403, bomb, b"gzip")
