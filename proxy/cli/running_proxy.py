"""The proxy that `check` finds running, and whether it runs with the same config."""

from dataclasses import dataclass, field
from typing import Any

from proxy.cli.admin_client import AdminClient, NoProxyError
from proxy.cli.http_call import listening
from proxy.config import Address, Config
from proxy.errors import ConfigError, ProxyError
from proxy.oauth.stores import open_store


@dataclass(frozen=True, slots=True)
class Running:
    """What answers at admin.listen; without a status, no proxy that talks to us."""

    status: dict[str, Any] = field(default_factory=dict)
    ours: bool = True
    """It has the same upstream and the same store as the config."""
    is_for_all: bool = False
    """There is no config file, so the commands take any proxy that runs."""
    trouble: ProxyError | None = None
    """Why it does not talk to us."""

    @property
    def listen(self) -> list[Address]:
        """Where it takes requests."""
        return [listening(str(text)) for text in self.status.get("listen", ())]

    @property
    def what(self) -> str:
        """What it is for, to be told apart from ours."""
        upstream, store = self.status.get("upstream"), self.status.get("store")
        return f"for {upstream} with its tokens in {store}"


def find_running(config: Config, *, has_file: bool) -> Running:
    """Return what runs at the admin address of `config`."""
    client = AdminClient(
        config.admin.listen,
        config.admin.password_file,
        certificate_file=config.tls.certificate_file,
    )
    try:
        status = client.status()
    except NoProxyError:
        return Running(is_for_all=not has_file)
    except ProxyError as exc:
        return Running(trouble=exc, is_for_all=not has_file)
    return Running(status, _is_same(status, config), not has_file)


def _is_same(status: dict[str, Any], config: Config) -> bool:
    """Say whether the proxy with `status` runs on `config`, as far as it tells."""
    upstream, store = status.get("upstream"), status.get("store")
    if upstream is not None and upstream != str(config.upstream.api_url):
        return False
    try:
        return store is None or store == open_store(config.store.url, None).url
    except ConfigError:  # it is told where the store is looked at
        return True
