"""What `check` finds, each thing well and broken, against real sockets and files."""

import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import keyring.core
import pytest
import trustme
from click.testing import CliRunner, Result
from keyring.backends import fail
from yarl import URL

from proxy.cli import exitcodes, main
from proxy.cli.check_files import (
    check_certificate,
    check_files,
    check_secret_file,
    check_store,
)
from proxy.cli.check_ports import check_address
from proxy.cli.check_upstream import check_answer, check_clock, check_upstream
from proxy.cli.findings import Finding, exit_code_of, note, ok, unreachable, wrong
from proxy.clock import system_clock
from proxy.config import Address, Config
from tests.certificates import made
from tests.cli.doors import (
    Door,
    closed_address,
    open_door,
    open_raw_door,
    open_tunnel,
    open_unix_door,
)
from tests.cli.tls_door import open_tls_door

STATUS = '{"state": "active", "version": "0.1.0", "listen": ["%s"]}'
CLIENT_ID = "98483c47f17f4888b0bf695d1165062e"


def lines(findings: Iterator[Finding]) -> list[str]:
    return [finding.line() for finding in findings]


# -- The lines -----------------------------------------------------------------------


def test_a_finding_is_one_line_that_says_what_to_mend() -> None:
    assert ok("listen", "is free").line() == "ok   listen: is free"
    assert wrong("listen", "taken", "move").line() == "FAIL listen: taken → move"


def test_a_note_is_for_reading_and_changes_no_exit_code() -> None:
    finding = note("login", "nobody is logged in")

    assert finding.line() == "note login: nobody is logged in"
    assert exit_code_of([finding]) == exitcodes.DONE


def test_scripts_get_the_same_as_json() -> None:
    assert wrong("listen", "taken", "move").shape() == {
        "result": "fail",
        "subject": "listen",
        "seen": "taken",
        "mend": "move",
    }
    assert note("a", "b").shape()["result"] == "note"
    assert ok("a", "b").shape() == {
        "result": "ok",
        "subject": "a",
        "seen": "b",
        "mend": None,
    }


def test_what_is_to_be_mended_here_goes_before_what_is_unreachable() -> None:
    here, there = wrong("a", "b", "c"), unreachable("a", "b", "c")

    assert exit_code_of([ok("a", "b")]) == exitcodes.DONE
    assert exit_code_of([ok("a", "b"), there]) == exitcodes.UPSTREAM_UNREACHABLE
    assert exit_code_of([there, here]) == exitcodes.CONFIG


# -- The whole command ---------------------------------------------------------------


def check(folder: Path, text: str, *options: str) -> Result:
    file = folder / "config.yaml"
    file.write_text(text, "utf-8")
    return CliRunner().invoke(main, ["check", "-c", str(file), *options])


def settings(folder: Path, upstream: Address, *, client_id: str = CLIENT_ID) -> str:
    return (
        f"listen: [{closed_address()}]\n"
        f"admin: {{listen: '{closed_address()}'}}\n"
        f"store: {{url: 'file:{folder}/state/tokens.json'}}\n"
        f"upstream: {{client_id: '{client_id}', api_url: 'http://{upstream}',"
        f" auth_url: 'http://{upstream}'}}\n"
    )


def test_all_is_well_with_a_plain_upstream_on_loopback(tmp_path: Path) -> None:
    door = Door()
    with open_door(door) as address:
        result = check(tmp_path, settings(tmp_path, address))

    assert result.exit_code == exitcodes.DONE, result.output
    assert "FAIL" not in result.stdout
    for subject in ("config", "client_id", "store", "listen", "admin.listen"):
        assert f"ok   {subject}: " in result.stdout
    for subject in ("DNS", "TCP", "HTTP", "clock"):
        role = f"API and authorization server {address}"
        assert result.stdout.count(f"ok   {role} {subject}: ") == 1
    assert [request[:2] for request in door.requests] == [("HEAD", "/")]


def test_as_json_there_is_an_object_a_line_and_the_same_exit_code(
    tmp_path: Path,
) -> None:
    address = closed_address()
    plain = check(tmp_path, settings(tmp_path, address))
    result = check(tmp_path, settings(tmp_path, address), "--json")

    shapes = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == plain.exit_code == exitcodes.UPSTREAM_UNREACHABLE
    assert len(shapes) == len(plain.stdout.splitlines())
    assert [each["subject"] for each in shapes if each["result"] == "fail"] == [
        f"API and authorization server {address} TCP"
    ]


def test_an_upstream_that_is_down_is_exit_code_5(tmp_path: Path) -> None:
    address = closed_address()
    result = check(tmp_path, settings(tmp_path, address))

    assert result.exit_code == exitcodes.UPSTREAM_UNREACHABLE
    assert (
        f"FAIL API and authorization server {address} TCP: connection refused"
        " → check the port" in result.stdout
    )


def test_two_services_on_one_host_are_told_apart() -> None:
    with open_door(Door()) as api, open_door(Door()) as auth:
        urls = {"api_url": f"http://{api}", "auth_url": f"http://{auth}"}
        found = lines(check_upstream(Config.parse({"upstream": urls})))

    assert f"ok   API {api} TCP: the port answers" in found
    assert f"ok   authorization server {auth} TCP: the port answers" in found


def test_a_missing_client_id_does_not_end_the_check(tmp_path: Path) -> None:
    with open_door(Door()) as address:
        result = check(tmp_path, settings(tmp_path, address, client_id=""))

    assert result.exit_code == exitcodes.CONFIG
    assert "FAIL client_id: missing → set upstream.client_id" in result.stdout
    assert " HTTP: answers\n" in result.stdout


def test_a_config_without_a_client_id_is_incomplete_whatever_runs(
    tmp_path: Path,
) -> None:
    status = (STATUS % closed_address()).encode()
    with open_door(Door(200, status)) as admin, open_door(Door()) as api:
        text = settings(tmp_path, api, client_id="").splitlines()
        text[1] = f"admin: {{listen: '{admin}'}}"
        result = check(tmp_path, "\n".join(text))

    assert "FAIL client_id: missing" in result.stdout
    assert "ok   admin.listen" in result.stdout


@pytest.mark.parametrize("runs", [True, False])
def test_without_a_config_beside_a_running_proxy_no_client_id_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("TELEMED_PROXY__LISTEN", f"[{closed_address()}]")
    status = (STATUS % closed_address()).encode() if runs else b""
    with open_door(Door(200, status)) as admin, open_door(Door()) as api:
        monkeypatch.setenv("TELEMED_PROXY__ADMIN__LISTEN", str(admin))
        for name in ("API_URL", "AUTH_URL"):
            monkeypatch.setenv(f"TELEMED_PROXY__UPSTREAM__{name}", f"http://{api}")
        result = CliRunner().invoke(main, ["check"])

    assert ("ok   client_id: not set; only `serve` needs it" in result.stdout) == runs
    assert ("FAIL client_id: missing" in result.stdout) != runs


def test_a_broken_config_is_one_line_and_exit_code_3(tmp_path: Path) -> None:
    result = check(tmp_path, "lissten: [127.0.0.1:8080]\n")

    assert result.exit_code == exitcodes.CONFIG
    assert result.stdout.startswith("FAIL config: ")
    assert "line 1" in result.stdout
    assert result.stdout.count("\n") == 1


def test_addresses_that_the_running_proxy_holds_are_no_conflict(
    tmp_path: Path,
) -> None:
    admin = Door()
    with (
        open_door(Door()) as upstream,
        open_door(Door()) as listen,
        open_door(admin) as admin_address,
    ):
        admin.content = (STATUS % listen).encode()
        text = settings(tmp_path, upstream).splitlines()
        text[0] = f"listen: [{listen}]"
        text[1] = f"admin: {{listen: '{admin_address}'}}"
        result = check(tmp_path, "\n".join(text))

    assert result.stdout.count("is served by the running proxy") == 2
    assert "FAIL listen: " not in result.stdout
    assert "FAIL admin.listen: " not in result.stdout


# -- Ports ---------------------------------------------------------------------------


def test_a_port_that_another_program_holds_is_a_conflict() -> None:
    with open_door(Door()) as address:
        finding = check_address("listen", address, served=False)

    assert finding.exit_code == exitcodes.CONFIG
    assert finding.line() == (
        f"FAIL listen: {address} is taken by another program"
        " → stop that program, or set listen to another address"
    )


@pytest.mark.parametrize("text", ["127.0.0.1:0", "localhost:0"])
def test_a_free_port_is_free(text: str) -> None:
    assert check_address("listen", Address.parse(text), served=False).ok


def test_an_address_of_another_machine_cannot_be_opened() -> None:
    finding = check_address("listen", Address("192.0.2.1", 8080), served=False)

    assert "set listen to an address of this machine" in finding.mend


def test_a_socket_is_free_stale_taken_or_impossible(tmp_path: Path) -> None:
    path = tmp_path / "proxy.sock"
    address = Address("", 0, path)

    assert check_address("listen", address, served=False).ok
    with open_unix_door(Door(), path):
        assert "taken" in check_address("listen", address, served=False).seen
    assert path.exists()
    assert check_address("listen", address, served=False).ok

    nowhere = Address("", 0, tmp_path / "no" / "proxy.sock")
    assert not check_address("listen", nowhere, served=False).ok


# -- Files ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "well"), [(0o600, True), (0o400, True), (0o640, False), (0o604, False)]
)
def test_a_secret_that_others_can_use_is_to_be_closed(
    tmp_path: Path, mode: int, well: bool
) -> None:
    file = tmp_path / "key"
    file.write_text("hunter2")
    file.chmod(mode)

    finding = check_secret_file("access.local_key_file", file)

    assert finding.ok == well
    assert well or finding.mend == f"chmod 600 {file}"
    assert "hunter2" not in finding.line()


def test_a_secret_that_is_not_there_is_to_be_made(tmp_path: Path) -> None:
    assert "No such file" in check_secret_file("key", tmp_path / "no").line()
    assert "no plain file" in check_secret_file("key", tmp_path).line()


def test_every_file_of_secrets_in_the_config_is_looked_at(tmp_path: Path) -> None:
    for name in ("keys", "password", "store-keys", "tls-key", "tokens.json"):
        (tmp_path / name).touch(mode=0o644)
    config = Config.parse(
        {
            "access": {"local_key_file": tmp_path / "keys"},
            "admin": {"password_file": tmp_path / "password"},
            "store": {
                "url": f"file:{tmp_path}/tokens.json",
                "encryption_key_file": tmp_path / "store-keys",
            },
            "tls": {
                "certificate_file": tmp_path / "tls-key",
                "key_file": tmp_path / "tls-key",
            },
        }
    )

    findings = list(check_files(config))

    assert [(finding.subject, finding.ok) for finding in findings] == [
        ("store", False),
        ("store.encryption_key_file", False),
        ("access.local_key_file", False),
        ("admin.password_file", False),
        ("tls.key_file", False),
        ("tls", False),
    ]


def test_a_certificate_is_looked_into(tmp_path: Path) -> None:
    def check() -> list[str]:
        tls = {"certificate_file": files.certificate, "key_file": files.key}
        return lines(check_certificate(Config.parse({"tls": tls}).tls))

    files = made(tmp_path)
    end = datetime.now(UTC) + timedelta(days=820)
    assert check() == [f"ok   tls: {files.certificate} (valid until {end:%Y-%m-%d})"]

    made(tmp_path, days_ago=810)
    [_, soon] = check()
    assert soon.startswith("note tls: it ends in 10 days; renew it, with telemed-proxy")

    made(tmp_path, days_ago=821)
    [finding] = check()
    assert "is not valid (certificate has expired) → renew it, with" in finding

    files.key.write_text("damaged")
    [finding] = check()
    assert "→ make both files with: telemed-proxy cert" in finding
    assert list(check_certificate(Config().tls)) == []


def test_the_store_may_be_still_to_be_made(tmp_path: Path) -> None:
    url = f"file:{tmp_path}/a/b/tokens.json"

    assert lines(check_store(url)) == [
        f"ok   store: {tmp_path}/a/b/tokens.json (made at the first login)"
    ]


def test_a_store_that_others_can_read_is_to_be_closed(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    file.write_text("{}")
    file.chmod(0o644)

    assert "chmod 600" in lines(check_store(f"file:{file}"))[0]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is damaged (it is not JSON) → log in again"),
        ('{"version": 9}', "newer telemed-proxy (form 9) → use that one"),
        ('{"version": 2, "encrypted": "x"}', "no key is configured → set store.encr"),
    ],
)
def test_a_store_that_cannot_be_understood_is_to_be_mended(
    tmp_path: Path, content: str, told: str
) -> None:
    file = tmp_path / "tokens.json"
    file.write_text(content)
    file.chmod(0o600)
    config = Config.parse({"store": {"url": f"file:{file}"}})

    [well, finding] = lines(check_files(config))

    assert well == f"ok   store: {file} (mode 0600)"
    assert told in finding
    # Looking changes nothing.
    assert [each.name for each in tmp_path.iterdir()] == ["tokens.json"]
    assert file.read_text() == content


def test_a_keyring_that_is_no_use_is_to_be_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend = fail.Keyring()  # type: ignore[no-untyped-call]
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend)
    config = Config.parse({"store": {"url": "keyring:"}})

    [finding] = lines(check_files(config))

    assert finding.startswith("FAIL store: no keyring that encrypts is to be had here")
    assert " → install a secret service" in finding


def test_a_store_where_no_folder_can_be_made_is_to_be_moved(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()

    assert "cannot be written" in lines(check_store(f"file:{plain}/a/t.json"))[0]


# -- The way to the upstream ---------------------------------------------------------


def upstream(url: str, **more: str) -> Config:
    return Config.parse({"upstream": {"api_url": url, "auth_url": url, **more}})


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return file


def test_a_certificate_of_a_known_authority_is_trusted(
    authority: trustme.CA, ca_file: Path
) -> None:
    with open_tls_door(authority, "localhost") as address:
        config = upstream(f"https://{address}", ca_file=str(ca_file))
        found = lines(check_upstream(config))

    assert f"ok   upstream.ca_file: {ca_file}" in found
    role = f"API and authorization server {address}"
    assert f"ok   {role} TLS: certificate trusted" in found


def test_a_certificate_of_an_unknown_authority_is_not(authority: trustme.CA) -> None:
    with open_tls_door(authority, "localhost") as address:
        findings = list(check_upstream(upstream(f"https://{address}")))

    assert "its certificate is not trusted" in findings[-1].seen
    assert "upstream.ca_file" in findings[-1].mend
    assert findings[-1].exit_code == exitcodes.UPSTREAM_UNREACHABLE


def test_a_certificate_for_another_name_is_not_trusted(
    authority: trustme.CA, ca_file: Path
) -> None:
    with open_tls_door(authority, "other.example") as address:
        config = upstream(f"https://{address}", ca_file=str(ca_file))
        found = list(check_upstream(config))

    assert "its certificate is not trusted" in found[-1].seen


def test_a_ca_file_without_certificates_is_the_configs_fault(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing of the kind")
    config = upstream("https://localhost", ca_file=str(file))

    (finding,) = check_upstream(config)

    assert finding.exit_code == exitcodes.CONFIG
    assert "certificates in PEM" in finding.seen


def test_a_name_that_nobody_knows() -> None:
    (finding,) = check_upstream(upstream("https://nobody.invalid"))

    assert finding.line().startswith(
        "FAIL API and authorization server nobody.invalid:443 DNS:"
        " the name is not known → "
    )
    assert finding.exit_code == exitcodes.UPSTREAM_UNREACHABLE


def test_an_upstream_with_a_fault_of_its_own_is_reached_and_noted() -> None:
    with open_door(Door(503)) as address:
        found = lines(check_upstream(upstream(f"http://{address}")))

    assert (
        f"note API and authorization server {address} HTTP: answers 503"
        in "\n".join(found)
    )


def test_an_upstream_that_speaks_something_else() -> None:
    with open_raw_door(b"220 mail.example ESMTP\r\n") as address:
        findings = list(check_upstream(upstream(f"http://{address}")))

    assert "does not speak HTTP" in findings[-1].seen


def test_behind_an_egress_proxy_only_that_is_looked_up() -> None:
    with open_raw_door(b"HTTP/1.1 403 No\r\n\r\n") as address:
        config = upstream("https://api.invalid", egress_proxy=f"http://{address}")
        findings = list(check_upstream(config))

    assert [(finding.ok, finding.subject) for finding in findings] == [
        (True, f"egress proxy {address} DNS"),
        (True, f"egress proxy {address} TCP"),
        (False, "API and authorization server api.invalid:443 TLS"),
    ]
    assert "403" in findings[-1].seen
    assert "egress proxy lets you connect" in findings[-1].mend


def test_through_an_egress_proxy_the_certificate_is_checked(
    authority: trustme.CA, ca_file: Path
) -> None:
    asked: list[str] = []
    with (
        open_tls_door(authority, "api.example") as address,
        open_tunnel(asked) as tunnel,
    ):
        url = f"https://api.example:{address.port}"
        findings = list(
            check_answer(
                "API",
                URL(url),
                ssl.create_default_context(cafile=ca_file),
                URL(f"http://{tunnel}"),
                system_clock,
            )
        )

    assert [finding.ok for finding in findings] == [True, True]
    assert asked[0].startswith(f"CONNECT api.example:{address.port} HTTP/1.")


def test_an_egress_proxy_that_is_down_ends_the_matter() -> None:
    egress = closed_address()
    config = upstream("https://api.invalid", egress_proxy=f"http://{egress}")

    findings = list(check_upstream(config))

    assert [finding.ok for finding in findings] == [True, False]
    assert findings[-1].subject == f"egress proxy {egress} TCP"


@pytest.mark.parametrize(
    ("behind", "well", "said"),
    [
        (0, True, "differs by 0 s"),
        (59, True, "differs by 59 s"),
        (-59, True, "differs by 59 s"),
        (3600, False, "3600 s fast"),
        (-3600, False, "3600 s slow"),
    ],
)
def test_a_clock_that_is_wrong_is_to_be_set(behind: int, well: bool, said: str) -> None:
    finding = check_clock("clock", "Tue, 14 Nov 2023 22:13:20 GMT", 1.7e9 + behind)

    assert finding.ok == well
    assert said in finding.seen


@pytest.mark.parametrize("date", [None, "", "yesterday", "Tue, 99 Nov"])
def test_an_answer_without_a_date_says_nothing_of_the_clock(date: str | None) -> None:
    assert check_clock("clock", date, system_clock()).ok
