"""The OAuth half put together: store, endpoints, refresher, login."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from proxy.clock import Clock, system_clock
from proxy.config import Config, UpstreamConfig
from proxy.errors import ConfigError
from proxy.oauth.late import Calls, LateEndpoints, issuer_of
from proxy.oauth.login import Login
from proxy.oauth.refresher import Outcome, Refresher
from proxy.oauth.stores import TokenStore, open_store


@dataclass(frozen=True, slots=True)
class OAuth:
    """The parts that obtain and keep the token pair."""

    login: Login
    refresher: Refresher
    store: TokenStore


@asynccontextmanager
async def open_oauth(
    config: Config,
    clock: Clock = system_clock,
    *,
    timer: bool = False,
    tls: ssl.SSLContext | None = None,
    on_refresh: Callable[[Outcome], None] = lambda _: None,
) -> AsyncIterator[OAuth]:
    """Open the token store and what talks to the authorization server.

    Only with `timer` does a due refresh start by itself; `tls` is `tls_context` where
    that is made already; `on_refresh` hears what became of each refresh.
    """
    upstream = config.upstream
    store = open_store(config.store.url, config.store.keys)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        context = tls or tls_context(upstream)
        endpoints = LateEndpoints(
            "proxy.oauth.endpoints", lambda: _endpoints(upstream, context, clock)
        )
        stack.push_async_callback(endpoints.close)
        refresher = Refresher(
            store,
            endpoints,
            clock,
            config.token.refresh_at,
            issuer=issuer_of(upstream.api_url, upstream.auth_url),
            on_refresh=on_refresh,
        )
        stack.push_async_callback(refresher.close)
        await refresher.start(timer=timer)
        yield OAuth(Login(endpoints, refresher, clock), refresher, store)


@asynccontextmanager
async def _endpoints(
    upstream: UpstreamConfig, context: ssl.SSLContext, clock: Clock
) -> AsyncIterator[Calls]:
    # Not above: it brings aiohttp, see `late`.
    from proxy.oauth.endpoints import Endpoints, open_session

    async with open_session(
        ssl_context=context,
        connect_timeout=upstream.connect_timeout,
        response_timeout=upstream.response_timeout,
    ) as session:
        yield Endpoints(
            session,
            api_url=upstream.api_url,
            auth_url=upstream.auth_url,
            client_id=upstream.client_id,
            clock=clock,
            proxy=upstream.egress_proxy,
        )


def tls_context(upstream: UpstreamConfig) -> ssl.SSLContext:
    """Return the context for every call to `upstream`: the system's trust, and ours."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if upstream.ca_file is not None:
        try:
            context.load_verify_locations(upstream.ca_file)
        except (OSError, ssl.SSLError) as exc:
            raise ConfigError(
                f"upstream.ca_file: {upstream.ca_file} is not a readable file of "
                "certificates in PEM form"
            ) from exc
    return context
