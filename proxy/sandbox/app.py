"""The sandbox put together: three listeners over one state."""

import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from proxy.sandbox.api import PartnerApi
from proxy.sandbox.authorization import AuthorizationServer
from proxy.sandbox.control import ControlApi
from proxy.sandbox.data.world import World
from proxy.sandbox.listener import Listener
from proxy.sandbox.records import ReceivedRequest, TokenRequest
from proxy.sandbox.scenarios import switches_of
from proxy.sandbox.sms import Sms, SmsCentre
from proxy.sandbox.switches import Switches
from proxy.sandbox.tokens import TokenBook

CLIENT_ID = "98483c47f17f4888b0bf695d1165062e"


class Sandbox:
    """A fake partner API, its authorization server and a control endpoint.

    Args:
        seed: Makes the doctors, patients and validation codes.
        scenario: The name of the switches to begin with; see `SCENARIOS`.
        announce: Is given one line for every SMS that would be sent.
        clock: Returns seconds since the epoch; lifetimes are judged on it.
        ssl_context: Makes the API and the authorization server speak HTTPS.
        host: The address of all three listeners.
        ports: Those of API, authorization server and control endpoint; 0 picks one.

    Raises:
        ValueError: There is no such scenario.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        scenario: str = "default",
        announce: Callable[[str], None] = print,
        clock: Callable[[], float] = time.time,  # noqa: TID251  stands on its own
        ssl_context: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        ports: tuple[int, int, int] = (0, 0, 0),
    ) -> None:
        self.seed = seed
        self.scenario = scenario
        self.client_id = CLIENT_ID
        self.switches: Switches = switches_of(scenario)
        self._clock = clock
        self._sms = SmsCentre(seed, self.switches, clock, announce)
        self._tokens = TokenBook(self.switches, clock)
        shared: dict[str, Any] = {
            "switches": self.switches,
            "clock": clock,
            "sms": self._sms,
            "tokens": self._tokens,
        }
        self._api = PartnerApi(world=World(seed, clock), **shared)
        self._authorization = AuthorizationServer(client_id=CLIENT_ID, **shared)
        self.api_listener = Listener(
            self._api, host=host, port=ports[0], ssl_context=ssl_context
        )
        self.auth_listener = Listener(
            self._authorization, host=host, port=ports[1], ssl_context=ssl_context
        )
        self.control_listener = Listener(ControlApi(self), host=host, port=ports[2])

    async def start(self) -> None:
        """Bind all three listeners."""
        started = []
        try:
            for listener in self._listeners():
                await listener.start()
                started.append(listener)
        except OSError:
            for listener in started:
                await listener.stop()
            raise

    async def close(self) -> None:
        """Close every connection, those of hanging answers too."""
        for listener in self._listeners():
            await listener.stop()

    async def __aenter__(self) -> "Sandbox":
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def api_url(self) -> str:
        """The origin of the API."""
        return self.api_listener.url

    @property
    def auth_url(self) -> str:
        """The origin of the authorization server; `/token` comes after it."""
        return self.auth_listener.url

    @property
    def control_url(self) -> str:
        """The origin of the control endpoint."""
        return self.control_listener.url

    @property
    def requests(self) -> list[ReceivedRequest]:
        """What the API received, the oldest first; the list itself, not a copy."""
        return self._api.requests

    @property
    def token_requests(self) -> list[TokenRequest]:
        """What the authorization server was asked and how it decided."""
        return self._authorization.requests

    @property
    def sms(self) -> list[Sms]:
        """The messages that were sent: (phone, validation code)."""
        return self._sms.sent

    @property
    def spent_presented(self) -> int:
        """How often a refresh token was presented that had been used before."""
        return self._tokens.spent_presented

    @property
    def world(self) -> World:
        """The clinic's state: doctors, patients, files."""
        return self._api.world

    def revoke_access(self, phone: str | None = None) -> int:
        """End the access tokens of `phone`, or all, early; refresh tokens stay."""
        return self._tokens.revoke_access(phone)

    def revoke_refresh(self, phone: str | None = None) -> int:
        """Kill the refresh tokens of `phone`, or all; access tokens stay."""
        return self._tokens.revoke_refresh(phone)

    def reset(self) -> None:
        """Go back to the beginning: state, records, and the scenario's switches."""
        self.switches.restore(switches_of(self.scenario))
        self._sms.reset()
        self._tokens.reset()
        self._api.world = World(self.seed, self._clock)
        self._api.requests.clear()
        self._authorization.requests.clear()

    def _listeners(self) -> tuple[Listener, ...]:
        return self.api_listener, self.auth_listener, self.control_listener
