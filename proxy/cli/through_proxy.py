"""The login of the running proxy, reached on its admin listener."""

import asyncio
from typing import TYPE_CHECKING

from yarl import URL

from proxy.cli.admin_client import AdminClient
from proxy.cli.lifetime import Status, bear, insist, never_enough, too_short
from proxy.cli.verify import Verdict, verify_through
from proxy.config import Config, StoreConfig
from proxy.errors import ConfigError, LoginRequiredError, ProxyError
from proxy.oauth.stores.record import MOVED
from proxy.redaction import MASK

if TYPE_CHECKING:
    from proxy.oauth.messages import TokenPair
    from proxy.oauth.phone import Phone
    from proxy.oauth.stores import TokenStore
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
            told = str(found.get("last_error"))
            raise LoginRequiredError(
                told
                if found["state"] == "logged_out" and told.startswith(MOVED)
                else "nobody is logged in; run: telemed-proxy login"
            )
        if too_short(found, min_ttl):
            if min_ttl is not None:
                never_enough(self._stored_pair(found).lifetime, min_ttl)
            try:
                found = self.refresh()
            except ProxyError as exc:
                bear(exc, found, min_ttl)
        insist(found, min_ttl)
        return self._stored_pair(found).access_token

    def refresh(self) -> Status:
        """Refresh now."""
        return self._client.refresh()

    def logout(self) -> None:
        """Forget the tokens."""
        self._client.logout()

    def verify(self) -> Verdict:
        """Call the upstream as any program would: through the proxy."""
        return verify_through(self._config, str(self.status()["listen"][0]))

    def _stored_pair(self, found: Status) -> "TokenPair":
        """Return the pair in the store of the proxy that told `found`."""
        url = str(found["store"])
        record = asyncio.run(_stored_record(url, self._config.store))
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


def _store_at(url: str, config: StoreConfig) -> "TokenStore":
    """Return the store that a proxy has told of; it does not tell its password.

    The config here knows that, if it names the same store.
    """
    from proxy.oauth.stores import open_store

    ours = open_store(config.url, config.keys)
    if ours.url == url:
        return ours
    if MASK in url:
        raise ConfigError(
            f"the password for {url} is not known here; run this with the config of "
            "the proxy (-c)"
        )
    return open_store(url, config.keys)


async def _stored_record(url: str, config: StoreConfig) -> "AccountRecord":
    from proxy.oauth.stores.record import DEFAULT_ACCOUNT

    store = _store_at(url, config)
    try:
        return await store.load(DEFAULT_ACCOUNT)
    finally:
        await store.close()
