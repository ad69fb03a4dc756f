"""What stands in the way of the service of a whole system."""

from typing import Any

import pytest

from proxy.service.plan import left_out, obstacle
from tests.service.services import service

DEFAULT = "file:/root/.local/state/telemed-proxy/tokens.json"
INSIDE = {"store": {"url": "file:/var/lib/telemed-proxy/tokens.json"}}


@pytest.mark.parametrize("url", [DEFAULT, INSIDE["store"]["url"], "redis://h/0"])
def test_nothing_does_where_it_can_read_and_write(url: str) -> None:
    assert obstacle(service({"store": {"url": url}}, system=True), DEFAULT) is None


@pytest.mark.parametrize(
    ("settings", "more", "word"),
    [
        ({}, {"program": ("/home/a/bin/telemed-proxy",)}, "this program is /home/a"),
        ({}, {"python": "/root/.pyenv/python"}, "its Python is /root"),
        ({}, {"config_file": "/tmp/config.yaml"}, "the config is /tmp"),
        ({"upstream": {"ca_file": "/root/ca"}}, {}, "upstream.ca_file is /root/ca"),
        ({"store": {"url": "keyring:"}}, {}, "keyring"),
        ({"store": {"url": "file:/srv/t.json"}}, {}, "file:/var/lib/telemed-proxy/"),
        (
            {"store": {"url": "file:/var/lib/telemed-proxy/../t"}},
            {},
            "writes below /var/lib/telemed-proxy only",
        ),
        ({"listen": ["unix:/run/x"]}, {"sockets": False}, "--no-socket"),
    ],
)
def test_what_it_could_not_use_is_told(
    settings: dict[str, Any], more: dict[str, Any], word: str
) -> None:
    why = obstacle(service(settings, system=True, **more), DEFAULT)
    assert why is not None
    assert word in why
    # The service of a user may do what its user may.
    assert obstacle(service(settings, **more), DEFAULT) is None


@pytest.mark.parametrize(
    "more",
    [
        {"program": ("/opt/it's/telemed-proxy",)},
        {"program": ('/opt/"/telemed-proxy',)},
        {"program": ("/opt/\\/telemed-proxy",)},
        {"config_file": "/etc/a\nExecStartPre=/bin/sh"},
    ],
)
def test_a_name_that_systemd_does_not_take_is_told(more: dict[str, Any]) -> None:
    assert "does not take" in (obstacle(service(**more), DEFAULT) or "")


def test_nobody_is_the_services_own_user() -> None:
    planned = service({"access": {"same_user": True}}, system=True)

    assert "access.local_key_file" in (obstacle(planned, DEFAULT) or "")


def test_a_name_that_only_begins_alike_is_not_hidden() -> None:
    planned = service(system=True, config_file="/home2/config.yaml")

    assert obstacle(planned, DEFAULT) is None


def test_settings_of_the_shell_are_named_without_their_values() -> None:
    environ = {
        "TELEMED_PROXY__STORE__URL": "redis://:secret@h/0",
        "TELEMED_PROXY_STORE_KEY": "secret",
        "TELEMED_PROXY__LISTEN": "",
        "TELEMED_PROXY_CONFIG": "/etc/x",
        "HOME": "/root",
    }

    assert left_out(environ) == ["TELEMED_PROXY_STORE_KEY", "TELEMED_PROXY__STORE__URL"]
