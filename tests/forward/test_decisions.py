"""May it be sent again, and was the token not accepted."""

import gzip
import json
import zlib
from typing import cast

import pytest

from proxy.forward.content import InboundContent, Source
from proxy.forward.limits import Budget
from proxy.forward.pool import Pool
from proxy.forward.rejection import SUSPECT, is_rejection
from proxy.forward.replay import (
    costs_an_sms,
    may_replay_after_rejection,
    may_resend_after_fault,
)
from proxy.forward.sending import Sending
from proxy.http1.framing import Counted


def outbound(method: str = "GET", *, kept: bool = True, once: bool = False) -> Sending:
    content = None
    if not kept:
        content = InboundContent(
            Counted(2), cast("Source", None), keep=0, budget=Budget(100)
        )
        content.feed(b"a")
        content.taken, content._kept = 1, None
    pool = cast("Pool", None)
    return Sending(pool, method, b"/", [], content, once=once)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_an_idempotent_request_may_be_repeated(method: str) -> None:
    assert outbound(method).repeatable
    assert not outbound(method, kept=False).repeatable
    assert not outbound(method, once=True).repeatable


@pytest.mark.parametrize("method", ["POST", "PATCH", "PROPPATCH", "LOCK", "get"])
def test_what_may_have_cost_money_is_never_repeated(method: str) -> None:
    assert not outbound(method).repeatable


@pytest.mark.parametrize(
    ("repeatable", "answer_begun", "connection_reused", "may"),
    [
        (True, False, True, True),
        (False, False, True, False),
        (True, True, True, False),
        (True, False, False, False),
    ],
    ids=["stale", "not repeatable", "answer begun", "new connection"],
)
def test_a_fault_is_shown_when_sending_again_would_not_mend_it(
    repeatable: bool, answer_begun: bool, connection_reused: bool, may: bool
) -> None:
    assert may is may_resend_after_fault(
        repeatable=repeatable,
        answer_begun=answer_begun,
        connection_reused=connection_reused,
    )


@pytest.mark.parametrize(
    ("target", "costs"),
    [
        (b"/api/v1/access/validation-code?code=7&number=1", True),
        (b"/API/v1/Access/Validation-Code", True),
        (b"/api/v1/access/%76alidation%2Dcode?x", True),
        (b"/api/v1/profile/get?next=/access/validation-code", False),
        (b"/api/v1/access/other", False),
    ],
)
def test_an_sms_is_asked_for_with_a_get(target: bytes, costs: bool) -> None:
    assert costs_an_sms(target) is costs


def test_a_rejected_request_is_replayed_once_if_its_content_is_kept() -> None:
    assert may_replay_after_rejection(content_kept=True, once=False)
    assert not may_replay_after_rejection(content_kept=False, once=False)
    assert not may_replay_after_rejection(content_kept=True, once=True)


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


def test_content_that_is_forgotten_is_kept_no_more_when_more_comes() -> None:
    budget = Budget(100)
    content = InboundContent(Counted(9), cast("Source", None), keep=9, budget=budget)
    content.feed(b"abc")
    assert budget.content == 3
    content.forget()
    content.feed(b"def")
    assert (budget.content, content.received) == (0, 6)
