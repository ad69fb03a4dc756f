"""Local keys: whose they are, and how they are sent."""

import base64
import logging
import os
from pathlib import Path

import pytest

from proxy.access.keys import LocalKeys
from proxy.errors import ConfigError, LocalKeyError
from tests.clocks import MovedClock

KEY = "wJ8s-first-key"
OTHER = "Zq1-ключ-second"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(f"\n# who calls\n{KEY}\n  report {OTHER}  \n", "utf-8")
    return path


@pytest.fixture
def keys(path: Path) -> LocalKeys:
    return LocalKeys(path, clock=MovedClock())


def basic(password: str, user: str = "anyone") -> bytes:
    return b"Basic " + base64.b64encode(f"{user}:{password}".encode())


def test_a_key_tells_who_calls(keys: LocalKeys) -> None:
    assert keys.caller(KEY.encode(), None) == "local key"
    assert keys.caller(OTHER.encode(), None) == "report"
    assert keys.caller(f" {OTHER} ".encode(), None) == "report"


@pytest.mark.parametrize("scheme", [b"Basic ", b"basic ", b"BASIC   "])
def test_the_basic_password_is_as_good(keys: LocalKeys, scheme: bytes) -> None:
    assert keys.caller(None, scheme + basic(OTHER)[6:]) == "report"
    assert keys.caller(None, scheme + basic(KEY, user="")[6:]) == "local key"


@pytest.mark.parametrize(
    ("key", "authorization"),
    [
        (None, None),
        (b"", None),
        (b"wrong", None),
        (KEY[:-1].encode(), None),
        (KEY.encode() + b"x", None),
        (KEY.upper().encode(), None),
        (f"{KEY}, {KEY}".encode(), None),
        (f"report {OTHER}".encode(), None),
        (b"# who calls", None),
        (b"wrong", basic(KEY)),
        (None, basic("wrong")),
        (None, basic("")),
        (None, b"Basic"),
        (None, b"Basic !!!"),
        (None, b"Basic " + base64.b64encode(KEY.encode())),
        (None, b"Bearer " + KEY.encode()),
        (None, KEY.encode()),
        (None, basic(KEY) + b", " + basic(KEY)),
    ],
    ids=[
        "none",
        "empty",
        "wrong",
        "a prefix",
        "longer",
        "another case",
        "the field twice",
        "with its name",
        "a comment",
        "wrong, beside a right password",
        "a wrong password",
        "an empty password",
        "no password at all",
        "not base64",
        "no colon",
        "a bearer token",
        "no scheme",
        "Authorization twice",
    ],
)
def test_a_wrong_key_is_refused_without_repeating_it(
    keys: LocalKeys, key: bytes | None, authorization: bytes | None
) -> None:
    with pytest.raises(LocalKeyError) as caught:
        keys.caller(key, authorization)
    assert (caught.value.status, caught.value.value) == (401, "local_key")
    assert "wrong" not in caught.value.description
    assert KEY not in caught.value.description


def test_the_keys_are_not_in_the_object(keys: LocalKeys) -> None:
    assert KEY not in repr(vars(keys))
    assert OTHER not in repr(vars(keys))


def test_the_file_is_read_again_when_it_changes(path: Path) -> None:
    time = MovedClock()
    keys = LocalKeys(path, clock=time)
    path.write_text("new brand-new-key\n")

    assert keys.caller(KEY.encode(), None) == "local key"  # not looked at yet
    time.now += 1
    assert keys.caller(b"brand-new-key", None) == "new"
    with pytest.raises(LocalKeyError):
        keys.caller(KEY.encode(), None)


def test_a_clock_set_back_does_not_stop_the_looking(path: Path) -> None:
    time = MovedClock()
    keys = LocalKeys(path, clock=time)
    path.write_text("new brand-new-key\n")
    time.now -= 3600

    assert keys.caller(b"brand-new-key", None) == "new"


def test_a_file_that_cannot_be_read_leaves_the_earlier_keys(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    time = MovedClock()
    keys = LocalKeys(path, clock=time)
    path.unlink()
    time.now += 1

    with caplog.at_level(logging.DEBUG):
        assert keys.caller(KEY.encode(), None) == "local key"
        time.now += 1
        assert keys.caller(OTHER.encode(), None) == "report"

    assert caplog.text.count("earlier local keys") == 1
    assert KEY not in caplog.text


def test_an_unchanged_file_is_not_read(path: Path) -> None:
    time = MovedClock()
    keys = LocalKeys(path, clock=time)
    before = path.stat()
    path.write_bytes(b"#" * before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    time.now += 1

    assert keys.caller(KEY.encode(), None) == "local key"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no key in"),
        (b"# only this\n", "no key in"),
        (b"ok-key\none two secret-three\n", "line 2: write KEY"),
        (b"\xff\xfe", "not UTF-8"),
        (None, "No such file"),
    ],
    ids=["empty", "only comments", "three words", "binary", "missing"],
)
def test_a_bad_file_is_one_sentence_without_a_key(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "keys"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=says) as caught:
        LocalKeys(path)
    assert "access.local_key_file" in caught.value.description
    assert "secret-three" not in caught.value.description


def test_a_byte_order_mark_is_no_part_of_a_key(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_bytes(b"\xef\xbb\xbf" + KEY.encode())

    assert LocalKeys(path).caller(KEY.encode(), None) == "local key"
