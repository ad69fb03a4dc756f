"""An hour of calls, five a second, in some seconds: memory stays within its bounds."""

import http.client
import json
import re
import threading
from pathlib import Path

import pytest

from tests.running import Proxy

HOUR = 18_000
WARM_UP = 200
MOST = 2000
CALLERS = 4

LIMIT = 8 * 1024**2
"""Of the journal, by the config: `journal.bytes`."""

SLACK = 24 * 1024**2
"""For connections, the allocator, and what is formatted when somebody looks."""

CONTENT = json.dumps({"firstName": "Анна", "comment": "о" * 2000}).encode()


def resident(process_id: int) -> int:
    """Return the bytes of memory that a process has now."""
    status = Path(f"/proc/{process_id}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def call_again_and_again(port: int, count: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for number in range(count):
        # No two requests have the same fields, so none can share them.
        fields = {"X-Request-Id": f"r-{number}", "Cookie": f"s={number:0200d}"}
        if number % 4:
            connection.request("GET", f"/api/v1/doctor/get/{number}", headers=fields)
        else:
            fields["Content-Type"] = "application/json"
            connection.request("POST", "/api/v1/profile/update", CONTENT, fields)
        connection.getresponse().read()
    connection.close()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.timeout(120)
def test_an_hour_of_calls_takes_no_more_memory_than_the_journal_may(
    tmp_path: Path,
) -> None:
    config = tmp_path / "config.yaml"
    with Proxy(
        "sandbox", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", folder=tmp_path
    ) as upstream:
        found = upstream.expect(
            re.compile(r"sandbox api (\S+)\s+auth (\S+)\s+client_id (\S+)")
        )
        config.write_text(
            f"upstream: {{api_url: {found[1]}, auth_url: {found[2]},"
            f" client_id: {found[3]}}}\n"
            "listen: 127.0.0.1:0\n"
            "admin: {listen: 127.0.0.1:0}\n"
            "log: {access: false}\n"
            f"store: {{url: 'file:{tmp_path}/tokens.json'}}\n"
            f"journal: {{exchanges: {MOST}, bytes: {LIMIT}B, content: true}}\n"
        )
        with Proxy("serve", "-c", str(config), folder=tmp_path) as proxy:
            phone = "+7 916 123-45-67"
            proxy.ask("POST", "/api/login/code", {"phone": phone})
            code = upstream.expect(re.compile(r"SMS .*: (\d{4,8})\b"))[1]
            proxy.ask("POST", "/api/login/token", {"validation_code": code})
            port = int(proxy.url.rpartition(":")[2])
            call_again_and_again(port, WARM_UP)
            proxy.ask("GET", "/api/exchanges.har")
            before = resident(proxy.process.pid)
            callers = [
                threading.Thread(
                    target=call_again_and_again, args=(port, HOUR // CALLERS)
                )
                for _ in range(CALLERS)
            ]
            for caller in callers:
                caller.start()
            for caller in callers:
                caller.join()
            grown = resident(proxy.process.pid) - before
            journal = proxy.ask("GET", "/api/exchanges?limit=1")

    kept = HOUR + WARM_UP - journal["forgotten"]
    assert 500 < kept <= MOST
    assert grown < LIMIT + SLACK, f"{grown / 1024**2:.1f} MiB more"
