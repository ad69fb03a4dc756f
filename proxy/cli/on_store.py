"""The login in the token store, used by this process itself when no proxy runs."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from proxy import __version__
from proxy.cli.failures import is_debugging
from proxy.cli.lifetime import Status, bear, insist, is_due, never_enough, too_short
from proxy.cli.verify import Verdict, verify_directly
from proxy.config import Config, load_config
from proxy.errors import LoginRequiredError, ProxyError

if TYPE_CHECKING:
    from proxy.app import OAuth
    from proxy.oauth.phone import Phone

T = TypeVar("T")


class OnStore:
    """This process does it, on the store of the config."""

    def __init__(self, config: Config, config_path: Path | None) -> None:
        self.where = "the token store, as no proxy runs"
        self._config = config
        self._config_path = config_path

    def status(self) -> Status:
        """Return what the admin listener would tell."""

        async def work(oauth: "OAuth") -> Status:
            return self._status(oauth)

        return self._run(work)

    def expect_login(self) -> None:
        """Raise what would make a login fail, before anybody is asked for anything."""
        if not self._config.upstream.client_id:
            load_config(self._config_path)  # raises the sentence that says what to set

    def request_code(self, phone: "Phone") -> None:
        """Have the SMS sent."""

        async def work(oauth: "OAuth") -> None:
            await oauth.login.request_code(phone)

        self._run(work, calls=True)

    def submit_code(self, validation_code: str, phone: "Phone | None") -> Status:
        """Log in with the code; None is the phone that was asked for last."""

        async def work(oauth: "OAuth") -> Status:
            await oauth.login.submit_code(validation_code, phone)
            return self._status(oauth)

        return self._run(work, calls=True)

    def access_token(self, min_ttl: float | None) -> str:
        """Return an access token that lives for `min_ttl` seconds more."""

        async def work(oauth: "OAuth") -> str:
            pair = oauth.refresher.record.tokens
            if pair is not None and oauth.refresher.status().state == "active":
                never_enough(pair.lifetime, min_ttl)
            await oauth.refresher.access_token()
            found = self._status(oauth)
            # A refresh that is due may end the token that stands now: have it first.
            if is_due(found) or too_short(found, min_ttl):
                try:
                    await oauth.refresher.refresh()
                except ProxyError as exc:
                    bear(exc, found, min_ttl)
                found = self._status(oauth)
            insist(found, min_ttl)
            return await oauth.refresher.access_token()

        return self._run(work, calls=True)

    def refresh(self) -> Status:
        """Refresh now."""

        async def work(oauth: "OAuth") -> Status:
            await oauth.refresher.refresh()
            return self._status(oauth)

        return self._run(work, calls=True)

    def logout(self) -> None:
        """Forget the tokens."""

        async def work(oauth: "OAuth") -> None:
            await oauth.refresher.logout()

        self._run(work)

    def verify(self) -> Verdict:
        """Call the upstream with the stored token."""
        return verify_directly(self._config, self.access_token(None))

    def _status(self, oauth: "OAuth") -> Status:
        from proxy.admin.state import AdminInfo, status_members

        info = AdminInfo(
            listen=list,
            upstream=str(self._config.upstream.api_url),
            version=__version__,
        )
        found = status_members(oauth.refresher.status(), info)
        pair = oauth.refresher.record.tokens
        if found["refresh_due_at"] is not None and pair is not None:
            from proxy.cli.planned import planned_refresh

            share = self._config.token.refresh_at
            found["refresh_due_at"] = planned_refresh(pair, share)
        return found

    def _run(
        self, work: "Callable[[OAuth], Awaitable[T]]", *, calls: bool = False
    ) -> T:
        """Run `work`; `calls` says that it may call the authorization server."""
        from proxy.app import open_oauth
        from proxy.log import setup_logging

        if calls:
            self.expect_login()
        # What matters of the log is told in sentences; twice is once too often.
        level = "debug" if is_debugging() else "critical"
        setup_logging(self._config.log.replace(level=level, format="text"))

        async def run() -> T:
            async with open_oauth(self._config) as oauth:
                # A damaged file is set aside at once, so this is known only now.
                reason = oauth.refresher.status().last_error
                try:
                    return await work(oauth)
                except LoginRequiredError as exc:
                    raise _with_reason(exc, reason) from exc

        return asyncio.run(run())


def _with_reason(error: LoginRequiredError, reason: str | None) -> LoginRequiredError:
    """Add why there is no login, such as a token file that was damaged."""
    if reason is None or reason in error.description:
        return error
    return LoginRequiredError(f"{error.description} ({reason})")
