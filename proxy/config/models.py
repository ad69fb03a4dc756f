"""The settings and their defaults.

`config.example.yaml` explains each one; a test keeps the two in step.
"""

from pathlib import Path
from typing import Annotated, Literal

from yarl import URL

from proxy.authority import WebOrigin
from proxy.config import network, values
from proxy.config.keys import StoreKeys
from proxy.config.section import Section, parse_each, setting
from proxy.config.together import check_together

Duration = Annotated[float, values.parse_positive_duration]
Size = Annotated[int, values.parse_size]
Flag = Annotated[bool, values.parse_flag]
File = Annotated[Path | None, values.parse_file]
Listen = Annotated[network.Address, network.parse_address]
Origin = Annotated[URL, network.parse_origin_url]
Rules = Annotated[tuple[values.CallRule, ...], parse_each(values.parse_rule)]


def _head_size(value: object) -> int:
    size = values.parse_size(value)
    # Less, and a token of ordinary length or a browser's cookies would not fit.
    if not 8 * 1024 <= size <= 256 * 1024:
        raise ValueError("must be from 8KiB to 256KiB")
    return size


class UpstreamConfig(Section):
    """The API, its authorization server, and how we reach them."""

    api_url: Origin = URL("https://testapipartner.doktornarabote.ru")
    auth_url: Origin = URL("https://testauthpartner.doktornarabote.ru")
    client_id: Annotated[str, values.parse_client_id] = setting(default="", repr=False)
    ca_file: File = None
    egress_proxy: Annotated[URL | None, network.parse_egress_proxy] = None
    connect_timeout: Duration = 10.0
    response_timeout: Duration = 100.0
    idle_timeout: Duration = 100.0
    keepalive: Duration = 60.0
    max_connections: Annotated[int, values.parse_count(1, 65535)] = 256
    warm_connections: Annotated[int, values.parse_count(0, 65535)] = 1


PAID_CALLS = (
    values.CallRule("POST", "/api/*/callbackrequest/start-callback"),
    values.CallRule("POST", "/api/*/voiprequest/start"),
    values.CallRule("POST", "/api/*/writingrequest/start-writing"),
)
"""Those that the API's description says to cost the patient money."""


class LoginConfig(Section):
    """What happens while somebody logs in."""

    hold: Annotated[float, values.parse_duration] = 0.0
    hold_requests: Annotated[int, values.parse_count(1, 65535)] = 100


class TokenConfig(Section):
    """When the token pair is refreshed."""

    refresh_at: Annotated[float, values.parse_share] = 0.5


def default_store_url() -> str:
    """Return the token file in the platform's state folder."""
    return f"file:{_state_folder() / 'tokens.json'}"


def default_certificate_folder() -> Path:
    """Return where `telemed-proxy cert` keeps what it makes."""
    return _state_folder() / "tls"


def _state_folder() -> Path:
    from platformdirs import user_state_path  # 15 ms and a megabyte, where it is told

    return user_state_path("telemed-proxy", appauthor=False)


def _store_url(value: object) -> str:
    return values.parse_store_url(value) or default_store_url()


class StoreConfig(Section):
    """Where the token pair is kept."""

    # A Redis URL may hold a password.
    url: Annotated[str, _store_url] = setting(default="", repr=False)
    encryption_key_file: File = None
    # Not a setting: a key must not stand in the config file.
    _key = ""

    @property
    def keys(self) -> StoreKeys | None:
        """What a token file is encrypted with; None: with nothing."""
        if not self._key and self.encryption_key_file is None:
            return None
        return StoreKeys(self.encryption_key_file, self._key)

    def with_key(self, key: str) -> "StoreConfig":
        """Return the same, with `key` going before those in the file."""
        same = self.replace()
        vars(same)["_key"] = key.strip()
        return same


class AdminConfig(Section):
    """The listener for people: login, status, metrics."""

    listen: Listen = network.Address("127.0.0.1", 8081)
    password_file: File = None


class TlsConfig(Section):
    """The certificate of the listeners whose address begins with https://."""

    certificate_file: File = None
    key_file: File = None


class AccessConfig(Section):
    """Who may use the proxy."""

    allowed_hosts: Annotated[tuple[str, ...], parse_each(network.parse_host_name)] = ()
    allowed_origins: Annotated[
        tuple[WebOrigin, ...], parse_each(network.parse_origin)
    ] = ()
    local_key_file: File = None
    anyone: Flag = False
    same_user: Flag = False
    read_only: Flag = False
    allow: Rules = ()
    deny: Rules = ()


class ForwardConfig(Section):
    """How requests and responses pass through."""

    replay_limit: Size = 12 * 1024**2
    rewrite_location: Flag = True
    via: Flag = True
    server_timing: Flag = False
    paid_calls: Rules = PAID_CALLS
    paid_window: Annotated[float, values.parse_duration] = 60.0


class LimitsConfig(Section):
    """How much callers may take, before they are answered 503 or 431."""

    connections: Annotated[int, values.parse_count(1, 1_000_000)] = 10_000
    in_flight: Annotated[int, values.parse_count(1, 1_000_000)] = 1024
    head_size: Annotated[int, _head_size] = 256 * 1024
    head_time: Duration = 30.0
    buffered: Size = 256 * 1024**2


class JournalConfig(Section):
    """How many exchanges the journal keeps in memory, and how much of them."""

    exchanges: Annotated[int, values.parse_count(0, 1_000_000)] = 500
    bytes: Size = 32 * 1024**2
    content: Flag = False


class LogConfig(Section):
    """What is logged, and in which form."""

    level: Annotated[
        Literal["debug", "info", "warning", "error", "critical"],
        values.parse_choice("debug", "info", "warning", "error", "critical"),
    ] = "info"
    format: Annotated[Literal["text", "json"], values.parse_choice("text", "json")] = (
        "text"
    )
    access: Flag = True


class Config(Section):
    """Every setting. One that exists keeps all rules, however it was made."""

    listen: Annotated[
        tuple[network.Address, ...], parse_each(network.parse_address)
    ] = (network.Address("127.0.0.1", 8080),)
    upstream: UpstreamConfig = UpstreamConfig()
    token: TokenConfig = TokenConfig()
    login: LoginConfig = setting(default_factory=LoginConfig)
    store: StoreConfig = setting(default_factory=StoreConfig)
    admin: AdminConfig = AdminConfig()
    tls: TlsConfig = TlsConfig()
    access: AccessConfig = AccessConfig()
    limits: LimitsConfig = LimitsConfig()
    forward: ForwardConfig = ForwardConfig()
    journal: JournalConfig = JournalConfig()
    log: LogConfig = LogConfig()

    @property
    def secret_files(self) -> dict[str, Path]:
        """The files that only this user should be able to read, by their settings."""
        files = {
            "store.encryption_key_file": self.store.encryption_key_file,
            "access.local_key_file": self.access.local_key_file,
            "admin.password_file": self.admin.password_file,
            "tls.key_file": self.tls.key_file,
        }
        return {name: file for name, file in files.items() if file is not None}

    def check(self) -> None:
        """Raise SettingError for the first settings that do not go together."""
        check_together(self)
