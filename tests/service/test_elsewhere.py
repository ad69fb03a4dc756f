"""What macOS and Windows are told, as their own formats read it."""

import ast
import plistlib
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from proxy.service import launchd, task_scheduler
from proxy.service.plan import Service
from tests.running import own_environ
from tests.service.services import service

CONFIG_FILE = "/Users/A & Bö/con'fig.yaml"
LOG = "C:\\Users\\A & Bö\\AppData\\Local\\telemed-proxy\\telemed-proxy.log"
SPACE = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}


def test_launchd_reads_its_list() -> None:
    planned = service(config_file=CONFIG_FILE)
    told = launchd.instructions(planned, "/Users/A & Bö")

    text = told.partition("<<'PLIST'\n")[2].partition("PLIST\n")[0]
    agent = plistlib.loads(text.encode())
    assert agent["ProgramArguments"] == planned.command
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert agent["Umask"] == 0o077
    assert agent["StandardErrorPath"] == "/Users/A & Bö/Library/Logs/telemed-proxy.log"


def test_the_commands_for_macos_are_commands() -> None:
    told = launchd.instructions(service(config_file=CONFIG_FILE), "/Users/A & Bö")

    for script in (told, launchd.removal()):
        read = subprocess.run(
            ["sh", "-n"], input=script, text=True, capture_output=True
        )
        assert (read.returncode, read.stderr) == (0, "")
    for word in ("bootstrap gui/", "kickstart -k gui/"):
        assert word in told
    assert "bootout gui/" in launchd.removal()


def task(planned: Service) -> ET.Element:
    told = task_scheduler.instructions(
        planned, "C:\\A & B\\pythonw.exe", LOG, "HOST\\A & B"
    )
    text = told.partition("@'\n")[2].partition("'@ |")[0]
    # Set-Content writes it in the encoding that it names.
    return ET.fromstring(text.encode("utf-16"))


def test_the_task_scheduler_reads_its_task() -> None:
    found = task(service(config_file=CONFIG_FILE))

    def text(path: str) -> str | None:
        return found.findtext(path.replace("/", "/t:"), namespaces=SPACE)

    assert text("t:Triggers/LogonTrigger/UserId") == "HOST\\A & B"
    assert text("t:Principals/Principal/LogonType") == "InteractiveToken"
    assert text("t:Settings/ExecutionTimeLimit") == "PT0S"
    assert text("t:Actions/Exec/Command") == "C:\\A & B\\pythonw.exe"
    assert text("t:Actions/Exec/Arguments") == task_scheduler.arguments(
        service(config_file=CONFIG_FILE), LOG
    )


def test_a_here_string_ends_where_it_should() -> None:
    told = task_scheduler.instructions(service(), "p", LOG, "u")

    assert told.count("\n'@") == 1
    assert "schtasks /Create /TN telemed-proxy /XML" in told
    assert "schtasks /Delete /TN telemed-proxy" in task_scheduler.removal()


def test_what_pythonw_runs_logs_into_the_file(tmp_path: Path) -> None:
    log = tmp_path / 'it\'s a "log"' / "telemed-proxy.log"
    code = task_scheduler.code(str(log), str(log.parent))
    ast.parse(code)

    done = subprocess.run(
        [sys.executable, "-c", code, "serve", "-c", str(tmp_path / "no config")],
        env=own_environ(),
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert (done.stdout, done.stderr) == ("", "")
    assert done.returncode == 3
    assert "telemed-proxy: " in log.read_text("utf-8")


def test_a_command_line_of_windows_is_read_back_as_it_was() -> None:
    words = read_back(task_scheduler.arguments(service(config_file='C:\\a b\\"c'), LOG))

    code = task_scheduler.code(LOG, LOG.rpartition("\\")[0])
    assert words == ["-c", code, "serve", "-c", 'C:\\a b\\"c']


@pytest.mark.parametrize(
    "word",
    ["", "a", "a b", "\\", "a\\", "a b\\", '"', 'a\\"', "a\\\\ b\\\\", "\\\\h\\c$"],
)
def test_a_word_of_windows_stays_one(word: str) -> None:
    assert read_back(f"x {task_scheduler.quoted(word)} y") == ["x", word, "y"]


def read_back(line: str) -> list[str]:
    """Split as CommandLineToArgvW does: 2n backslashes and a quote are n and an end."""
    words, word, inside, started, slashes = [], "", False, False, 0
    for each in line + " ":
        if each == "\\":
            slashes += 1
            continue
        if each == '"':
            word += "\\" * (slashes // 2)
            if slashes % 2:
                word += '"'
            else:
                inside = not inside
            started = True
        else:
            word += "\\" * slashes
            if each == " " and not inside:
                if word or started:
                    words.append(word)
                word, started = "", False
            else:
                word += each
        slashes = 0
    return words
