"""Logging in and refreshing against an authorization server that others wrote."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.running import PROGRAM, SMS, Proxy, Running, call, own_environ

SERVER = Path(__file__).with_name("authorization_server.py")
CLIENT_ID = "98483c47f17f4888b0bf695d1165062e"
LISTENING = re.compile(r"listening on (?P<url>http://\S+)")
FOURTEEN_DAYS = "1209599"
NUMBERS = count(1234567)
LOGGED_IN = (200, True)


@dataclass
class AuthorizationServer:
    """Django OAuth Toolkit on its own, and what its database says."""

    running: Running
    url: str
    database: Path

    def revoke(self, access_token: str) -> None:
        form = {"token": access_token, "client_id": CLIENT_ID}
        assert call("POST", f"{self.url}/revoke", data=form).ok

    def expire(self, access_token: str) -> None:
        self.run(
            "UPDATE oauth2_provider_accesstoken SET expires = '2001-01-01 00:00:00'"
            " WHERE token = ?",
            access_token,
        )

    def refresh_tokens(self, username: str, *, live: bool) -> list[str]:
        rows = self.run(
            "SELECT token FROM oauth2_provider_refreshtoken AS issued"
            " JOIN auth_user ON auth_user.id = issued.user_id"
            f" WHERE username = ? AND revoked IS {'' if live else 'NOT'} NULL",
            username,
        )
        return [token for (token,) in rows]

    def run(self, statement: str, value: str) -> list[tuple[str]]:
        with closing(sqlite3.connect(self.database)) as connection, connection:
            return connection.execute(statement, (value,)).fetchall()

    def status_of(self, access_token: str) -> int:
        """Ask the API itself, past the proxy."""
        bearer = {"Authorization": f"Bearer {access_token}"}
        return call("GET", f"{self.url}/api/v1/profile/get", headers=bearer).status_code


@dataclass
class Place:
    """A folder with the proxy's configuration and state, and a phone of its own."""

    folder: Path
    server: AuthorizationServer
    username: str

    def serve(self) -> Proxy:
        return Proxy("serve", folder=self.folder)

    def ask_for_code(self, proxy: Proxy) -> str:
        before = len(self.server.running.lines)
        proxy.ask("POST", "/api/login/code", {"phone": f"+{self.username}"})
        return self.server.running.expect(SMS, since=before)["code"]

    def log_in(self, proxy: Proxy) -> None:
        code = self.ask_for_code(proxy)
        proxy.ask("POST", "/api/login/token", {"validation_code": code})

    def access_token(self) -> str:
        printed = subprocess.run(
            [*PROGRAM, "token"],
            cwd=self.folder,
            env=own_environ(),
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        return printed.stdout.strip()

    def refresh_tokens(self, *, live: bool) -> list[str]:
        return self.server.refresh_tokens(self.username, live=live)

    def profile_of(self, proxy: Proxy) -> tuple[int, bool]:
        """Return the status of a call, and whether it answered the right person."""
        answer = call("GET", f"{proxy.url}/api/v1/profile/get")
        item = answer.json().get("item", {})
        return answer.status_code, item.get("username") == self.username


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[AuthorizationServer]:
    folder = tmp_path_factory.mktemp("server")
    with Running(
        *(str(SERVER), str(folder), CLIENT_ID, FOURTEEN_DAYS),
        command=(sys.executable,),
        folder=folder,
    ) as running:
        url = running.expect(LISTENING)["url"]
        yield AuthorizationServer(running, url, folder / "authorization.sqlite3")


@pytest.fixture
def place(tmp_path: Path, server: AuthorizationServer) -> Place:
    (tmp_path / "config.yaml").write_text(
        f"""\
listen: [127.0.0.1:0]
upstream:
  api_url: {server.url}
  auth_url: {server.url}
  client_id: {CLIENT_ID}
store:
  url: file:{tmp_path / "state" / "tokens.json"}
admin:
  listen: 127.0.0.1:0
"""
    )
    return Place(tmp_path, server, f"7916{next(NUMBERS)}")


def test_a_login_opens_the_api_and_survives_a_restart(place: Place) -> None:
    with place.serve() as proxy:
        assert place.profile_of(proxy)[0] == 503
        place.log_in(proxy)
        assert place.profile_of(proxy) == LOGGED_IN

    with place.serve() as proxy:
        assert place.profile_of(proxy) == LOGGED_IN


def test_a_wrong_code_is_said_so_and_can_be_tried_again(place: Place) -> None:
    with place.serve() as proxy:
        code = place.ask_for_code(proxy)
        wrong = f"{(int(code) + 1) % 10000:04}"

        refused = call(
            "POST", f"{proxy.admin}/api/login/token", json={"validation_code": wrong}
        )
        assert refused.status_code == 400
        assert place.profile_of(proxy)[0] == 503

        proxy.ask("POST", "/api/login/token", {"validation_code": code})
        assert place.profile_of(proxy) == LOGGED_IN


def test_a_refresh_replaces_both_tokens_and_calls_go_on(place: Place) -> None:
    server = place.server
    with place.serve() as proxy:
        place.log_in(proxy)
        access_token = place.access_token()
        [refresh_token] = place.refresh_tokens(live=True)

        proxy.ask("POST", "/api/refresh", {})

        assert place.access_token() != access_token
        assert server.status_of(access_token) == 401
        assert place.refresh_tokens(live=False) == [refresh_token]
        assert len(place.refresh_tokens(live=True)) == 1
        assert place.profile_of(proxy) == LOGGED_IN

        # The second round shows that the new refresh token was the one kept.
        proxy.ask("POST", "/api/refresh", {})
        assert place.profile_of(proxy) == LOGGED_IN


def test_a_rotated_token_survives_a_restart(place: Place) -> None:
    with place.serve() as proxy:
        place.log_in(proxy)
        proxy.ask("POST", "/api/refresh", {})

    with place.serve() as proxy:
        assert place.profile_of(proxy) == LOGGED_IN
        proxy.ask("POST", "/api/refresh", {})
        assert place.profile_of(proxy) == LOGGED_IN


def test_an_access_token_that_ends_early_costs_the_caller_nothing(
    place: Place,
) -> None:
    with place.serve() as proxy:
        place.log_in(proxy)
        access_token = place.access_token()

        place.server.expire(access_token)
        assert place.server.status_of(access_token) == 401

        assert place.profile_of(proxy) == LOGGED_IN
        assert len(place.refresh_tokens(live=False)) == 1


def test_a_revoked_login_is_said_to_have_ended(
    place: Place,
) -> None:
    with place.serve() as proxy:
        place.log_in(proxy)

        # This server revokes the refresh token together with the access token.
        place.server.revoke(place.access_token())

        assert place.profile_of(proxy)[0] == 503
        assert proxy.ask("GET", "/api/status")["state"] == "login_required"
