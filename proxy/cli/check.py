"""The check command: is everything ready to serve?"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proxy.cli.command import Command
from proxy.cli.options import config_option

if TYPE_CHECKING:
    from proxy.cli.findings import Finding


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy check",
        "telemed-proxy check -c /etc/telemed-proxy.yaml",
    ],
)
@config_option
def check(config_path: Path | None) -> int:
    """Check config, files, ports, network and clock.

    Every line says ok, or FAIL and what to mend. The exit code is 3 when something
    here is to be mended, 5 when only the upstream cannot be reached, and 0 when all
    is well. No token is sent anywhere.
    """
    from proxy.cli.findings import exit_code_of

    findings = []
    for finding in _findings(config_path):
        # Each line at once: a network that does not answer takes its time.
        click.echo(finding.line())
        findings.append(finding)
    return exit_code_of(findings)


def _findings(config_path: Path | None) -> Iterator["Finding"]:
    from proxy.cli.check_files import check_files
    from proxy.cli.check_ports import check_ports, running_proxy
    from proxy.cli.check_upstream import check_upstream
    from proxy.cli.findings import ok, wrong
    from proxy.config import find_config, load_config
    from proxy.errors import ConfigError

    try:
        config = load_config(config_path, require_client_id=False)
        file = find_config(config_path)
    except ConfigError as exc:
        yield wrong("config", exc.description, "mend the config")
        return
    yield ok("config", str(file) if file else "no file, defaults are used")
    running = running_proxy(config)
    if config.upstream.client_id:
        yield ok("client_id", "set")
    elif running and file is None:
        # That proxy has its own, as `sandbox` does; the commands go through it.
        yield ok(
            "client_id",
            "not set; only `serve` needs it (upstream.client_id), and a proxy runs",
        )
    else:
        yield wrong(
            "client_id", "missing", "set upstream.client_id to what the vendor gave you"
        )
    yield from check_files(config)
    yield from check_ports(config, running)
    yield from check_upstream(config)
