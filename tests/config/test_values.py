"""One setting's text: what it may be, and what the refusal says."""

from pathlib import Path
from typing import Any

import pytest

from proxy.config.network import Address, parse_egress_proxy
from proxy.config.values import (
    parse_client_id,
    parse_count,
    parse_duration,
    parse_file,
    parse_flag,
    parse_positive_duration,
    parse_rule,
    parse_share,
    parse_size,
    parse_store_url,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("10s", 10.0),
        ("5m", 300.0),
        ("2h", 7200.0),
        ("14d", 1209600.0),
        ("0s", 0.0),
        ("366d", 366 * 86400.0),
    ],
)
def test_a_duration_has_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *["", "10", "s", "10 s", " 10s", "10s\n", "-1s", "+1s", "1.5s", "1e3s", "10S"],
        *["1h30m", "٣s", "1w", "0x10s", "1_000s", "367d", "999999999999d", "9" * 5000],
        *[None, True, [], {}, b"10s"],
    ],
)
def test_anything_else_is_not_a_duration(text: Any) -> None:
    with pytest.raises(ValueError, match=r"^must be (a duration|at most 366d)"):
        parse_duration(text)


@pytest.mark.parametrize("value", ["0s", "0ms", 0, -1.0, float("nan")])
def test_a_timeout_is_longer_than_nothing(value: Any) -> None:
    with pytest.raises(ValueError, match="longer than 0s"):
        parse_positive_duration(value)


def test_programs_give_durations_in_seconds_and_sizes_in_bytes() -> None:
    assert parse_duration(1.5) == 1.5
    assert parse_duration(2) == 2.0
    assert parse_size(17) == 17


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0B", 0),
        ("100B", 100),
        ("64KiB", 65536),
        ("12MiB", 12582912),
        ("1GiB", 1073741824),
    ],
)
def test_a_size_has_a_binary_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    ["", "12", "12MB", "12mib", "1.5MiB", "-1B", "12 MiB", "9" * 5000, -1, True, 1.5]
    + [None, [], "1025GiB"],
)
def test_anything_else_is_not_a_size(text: Any) -> None:
    with pytest.raises(ValueError, match=r"^must be (a size|at most)"):
        parse_size(text)


@pytest.mark.parametrize("value", ["1", "65535", 1, "007"])
def test_a_count_is_a_whole_number_within_its_limits(value: Any) -> None:
    assert parse_count(1, 65535)(value) == int(value)


@pytest.mark.parametrize(
    "value", ["0", "65536", "1.0", "-1", "", "1e3", "9" * 5000, True, 1.0, None, []]
)
def test_a_count_outside_its_limits_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="whole number from 1 to 65535"):
        parse_count(1, 65535)(value)


@pytest.mark.parametrize("value", ["0.5", ".5", 0.5, "0.999", "0.001"])
def test_a_share_lies_between_0_and_1(value: Any) -> None:
    assert parse_share(value) == float(value)


@pytest.mark.parametrize(
    "value",
    ["0", "1", "0.0", "1.0", "1.5", "nan", "inf", "-0.5", "50%", "", 0, 1, None],
)
def test_0_and_1_are_no_shares(value: Any) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        parse_share(value)


@pytest.mark.parametrize(
    ("value", "meant"),
    [("true", True), ("True", True), ("yes", True), ("on", True), (True, True)]
    + [("false", False), ("FALSE", False), ("no", False), ("off", False)],
)
def test_a_flag_is_a_word_of_yaml(value: Any, meant: bool) -> None:
    assert parse_flag(value) is meant


@pytest.mark.parametrize("value", ["", "1", "0", "y", "maybe", None, 1, []])
def test_other_words_are_no_flags(value: Any) -> None:
    with pytest.raises(ValueError, match="true or false"):
        parse_flag(value)


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "expanduser", lambda self: Path("/home/anna", self.name))

    assert parse_file("~/keys") == Path("/home/anna/keys")
    assert Address.parse("unix:~/s").path == Path("/home/anna/s")
    assert parse_store_url("file:~/t") == "file:/home/anna/t"


def test_a_tilde_without_a_home_is_said_to_be_at_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def homeless(self: Path) -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "expanduser", homeless)

    with pytest.raises(ValueError, match="no home folder"):
        parse_file("~/keys")


@pytest.mark.parametrize("value", [None, ""])
def test_no_file_is_none(value: Any) -> None:
    assert parse_file(value) is None
    assert parse_egress_proxy(value) is None


@pytest.mark.parametrize("value", [[], {}, 7, "a\0b", "a\nb"])
def test_a_file_has_a_path(value: Any) -> None:
    with pytest.raises(ValueError, match="path of a file"):
        parse_file(value)


@pytest.mark.parametrize(
    "text",
    ["98483c47f17f4888b0bf695d1165062e", "0012", "null", "пациент", "", "a" * 500],
)
def test_a_client_id_is_taken_as_it_is(text: str) -> None:
    assert parse_client_id(text) == text


@pytest.mark.parametrize(
    "value", ["a b", " a", "a\n", "a\0", "a\u00a0b", "a\u200bb", "\udc80", None, 12, []]
)
def test_a_client_id_has_no_spaces_and_control_characters(value: Any) -> None:
    with pytest.raises(ValueError, match="without spaces and control characters"):
        parse_client_id(value)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", ""),
        ("file:/var/lib/t.json", "file:/var/lib/t.json"),
        ("file:///var/lib/t.json", "file:/var/lib/t.json"),
        ("file://localhost/var/lib/t.json", "file:/var/lib/t.json"),
        ("file:/with space/%41.json", "file:/with space/%41.json"),
        ("file:t.json", "file:t.json"),
        ("keyring:", "keyring:telemed-proxy"),
        ("keyring:my.own_name-2", "keyring:my.own_name-2"),
        ("redis://u:p@h:1/2?prefix=x", "redis://u:p@h:1/2?prefix=x"),
        ("rediss://h", "rediss://h"),
    ],
)
def test_a_store_is_a_file_a_keyring_or_a_redis(text: str, url: str) -> None:
    assert parse_store_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "hunter2://h",
        "keyring:a hunter2",
        "keyring:hunter2/x",
        "keyring://hunter2",
        "redis:",
        "redis:hunter2@h",
        "redis://h hunter2",
        "rediss:///hunter2",
        "/var/lib/t.json",
        "t.json",
        "file:",
        "file://h/x",
        "file://x",
        "file://",
    ]
    + [None, [], "FILE:/x"],
)
def test_other_stores_are_refused_without_a_word_of_what_they_were(text: Any) -> None:
    with pytest.raises(ValueError, match="^must be") as caught:
        parse_store_url(text)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("GET /api/v1/doctor/*", "GET /api/v1/doctor/*"),
        ("* /api/*", "* /api/*"),
        ("  POST   /x ", "POST /x"),
        ("get /x", "GET /x"),
        ("GET *", "GET *"),
        ("GET /", "GET /"),
        ("GET /.well-known/..x", "GET /.well-known/..x"),
    ],
)
def test_a_rule_is_a_method_and_a_path(text: str, rule: str) -> None:
    assert str(parse_rule(text)) == rule
    assert parse_rule(parse_rule(text)) == parse_rule(text)


@pytest.mark.parametrize(
    "text",
    ["", "GET", "/x", "GET x", "GET,POST /x", "GET /x /y", "GET https://a/x", "** /x"]
    + [None, ["GET /x"], "GET /x?a=b", "GET /x#y", "GET /a%2fb", "GET /a\\b", "GET //a"]
    + ["GET /a/../b", "GET /a/./b", "GET /a/.."],
)
def test_a_rule_that_could_never_match_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="^must be"):
        parse_rule(text)
