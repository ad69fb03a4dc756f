"""The rules that hold between settings, each of which is well-formed by itself."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxy.config.document import Place
from proxy.config.network import Address

if TYPE_CHECKING:
    from proxy.config.models import Config

_ADMIN: Place = ("admin", "listen")


class SettingError(ValueError):
    """A setting that is well-formed but does not go with the others."""

    def __init__(self, message: str, *places: Place) -> None:
        super().__init__(message)
        self.places = places


def check_together(config: "Config") -> None:
    """Raise SettingError for the first settings that do not go together."""
    if not config.listen:
        raise SettingError("needs at least one address", ("listen",))
    _no_address_twice(config)
    _nobody_else_gets_in(config)
    _the_same_user_can_be_told(config)
    _tls_has_its_files(config)
    warm, most = config.upstream.warm_connections, config.upstream.max_connections
    if warm > most:
        raise SettingError(
            f"must fit: warm_connections ({warm}) cannot be more than "
            f"max_connections ({most})",
            ("upstream", "warm_connections"),
            ("upstream", "max_connections"),
        )


def _no_address_twice(config: "Config") -> None:
    taken: dict[Address, Place] = {}
    for place, address in _forwarding(config):
        if address.place in taken:
            raise SettingError(f"names {address.place} twice", place)
        # Port 0 is another port each time.
        if address.port or address.path:
            taken[address.place] = place
    admin = config.admin.listen.place
    if admin in taken:
        raise SettingError(
            f"must differ: listen and admin.listen are both {admin}, "
            "but what the API serves never shares an address with the admin page",
            _ADMIN,
            taken[admin],
        )


def _nobody_else_gets_in(config: "Config") -> None:
    guarded = config.access.local_key_file is not None or config.access.anyone
    for place, address in _forwarding(config):
        if not address.is_loopback and not guarded:
            raise SettingError(
                f"opens {address} to other machines; set access.local_key_file "
                "(or access.anyone: true, which lets in anyone), or use 127.0.0.1",
                place,
            )
    if not config.admin.listen.is_loopback and config.admin.password_file is None:
        raise SettingError(
            f"opens {config.admin.listen} to other machines; "
            "set admin.password_file, or use 127.0.0.1",
            _ADMIN,
        )


def _the_same_user_can_be_told(config: "Config") -> None:
    if not config.access.same_user:
        return
    setting: Place = ("access", "same_user")
    if sys.platform != "linux":
        raise SettingError(
            "works on Linux only, where the kernel tells whose a connection is; "
            "set access.local_key_file instead",
            setting,
        )
    for place, address in _all(config):
        if not address.is_loopback:
            raise SettingError(
                f"lets in nobody from other machines, so {address} is of no use; "
                "use 127.0.0.1, or access.local_key_file instead",
                setting,
                place,
            )


def _tls_has_its_files(config: "Config") -> None:
    tls = config.tls
    if (tls.certificate_file is None) != (tls.key_file is None):
        raise SettingError(
            "goes together with the other one: set both tls.certificate_file and "
            "tls.key_file, or neither",
            ("tls", "certificate_file"),
            ("tls", "key_file"),
        )
    for place, address in _all(config):
        if address.tls and tls.certificate_file is None:
            raise SettingError(
                f"names {address}, which needs tls.certificate_file and tls.key_file; "
                "make them with: telemed-proxy cert",
                place,
            )


def _forwarding(config: "Config") -> Iterator[tuple[Place, Address]]:
    for index, address in enumerate(config.listen):
        yield ("listen", index), address


def _all(config: "Config") -> Iterator[tuple[Place, Address]]:
    yield from _forwarding(config)
    yield _ADMIN, config.admin.listen
