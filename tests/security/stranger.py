"""Another user of this machine, who tries things.

Run as a program by root: reads a list of attempts, [verb, argument ...] each, as JSON
from stdin, becomes `nobody`, tries them, and prints the list of what came of each: what
was got, or the name of the error.
"""

import encodings.idna  # noqa: F401  not to be had any more as somebody else
import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

UID = 65534

PERMISSION = "EACCES"


def attempt(*attempts: Sequence[str]) -> list[str]:
    """Let the stranger try each; return what came of them."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user; run the tests as root")
    ended = subprocess.run(
        [sys.executable, "-P", __file__],
        input=json.dumps(attempts),
        stdout=subprocess.PIPE,
        text=True,
        timeout=30,
        check=True,
    )
    got: list[str] = json.loads(ended.stdout)
    return got


def _read(path: str) -> str:
    return Path(path).read_text("utf-8", "replace")


def _write(path: str) -> str:
    with Path(path).open("a"):
        return "opened"


def _replace(path: str, content: str) -> str:
    Path(path).unlink(missing_ok=True)
    Path(path).write_text(content)
    return "replaced"


def _list(path: str) -> str:
    return " ".join(file.name for file in Path(path).iterdir())


def _unix(path: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        return _ask(connection, "/api/v1/profile/get", "")


def _http(url: str, target: str, *fields: str) -> str:
    host, _, port = url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        return _ask(connection, target, "".join(f"{each}\r\n" for each in fields))


def _ask(connection: socket.socket, target: str, fields: str) -> str:
    head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}"
    connection.sendall(f"{head}\r\n".encode())
    answer = b""
    try:
        while piece := connection.recv(65536):
            answer += piece
    except ConnectionResetError:
        return answer.decode() or "ECONNRESET"
    return answer.decode() or "nothing"


VERBS: dict[str, Callable[..., str]] = {
    "read": _read,
    "write": _write,
    "replace": _replace,
    "list": _list,
    "unix": _unix,
    "http": _http,
}


def main() -> None:
    attempts = json.load(sys.stdin)
    os.setgroups([])
    os.setresgid(UID, UID, UID)
    os.setresuid(UID, UID, UID)
    outcomes = []
    for verb, *arguments in attempts:
        try:
            outcomes.append(VERBS[verb](*arguments))
        except OSError as error:
            outcomes.append(errno.errorcode.get(error.errno or 0, str(error)))
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main()
