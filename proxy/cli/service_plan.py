"""What `service install` is to install, looked at before anything is written."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.cli.failures import say

if TYPE_CHECKING:
    from proxy.service.plan import Service


def planned(
    config_path: Path | None, *, system: bool, sockets: bool, systemd: bool
) -> "Service":
    """Return what is to be installed.

    Raises:
        ConfigError: the config is at fault, or, with `systemd`, the service could
            not run.
    """
    from proxy.config import default_store_url, find_config, load_config
    from proxy.errors import ConfigError
    from proxy.service.plan import Service, left_out, obstacle

    file = find_config(config_path)
    if variables := left_out(os.environ):
        say(f"the service does not get {', '.join(variables)}; use the config instead")
    if file is not None:
        file = Path(os.path.abspath(file.expanduser()))  # noqa: PTH100  links stay
    config = load_config(file, environ={})
    found = Service(
        _program(),
        str(file),
        config,
        os.path.realpath(sys.executable),
        system=system,
        sockets=sockets,
        state_home=os.environ.get("XDG_STATE_HOME", ""),
    )
    if systemd:
        if (why := obstacle(found, default_store_url())) is not None:
            raise ConfigError(why)
        if system:
            _expect_readable(found)
    return found


def _expect_readable(service: "Service") -> None:
    """Raise ConfigError for what the service's own user could not read."""
    from proxy.errors import ConfigError
    from proxy.service.unit_files import closed_to_others

    config = service.config
    named = (config.upstream.ca_file, config.tls.certificate_file)
    files = [Path(each) for each in (sys.prefix, service.program[0], service.python)]
    files.append(Path(service.config_file))
    for file in [*files, *(each for each in named if each is not None)]:
        try:
            mend = closed_to_others(Path(os.path.realpath(file)))
        except OSError as exc:
            raise ConfigError(f"{file} cannot be read ({exc.strerror})") from exc
        if mend is not None:
            raise ConfigError(
                f"{file} is closed to others, also to the service's own user; "
                f"run: {mend}"
            )


def _program() -> list[str]:
    """Return what runs this very installation, from anywhere."""
    name = "telemed-proxy.exe" if os.name == "nt" else "telemed-proxy"
    script = Path(sys.executable).with_name(name)
    if script.exists():
        return [str(script)]
    return [sys.executable, "-m", "proxy"]
