from dataclasses import replace
from typing import Any

import pytest

from proxy.oauth.messages import TokenPair
from proxy.oauth.phone import Phone
from proxy.oauth.stores.record import (
    AccountRecord,
    LoginRecord,
    RecordError,
    RefreshStart,
    decode,
    encode,
)

FULL = AccountRecord(
    tokens=TokenPair("access-1", "refresh-1", 1000.5, 2000.5, 8),
    previous=TokenPair("access-0", None, 0.0, 1000.0, 7),
    phone=Phone("7", "9161234567"),
    issuer="https://api.test https://auth.test",
    generation=8,
    refused=("ab", "cd"),
    refresh_started=RefreshStart(1000.0, 7, "ef", 2),
    last_refresh=1000.5,
    last_error="refused",
    login=LoginRecord(Phone("1", "1111111111"), 5.0, 2, 3, 65.0),
)


@pytest.mark.parametrize(
    "record", [FULL, AccountRecord(), replace(FULL, previous=None)]
)
def test_what_is_written_is_read_back(record: AccountRecord) -> None:
    assert decode(encode(record)) == record


def test_members_of_a_newer_program_are_kept() -> None:
    raw = encode(FULL, {"tokens": 1, "refreshing": {"since": 5}})

    assert raw["refreshing"] == {"since": 5}
    assert decode(raw) == FULL


def test_a_refresh_that_an_older_program_began_is_known() -> None:
    raw = {**encode(FULL), "refresh_started": 5.0}

    assert decode(raw).refresh_started == RefreshStart(5.0)


def test_missing_members_are_empty() -> None:
    assert decode({}) == AccountRecord()


@pytest.mark.parametrize(
    "raw",
    [
        [],
        "text",
        {"tokens": []},
        {"tokens": {}},
        {"tokens": {"access_token": 5}},
        {"tokens": {"access_token": "secret-a", "issued_at": 1}},
        {"tokens": {"access_token": "secret-a", "issued_at": "1", "expires_at": 2}},
        {"tokens": {"access_token": "secret-a", "issued_at": 1, "expires_at": 1e999}},
        {"phone": {"code": "7"}},
        {"generation": "8"},
        {"refused": [1]},
        {"last_error": 5},
        {"login": [1]},
        {"login": {"sends": None}},
    ],
)
def test_what_is_not_a_record_is_told_without_its_values(raw: Any) -> None:
    with pytest.raises(RecordError) as caught:
        decode(raw)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("until", "left"), [(0, 0), (999, 0), (1000, 0), (1000.1, 1), (1060, 60), (9e9, 0)]
)
def test_a_cooldown_is_told_in_whole_seconds(until: float, left: int) -> None:
    assert LoginRecord(cooldown_until=until).cooldown_left(1000) == left
