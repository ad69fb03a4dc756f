"""The page about the log names the members that a line has, and no others."""

import json
import re
from typing import Any

import pytest

from tests.operations.expressions import FOLDER
from tests.running import SMS, Proxy, call

PAGE = (FOLDER / "logs.md").read_text("utf-8")
ROW = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \|.*\| ([\w ]+) \|$", re.MULTILINE)

SANDBOX = re.compile(
    r"sandbox api (?P<api_url>\S+) +auth (?P<auth_url>\S+) +"
    r"client_id (?P<client_id>\S+)"
)

IN_EVERY_LINE = "every line"
OF_REQUESTS = "requests"
OF_FAULTS = "faults of the program"


def documented(where: str) -> set[str]:
    """Return the members that the page has in lines of this kind."""
    rows = (names for names, kind in ROW.findall(PAGE) if kind == where)
    return {name for names in rows for name in re.findall(r"`(\w+)`", names)}


def pipeline() -> Any:
    """Return the ingest pipeline that the page shows."""
    return json.loads(PAGE.partition("```json\n")[2].partition("\n```")[0])


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What a proxy logs of a login and a call."""
    folder = tmp_path_factory.mktemp("logs")
    with Proxy(
        *("sandbox", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"), folder=folder
    ) as sandbox:
        hosts = sandbox.expect(SANDBOX)
        config = folder / "config.json"  # JSON is YAML, too
        config.write_text(
            json.dumps(
                {
                    "listen": ["127.0.0.1:0"],
                    "admin": {"listen": "127.0.0.1:0"},
                    "upstream": hosts.groupdict(),
                    "store": {"url": f"file:{folder}/tokens.json"},
                    "log": {"format": "json"},
                }
            )
        )
        with Proxy("serve", "-c", str(config), folder=folder) as running:
            running.ask("POST", "/api/login/code", {"phone": "+7 916 123-45-67"})
            code = sandbox.expect(SMS)["code"]
            running.ask("POST", "/api/login/token", {"validation_code": code})
            call("GET", f"{running.url}/api/v1/profile/get")
            running.expect(re.compile(r'"logger": "telemed\.access"'))
        return [json.loads(line) for line in running.lines if line.startswith("{")]


def test_lines_have_the_members_that_the_page_names(
    lines: list[dict[str, Any]],
) -> None:
    access = [line for line in lines if line["logger"] == "telemed.access"]
    others = [line for line in lines if line["logger"] != "telemed.access"]
    assert access
    assert others
    every = documented(IN_EVERY_LINE)
    for line in access:
        assert set(line) == every | documented(OF_REQUESTS)
    for line in others:
        assert set(line) == every
    assert documented(OF_FAULTS) == {"exception"}


def test_the_pipeline_knows_every_member() -> None:
    text = json.dumps(pipeline())
    known = set(re.findall(r"line\??\.(\w+)", text))
    assert known == (
        documented(IN_EVERY_LINE) | documented(OF_REQUESTS) | documented(OF_FAULTS)
    )


def test_the_pipeline_minds_what_only_some_lines_have() -> None:
    for processor in pipeline()["processors"]:
        for kind, options in processor.items():
            name = str(options.get("field", "")).removeprefix("line.")
            if kind == "rename" and name not in documented(IN_EVERY_LINE):
                assert options["ignore_missing"] is True, name
