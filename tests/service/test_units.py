"""The text of units: what systemd is told, word for word and as it reads it."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from proxy.config import Address
from proxy.service.units import SERVICE_UNIT, SOCKET_UNIT, config_of, quoted, units
from tests.programs import need
from tests.service.services import CONFIG_FILE, SECRETS, service

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations" / "systemd.md").read_text("utf-8")


def settings_of(unit: str) -> list[tuple[str, str]]:
    lines = [line for line in unit.splitlines() if line[:1] not in {"", "#", "["}]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def values(unit: str, name: str) -> list[str]:
    return [value for each, value in settings_of(unit) if each == name]


def test_the_sockets_are_those_of_the_config() -> None:
    listen = ["127.0.0.1:8080", "https://[::1]:8443", "unix:/run/a b/100%"]
    tls = SECRETS["tls"]
    texts = units(service({"listen": listen, "tls": tls}))

    assert values(texts[SOCKET_UNIT], "ListenStream") == [
        "127.0.0.1:8080",
        "[::1]:8443",
        "/run/a b/100%%",
        "127.0.0.1:8081",
    ]
    assert values(texts[SOCKET_UNIT], "SocketMode") == ["0600"]
    assert values(texts[SERVICE_UNIT], "Requires") == [SOCKET_UNIT]
    assert values(texts[SERVICE_UNIT], "Also") == [SOCKET_UNIT]


@pytest.mark.parametrize(
    "address", ["localhost:8080", "127.0.0.1:0", "[::1]:0", "[fe80::1%eth0]:8080"]
)
def test_what_a_unit_cannot_name_the_proxy_opens(address: str) -> None:
    anyone = {"anyone": True}
    planned = service({"listen": [address], "access": anyone})

    assert planned.own == [Address.parse(address)]
    assert values(units(planned)[SOCKET_UNIT], "ListenStream") == ["127.0.0.1:8081"]


@pytest.mark.parametrize(
    "planned",
    [
        service(sockets=False),
        service({"listen": ["127.0.0.1:0"], "admin": {"listen": "localhost:1"}}),
    ],
    ids=["not wanted", "none can be"],
)
def test_without_sockets_nothing_waits_for_them(planned: Any) -> None:
    texts = units(planned)

    assert texts.keys() == {SERVICE_UNIT}
    assert SOCKET_UNIT not in texts[SERVICE_UNIT]


@pytest.mark.parametrize(
    ("listen", "wanted"),
    [
        ("127.0.0.1:1", set()),
        ("[::]:1", {"BindIPv6Only", "FreeBind"}),
        ("192.0.2.1:1", {"FreeBind"}),
        ("unix:/run/x", {"SocketMode", "RemoveOnStop"}),
    ],
)
def test_a_socket_unit_says_what_its_sockets_need(
    listen: str, wanted: set[str]
) -> None:
    unit = units(service({"listen": [listen], "access": {"anyone": True}}))[SOCKET_UNIT]

    names = {name for name, _ in settings_of(unit)}
    assert names - {"Description", "ListenStream", "Backlog", "WantedBy"} == wanted


def test_the_system_hands_over_the_files_of_secrets() -> None:
    unit = units(service(SECRETS, system=True))[SERVICE_UNIT]

    assert values(unit, "LoadCredential") == [
        "store.encryption_key_file:/etc/telemed-proxy/store key",
        "access.local_key_file:/etc/telemed-proxy/keys",
        "admin.password_file:/etc/telemed-proxy/100%%",
        "tls.key_file:/etc/tls/key",
    ]
    assert values(unit, "Environment") == [
        "XDG_STATE_HOME=%S",
        "TELEMED_PROXY__STORE__ENCRYPTION_KEY_FILE=%d/store.encryption_key_file",
        "TELEMED_PROXY__ACCESS__LOCAL_KEY_FILE=%d/access.local_key_file",
        "TELEMED_PROXY__ADMIN__PASSWORD_FILE=%d/admin.password_file",
        "TELEMED_PROXY__TLS__KEY_FILE=%d/tls.key_file",
    ]


def test_the_service_of_a_user_reads_them_where_they_are() -> None:
    unit = units(service(SECRETS, state_home="/home/a b/100%"))[SERVICE_UNIT]

    assert values(unit, "LoadCredential") == []
    assert values(unit, "Environment") == ['"XDG_STATE_HOME=/home/a b/100%%"']
    # Who may not make name spaces could not start it.
    assert values(unit, "ProtectSystem") + values(unit, "PrivateTmp") == []


@pytest.mark.parametrize("system", [False, True])
def test_no_start_again_where_it_cannot_help(system: bool) -> None:
    unit = units(service(system=system))[SERVICE_UNIT]

    assert values(unit, "Type") == ["notify"]
    assert values(unit, "Restart") == ["on-failure"]
    assert values(unit, "RestartPreventExitStatus") == ["2 3"]
    assert values(unit, "SuccessExitStatus") == ["130 143"]
    assert values(unit, "WatchdogSec") == ["30"]


def test_the_config_is_found_again() -> None:
    unit = units(service(config_file="/etc/ä b%/c.yaml"))[SERVICE_UNIT]

    assert config_of(unit) == "/etc/ä b%/c.yaml"
    assert config_of("[Unit]\n") is None
    assert values(unit, "ExecStart") == [
        ':/opt/telemed-proxy/bin/telemed-proxy serve -c "/etc/ä b%%/c.yaml"'
    ]


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("a b", '"a b"'),
        ("a'b", '"a\'b"'),
        ('a"b', '"a\\"b"'),
        ("a\\b", '"a\\\\b"'),
        (";", '";"'),
        ("100%$x", "100%%$x"),
    ],
)
def test_a_word_stays_one(word: str, written: str) -> None:
    assert quoted(word) == written


def analyzed(tmp_path: Path, *, system: bool, verb: str) -> str:
    need("systemd")
    program = tmp_path / "a program of 100%"
    program.touch(0o755)
    listen = ["127.0.0.1:1", "[::1]:1", "unix:/run/a b"]
    planned = service(
        SECRETS | {"listen": listen},
        program=(str(program),),
        config_file=CONFIG_FILE,
        system=system,
    )
    folder = tmp_path / "units"
    folder.mkdir()
    for name, text in units(planned).items():
        (folder / name).write_text(text)
    words = {"verify": ["verify"], "security": ["security", "--offline=true"]}[verb]
    files = [folder / SERVICE_UNIT]
    if verb == "verify":
        files.append(folder / SOCKET_UNIT)
    level = "--system" if system else "--user"
    done = subprocess.run(
        ["systemd-analyze", level, *words, *files],
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("system", [False, True])
def test_systemd_has_nothing_to_say_against_it(tmp_path: Path, system: bool) -> None:
    said = analyzed(tmp_path, system=system, verb="verify")

    assert [line for line in said.splitlines() if "telemed-proxy" in line] == []


@pytest.mark.parametrize("system", [False, True])
def test_the_score_is_that_of_the_page(tmp_path: Path, system: bool) -> None:
    said = analyzed(tmp_path, system=system, verb="security")

    score = re.search(r"exposure level for \S+: ([0-9.]+)", said)
    assert score is not None, said
    row = "system" if system else "user"
    told = re.search(rf"^\| the {row}'s unit \| ([0-9.]+) ", PAGE, re.MULTILINE)
    assert told is not None
    # Other versions of systemd count a little differently.
    assert float(score[1]) == pytest.approx(float(told[1]), abs=0.3)
