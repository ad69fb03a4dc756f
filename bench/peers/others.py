"""The peers: their configuration, and how each is started."""

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.peers.running import Place
from bench.processes import Started, accepts, start
from bench.programs import CACHE, MITMDUMP
from bench.upstream import TOKEN, temporary

HERE = Path(__file__).parent

NGINX = """
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections {files}; }}
http {{
    access_log {folder}/access.log;
    keepalive_requests 1000000000;
    {temporary}
    upstream api {{
        server 127.0.0.1:{upstream};
        keepalive 8192;
        keepalive_requests 1000000000;
        keepalive_timeout 1h;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=8192;
        client_max_body_size 0;
        large_client_header_buffers 8 32k;
        location / {{
            proxy_pass https://api;
            proxy_http_version 1.1;
            proxy_set_header Host localhost;
            proxy_set_header Connection "";
            proxy_set_header Authorization "Bearer {token}";
            proxy_buffer_size 32k;
            proxy_buffers 8 32k;
            # As the rest do: nothing goes to the disk on its way.
            proxy_request_buffering off;
            client_body_buffer_size 256k;
            proxy_max_temp_file_size 0;
        }}
    }}
}}
"""

HAPROXY = """
global
    nbthread 1
    maxconn {connections}
    log stdout format raw local0 info
    tune.http.maxhdr 200
    # With many clients it would close idle connections to the upstream.
    tune.pool-low-fd-ratio 80
    tune.pool-high-fd-ratio 90
defaults
    mode http
    log global
    option httplog
    http-reuse always
    timeout connect 10s
    timeout client 1h
    timeout server 1h
frontend calls
    bind 127.0.0.1:{port} backlog 8192
    default_backend api
backend api
    http-request set-header Authorization "Bearer {token}"
    http-request set-header Host localhost
    server api 127.0.0.1:{upstream} ssl verify required ca-file {ca_file} \
sni str(localhost) verifyhost localhost maxconn 256 pool-purge-delay 1h
"""

CADDY = """
{{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
    bind 127.0.0.1
    log {{
        output file {folder}/access.log {{
            roll_disabled
        }}
    }}
    reverse_proxy https://localhost:{upstream} {{
        header_up Authorization "Bearer {token}"
        header_up Host {{upstream_hostport}}
        transport http {{
            tls_trusted_ca_certs {ca_file}
            keepalive 1h
            keepalive_idle_conns_per_host 256
            max_conns_per_host 256
        }}
    }}
}}
"""


def nginx(place: Place) -> Started:
    """One worker, as the goals say."""
    config = _config(place, "nginx.conf", NGINX)
    log = place.folder / "error.log"
    command: list[str | Path] = ["nginx", "-p", place.folder, "-c", config, "-e", log]
    return _start(place, command, worker=True)


def haproxy(place: Place) -> Started:
    """One thread; its log is its output."""
    return _start(
        place, ["haproxy", "-db", "-f", _config(place, "haproxy.cfg", HAPROXY)]
    )


def caddy(place: Place) -> Started:
    """On all cores, as it comes."""
    config = _config(place, "Caddyfile", CADDY)
    home = {"HOME": str(place.folder), "XDG_DATA_HOME": str(place.folder)}
    command: list[str | Path] = [
        "caddy",
        "run",
        "--adapter",
        "caddyfile",
        "--config",
        config,
    ]
    return _start(place, command, home)


def http_proxy(place: Place) -> Started:
    """Node's most used proxy library."""
    return _node(place, "http_proxy.js")


def fast_proxy(place: Place) -> Started:
    """Node's fast one."""
    return _node(place, "fast_proxy.js")


def plain_aiohttp(place: Place) -> Started:
    """What somebody writes in an afternoon, in Python."""
    return _start(
        place, [sys.executable, HERE / "plain_aiohttp.py", *_arguments(place)]
    )


def mitmproxy(place: Place) -> Started:
    """Reverse mode; its log is its output."""
    command: list[str | Path] = [
        *(MITMDUMP, "--mode", f"reverse:https://localhost:{place.upstream.port}"),
        *("--listen-host", "127.0.0.1", "--listen-port", str(place.port)),
        *("--set", f"confdir={place.folder}"),
        *("--set", f"ssl_verify_upstream_trusted_ca={place.upstream.ca_file}"),
        *("--modify-headers", f"/~q/Authorization/Bearer {TOKEN}"),
    ]
    return _start(place, command)


PEERS: dict[str, Callable[[Place], Started]] = {
    "nginx": nginx,
    "haproxy": haproxy,
    "Caddy": caddy,
    "fast-proxy": fast_proxy,
    "http-proxy": http_proxy,
    "plain aiohttp": plain_aiohttp,
    "mitmproxy": mitmproxy,
}


def _config(place: Place, name: str, template: str) -> Path:
    path = place.folder / name
    path.write_text(
        template.format(
            folder=place.folder,
            port=place.port,
            files=place.files,
            # Each has another one behind it.
            connections=place.files // 2 - 100,
            user=place.user,
            temporary=temporary(place.folder),
            upstream=place.upstream.port,
            ca_file=place.upstream.ca_file,
            token=TOKEN,
        ),
        encoding="utf-8",
    )
    return path


def _node(place: Place, script: str) -> Started:
    # Node looks for packages beside the script.
    there = shutil.copy(HERE / script, CACHE / "node")
    return _start(place, ["node", there, *_arguments(place)])


def _arguments(place: Place) -> list[str]:
    upstream, log = place.upstream, place.folder / "access.log"
    return [str(place.port), upstream.url, str(upstream.ca_file), TOKEN, str(log)]


def _start(
    place: Place,
    command: Sequence[str | Path],
    environ: Mapping[str, str] | None = None,
    *,
    worker: bool = False,
) -> Started:
    return start(
        command,
        place.folder / "output",
        folder=place.folder,
        environ=environ,
        ready=accepts(place.port),
        worker=worker,
    )
