"""What is taken along from the page is what went through the proxy."""

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from haralyzer import HarParser  # type: ignore[import-untyped]
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from playwright.sync_api import expect

from tests.page.conftest import OpenVisit
from tests.page.requests_half import RequestsHalf, emptied, logged_in
from tests.page.visit import Visit
from tests.programs import need
from tests.running import Proxy, own_environ

DOCTORS = "/api/v1/doctor/get-all?limit=2&name=%D0%90'b%22c"
UPDATE = "/api/v1/profile/update"
UPLOAD = "/api/v1/media/add"
SCHEMA = Path(__file__).parents[1] / "journal" / "har_schema.json"
TEXT = "Он сказал: \"болит\" и 'тут'\n\t$HOME `id` \\n !! %s 100%"


@pytest.fixture
def sandbox(lasting_sandbox: Proxy) -> Proxy:
    return emptied(lasting_sandbox)


@pytest.fixture
def half(open_visit: OpenVisit) -> RequestsHalf:
    """Logged in, content kept, and the clipboard there to be read."""
    half = logged_in(open_visit(permissions=["clipboard-read", "clipboard-write"]))
    half.keep_content()
    return half


def curl(half: RequestsHalf, *arguments: str) -> None:
    """Call with curl; its fields are those that a copied line has to bring about."""
    need("curl")
    path, *more = arguments
    before = half.list.count()
    line = ["curl", "-sS", "--noproxy", "*", half.visit.proxy.url + path, *more]
    subprocess.run(line, check=True, timeout=30, stdout=subprocess.DEVNULL)
    expect(half.list).to_have_count(before + 1)


def run(line: list[str], folder: Path, **environ: str) -> None:
    done = subprocess.run(
        line,
        cwd=folder,
        env=own_environ() | environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def told_apart(received: dict[str, Any]) -> dict[str, Any]:
    """Return what makes a request the same as another."""
    names = ("method", "target", "contentLength", "contentSha256")
    fields = sorted((name.lower(), value) for name, value in received["fields"])
    return {name: received[name] for name in names} | {"fields": fields}


def test_a_copied_curl_line_makes_the_identical_request(
    half: RequestsHalf, tmp_path: Path
) -> None:
    content = json.dumps({"allergies": TEXT}, ensure_ascii=False)
    curl(half, UPDATE, "-H", "Content-Type: application/json", "-d", content)
    half.look_at(UPDATE)

    copied = half.copied("curl", unmasked=True)
    run(["sh", "-c", copied], tmp_path)

    first, second = half.visit.received()[-2:]
    assert told_apart(second) == told_apart(first)
    assert first["content"] == content


def test_a_copied_upload_has_the_same_bytes(half: RequestsHalf, tmp_path: Path) -> None:
    file = tmp_path / "scan.bin"
    file.write_bytes(bytes(range(256)) * 4 + b"'\"$(id)\r\n\0")
    curl(half, UPLOAD, "-F", f"file=@{file}")
    half.look_at(UPLOAD)

    run(["sh", "-c", half.copied("curl", unmasked=True)], tmp_path)

    first, second = half.visit.received()[-2:]
    assert told_apart(second) == told_apart(first)


def test_a_line_past_the_proxy_leaves_the_token_to_the_shell(
    half: RequestsHalf, tmp_path: Path
) -> None:
    curl(half, DOCTORS)
    half.look_at("/api/v1/doctor/get-all")
    access_token = dict(half.visit.received()[-1]["fields"])["Authorization"]

    copied = half.copied(half.texts["curl_direct"], unmasked=True)
    assert "$TOKEN" in copied
    token = access_token.removeprefix("Bearer ")
    assert token not in copied
    run(["sh", "-c", copied], tmp_path, TOKEN=token)

    first, second = half.visit.received()[-2:]
    assert (second["target"], second["status"]) == (first["target"], 200)
    assert dict(second["fields"])["Authorization"] == access_token


@pytest.mark.parametrize("name", ["Python", "HTTPie"])
def test_other_programs_make_the_same_call(
    half: RequestsHalf, tmp_path: Path, name: str
) -> None:
    content = json.dumps({"allergies": TEXT}, ensure_ascii=False)
    curl(half, UPDATE, "-H", "Content-Type: application/json", "-d", content)
    half.look_at(UPDATE)

    copied = half.copied(name, unmasked=True)
    folder = str(Path(sys.executable).parent)
    path = f"{folder}:{own_environ()['PATH']}"
    program = [sys.executable, "-c"] if name == "Python" else ["sh", "-c"]
    run([*program, copied], tmp_path, PATH=path)

    first, second = half.visit.received()[-2:]
    for same in ("method", "target", "contentSha256"):
        assert second[same] == first[same]


def test_what_is_copied_is_masked_unless_asked_otherwise(half: RequestsHalf) -> None:
    half.send("POST", UPDATE, {"lastName": "Скрытная"})
    half.look_at(UPDATE)

    assert "Скрытная" not in half.copied("curl")
    assert "Скрытная" in half.copied("curl", unmasked=True)
    # Asking once is not asking always.
    assert "Скрытная" not in half.copied("curl")


def test_one_request_as_har(half: RequestsHalf, tmp_path: Path) -> None:
    half.get("/api/v1/region/get-all")
    half.get("/api/v1/doctor/get-all?limit=2")
    half.look_at("/api/v1/doctor/get-all")

    half.button("export").last.click()
    half.visit.expect_accessible()
    path = half.download("this_one", "har", folder=tmp_path)

    assert path.suffix == ".har"
    archive = json.loads(path.read_text("utf-8"))
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(archive)
    (entry,) = HarParser(archive).har_data["entries"]
    assert entry["request"]["url"].endswith("/api/v1/doctor/get-all?limit=2")
    assert entry["response"]["status"] == 200
    assert json.loads(entry["response"]["content"]["text"])["count"] == 2


def test_the_filtered_requests_as_har(half: RequestsHalf, tmp_path: Path) -> None:
    for target in ("/api/v1/region/get-all", "/api/v1/none", "/api/v1/none-either"):
        half.get(target)
    half.filter.fill("status:404")
    half.expect_count(2)

    half.button("export").first.click()
    path = half.download("filtered", "har", folder=tmp_path)

    entries = json.loads(path.read_text("utf-8"))["log"]["entries"]
    assert [entry["response"]["status"] for entry in entries] == [404, 404]


def test_all_that_is_kept_as_a_bug_report(half: RequestsHalf, tmp_path: Path) -> None:
    half.get("/api/v1/region/get-all")

    half.button("export").first.click()
    path = half.download("everything", "report", folder=tmp_path)

    with zipfile.ZipFile(path) as report:
        assert report.testzip() is None
        names = report.namelist()
        (har,) = [name for name in names if name.endswith(".har")]
        assert len(json.loads(report.read(har))["log"]["entries"]) == 1
    assert len(names) > 1


def test_content_can_be_saved_as_it_came(half: RequestsHalf, tmp_path: Path) -> None:
    path = "/api/v1/doctor/get-all?limit=2"
    answer = half.get(path, **{"Accept-Encoding": "identity"})
    half.look_at(path)
    half.show_personal()

    with half.page.expect_download() as coming:
        half.side("response").get_by_text(half.said["save_content"]).click()
    file = tmp_path / "content"
    coming.value.save_as(file)

    assert file.read_bytes() == answer.content
    digest = hashlib.sha256(answer.content).hexdigest()
    expect(half.side("response")).to_contain_text(digest)


def test_a_browser_without_a_clipboard(visit: Visit) -> None:
    half = logged_in(visit)
    half.get("/api/v1/region/get-all")
    half.look_at("/api/v1/region/get-all")
    half.page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject() }"
    )

    half.button("copy_as").click()
    expect(half.dialog("copy_as").locator("pre")).to_contain_text("curl")
    half.in_dialog("copy_as", "copy").click()

    expect(half.page.get_by_text(half.said["copy_by_hand"])).to_be_visible()
    selected = half.page.evaluate("getSelection().toString()")
    assert selected.startswith("curl")
