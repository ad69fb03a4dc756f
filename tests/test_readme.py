"""What the README tells people to type does what it says there."""

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.cli import COMMANDS, exitcodes
from tests.programs import need
from tests.running import READY, SMS, Proxy, Running, own_environ

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

# A word of each block, and so of the test that carries it out.
RUN = ("make run", "login +7", "/api/login/code", "profile/update", "make test")
JOURNAL = ("telemed-proxy har",)
SERVE = ("config.example.yaml", "telemed-proxy serve", "completion bash", "docker run")


def block(word: str) -> str:
    [found] = [text for text in BLOCKS if word in text]
    return str(found)


def test_every_block_has_a_test() -> None:
    assert sorted(map(block, RUN + JOURNAL + SERVE)) == sorted(BLOCKS)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Proxy]:
    addresses = ("--listen=127.0.0.1:0", "--admin=127.0.0.1:0")
    with Proxy("sandbox", *addresses, folder=tmp_path) as proxy:
        yield proxy


def here(text: str, proxy: Proxy | None = None) -> str:
    """Return `text` with this run's program and addresses in place of the README's."""
    text = text.replace(".venv/bin/telemed-proxy", f"{sys.executable} -m proxy")
    if proxy is not None:
        text = text.replace("http://127.0.0.1:8080", proxy.url)
        text = text.replace("http://127.0.0.1:8081", proxy.admin)
    return text


def shell(
    text: str, folder: Path, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-euc", text.replace("curl ", "curl --fail --silent --show-error ")],
        cwd=folder,
        env=own_environ() | (environ or {}),
        capture_output=True,
        text=True,
        timeout=50,
    )


@pytest.mark.parametrize("command", ["make run", "make test"])
def test_make_knows_the_command(command: str) -> None:
    planned = shell(f"{block(command).strip()} --dry-run", ROOT)
    assert planned.returncode == 0, planned.stderr
    wanted = {"make run": "telemed-proxy sandbox", "make test": "pytest"}[command]
    assert wanted in planned.stdout


def test_a_login_as_typed(sandbox: Proxy, tmp_path: Path) -> None:
    environ = {"TELEMED_PROXY__ADMIN__LISTEN": sandbox.admin.removeprefix("http://")}
    terminal, theirs = pty.openpty()
    login = subprocess.Popen(
        ["sh", "-euc", f"exec {here(block('login +7'))}"],
        cwd=tmp_path,
        env=own_environ() | environ,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        shown = read_until(terminal, "Code from the SMS")
        code = sandbox.expect(SMS)["code"]
        os.write(terminal, f"{code}\n".encode())
        shown += read_until(terminal, "Logged in")
        assert login.wait(timeout=20) == 0, shown
    finally:
        login.kill()
        login.wait()
        os.close(terminal)


def test_what_was_sent_is_seen(sandbox: Proxy, tmp_path: Path) -> None:
    need("curl")
    environ = {"TELEMED_PROXY__ADMIN__LISTEN": sandbox.admin.removeprefix("http://")}
    sandbox.login()
    text = block("telemed-proxy har").replace("/tmp/", f"{tmp_path}/")

    # Not with the options that others get: `curl` is a command of ours here.
    seen = subprocess.run(
        ["sh", "-euc", here(text, sandbox)],
        cwd=tmp_path,
        env=own_environ() | environ,
        capture_output=True,
        text=True,
        timeout=50,
    )

    assert seen.returncode == 0, seen.stderr
    assert seen.stdout.startswith("HTTP/1.1 200 OK")
    archive = json.loads((tmp_path / "calls.har").read_text())
    assert len(archive["log"]["entries"]) == 1
    assert (tmp_path / "report.zip").read_bytes().startswith(b"PK")


def read_until(terminal: int, text: str) -> str:
    shown = ""
    while text not in shown:
        readable, _, _ = select.select([terminal], [], [], 20)
        try:
            piece = os.read(terminal, 4096) if readable else b""
        except OSError:  # how Linux tells the end of a terminal
            piece = b""
        assert piece, f"{text!r} never came: {shown}"
        shown += piece.decode()
    return shown


def test_a_login_with_curl_and_calls_of_every_kind(
    sandbox: Proxy, tmp_path: Path
) -> None:
    need("curl")
    shutil.copy(ROOT / "README.md", tmp_path)

    logged_in = shell(here(block("/api/login/code"), sandbox), tmp_path)
    assert logged_in.returncode == 0, logged_in.stderr + logged_in.stdout
    assert '"active"' in logged_in.stdout

    calls = here(block("profile/update"), sandbox)
    calls = calls.replace("/tmp/sample-64m", str(tmp_path / "sample"))
    called = shell(calls, tmp_path)
    assert called.returncode == 0, called.stderr
    assert '"item"' in called.stdout
    assert '"totalCount"' in called.stdout
    assert (tmp_path / "sample").stat().st_size == 64 * 1024 * 1024


def test_serving_the_real_hosts(sandbox: Proxy, tmp_path: Path) -> None:
    folder = tmp_path / "place"
    folder.mkdir()
    shutil.copy(ROOT / "config.example.yaml", folder)
    assert shell(block("config.example.yaml"), folder).returncode == 0
    config = folder / "config.yaml"
    check, serve = here(block("telemed-proxy serve")).splitlines()

    unfinished = shell(serve, folder)
    assert unfinished.returncode == exitcodes.CONFIG
    assert "client_id" in unfinished.stderr

    text = config.read_text(encoding="utf-8")
    filled = re.sub(r"^( +client_id:).*", rf"\1 {'0' * 32}", text, flags=re.MULTILINE)
    assert filled != text
    config.write_text(filled, encoding="utf-8")
    # The real hosts and ports are out of reach of a test.
    environ = {
        "TELEMED_PROXY__LISTEN": "127.0.0.1:0",
        "TELEMED_PROXY__ADMIN__LISTEN": "127.0.0.1:0",
        "TELEMED_PROXY__STORE__URL": f"file:{tmp_path}/tokens.json",
        "TELEMED_PROXY__UPSTREAM__API_URL": sandbox.url,
        "TELEMED_PROXY__UPSTREAM__AUTH_URL": sandbox.url,
    }
    checked = shell(check, folder, environ)
    assert "config.yaml" in checked.stdout, checked.stderr
    command = ["sh", "-euc", f"exec {serve}"]
    with Running(command=command, folder=folder, environ=environ) as running:
        running.expect(READY)


def test_completion_is_a_script_that_bash_reads(tmp_path: Path) -> None:
    written = shell(here(block("completion")), tmp_path, {"HOME": str(tmp_path)})
    assert written.returncode == 0, written.stderr
    script = tmp_path / ".bashrc"
    assert "telemed-proxy" in script.read_text()
    if shutil.which("bash"):
        read = subprocess.run(["bash", "-n", str(script)], capture_output=True)
        assert (read.returncode, read.stderr) == (0, b"")


def test_docker_lines_agree_with_the_dockerfile() -> None:
    text = block("docker run")
    assert subprocess.run(["sh", "-nc", text]).returncode == 0
    dockerfile = (ROOT / "Dockerfile").read_text()
    for place in re.findall(r"(?:target=|telemed:)([^,\s]+)", text):
        assert place in dockerfile
    for word in ("10001", "/etc/telemed-proxy"):
        assert word in README
        assert word in dockerfile


def test_the_tables_name_every_command_and_exit_code() -> None:
    named = set(re.findall(r"`telemed-proxy ([a-z]+)", README))
    assert named == set(COMMANDS)
    rows = re.findall(r"^\| ([\d, ]+) \|", README, re.MULTILINE)
    codes = {int(code) for row in rows for code in row.split(",")}
    known = {code for code in vars(exitcodes).values() if isinstance(code, int)}
    assert known - codes == set()
