"""How a command reaches the login: through the running proxy, or on the store itself.

Both ways do the same things; a command need not know which one it took.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from proxy.cli.admin_client import AdminClient, NoProxyError
from proxy.cli.lifetime import Status
from proxy.cli.on_store import OnStore
from proxy.cli.through_proxy import ThroughProxy
from proxy.cli.verify import Verdict
from proxy.config import Address, load_config

if TYPE_CHECKING:
    from proxy.oauth.phone import Phone


class Reach(Protocol):
    """What the commands do with a login."""

    where: str
    """Which way was taken, for people."""

    def status(self) -> Status:
        """Return the status object of the admin listener."""

    def expect_login(self) -> None:
        """Raise what would make a login fail, before anybody is asked for anything."""

    def request_code(self, phone: "Phone") -> None:
        """Have the SMS sent."""

    def submit_code(self, validation_code: str, phone: "Phone | None") -> Status:
        """Log in with the code; None is the phone that was asked for last."""

    def access_token(self, min_ttl: float | None) -> str:
        """Return an access token that lives for `min_ttl` seconds more."""

    def refresh(self) -> Status:
        """Refresh now."""

    def logout(self) -> None:
        """Forget the tokens."""

    def verify(self) -> Verdict:
        """Ask the upstream whether it accepts the token."""


def reach(config_path: Path | None, admin: Address | None) -> Reach:
    """Return the way through the running proxy, or on the store when none runs.

    An address that was asked for must answer: working on another store than that of
    the proxy one has in mind would be a surprise.
    """
    config = load_config(config_path, require_client_id=False)
    address = admin or config.admin.listen
    client = AdminClient(
        address,
        config.admin.password_file,
        certificate_file=config.tls.certificate_file,
    )
    try:
        client.status()
    except NoProxyError:
        if admin is not None:
            raise
        return OnStore(config, config_path)
    return ThroughProxy(client, config)
