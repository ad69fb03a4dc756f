"""The check command: is everything ready to serve, and does what serves do so well?"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proxy.cli.command import Command
from proxy.cli.options import config_option

if TYPE_CHECKING:
    from proxy.cli.findings import Finding
    from proxy.cli.running_proxy import Running
    from proxy.config import Config


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy check",
        "telemed-proxy check -c /etc/telemed-proxy.yaml",
        "telemed-proxy check --json | jq -r 'select(.result == \"fail\") | .mend'",
    ],
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print a JSON object a line: result (ok, note or fail), subject, seen, mend.",
)
@config_option
def check(as_json: bool, config_path: Path | None) -> int:
    """Check config, files, ports, network and clock.

    Where a proxy runs, also its login, its rules, and who can reach it. Every line
    says ok, FAIL and what to mend, or note: good to know, but nothing to mend. The
    exit code is 3 when something here is to be mended, 5 when only the upstream cannot
    be reached, and 0 when all is well. No token is sent anywhere, and what is asked of
    the running proxy does not reach the upstream.
    """
    from proxy.cli.findings import exit_code_of

    findings = []
    for finding in _findings(config_path):
        # Each line at once: a network that does not answer takes its time.
        line = json.dumps(finding.shape(), ensure_ascii=False)
        click.echo(line if as_json else finding.line())
        findings.append(finding)
    return exit_code_of(findings)


def _findings(config_path: Path | None) -> Iterator["Finding"]:
    from proxy.cli.check_files import check_files
    from proxy.cli.check_ports import check_ports
    from proxy.cli.check_running import check_running
    from proxy.cli.check_upstream import check_upstream
    from proxy.cli.findings import ok, wrong
    from proxy.cli.running_proxy import find_running
    from proxy.config import find_config, load_config
    from proxy.errors import ConfigError

    try:
        config = load_config(config_path, require_client_id=False)
        file = find_config(config_path)
    except ConfigError as exc:
        yield wrong("config", exc.description, "mend the config")
        return
    yield ok("config", str(file) if file else "no file, defaults are used")
    running = find_running(config, has_file=file is not None)
    yield _client_id(config, running)
    yield from check_files(config)
    yield from check_ports(config, running)
    yield from check_upstream(config)
    if running.status and (running.ours or running.is_for_all):
        yield from check_running(config, running)


def _client_id(config: "Config", running: "Running") -> "Finding":
    from proxy.cli.findings import ok, wrong

    if config.upstream.client_id:
        return ok("client_id", "set")
    if running.status and running.is_for_all:
        # That proxy has its own, as `sandbox` does; the commands go through it.
        return ok(
            "client_id",
            "not set; only `serve` needs it (upstream.client_id), and a proxy runs",
        )
    return wrong(
        "client_id", "missing", "set upstream.client_id to what the vendor gave you"
    )
