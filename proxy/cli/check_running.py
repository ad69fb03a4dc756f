"""Checks of the proxy that runs: the login, its rules, who else can reach it."""

import http.client
import ssl
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from proxy.cli.findings import Finding, note, ok, wrong
from proxy.cli.http_call import reason, to_listener
from proxy.cli.own_addresses import own_addresses
from proxy.cli.probes import Reply, refused_by_host, refused_by_origin, without_secret
from proxy.cli.running_proxy import Running
from proxy.config import Address, Config
from proxy.errors import ConfigError
from proxy.oauth.stores.record import MOVED

_REFUSED = 403
_NEEDS_SECRET = frozenset({401, 429})
_ALARM = "stop the proxy, update it, and report this if it stays so"


def check_running(
    config: Config,
    running: Running,
    own: Callable[[], Iterable[str]] = own_addresses,
) -> Iterator[Finding]:
    """Yield what is found of a proxy that runs with `config`.

    `own` returns the addresses by which other machines know this one.
    """
    yield check_login(running.status)
    networks = list(own())
    for address in running.listen:
        yield from _check_listener(Listener(config, address, admin=False), networks)
    admin = Listener(config, config.admin.listen, admin=True)
    yield from _check_listener(admin, networks)


class Listener:
    """One listener of the proxy: `ask` it something."""

    def __init__(self, config: Config, address: Address, *, admin: bool) -> None:
        self.address = address
        self.admin = admin
        self.name = f"{'admin listener' if admin else 'listener'} {address}"
        self.anyone = config.access.anyone and not admin
        self._certificate_file = config.tls.certificate_file

    def ask(self, probe: Callable[..., Reply], host: str | None = None) -> Reply:
        """Return the reply to `probe`, sent to `host` if that is another address.

        Raises:
            OSError, http.client.HTTPException: there is none.
            ConfigError: its certificate is not known.
        """
        here = self.address
        there = here if host is None else Address(host, here.port, tls=here.tls)
        connection = to_listener(there, self._certificate_file)
        return probe(connection, admin=self.admin)


# -- The login -----------------------------------------------------------------------


def check_login(status: dict[str, Any]) -> Finding:
    """Return who is logged in and until when; nobody is not to be mended."""
    state, until = status.get("state"), status.get("expires_at")
    told = str(status.get("last_error") or "")
    error = f" (last error: {told})" if told else ""
    if state == "logged_out" and told.startswith(MOVED):
        return note("login", told)
    if state != "active":
        what = {
            "login_required": "the login has ended; run: telemed-proxy login",
            "code_sent": "an SMS was sent; run: telemed-proxy login",
        }.get(str(state), "nobody is logged in; run: telemed-proxy login")
        return note("login", f"{what}{error}")
    seen = f"{status.get('phone') or 'somebody'}, access token until {until}"
    if needed := status.get("login_needed_by"):
        return note("login", f"{seen}; it cannot be refreshed: log in before {needed}")
    if due := status.get("refresh_due_at"):
        seen += f", next refresh due {due}"
    return note("login", f"{seen}{error}") if error else ok("login", seen)


# -- The rules -----------------------------------------------------------------------


def _check_listener(listener: Listener, networks: list[str]) -> Iterator[Finding]:
    try:
        by_host = listener.ask(refused_by_host)
        if by_host.value == "user":
            yield note(
                listener.name,
                "lets in only the user that the proxy runs as (access.same_user)",
            )
            return
        by_origin = listener.ask(refused_by_origin)
    except PermissionError:
        yield note(listener.name, "may not be opened by this user, so others are out")
        return
    except ssl.SSLError:
        yield wrong(
            listener.name,
            "does not show the certificate in tls.certificate_file",
            "restart the proxy, or mend the config",
        )
        return
    except ConfigError as exc:
        seen, _, mend = exc.description.partition("; ")
        yield wrong(listener.name, seen, mend or "mend the config")
        return
    except (OSError, http.client.HTTPException) as exc:
        yield wrong(listener.name, reason(exc), "restart the proxy")
        return
    yield judged(f"{listener.name} Host", by_host, "host", "a name that is not its own")
    yield judged(f"{listener.name} Origin", by_origin, "origin", "a foreign web page")
    if listener.address.path is None:
        yield from _check_network(listener, networks)


def judged(subject: str, reply: Reply, rule: str, what: str) -> Finding:
    """Return whether `reply` is the refusal by `rule` that it should be."""
    if reply.ours and reply.status == _REFUSED and reply.value == rule:
        return ok(subject, f"{what} is refused")
    return wrong(subject, f"{what} is not refused, but answered {reply.status}", _ALARM)


# -- The network ---------------------------------------------------------------------


def _check_network(listener: Listener, networks: list[str]) -> Iterator[Finding]:
    subject = f"{listener.name} network"
    replies = {host: _reply(listener, host) for host in networks}
    reached = {host: reply for host, reply in replies.items() if reply is not None}
    if not reached:
        yield ok(subject, "only programs on this machine reach it")
    for host, reply in reached.items():
        yield reachable(listener, f"{Address(host, listener.address.port)}", reply)


def _reply(listener: Listener, host: str) -> Reply | None:
    try:
        reply = listener.ask(without_secret, host)
    except (OSError, http.client.HTTPException):
        return None
    # Without an answer of ours, another program has this port at this address.
    return reply if reply.ours else None


def reachable(listener: Listener, at: str, reply: Reply) -> Finding:
    """Return what it means that other machines reach `listener` at `at`."""
    subject = f"{listener.name} network"
    seen = f"other machines reach it at {at}, unless a firewall keeps them out"
    secret = "the password" if listener.admin else "a local key"
    if reply.status in _NEEDS_SECRET:
        clear = (
            "" if listener.address.tls else ", which crosses the network in the clear"
        )
        return note(subject, f"{seen}; it asks for {secret}{clear}")
    if reply.status == _REFUSED:
        return note(subject, f"{seen}; it refuses them ({reply.value})")
    if listener.anyone:
        return note(
            subject,
            f"{seen}; it asks for nothing (access.anyone): whoever does acts as the "
            "person who is logged in",
        )
    setting = "admin.password_file" if listener.admin else "access.local_key_file"
    return wrong(
        subject, f"{seen}; it asks for no {secret.split()[-1]}", f"set {setting}"
    )
