"""Each program of the pages, run as it stands there against a sandbox."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.recipes.breaking import breaking
from tests.recipes.pages import ASKED, WRITTEN
from tests.recipes.runners import RUNNERS, run
from tests.running import SMS, Proxy, call

KEY = "a-key-for-recipes-only"
WITH_KEY = {"X-Proxy-Key": KEY}
# Each byte there is, and what looks like the end of a line or of a part.
FILE = bytes(range(256)) * 40 + b"\r\n--limit\r\n\n"

UNKNOWN = "Врач 999999 не найден."


SERVERS = re.compile(
    r"sandbox api (?P<api>\S+) +auth (?P<auth>\S+) +client_id (?P<client_id>\S+)"
)
ADDRESSES = ("--listen=127.0.0.1:0", "--admin=127.0.0.1:0")


class Place(NamedTuple):
    """Where the proxy is, and where the sandbox tells what came through it."""

    url: str
    control: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("proxy")
    keys = folder / "keys"
    keys.write_text(f"recipes {KEY}\n", encoding="utf-8")
    keys.chmod(0o600)
    # `sandbox` asks for no key, so there is a proxy of its own in front of the fakes.
    with Proxy("sandbox", *ADDRESSES, folder=folder) as sandbox:
        servers = sandbox.expect(SERVERS)
        environ = {
            "TELEMED_PROXY__LISTEN": "127.0.0.1:0",
            "TELEMED_PROXY__ADMIN__LISTEN": "127.0.0.1:0",
            "TELEMED_PROXY__STORE__URL": f"file:{folder}/tokens.json",
            "TELEMED_PROXY__UPSTREAM__API_URL": servers["api"],
            "TELEMED_PROXY__UPSTREAM__AUTH_URL": servers["auth"],
            "TELEMED_PROXY__UPSTREAM__CLIENT_ID": servers["client_id"],
            "TELEMED_PROXY__ACCESS__LOCAL_KEY_FILE": str(keys),
        }
        with Proxy("serve", folder=folder, environ=environ) as proxy:
            proxy.ask("POST", "/api/login/code", {"phone": "+7 916 123-45-67"})
            code = {"validation_code": sandbox.expect(SMS)["code"]}
            proxy.ask("POST", "/api/login/token", code)
            yield Place(proxy.url, sandbox.control)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scan.pdf").write_bytes(FILE)
    return tmp_path


def ask(place: Place, path: str, **content: Any) -> Any:
    method = "POST" if content else "GET"
    answer = call(method, place.url + path, headers=WITH_KEY, **content)
    assert answer.ok, answer.text
    return answer.json()


def received(place: Place, since: int = 0) -> list[dict[str, Any]]:
    """Return the requests that came to the API after the first `since`."""
    every = call("GET", f"{place.control}/requests").json()
    new = every["totalCount"] - since
    assert new <= every["count"]
    return list(every["items"][every["count"] - new :])


def count(place: Place) -> int:
    return int(call("GET", f"{place.control}/requests").json()["totalCount"])


@pytest.mark.parametrize("name", RUNNERS)
def test_a_program_does_what_its_page_says(
    place: Place, name: str, folder: Path
) -> None:
    ask(place, "/api/v1/profile/update", json={"city": "Омск"})
    first_name = ask(place, "/api/v1/profile/get")["item"]["firstName"]
    before = count(place)

    ran = run(name, place.url, folder, {"PROXY_KEY": KEY})

    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout + ran.stderr
    requests = received(place, before)
    stored = ask(place, "/api/v1/media/get-uploaded?limit=1")["items"][0]
    came = [(request["method"], request["target"]) for request in requests]
    assert came == [(method, path.format(id=stored["id"])) for method, path in ASKED]

    assert_written(requests[2])
    assert (folder / "copy.pdf").read_bytes() == FILE
    assert (stored["fileName"], stored["contentType"]) == (
        "scan.pdf",
        "application/pdf",
    )
    for word in (first_name, WRITTEN["city"], "404", "not_found", UNKNOWN):
        assert word in ran.stdout


def assert_written(request: dict[str, Any]) -> None:
    """Fail unless the JSON came as the API documents it: UTF-8, no escapes."""
    kinds = [value for name, value in request["fields"] if name == "Content-Type"]
    assert [kind.partition(";")[0] for kind in kinds] == ["application/json"]
    assert json.loads(request["content"]) == WRITTEN
    assert WRITTEN["city"] in request["content"]


@pytest.mark.parametrize("name", RUNNERS)
def test_a_program_sends_its_post_once_when_the_connection_breaks(
    place: Place, name: str, folder: Path
) -> None:
    with breaking(place.url) as server:
        ran = run(name, server.url, folder, {"PROXY_KEY": KEY})

    assert ran.returncode != 0, ran.stdout
    assert server.posts == ["/api/v1/profile/update"]


def test_the_key_is_needed(place: Place) -> None:
    assert call("GET", f"{place.url}/api/v1/profile/get").status_code == 401
