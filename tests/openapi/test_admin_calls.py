"""The admin listener answers as its document says, whatever it is asked."""

import copy
from pathlib import Path

import pytest

from tests.openapi.calling import expect_as_documented
from tests.openapi.documents import ADMIN, operations, read
from tests.running import Proxy, call

CONFIG = Path(__file__).with_name("admin.toml")

# These leave nothing for the others to find; the stream has no end.
FORGETFUL = ("forgetExchanges", "logOut")
LEFT_OUT = (*FORGETFUL, "followExchanges")


@pytest.mark.timeout(150)
def test_the_admin_listener_answers_as_documented(tmp_path: Path) -> None:
    document = copy.deepcopy(read(ADMIN))
    with Proxy(
        *("sandbox", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"),
        folder=tmp_path,
    ) as running:
        running.login()
        running.ask("POST", "/api/exchanges/content", {"seconds": 600})
        call("POST", f"{running.url}/api/v1/profile/update", json={"city": "Тверь"})
        listed = running.ask("GET", "/api/exchanges")["exchanges"]
        # One that is there, beside the names that schemathesis thinks of.
        document["components"]["parameters"]["id"]["example"] = listed[0]["id"]

        report = expect_as_documented(
            document,
            running.admin,
            CONFIG,
            tmp_path,
            *(f"--exclude-operation-id={each}" for each in LEFT_OUT),
        )
        count = len(list(operations(document)))
        assert f"Tested: {count - len(LEFT_OUT)}" in report
        assert running.ask("GET", "/api/status")["state"] in ("active", "code_sent")
        listed = running.ask("GET", "/api/exchanges")["exchanges"]
        assert any(each["replay_of"] for each in listed)

        report = expect_as_documented(
            document,
            running.admin,
            CONFIG,
            tmp_path,
            *(f"--include-operation-id={each}" for each in FORGETFUL),
            *("--phases", "examples,coverage,fuzzing"),  # no link leads here
        )
        assert "Tested: 2" in report
    assert not [line for line in running.lines if "Traceback" in line]
