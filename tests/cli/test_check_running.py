"""What `check` finds of a proxy that runs: its login, its rules, its network."""

import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import NoReturn

import pytest
import trustme
from click.testing import Result

from proxy.cli import exitcodes
from proxy.cli.check_running import (
    Listener,
    check_login,
    check_running,
    judged,
    reachable,
)
from proxy.cli.own_addresses import own_addresses
from proxy.cli.probes import Reply
from proxy.cli.running_proxy import find_running
from proxy.config import Address, Config, load_config
from tests.certificates import made
from tests.cli.conftest import MASKED, PHONE, Person, Upstream, settings
from tests.cli.doors import Door, closed_address, open_door, open_raw_door
from tests.cli.tls_door import open_tls_door
from tests.running import Proxy, Running

READY = re.compile(r"ready: proxy (?P<url>\S+) .*?admin (?P<admin>\S+)")
OWN = "127.0.0.2"
"""Stands for an address in the network: it reaches what is bound to all addresses."""

on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has more loopback addresses, and /proc"
)


@dataclass
class Served:
    """A proxy that runs on the config of `person`, which names its addresses."""

    person: Person
    upstream: Upstream
    url: str
    admin: str

    def lines(self) -> list[str]:
        return self.check().stdout.splitlines()

    def check(self, *options: str) -> Result:
        return self.person.run("check", *options)

    def log_in(self) -> None:
        result = self.person.run("login", PHONE, "--code", self.upstream.code())
        assert result.exit_code == exitcodes.DONE, result.output


@contextmanager
def serve(
    person: Person,
    upstream: Upstream,
    *,
    listen: str = "127.0.0.1:0",
    admin: str = "127.0.0.1:0",
    more: str = "",
) -> Iterator[Served]:
    """Serve with `more` lines in the config."""
    file = person.folder / "config.yaml"
    lines = [*settings(upstream, person.folder, admin).splitlines(), more]
    lines[0] = f"listen: ['{listen}']"
    file.write_text("\n".join(lines), "utf-8")
    with Running("serve", folder=person.folder) as running:
        ready = running.expect(READY)
        # Ports that the system chose are in the config as if they had been asked for.
        if listen.endswith(":0"):
            lines[0] = f"listen: ['{listen[:-2]}:{_port(ready['url'])}']"
        if admin.endswith(":0"):
            lines[1] = lines[1].replace(admin, f"{admin[:-2]}:{_port(ready['admin'])}")
        file.write_text("\n".join(lines), "utf-8")
        yield Served(person, upstream, ready["url"], ready["admin"])


def _port(url: str) -> str:
    return url.rpartition(":")[2]


def with_own(served: Served) -> list[str]:
    """Return the lines about the running proxy on a machine that is also OWN."""
    config = load_config(served.person.folder / "config.yaml")
    running = find_running(config, has_file=True)
    return [each.line() for each in check_running(config, running, lambda: [OWN])]


# -- All of it -----------------------------------------------------------------------


def test_a_proxy_as_it_should_be_is_well_and_sends_nothing_on(
    person: Person, upstream: Upstream
) -> None:
    with serve(person, upstream) as served:
        served.log_in()
        before = len(upstream.sandbox.requests)
        result = served.check()
        arrived = upstream.sandbox.requests[before:]

    assert result.exit_code == exitcodes.DONE, result.output
    assert "note" not in result.stdout
    listener, admin = served.url.removeprefix("http://"), served.admin[7:]
    for subject, seen in [
        ("login", f"{MASKED}, access token until 2"),
        ("listen", f"{listener} is served by the running proxy"),
        (f"listener {listener} Host", "a name that is not its own is refused"),
        (f"listener {listener} Origin", "a foreign web page is refused"),
        (f"admin listener {admin} Host", "a name that is not its own is refused"),
        (f"admin listener {admin} Origin", "a foreign web page is refused"),
    ]:
        assert f"\nok   {subject}: {seen}" in result.stdout
    assert ", next refresh due 2" in result.stdout
    assert [each.method for each in arrived] == ["HEAD"]


def test_the_sample_in_the_readme_is_what_is_printed(
    person: Person, upstream: Upstream
) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    [sample] = re.findall(r"^```\n(ok   config: .*?)^```", readme, re.M | re.S)
    (person.folder / "keys").write_text("a-local-key")
    (person.folder / "keys").chmod(0o644)
    with serve(person, upstream, more="access: {local_key_file: keys}") as served:
        shown = served.check("-c", str(person.folder / "config.yaml")).stdout

    shown = shown.replace(str(person.folder), "/etc/telemed-proxy")
    shown = shown.replace(served.url[7:], "127.0.0.1:8080")
    assert set(sample.splitlines()) - set(shown.splitlines()) == set()


def test_rules_that_do_not_hold_are_found_at_no_cost(
    person: Person, upstream: Upstream
) -> None:
    """These settings let the probes pass, as a fault would."""
    more = (
        "access: {allowed_hosts: [check.invalid],"
        " allowed_origins: ['http://check.invalid']}"
    )
    with serve(person, upstream, more=more) as served:
        served.log_in()
        before = len(upstream.sandbox.requests)
        result = served.check()
        arrived = upstream.sandbox.requests[before:]

    assert result.exit_code == exitcodes.CONFIG
    listener = served.url.removeprefix("http://")
    for rule, what in [("Host", "a name that is not its own"), ("Origin", "a foreign")]:
        assert f"\nFAIL listener {listener} {rule}: {what}" in result.stdout
    assert "is not refused, but answered 200 → stop the proxy" in result.stdout
    assert f"FAIL admin listener {served.admin[7:]} Host: " in result.stdout
    # What `check` itself asks the host, and none of the probes.
    assert [each.method for each in arrived] == ["HEAD"]


def test_on_unix_sockets_there_is_no_network(
    person: Person, upstream: Upstream, tmp_path: Path
) -> None:
    places = {"listen": f"unix:{tmp_path}/p.sock", "admin": f"unix:{tmp_path}/a.sock"}
    with serve(person, upstream, **places) as served:
        result = served.check()

    assert result.exit_code == exitcodes.DONE, result.output
    for name in (f"listener {places['listen']}", f"admin listener {places['admin']}"):
        assert f"ok   {name} Host: a name that is not its own is refused" in (
            result.stdout
        )
        assert f"{name} network" not in result.stdout


@on_linux
def test_over_tls_with_a_password_all_of_it_works_the_same(
    person: Person, upstream: Upstream
) -> None:
    made(person.folder / "tls")
    secret(person.folder / "password", "hunter2")
    more = (
        "tls: {certificate_file: tls/server.pem, key_file: tls/server.key}\n"
        "access: {anyone: true}"
    )
    admin = "https://127.0.0.1:0', password_file: 'password"
    with serve(
        person, upstream, listen="https://0.0.0.0:0", admin=admin, more=more
    ) as served:
        text = (person.folder / "config.yaml").read_text("utf-8")
        text = text.replace("https://127.0.0.1:0", served.admin)
        (person.folder / "config.yaml").write_text(text, "utf-8")
        found = with_own(served)

    port = _port(served.url)
    assert f"ok   listener https://127.0.0.1:{port} Host: a name" in "\n".join(found)
    assert f"ok   admin listener {served.admin} Origin: a foreign" in "\n".join(found)
    [network] = [each for each in found if f":{port} network" in each]
    assert network.startswith("note ")
    assert "asks for nothing (access.anyone): whoever does acts as the person" in (
        network
    )
    assert "hunter2" not in "".join(found)


# -- The network ---------------------------------------------------------------------


def secret(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o600)


@on_linux
def test_bound_to_all_addresses_it_is_reached_from_outside_and_asks_for_secrets(
    person: Person, upstream: Upstream
) -> None:
    secret(person.folder / "keys", "a-local-key")
    secret(person.folder / "password", "hunter2")
    with serve(
        person,
        upstream,
        listen="0.0.0.0:0",
        admin="0.0.0.0:0', password_file: 'password",
        more="access: {local_key_file: keys}",
    ) as served:
        text = (person.folder / "config.yaml").read_text("utf-8")
        text = text.replace("'0.0.0.0:0'", f"'0.0.0.0:{_port(served.admin)}'")
        (person.folder / "config.yaml").write_text(text, "utf-8")
        found = [each for each in with_own(served) if " network: " in each]
        whole = served.check().stdout

    port = _port(served.url)
    assert found[0].startswith(
        f"note listener 127.0.0.1:{port} network: other machines"
    )
    assert f"reach it at {OWN}:{port}, unless a firewall keeps them out" in found[0]
    assert "it asks for a local key, which crosses the network in the clear" in found[0]
    assert "it asks for the password, which crosses" in found[1]
    assert f"ok   listen: 0.0.0.0:{port} is served by the running proxy" in whole
    for hidden in ("a-local-key", "hunter2"):
        assert hidden not in whole


def test_bound_to_loopback_it_is_not_reached(
    person: Person, upstream: Upstream
) -> None:
    with serve(person, upstream) as served:
        found = [each for each in with_own(served) if " network: " in each]

    assert [each.partition(": ")[2] for each in found] == [
        "only programs on this machine reach it"
    ] * 2


@on_linux
def test_another_program_on_that_port_of_the_network_is_not_taken_for_the_proxy(
    person: Person, upstream: Upstream
) -> None:
    with serve(person, upstream) as served:
        place = (OWN, int(_port(served.url)))
        with ThreadingHTTPServer(place, Door().handler()) as other:
            thread = threading.Thread(target=other.serve_forever, args=(0.01,))
            thread.start()
            found = [each for each in with_own(served) if " network: " in each]
            other.shutdown()
            thread.join()

    assert found[0].endswith("network: only programs on this machine reach it")


@pytest.mark.parametrize(
    ("admin", "reply", "told"),
    [
        (False, Reply(200, None, ours=True), "FAIL .* no key → set access.local_key_f"),
        (True, Reply(200, None, ours=True), "FAIL .* no password → set admin.password"),
        (False, Reply(403, "user", ours=True), r"note .* refuses them \(user\)"),
        (True, Reply(429, "password", ours=True), "note .* asks for the password"),
    ],
)
def test_who_is_asked_for_nothing_is_told_to_set_it(
    admin: bool, reply: Reply, told: str
) -> None:
    listener = Listener(Config(), Address("0.0.0.0", 80), admin=admin)

    assert re.match(told, reachable(listener, "192.0.2.7:80", reply).line())


def test_own_addresses_are_not_those_of_loopback() -> None:
    assert [each for each in own_addresses() if Address(each).is_loopback] == []


def test_a_machine_without_a_network_or_ipv6_has_no_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(*_: object, **__: object) -> NoReturn:
        raise OSError(97, "address family not supported")

    monkeypatch.setattr(socket, "socket", missing)
    monkeypatch.setattr(socket, "getaddrinfo", missing)

    assert own_addresses() == []


# -- The rules, by what comes back ---------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "well"),
    [
        (Reply(403, "host", ours=True), True),
        (Reply(403, "origin", ours=True), False),
        (Reply(200, None, ours=True), False),
        (Reply(401, "local_key", ours=True), False),
        (Reply(403, "host", ours=False), False),
    ],
)
def test_only_the_refusal_by_the_rule_itself_will_do(reply: Reply, well: bool) -> None:
    assert judged("x", reply, "host", "a name").ok == well


def test_a_listener_that_does_not_answer_is_to_be_restarted() -> None:
    gone = closed_address()

    assert f"FAIL listener {gone}: connection refused → restart the proxy" in (
        checked(str(gone))
    )


def checked(listen: str, **config: object) -> list[str]:
    """Return the lines where the proxy says that it listens at `listen`."""
    status = f'{{"state": "active", "version": "1", "listen": ["{listen}"]}}'
    with open_door(Door(content=status.encode())) as admin:
        whole = Config.parse({"admin": {"listen": str(admin)}, **config})
        running = find_running(whole, has_file=True)
        return [each.line() for each in check_running(whole, running, list)]


def test_a_proxy_of_another_user_does_not_show_its_rules() -> None:
    refusal = (
        b"HTTP/1.1 403 Forbidden\r\nProxy-Status: telemed-proxy; error=denied\r\n"
        b'Content-Length: 17\r\n\r\n{"value": "user"}'
    )
    with open_raw_door(refusal) as address:
        found = checked(str(address))

    told = "lets in only the user that the proxy runs as (access.same_user)"
    assert f"note listener {address}: {told}" in found
    assert not [line for line in found if f" listener {address} Host" in line]


def test_a_listener_with_another_certificate_is_told(tmp_path: Path) -> None:
    files = made(tmp_path)
    tls = {"certificate_file": files.certificate, "key_file": files.key}
    with open_tls_door(trustme.CA(), "localhost") as address:
        listen = f"https://{address}"
        found = checked(listen, tls=tls)
        without = checked(listen)

    assert f"FAIL listener {listen}: does not show the certificate in tls.cert" in (
        "\n".join(found)
    )
    assert (
        f"FAIL listener {listen}: {listen} speaks TLS → set tls.certificate_file"
        in ("\n".join(without))
    )


# -- The login -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ({"state": "logged_out"}, "note login: nobody is logged in; run: tele"),
        (
            {"state": "logged_out", "last_error": "the login was moved to keyring:"},
            "note login: the login was moved to keyring:",
        ),
        ({"state": "code_sent"}, "note login: an SMS was sent; run: tele"),
        (
            {"state": "login_required", "last_error": "invalid_grant"},
            "note login: the login has ended; run: telemed-proxy login (last error: i",
        ),
        (
            {
                "state": "active",
                "phone": MASKED,
                "expires_at": "A",
                "login_needed_by": "B",
            },
            f"note login: {MASKED}, access token until A; it cannot be refreshed: log",
        ),
        (
            {"state": "active", "expires_at": "A", "refresh_due_at": "B"},
            "ok   login: somebody, access token until A, next refresh due B",
        ),
        (
            {"state": "active", "expires_at": "A", "last_error": "timeout"},
            "note login: somebody, access token until A (last error: timeout)",
        ),
    ],
)
def test_the_login_is_told_and_nobody_is_blamed(
    status: dict[str, str], line: str
) -> None:
    finding = check_login(status)

    assert finding.line().startswith(line)
    assert finding.exit_code == exitcodes.DONE


# -- Whose the addresses are ---------------------------------------------------------


@on_linux
def test_a_foreign_program_is_named(person: Person, upstream: Upstream) -> None:
    with open_door(Door()) as taken:
        text = settings(upstream, person.folder, closed_address())
        text = text.replace("127.0.0.1:0", str(taken), 1)
        (person.folder / "config.yaml").write_text(text, "utf-8")
        result = person.run("check")

    assert result.exit_code == exitcodes.CONFIG
    name = Path("/proc/self/comm").read_text().strip()
    assert (
        f"FAIL listen: {taken} is taken by {name} (process {os.getpid()})"
        " → stop that program, or set listen to another address" in result.stdout
    )


def test_a_sandbox_on_the_addresses_of_a_config_is_another_proxy(
    person: Person, upstream: Upstream
) -> None:
    addresses = ("--listen=127.0.0.1:0", "--admin=127.0.0.1:0")
    with Proxy("sandbox", *addresses, folder=person.folder) as sandbox:
        listen, admin = sandbox.url[7:], sandbox.admin[7:]
        text = settings(upstream, person.folder, admin).replace(
            "127.0.0.1:0", listen, 1
        )
        (person.folder / "config.yaml").write_text(text, "utf-8")
        result = person.run("check")
        # One whose admin listener is elsewhere can still be told by its answers.
        apart = text.replace(admin, str(closed_address()))
        (person.folder / "config.yaml").write_text(apart, "utf-8")
        other = person.run("check")

    assert result.exit_code == other.exit_code == exitcodes.CONFIG
    for key, address in (("listen", listen), ("admin.listen", admin)):
        seen = (
            f"FAIL {key}: {address} is served by a proxy with another config, for htt"
        )
        assert seen in result.stdout
        assert f"→ stop that proxy, or set {key} to another address" in result.stdout
    assert "login: " not in result.stdout
    assert f"FAIL listen: {listen} is taken by another telemed-proxy (" in other.stdout


def test_without_a_config_the_sandbox_is_what_the_commands_use(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = ("--listen=127.0.0.1:0", "--admin=127.0.0.1:0")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(person.folder))
    with Proxy("sandbox", *addresses, folder=person.folder) as sandbox:
        (person.folder / "config.yaml").unlink()
        gone = f"http://{closed_address()}"
        for name, value in {
            "LISTEN": sandbox.url[7:],
            "ADMIN__LISTEN": sandbox.admin[7:],
            "UPSTREAM__API_URL": gone,
            "UPSTREAM__AUTH_URL": gone,
        }.items():
            monkeypatch.setenv(f"TELEMED_PROXY__{name}", value)
        result = person.run("check")

    assert result.exit_code == exitcodes.UPSTREAM_UNREACHABLE
    assert "commands use it, and `serve` cannot start" in result.stdout
    assert "note login: nobody is logged in" in result.stdout
    assert f"ok   listener {sandbox.url[7:]} Host: " in result.stdout


def test_a_wrong_admin_password_is_what_is_told_of_the_address(
    person: Person, upstream: Upstream
) -> None:
    password = person.folder / "password"
    secret(password, "hunter2")
    admin = "127.0.0.1:0', password_file: 'password"
    with serve(person, upstream, admin=admin) as served:
        text = (person.folder / "config.yaml").read_text("utf-8")
        text = text.replace("'127.0.0.1:0'", f"'{served.admin[7:]}'")
        (person.folder / "config.yaml").write_text(text, "utf-8")
        password.write_text("hunter3")
        wrong = served.check().stdout
        for _ in range(5):
            person.run("status")
        too_many = served.check().stdout
        refused = person.run("status")

    assert "FAIL admin.listen: This page needs the password in admin.pass" in wrong
    assert "FAIL admin.listen: the proxy at 127.0.0.1:" in too_many
    assert re.search(r"looks at no password for another [1-6]?\d s", too_many)
    assert refused.exit_code == exitcodes.CONFIG
    assert "too many wrong ones came from here; check admin.passw" in refused.stderr
    assert "hunter" not in wrong + too_many + refused.output


# -- Patience ------------------------------------------------------------------------


def test_ctrl_c_ends_a_check_that_waits(person: Person, upstream: Upstream) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        came, over = threading.Event(), threading.Event()

        def accept() -> None:
            # The check of the port comes first, then a request that nobody answers.
            kept = [silent.accept(), silent.accept()]
            came.set()
            over.wait(30)
            for connection, _ in kept:
                connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        text = settings(upstream, person.folder, closed_address())
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        text = re.sub(r"http://[\d.:]+", url, text)
        (person.folder / "config.yaml").write_text(text, "utf-8")
        with person.terminal("check") as terminal:
            terminal.expect("TCP: the port answers")
            assert came.wait(10)
            code = terminal.ends_by(signal.SIGINT)
            assert code == exitcodes.SIGINT, terminal.shown
            assert "Traceback" not in terminal.shown
        over.set()
        thread.join()
