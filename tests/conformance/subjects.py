"""The proxies that cases are played against: ours, and nginx set up alike.

A subject runs through many cases, in front of one listening socket of ours.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from tests.conformance.case import HOST
from tests.conformance.play import Subject
from tests.conformance.profiles import PROFILES, Profile
from tests.running import Proxy

TOKEN = "conformance-access-token"
PHONE = "+7 916 123-45-67"


class RunningSubject(Subject, Protocol):
    """A subject that can be ended."""

    def stop(self) -> None: ...


class Tokens(ThreadingHTTPServer):
    """An authorization server that gives everyone the same access token."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _TokenHandler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _TokenHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        pair = {
            "access_token": TOKEN,
            "token_type": "bearer",
            "expires_in": 1209599,
            "refresh_token": "conformance-refresh-token",
        }
        content = json.dumps(pair).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what the tests print is about cases."""


class Ours:
    """`telemed-proxy serve`, logged in."""

    name = "telemed-proxy"
    token = TOKEN
    marks = (b"Proxy-Status",)

    def __init__(self, profile: Profile) -> None:
        self.listener = listen(reachable=profile.reachable)
        self._folder = tempfile.TemporaryDirectory()
        self._tokens = Tokens()
        folder = Path(self._folder.name)
        config = profile.config(
            api_url=f"http://127.0.0.1:{self.listener.getsockname()[1]}",
            auth_url=self._tokens.url,
        )
        config["store"] = {"url": f"file:{folder}/tokens.json"}
        file = folder / "config.yaml"
        file.write_text(json.dumps(config))  # JSON is YAML
        self._proxy = Proxy("serve", "-c", str(file), folder=folder)
        # With a phone no code was asked for, and no SMS is sent.
        login = {"phone": PHONE, "validation_code": "1234"}
        self._proxy.ask("POST", "/api/login/token", login)

    @property
    def address(self) -> tuple[str, int]:
        url = urlsplit(self._proxy.url)
        assert url.hostname
        assert url.port
        return url.hostname, url.port

    def stop(self) -> None:
        self._proxy.stop()
        self._tokens.stop()
        self.listener.close()
        self._folder.cleanup()


class Nginx:
    """nginx as the reverse proxy that one would write by hand for the same purpose."""

    name = "nginx"
    token = TOKEN
    marks = ()

    def __init__(self, profile: Profile) -> None:
        self.listener = listen(reachable=profile.reachable)
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self.address = ("127.0.0.1", _free_port())
        upstream = f"127.0.0.1:{self.listener.getsockname()[1]}"
        file = folder / "nginx.conf"
        file.write_text(nginx_config(self.address[1], upstream, folder, profile.nginx))
        self._process = subprocess.Popen(
            [_nginx(), "-p", str(folder), "-c", str(file), "-e", "error.log"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(self.address, self._process)
        except AssertionError as error:
            error.add_note((folder / "error.log").read_text())
            self.stop()
            raise

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=15)
        self.listener.close()
        self._folder.cleanup()


class Subjects:
    """One subject for each profile, started when a case first asks for it."""

    def __init__(self, make: Callable[[Profile], RunningSubject]) -> None:
        self._make = make
        self._running: dict[str, RunningSubject] = {}

    def get(self, profile: str) -> RunningSubject:
        if profile not in self._running:
            self._running[profile] = self._make(PROFILES[profile])
        return self._running[profile]

    def stop(self) -> None:
        for subject in self._running.values():
            subject.stop()


def listen(*, reachable: bool = True) -> socket.socket:
    """Return the upstream's socket; without listening, connections are refused."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    if reachable:
        listener.listen(64)
    return listener


NGINX_CONFIG = """\
{user}daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    large_client_header_buffers 4 64k;
    client_max_body_size 0;
    underscores_in_headers on;
    proxy_buffer_size 256k;
    proxy_buffers 8 64k;
    proxy_busy_buffers_size 256k;
    map $http_upgrade $upgrade {{ default ""; ~*^websocket$ $http_upgrade; }}
    map $upgrade $connection_upgrade {{ default upgrade; "" ""; }}
    upstream partner {{
        server {upstream} max_fails=0;
        keepalive 16;
    }}
    server {{
        listen 127.0.0.1:{port} default_server;
        return 421;
    }}
    server {{
        listen 127.0.0.1:{port};
        server_name {host};
        {extra}
        location / {{
            proxy_pass http://partner;
            proxy_http_version 1.1;
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_set_header Host {upstream};
            proxy_set_header Authorization "Bearer {token}";
            proxy_set_header Upgrade $upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header X-Proxy-Key "";
            proxy_set_header X-Proxy-Allow-Repeat "";
            proxy_redirect http://{upstream}/ http://$http_host/;
            proxy_pass_header Server;
            proxy_pass_header Date;
        }}
    }}
}}
"""


def nginx_config(port: int, upstream: str, folder: Path, extra: tuple[str, ...]) -> str:
    """Return the configuration that makes nginx do what ours does."""
    return NGINX_CONFIG.format(
        user="user root;\n" if os.geteuid() == 0 else "",
        folder=folder,
        port=port,
        upstream=upstream,
        host=HOST.decode(),
        token=TOKEN,
        extra="\n        ".join(extra),
    )


def nginx_version() -> str:
    """Return the version of the nginx that is installed, such as 1.22.1."""
    told = subprocess.run([_nginx(), "-v"], capture_output=True, text=True, check=True)
    return told.stderr.strip().rpartition("/")[2]


def _nginx() -> str:
    # Debian keeps it where only root's PATH leads.
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))
    found = shutil.which("nginx", path=path)
    assert found, "nginx is not installed"
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert isinstance(port, int)
    return port


def _wait_for(address: tuple[str, int], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("nginx does not start")
