"""The rules between settings hold for every Config, however it was made."""

import re
from pathlib import Path
from typing import Any

import pytest
from platformdirs import user_state_path

from proxy.config import (
    Address,
    Config,
    StoreConfig,
    UpstreamConfig,
    default_store_url,
)
from proxy.config.section import MalformedError

ELSEWHERE = "192.168.1.5:80"
TLS = {"certificate_file": "server.pem", "key_file": "server.key"}


def test_a_setting_cannot_change_while_the_program_runs() -> None:
    with pytest.raises(AttributeError, match="frozen"):
        Config().upstream.client_id = "other"  # type: ignore[misc]


def test_the_client_id_is_in_no_repr() -> None:
    assert "98483c47" not in repr(Config(upstream=UpstreamConfig(client_id="98483c47")))


def test_tokens_are_kept_in_the_platforms_state_folder() -> None:
    folder = user_state_path("telemed-proxy", appauthor=False)

    assert Config().store.url == default_store_url() == f"file:{folder / 'tokens.json'}"


def test_values_of_programs_are_taken_as_they_are() -> None:
    config = Config(listen=(Address("127.0.0.1", 0), Address("", 0, Path("/run/s"))))

    assert list(map(str, config.listen)) == ["127.0.0.1:0", "unix:/run/s"]


@pytest.mark.parametrize(
    "settings",
    [
        {"listen": ELSEWHERE, "access": {"local_key_file": "keys"}},
        {"listen": ELSEWHERE, "access": {"anyone": "true"}},
        {"admin": {"listen": ELSEWHERE, "password_file": "password"}},
        {"listen": ["127.0.0.1:0", "127.0.0.1:0"], "admin": {"listen": "127.0.0.1:0"}},
        {"listen": ["127.0.0.1:80", "[::1]:80", "127.0.0.1:81", "unix:/run/s"]},
        {"upstream": {"warm_connections": 5, "max_connections": 5}},
        {"listen": ["127.0.0.1:80", "https://127.0.0.1:81"], "tls": TLS},
        {"admin": {"listen": "https://127.0.0.1:80"}, "tls": TLS},
        {"tls": TLS},
        {"access": {"same_user": True}, "listen": ["[::1]:80", "unix:/run/s"]},
    ],
    ids=[
        *("key", "anyone", "password", "port-0", "several", "all-warm"),
        *("tls", "admin-tls", "tls-unused", "same-user"),
    ],
)
def test_settings_that_go_together(settings: Any) -> None:
    Config.parse(settings)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"listen": []}, "needs at least one address"),
        ({"listen": ELSEWHERE}, "opens 192.168.1.5:80 to other machines"),
        ({"listen": ["127.0.0.1:80", ELSEWHERE]}, "opens 192.168.1.5:80"),
        ({"listen": ELSEWHERE, "admin": {"password_file": "x"}}, "opens 192.168"),
        ({"admin": {"listen": ELSEWHERE}}, "set admin.password_file"),
        (
            {"admin": {"listen": ELSEWHERE}, "access": {"anyone": "true"}},
            "password_file",
        ),
        ({"listen": ["127.0.0.1:80", "127.0.0.1:80"]}, "names 127.0.0.1:80 twice"),
        ({"listen": ["[::1]:80", "[0::1]:80"]}, "names [::1]:80 twice"),
        ({"listen": ["unix:/s", "unix:/s"]}, "names unix:/s twice"),
        ({"listen": "127.0.0.1:8081"}, "are both 127.0.0.1:8081"),
        ({"admin": {"listen": "127.0.0.1:8080"}}, "are both 127.0.0.1:8080"),
        ({"upstream": {"warm_connections": 6, "max_connections": 5}}, "more than"),
        ({"listen": ["[::1]:80", "https://[::1]:80"], "tls": TLS}, "names [::1]:80 tw"),
        (
            {"admin": {"listen": "https://127.0.0.1:8080"}, "tls": TLS},
            "are both 127.0.0.1:8080",
        ),
        ({"listen": "https://127.0.0.1:80"}, "needs tls.certificate_file and"),
        ({"admin": {"listen": "https://127.0.0.1:80"}}, "telemed-proxy cert"),
        ({"tls": {"certificate_file": "c"}}, "goes together with"),
        ({"tls": {"key_file": "k"}}, "goes together with"),
        ({"listen": "https://192.168.1.5:80", "tls": TLS}, "to other machines"),
        (
            {
                "listen": ELSEWHERE,
                "access": {"local_key_file": "k", "same_user": True},
            },
            "lets in nobody from other machines, so 192.168.1.5:80",
        ),
        (
            {
                "admin": {"listen": ELSEWHERE, "password_file": "p"},
                "access": {"same_user": True},
            },
            "lets in nobody",
        ),
    ],
)
def test_settings_that_do_not_go_together(settings: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        Config.parse(settings)


def test_the_same_user_can_be_told_on_linux_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")

    with pytest.raises(ValueError, match="works on Linux only") as caught:
        Config.parse({"access": {"same_user": True}})

    assert "access.local_key_file instead" in str(caught.value)


@pytest.mark.parametrize("size", ["8191B", "257KiB", "0B", "64"])
def test_a_head_has_room_for_a_token_and_an_end(size: str) -> None:
    with pytest.raises(ValueError, match="KiB"):
        Config.parse({"limits": {"head_size": size}})


@pytest.mark.parametrize("name", ["connections", "in_flight"])
@pytest.mark.parametrize("count", ["0", "-1", "1000001", "many"])
def test_no_limit_is_none_at_all(name: str, count: str) -> None:
    with pytest.raises(ValueError, match="whole number from 1"):
        Config.parse({"limits": {name: count}})


def test_an_unknown_setting_is_refused_without_its_value() -> None:
    with pytest.raises(MalformedError, match="is not a setting") as caught:
        UpstreamConfig.parse({"pasword": "hunter2"})

    assert caught.value.place == ("pasword",)
    assert "hunter2" not in str(caught.value)


# -- the keys of the token file ------------------------------------------------------


def test_no_keys_are_configured_by_default() -> None:
    assert StoreConfig().keys is None
    assert StoreConfig().with_key(" ").keys is None


def test_a_key_in_the_environment_goes_before_those_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("# the old one\nfirst\n\n  second \n")
    store = StoreConfig(encryption_key_file=file)

    assert store.keys is not None
    assert [key.text for key in store.keys.read()] == ["first", "second"]
    both = store.with_key("third  fourth\n").keys
    assert both is not None
    assert [key.text for key in both.read()] == ["third", "fourth"]
    assert both.place == "TELEMED_PROXY_STORE_KEY"


def test_a_key_is_no_setting_and_in_no_repr() -> None:
    config = Config(store=StoreConfig().with_key("hunter2"))

    assert "hunter2" not in f"{config!r} {config}"
    assert "_key" not in StoreConfig.settings
    assert "hunter2" not in repr(config.store.keys)


def test_a_url_with_a_password_is_in_no_repr() -> None:
    config = Config(store=StoreConfig(url="redis://:hunter2@h"))

    assert "hunter2" not in repr(config)
