"""The settings, their defaults, and the rules that hold between them.

`config.example.yaml` explains each one; a test keeps the two in step.
"""

from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_state_path
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    PrivateAttr,
    model_validator,
)
from yarl import URL

from proxy.authority import WebOrigin
from proxy.config import network, values
from proxy.config.keys import StoreKeys

Duration = Annotated[float, PlainValidator(values.parse_positive_duration)]
Size = Annotated[int, PlainValidator(values.parse_size)]
Flag = Annotated[bool, PlainValidator(values.parse_flag)]
File = Annotated[Path | None, PlainValidator(values.parse_file)]
Listen = Annotated[network.Address, PlainValidator(network.parse_address)]
Origin = Annotated[URL, PlainValidator(network.parse_origin_url)]
Rules = Annotated[
    tuple[Annotated[values.CallRule, PlainValidator(values.parse_rule)], ...],
    BeforeValidator(values.parse_list),
]


class SettingError(ValueError):
    """A setting that is well-formed but does not go with the others."""

    def __init__(self, message: str, *places: tuple[str | int, ...]) -> None:
        super().__init__(message)
        self.places = places


class Section(BaseModel):
    """Base of all settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class UpstreamConfig(Section):
    """The API, its authorization server, and how we reach them."""

    api_url: Origin = URL("https://testapipartner.doktornarabote.ru")
    auth_url: Origin = URL("https://testauthpartner.doktornarabote.ru")
    client_id: Annotated[str, PlainValidator(values.parse_client_id)] = Field(
        "", repr=False
    )
    ca_file: File = None
    egress_proxy: Annotated[URL | None, PlainValidator(network.parse_egress_proxy)] = (
        None
    )
    connect_timeout: Duration = 10.0
    response_timeout: Duration = 100.0
    idle_timeout: Duration = 100.0
    keepalive: Duration = 60.0
    max_connections: Annotated[int, PlainValidator(values.parse_count(1, 65535))] = 256
    warm_connections: Annotated[int, PlainValidator(values.parse_count(0, 65535))] = 1


class LoginConfig(Section):
    """What happens while somebody logs in."""

    hold: Annotated[float, PlainValidator(values.parse_duration)] = 0.0
    hold_requests: Annotated[int, PlainValidator(values.parse_count(1, 65535))] = 100


class TokenConfig(Section):
    """When the token pair is refreshed."""

    refresh_at: Annotated[float, PlainValidator(values.parse_share)] = 0.5


def default_store_url() -> str:
    """Return the token file in the platform's state folder."""
    return f"file:{user_state_path('telemed-proxy', appauthor=False) / 'tokens.json'}"


def _store_url(value: object) -> str:
    return values.parse_store_url(value) or default_store_url()


class StoreConfig(Section):
    """Where the token pair is kept."""

    # A Redis URL may hold a password.
    url: Annotated[str, PlainValidator(_store_url)] = Field(
        "", validate_default=True, repr=False
    )
    encryption_key_file: File = None
    # Not a setting: a key must not stand in the config file.
    _key: str = PrivateAttr("")

    @property
    def keys(self) -> StoreKeys | None:
        """What a token file is encrypted with; None: with nothing."""
        if not self._key and self.encryption_key_file is None:
            return None
        return StoreKeys(self.encryption_key_file, self._key)

    def with_key(self, key: str) -> "StoreConfig":
        """Return the same, with `key` going before those in the file."""
        copy = self.model_copy()
        copy._key = key.strip()  # noqa: SLF001  of the same class
        return copy


class AdminConfig(Section):
    """The listener for people: login, status, metrics."""

    listen: Listen = network.Address("127.0.0.1", 8081)
    password_file: File = None


class AccessConfig(Section):
    """Who may use the proxy."""

    allowed_hosts: Annotated[
        tuple[Annotated[str, PlainValidator(network.parse_host_name)], ...],
        BeforeValidator(values.parse_list),
    ] = ()
    allowed_origins: Annotated[
        tuple[Annotated[WebOrigin, PlainValidator(network.parse_origin)], ...],
        BeforeValidator(values.parse_list),
    ] = ()
    local_key_file: File = None
    anyone: Flag = False
    allow: Rules = ()
    deny: Rules = ()


class ForwardConfig(Section):
    """How requests and responses pass through."""

    replay_limit: Size = 12 * 1024**2
    rewrite_location: Flag = True
    via: Flag = True
    server_timing: Flag = False


class JournalConfig(Section):
    """How many exchanges a journal keeps, and how much of them; not used yet."""

    exchanges: Annotated[int, PlainValidator(values.parse_count(0, 1_000_000))] = 500
    bytes: Size = 32 * 1024**2
    content: Flag = False


class LogConfig(Section):
    """What is logged, and in which form."""

    level: Annotated[
        Literal["debug", "info", "warning", "error", "critical"],
        PlainValidator(
            values.parse_choice("debug", "info", "warning", "error", "critical")
        ),
    ] = "info"
    format: Annotated[
        Literal["text", "json"], PlainValidator(values.parse_choice("text", "json"))
    ] = "text"
    access: Flag = True


class Config(Section):
    """Every setting. One that exists keeps all rules, however it was made."""

    listen: Annotated[tuple[Listen, ...], BeforeValidator(values.parse_list)] = (
        network.Address("127.0.0.1", 8080),
    )
    upstream: UpstreamConfig = UpstreamConfig()
    token: TokenConfig = TokenConfig()
    login: LoginConfig = Field(default_factory=LoginConfig)
    store: StoreConfig = Field(default_factory=StoreConfig)
    admin: AdminConfig = AdminConfig()
    access: AccessConfig = AccessConfig()
    forward: ForwardConfig = ForwardConfig()
    journal: JournalConfig = JournalConfig()
    log: LogConfig = LogConfig()

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> "Config":
        if not self.listen:
            raise SettingError("needs at least one address", ("listen",))
        self._no_address_twice()
        self._nobody_else_gets_in()
        warm, most = self.upstream.warm_connections, self.upstream.max_connections
        if warm > most:
            raise SettingError(
                f"must fit: warm_connections ({warm}) cannot be more than "
                f"max_connections ({most})",
                ("upstream", "warm_connections"),
                ("upstream", "max_connections"),
            )
        return self

    def _no_address_twice(self) -> None:
        taken: set[network.Address] = set()
        for index, address in enumerate(self.listen):
            if address in taken:
                raise SettingError(f"names {address} twice", ("listen", index))
            # Port 0 is another port each time.
            if address.port or address.path:
                taken.add(address)
        if self.admin.listen in taken:
            raise SettingError(
                f"must differ: listen and admin.listen are both {self.admin.listen}, "
                "but what the API serves never shares an address with the admin page",
                ("admin", "listen"),
                ("listen", self.listen.index(self.admin.listen)),
            )

    def _nobody_else_gets_in(self) -> None:
        guarded = self.access.local_key_file is not None or self.access.anyone
        for index, address in enumerate(self.listen):
            if not address.is_loopback and not guarded:
                raise SettingError(
                    f"opens {address} to other machines; set access.local_key_file "
                    "(or access.anyone: true, which lets in anyone), or use 127.0.0.1",
                    ("listen", index),
                )
        if not self.admin.listen.is_loopback and self.admin.password_file is None:
            raise SettingError(
                f"opens {self.admin.listen} to other machines; "
                "set admin.password_file, or use 127.0.0.1",
                ("admin", "listen"),
            )
