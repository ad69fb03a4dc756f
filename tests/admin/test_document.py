"""The document that describes the admin API is served, and names every call."""

from typing import Any

import pytest

from tests.admin.conftest import Admin
from tests.admin.test_guard import routes
from tests.openapi.documents import ADMIN, operations, read

JSON = {"Content-Type": "application/json"}

PROBES = ("/startup", "/readiness", "/liveness")


async def test_it_is_served_as_it_is(admin: Admin) -> None:
    answer = await admin.get("/api/openapi.json")

    assert answer.status == 200
    assert answer.content_type == "application/json"
    assert await answer.read() == ADMIN.read_bytes()


def test_it_names_every_call_and_no_other() -> None:
    wanted = {
        (method, path)
        for method, path in routes()
        if path.startswith("/api/") or path in ("/metrics", *PROBES)
    }
    assert {(method, path) for method, path, _ in operations(read(ADMIN))} == wanted


def test_it_says_which_calls_ask_for_no_password() -> None:
    asks: dict[str, Any] = {
        path: operation.get("security")
        for _, path, operation in operations(read(ADMIN))
    }
    assert {path for path, security in asks.items() if security == []} == set(PROBES)


# In JSON, 600.0 is a whole number (JSON Schema 2020-12, core, section 4.2.3).
@pytest.mark.parametrize(
    ("given", "status"), [("600.0", 200), ("0.5", 400), ("1e999", 400)]
)
async def test_a_whole_number_is_one_however_it_is_written(
    admin: Admin, given: str, status: int
) -> None:
    content = f'{{"seconds": {given}}}'.encode()
    answer = await admin.send("POST", "/api/exchanges/content", JSON, data=content)
    assert answer.status == status
