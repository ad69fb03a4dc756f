"""The sandbox answers as the upstream's document says, through the proxy."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from proxy.journal.endpoints import ENDPOINTS
from tests.openapi.calling import expect_as_documented
from tests.openapi.documents import UPSTREAM, operations, read
from tests.running import Proxy, call

CONFIG = Path(__file__).with_name("upstream.toml")

EXAMPLE = "5001"
"""The consultation that the document's examples are about."""

COUNTED = re.compile(r'endpoint_requests_total\{endpoint="([^"]+)",status_class="2xx"')


@pytest.mark.timeout(150)
def test_the_sandbox_answers_as_documented(tmp_path: Path) -> None:
    with Proxy(
        *("sandbox", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"),
        folder=tmp_path,
    ) as running:
        running.login()
        document = about_what_is_there(read(UPSTREAM), running.url)

        report = expect_as_documented(document, running.url, CONFIG, tmp_path)

        assert f"Tested: {len(list(operations(document)))}" in report
        metrics = call("GET", f"{running.admin}/metrics").text
    # What depends on a consultation's state can be refused each time.
    missing = set(ENDPOINTS) - set(COUNTED.findall(metrics))
    assert not {path for path in missing if "get" in path or "start" in path}
    assert len(missing) < 8
    assert not [line for line in running.lines if "Traceback" in line]


def about_what_is_there(document: Any, url: str) -> Any:
    """Return `document` with examples that name consultations of this patient."""
    parameters = document["components"]["parameters"]
    reference = json.dumps({"$ref": "#/components/parameters/consultation"})
    for path, item in document["paths"].items():
        base = path.rpartition("request/")[0]
        kind = f"{base}request" if base else "/api/v1/writingrequest"
        listed = call("GET", f"{url}{kind}/get-all?limit=1").json()["items"]
        text = json.dumps(item).replace(
            reference, json.dumps(parameters["consultation"])
        )
        document["paths"][path] = json.loads(
            text.replace(EXAMPLE, str(listed[0]["id"]))
        )
    return document
