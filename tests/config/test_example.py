"""config.example.yaml is the reference: it and the models say the same."""

import re
from pathlib import Path

import pytest
from yarl import URL

from proxy.config import Config, Section, load_config
from proxy.config.document import parse_document
from proxy.config.settings import SETTINGS, is_section
from proxy.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
TEXT = EXAMPLE.read_text("utf-8")


def documented() -> list[tuple[str, ...]]:
    """Return each key of the example that stands under a comment, in order."""
    keys: list[tuple[str, ...]] = []
    section = ""
    for indent, name in re.findall(r"#[^\n]*\n( *)(\w+):", TEXT):
        if not indent:
            section = name
        keys.append((section, name) if indent else (name,))
    return keys


def test_the_example_needs_nothing_but_a_client_id() -> None:
    with pytest.raises(ConfigError, match=r"upstream\.client_id is missing"):
        load_config(EXAMPLE, environ={})

    config = load_config(EXAMPLE, environ={"TELEMED_PROXY__UPSTREAM__CLIENT_ID": "1"})

    assert config.upstream.client_id == "1"


def test_the_examples_values_are_the_defaults() -> None:
    assert load_config(EXAMPLE, environ={}, require_client_id=False) == Config()


def test_every_setting_is_in_the_example_under_a_comment_and_in_order() -> None:
    assert [key for key in documented() if not is_section(key)] == list(SETTINGS)


def test_every_section_is_explained() -> None:
    sections = [(name,) for name in Config.settings if is_section((name,))]

    assert [key for key in documented() if is_section(key)] == sections


def test_the_example_holds_nothing_that_is_not_a_setting() -> None:
    written = {
        (section, name) if isinstance(names, dict) else (section,)
        for section, names in parse_document(TEXT).root.items()
        for name in (names if isinstance(names, dict) else [section])
    }

    assert written == set(SETTINGS)


def values_of(section: Section, but: str = "") -> dict[str, object]:
    return {name: getattr(section, name) for name in section.settings if name != but}


def test_every_key_of_the_contract_is_a_setting_with_its_default() -> None:
    config = Config()

    assert [str(address) for address in config.listen] == ["127.0.0.1:8080"]
    assert values_of(config.upstream) == {
        "api_url": URL("https://testapipartner.doktornarabote.ru"),
        "auth_url": URL("https://testauthpartner.doktornarabote.ru"),
        "client_id": "",
        "ca_file": None,
        "egress_proxy": None,
        "connect_timeout": 10.0,
        "response_timeout": 100.0,
        "idle_timeout": 100.0,
        "keepalive": 60.0,
        "max_connections": 256,
        "warm_connections": 1,
    }
    assert config.token.refresh_at == 0.5
    assert str(config.admin.listen) == "127.0.0.1:8081"
    assert values_of(config.login) == {"hold": 0.0, "hold_requests": 100}
    assert config.admin.password_file is None
    assert values_of(config.access) == {
        "allowed_hosts": (),
        "allowed_origins": (),
        "local_key_file": None,
        "anyone": False,
        "same_user": False,
        "read_only": False,
        "allow": (),
        "deny": (),
    }
    assert values_of(config.tls) == {"certificate_file": None, "key_file": None}
    assert values_of(config.limits) == {
        "connections": 10_000,
        "in_flight": 1024,
        "head_size": 256 * 1024,
        "head_time": 30.0,
        "buffered": 256 * 1024**2,
    }
    assert values_of(config.forward, but="paid_calls") == {
        "replay_limit": 12 * 1024**2,
        "rewrite_location": True,
        "via": True,
        "server_timing": False,
        "paid_window": 60.0,
    }
    assert list(map(str, config.forward.paid_calls)) == [
        "POST /api/*/callbackrequest/start-callback",
        "POST /api/*/voiprequest/start",
        "POST /api/*/writingrequest/start-writing",
    ]
    assert values_of(config.journal) == {
        "exchanges": 500,
        "bytes": 32 * 1024**2,
        "content": False,
    }
    assert values_of(config.log) == {
        "level": "info",
        "format": "text",
        "access": True,
    }
