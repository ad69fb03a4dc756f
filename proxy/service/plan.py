"""What is to be kept running, and whether it can be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from proxy.config import Address, Config

NAME: Final = "telemed-proxy"

STATE: Final = f"/var/lib/{NAME}"
"""What the service of a whole system may write to."""

# Empty or closed for a service with ProtectHome= and PrivateTmp=.
_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108  names only

_PREFIX = "TELEMED_PROXY"


@dataclass(frozen=True, slots=True)
class Service:
    """The program, its arguments, and for whom it runs."""

    program: Sequence[str]
    config_file: str
    config: Config
    python: str = ""
    """Where the interpreter really is, links followed."""
    system: bool = False
    sockets: bool = True
    """Whether the service manager opens them."""
    state_home: str = ""
    """$XDG_STATE_HOME, where it is not the usual one."""

    @property
    def command(self) -> list[str]:
        """What runs the proxy."""
        return [*self.program, "serve", "-c", self.config_file]

    @property
    def addresses(self) -> list[Address]:
        """All that the config has the proxy listen at."""
        return [*self.config.listen, self.config.admin.listen]

    @property
    def given(self) -> list[Address]:
        """Those that the service manager opens."""
        return [each for each in self.addresses if self.sockets and can_be_given(each)]

    @property
    def own(self) -> list[Address]:
        """Those that the proxy opens by itself."""
        return [each for each in self.addresses if each not in self.given]


def can_be_given(address: Address) -> bool:
    """Return whether a socket unit can name `address`.

    It cannot name a host, nor a port that is chosen anew each time, which nobody could
    find out.
    """
    if address.path is not None:
        return True
    if not address.port or "%" in address.host:
        return False
    try:
        ip_address(address.host)
    except ValueError:
        return False
    return True


def obstacle(service: Service, default_store: str) -> str | None:
    """Return why the service could not run under systemd, and what to do.

    `default_store` is the store of a config that names none.
    """
    if (why := _unspeakable_name(service)) is not None or not service.system:
        return why
    return (
        _hidden_file(service)
        or _unwritable_store(service.config.store.url, default_store)
        or _unfit_rule(service)
    )


def _unspeakable_name(service: Service) -> str | None:
    for what, file, forbidden in (
        ("this program", service.program[0], "\"'\\"),
        ("the config", service.config_file, ""),
    ):
        if set(file) & set(forbidden) or not file.isprintable():
            return (
                f"{what} is {file!r}, a name that systemd does not take; put it where "
                "no name on the way has quotes, backslashes or control characters"
            )
    return None


def _hidden_file(service: Service) -> str | None:
    config = service.config
    files = {
        "this program": service.program[0],
        "its Python": service.python,
        "the config": service.config_file,
    }
    named = {
        "upstream.ca_file": config.upstream.ca_file,
        "tls.certificate_file": config.tls.certificate_file,
    }
    files |= {setting: str(file) for setting, file in named.items() if file is not None}
    for what, file in files.items():
        if is_hidden(file):
            return (
                f"{what} is {file}, where a system service sees nothing; put it "
                "below /opt or /etc, or install the service of this user, without "
                "--system"
            )
    return None


def is_hidden(file: str) -> bool:
    """Return whether a service of the whole system cannot see `file`."""
    return any(file == each or file.startswith(f"{each}/") for each in _HIDDEN)


def _unwritable_store(url: str, default_store: str) -> str | None:
    scheme, _, place = url.partition(":")
    if scheme == "keyring":
        return (
            "store.url names a keyring, which is a person's; leave it empty, "
            "or install the service of this user, without --system"
        )
    if scheme == "file" and url != default_store and not _is_in_state(place):
        return (
            f"store.url is {url}, but a system service writes below {STATE} only; "
            f"set it to file:{STATE}/tokens.json"
        )
    return None


def _is_in_state(place: str) -> bool:
    return place.startswith(f"{STATE}/") and ".." not in place.split("/")


def _unfit_rule(service: Service) -> str | None:
    if service.config.access.same_user:
        return (
            "access.same_user lets in the service's own user only, which nobody is; "
            "set access.local_key_file instead, or install without --system"
        )
    if any(each.path is not None for each in service.own):
        return (
            "listen names a Unix socket, which a system service cannot make by itself; "
            "leave --no-socket out"
        )
    return None


def left_out(environ: Mapping[str, str]) -> list[str]:
    """Return the variables of `environ` that are settings, which no service gets."""
    return sorted(
        name
        for name, value in environ.items()
        if value and (name.startswith(f"{_PREFIX}__") or name == f"{_PREFIX}_STORE_KEY")
    )
