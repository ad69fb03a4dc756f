"""The upstream: nginx over HTTPS that refuses calls without the token.

One worker, connections that stay open, answers of every size and number of fields, and
a place for uploads. Its certificate is from an authority made for the run.
"""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import trustme

from bench.processes import Started, accepts, free_port, start

CALL = "/api/v1/profile/get"
UPLOAD = "/sink"
TOKEN = "bench-1"
AUTHORIZATION = f"Authorization: Bearer {TOKEN}"

SIZES = {
    "1 kB": 1000,
    "10 kB": 10_000,
    "100 kB": 100_000,
    "1 MB": 1_000_000,
    "64 MB": 64_000_000,
    "1 GB": 1_000_000_000,
}
FIELDS = (5, 10, 20, 40, 80)
"""How many fields of their own the answers under /fields/ have."""

ANSWER = (
    '{"item":{"id":"0123456789abcdef","firstName":"Anna","lastName":"Ivanova",'
    '"phone":"79161234567","email":"anna@example.com","city":"Moscow","balance":100}}'
)

CONFIG = """
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {folder}/upstream.pid;
error_log {folder}/upstream-error.log;
{user}
events {{ worker_connections {files}; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    large_client_header_buffers 8 32k;
    default_type application/json;
    {temporary}
    map $http_authorization $known {{ default 0; "~^Bearer bench-[0-9]+$" 1; }}
    upstream sink {{ server unix:{folder}/sink.socket; keepalive 64; }}
    server {{
        listen 127.0.0.1:{port} ssl backlog=8192;
        # 1.3 is not the default everywhere, and saves a round trip.
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate {folder}/upstream.pem;
        ssl_certificate_key {folder}/upstream.pem;
        # The SMS call comes before any token.
        location = /api/v1/access/validation-code {{ return 200 '{{}}'; }}
        location / {{
            if ($known = 0) {{ return 401 '{{"type":"oauth","value":"token"}}'; }}
            return 200 '{answer}';
        }}
        location /files/ {{
            if ($known = 0) {{ return 401; }}
            root {folder};
        }}
        location {upload} {{
            if ($known = 0) {{ return 401; }}
            client_max_body_size 0;
            client_body_buffer_size 256k;
            proxy_request_buffering off;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://sink;
        }}
{fields}
    }}
}}
"""


def temporary(folder: Path) -> str:
    """Return the lines that keep nginx's temporary files in `folder`."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)


@dataclass(frozen=True)
class Upstream:
    """Where it is, and what a client needs in order to trust it."""

    port: int
    ca_file: Path

    @property
    def url(self) -> str:
        """Its origin, with the name in its certificate."""
        return f"https://localhost:{self.port}"


def file_target(size: str) -> str:
    """Return the target of an answer as large as the one of SIZES called `size`."""
    return f"/files/{SIZES[size]}"


def fields_target(count: int) -> str:
    """Return the target of a small answer with `count` fields more."""
    return f"/fields/{count}"


def start_upstream(
    folder: Path, files: int, user: Callable[[], str], stack: ExitStack
) -> Upstream:
    """Start it, until `stack` closes."""
    authority = trustme.CA()
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "upstream.pem")
    _make_files(folder / "files")
    _start_sink(folder, stack)
    port = free_port()
    config = folder / "upstream.conf"
    config.write_text(
        CONFIG.format(
            folder=folder,
            port=port,
            files=files,
            user=user(),
            temporary=temporary(folder),
            answer=ANSWER,
            upload=UPLOAD,
            fields="\n".join(_fields_location(count) for count in FIELDS),
        ),
        encoding="utf-8",
    )
    nginx = start(
        ["nginx", "-p", folder, "-c", config, "-e", folder / "upstream-error.log"],
        folder / "upstream.out",
        folder=folder,
        ready=accepts(port),
        worker=True,
    )
    stack.callback(nginx.stop)
    return Upstream(port, ca_file)


def _fields_location(count: int) -> str:
    # As long as what an API sends: a name of 14 characters, a value of 20.
    lines = " ".join(
        f'add_header X-Partner-F{number:03} "value-{number:014}";'
        for number in range(count)
    )
    return (
        f"        location {fields_target(count)} "
        f"{{ if ($known = 0) {{ return 401; }} {lines} return 200 '{ANSWER}'; }}"
    )


def _make_files(folder: Path) -> None:
    folder.mkdir()
    for size in SIZES.values():
        with (folder / str(size)).open("wb") as file:
            file.truncate(size)


def _start_sink(folder: Path, stack: ExitStack) -> Started:
    path = folder / "sink.socket"
    sink = start(
        [sys.executable, "-m", "bench.sink", path],
        folder / "sink.out",
        folder=Path(__file__).parents[1],
        ready=path.exists,
    )
    stack.callback(sink.stop)
    # nginx's worker may run as another user.
    path.chmod(0o666)
    return sink
