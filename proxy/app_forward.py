"""The forwarding half put together: pool, access rules, handler, inbound server."""

import math
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass

from yarl import URL

from proxy.access.keys import LocalKeys
from proxy.access.peers import SameUser
from proxy.access.repeats import PaidCalls
from proxy.access.rules import AccessRules
from proxy.admin.late import MOST as ADMIN_CONNECTIONS
from proxy.clock import Clock
from proxy.config import Config, LimitsConfig, LoginConfig, UpstreamConfig
from proxy.forward.dial import Origin
from proxy.forward.exchange import Recorder
from proxy.forward.forwarding import Credential, Parts
from proxy.forward.handler import NOTED, ForwardHandler
from proxy.forward.inbound_server import InboundServer
from proxy.forward.keeping import Keeping
from proxy.forward.limits import Budget, InboundLimits
from proxy.forward.pool import Pool, PoolLimits
from proxy.forward.relay import ForwardOptions
from proxy.forward.target import Rewrite
from proxy.journal.replay import Replays
from proxy.listeners import Listener, local_names
from proxy.oauth.holding import Holding
from proxy.oauth.refresher import Refresher
from proxy.open_files import room_for


def make_pool(
    upstream: UpstreamConfig, tls: ssl.SSLContext, listeners: Sequence[Listener]
) -> Pool:
    """Return the connections to `upstream`, which never lead to one of `listeners`."""
    url, egress = upstream.api_url, upstream.egress_proxy
    assert url.host is not None  # noqa: S101  the config refuses a URL without one
    assert url.port is not None  # noqa: S101  http and https have a default
    origin = Origin(
        url.host,
        url.port,
        tls if url.scheme == "https" else None,
        None if egress is None else (str(egress.host), int(egress.port or 80)),
    )
    limits = PoolLimits(
        connect_timeout=upstream.connect_timeout,
        response_timeout=upstream.response_timeout,
        idle_timeout=upstream.idle_timeout,
        keepalive=upstream.keepalive,
        max_connections=upstream.max_connections,
        warm_connections=upstream.warm_connections,
    )
    return Pool(
        origin,
        limits,
        is_own=lambda peer, local: any(each.is_at(peer, local) for each in listeners),
    )


@dataclass(frozen=True, slots=True)
class Forward:
    """The parts that take requests and forward them."""

    handler: ForwardHandler
    inbound: InboundServer
    replays: Replays


def make_forward(
    config: Config,
    pool: Pool,
    refresher: Refresher,
    record: Recorder,
    keeping: Keeping,
    callers: SameUser | None,
    clock: Clock,
) -> Forward:
    """Return what forwards requests with the tokens of `refresher`."""
    limits = config.limits
    budget = Budget(limits.buffered)
    handler = ForwardHandler(
        _parts(config, pool, refresher, keeping),
        record,
        clock,
        most_in_flight=limits.in_flight,
        budget=budget,
    )
    inbound = InboundServer(
        handler.answer,
        handler.refuse,
        noted=NOTED,
        replay_limit=config.forward.replay_limit,
        limits=_inbound_limits(limits, config.upstream),
        budget=budget,
        callers=callers,
    )
    # Asked whether a call costs money, not whether it was made a moment ago.
    paid = PaidCalls(config.forward.paid_calls, math.inf, time.monotonic)
    return Forward(handler, inbound, Replays(inbound, paid.concerns))


def _parts(config: Config, pool: Pool, refresher: Refresher, keeping: Keeping) -> Parts:
    forward, key_file = config.forward, config.access.local_key_file
    access = AccessRules(
        config.access,
        local_names(config.listen),
        LocalKeys(key_file) if key_file is not None else None,
    )
    options = ForwardOptions(
        rewrite=_rewrite(config.upstream.api_url) if forward.rewrite_location else None,
        server_timing=forward.server_timing,
        via=forward.via,
    )
    paid = PaidCalls(forward.paid_calls, forward.paid_window, time.monotonic)
    credential = _credential(config.login, refresher)
    return Parts(pool, credential, access, paid, options, keeping)


def _inbound_limits(limits: LimitsConfig, upstream: UpstreamConfig) -> InboundLimits:
    others = upstream.max_connections + ADMIN_CONNECTIONS
    return InboundLimits(
        connections=room_for(limits.connections, others),
        head_size=limits.head_size,
        head_time=limits.head_time,
    )


def _credential(login: LoginConfig, refresher: Refresher) -> Credential:
    if not login.hold:
        return refresher
    return Holding(refresher, seconds=login.hold, requests=login.hold_requests)


def _rewrite(api_url: URL) -> Rewrite:
    origin = str(api_url.origin()).lower()
    return Rewrite(origin.encode(), str(api_url.host).encode())
