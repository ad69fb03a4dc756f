"""The name and the port of a host, where the network is in some other state."""

import pytest
from yarl import URL

from proxy.cli import check_way as module
from proxy.cli.check_way import check_way
from tests.cli.doors import Door, closed_address, open_door


def lines(url: str) -> list[str]:
    return [each.line() for each in check_way("API", URL(url))]


def known_as(monkeypatch: pytest.MonkeyPatch, found: dict[str, str]) -> None:
    """Let every name have the addresses `found`: that is the resolver's part."""
    monkeypatch.setattr(module, "_addresses", lambda *_: found)


def test_an_address_needs_no_look_up() -> None:
    with open_door(Door()) as address:
        assert lines(f"http://{address}") == [
            "ok   API DNS: 127.0.0.1 (needs no look-up)",
            "ok   API TCP: the port answers",
        ]


def test_a_name_is_told_with_its_kinds_and_how_long_that_took() -> None:
    with open_door(Door()) as address:
        name, *_ = lines(f"http://localhost:{address.port}")

    assert name.startswith("ok   API DNS: ")
    assert "127.0.0.1" in name
    assert "IPv4" in name
    assert name.endswith(" ms)")


def test_ipv6_that_leads_nowhere_is_noted_where_ipv4_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with open_door(Door()) as address:
        port = address.port
        known_as(monkeypatch, {"127.0.0.1": "IPv4", "::1": "IPv6"})
        found = lines(f"http://both.example:{port}")

    assert found[1] == "ok   API TCP: the port answers"
    assert found[2].startswith("note API TCP: not by IPv6 (")


def test_the_second_address_is_tried_where_the_first_is_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with open_door(Door()) as address:
        known_as(monkeypatch, {"127.0.0.3": "IPv4", "127.0.0.1": "IPv4"})
        found = lines(f"http://two.example:{address.port}")

    assert found[1:] == ["ok   API TCP: the port answers"]


def test_a_look_up_without_an_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def late(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(module, "_addresses", late)

    [finding] = lines("http://slow.example")
    assert finding.startswith("FAIL API DNS: no answer in time → check the name")


def test_an_egress_proxy_that_other_programs_use_is_hinted_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2@10.0.0.1:3128")

    *_, finding = lines(f"http://{closed_address()}")

    assert "(HTTPS_PROXY is set, which only upstream.egress_proxy makes" in finding
    assert "hunter2" not in finding
