"""The login of the running proxy, reached on its admin listener."""

import asyncio
from typing import TYPE_CHECKING

from yarl import URL

from proxy.cli.admin_client import AdminClient
from proxy.cli.lifetime import Status, bear, insist, never_enough, too_short
from proxy.cli.verify import Verdict, verify_through
from proxy.config import Config
from proxy.errors import LoginRequiredError, ProxyError

if TYPE_CHECKING:
    from proxy.oauth.messages import TokenPair
    from proxy.oauth.phone import Phone
    from proxy.oauth.stores.record import AccountRecord


class ThroughProxy:
    """The running proxy does it, asked on its admin listener."""

    def __init__(self, client: AdminClient, config: Config) -> None:
        self.where = f"the running proxy at {client.address}"
        self._client = client
        self._config = config

    def status(self) -> Status:
        """Return the status object of the admin listener."""
        return self._client.status()

    def expect_login(self) -> None:
        """The running proxy has all that it takes."""

    def request_code(self, phone: "Phone") -> None:
        """Have the SMS sent."""
        self._client.request_code(f"+{phone.username}")

    def submit_code(self, validation_code: str, phone: "Phone | None") -> Status:
        """Log in with the code; None is the phone that was asked for last."""
        return self._client.submit_code(
            validation_code, f"+{phone.username}" if phone else None
        )

    def access_token(self, min_ttl: float | None) -> str:
        """Return the token from the store of the proxy: no admin answer holds one."""
        found = self.status()
        if found["state"] != "active":
            raise LoginRequiredError("nobody is logged in; run: telemed-proxy login")
        if too_short(found, min_ttl):
            if min_ttl is not None:
                never_enough(_stored_pair(found).lifetime, min_ttl)
            try:
                found = self.refresh()
            except ProxyError as exc:
                bear(exc, found, min_ttl)
        insist(found, min_ttl)
        return _stored_pair(found).access_token

    def refresh(self) -> Status:
        """Refresh now."""
        return self._client.refresh()

    def logout(self) -> None:
        """Forget the tokens."""
        self._client.logout()

    def verify(self) -> Verdict:
        """Call the upstream as any program would: through the proxy."""
        return verify_through(self._config, str(self.status()["listen"][0]))


def _stored_pair(found: Status) -> "TokenPair":
    """Return the pair in the store of the proxy that told `found`."""
    url = str(found["store"])
    record = asyncio.run(_stored_record(url))
    if record.tokens is None:
        # Also when the proxy runs on another machine, or in a container.
        raise LoginRequiredError(
            f"no token is in {url} as seen from here; run this where the proxy runs"
        )
    api = (record.issuer or "").partition(" ")[0]
    if api and api != str(URL(str(found["upstream"])).origin()):
        raise LoginRequiredError(
            f"the login in {url} is for {api}, not for the proxy's upstream"
            f" {found['upstream']}; run: telemed-proxy login"
        )
    return record.tokens


async def _stored_record(url: str) -> "AccountRecord":
    from proxy.oauth.stores import open_store
    from proxy.oauth.stores.record import DEFAULT_ACCOUNT

    store = open_store(url)
    try:
        return await store.load(DEFAULT_ACCOUNT)
    finally:
        await store.close()
