"""Who holds an address, by what Linux tells of its sockets and processes."""

from pathlib import Path

import pytest

from proxy.cli import holders
from proxy.cli.holders import holder_of
from proxy.config import Address
from tests.cli.doors import closed_address

HEAD = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid\n"
)
ROW = "  0: 0100007F:{port:04X} 00000000:0000 {state} 0:0 00:0 0 {uid} 0 {inode} 1\n"


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /proc with no sockets and no processes."""
    (tmp_path / "net").mkdir()
    monkeypatch.setattr(holders, "_PROC", tmp_path)
    return tmp_path


def listen(proc: Path, port: int, *, uid: int = 0, inode: int = 77) -> None:
    """Let a socket listen on `port`, where connections of before have not gone yet."""
    gone = ROW.format(port=port, state="06", uid=0, inode=0)
    here = ROW.format(port=port, state="0A", uid=uid, inode=inode)
    (proc / "net" / "tcp").write_text(HEAD + gone + here)


def process(proc: Path, number: int, name: str, *sockets: str) -> None:
    (proc / str(number) / "fd").mkdir(parents=True)
    (proc / str(number) / "comm").write_text(f"{name}\n")
    for descriptor, socket in enumerate(sockets):
        (proc / str(number) / "fd" / str(descriptor)).symlink_to(socket)


def test_the_process_that_has_the_socket_open_is_named(proc: Path) -> None:
    address = closed_address()
    listen(proc, address.port)
    process(proc, 11, "cat", "/dev/null", "socket:[78]")
    process(proc, 12, "nginx", "/dev/null", "socket:[77]")

    assert holder_of(address) == "nginx (process 12)"


def test_of_a_process_that_is_not_shown_the_user_is_named(proc: Path) -> None:
    address = closed_address()
    listen(proc, address.port)
    process(proc, 11, "cat", "/dev/null")
    assert holder_of(address) == "another program (of user root)"

    listen(proc, address.port, uid=3_999_999)
    assert holder_of(address) == "another program (of user number 3999999)"


def test_a_unix_socket_belongs_to_who_listens_on_it(proc: Path, tmp_path: Path) -> None:
    path = tmp_path / "taken.sock"
    rows = [
        "Num       RefCount Protocol Flags    Type St Inode Path",
        f"0: 00000003 00000000 00000000 0001 03 76 {path}",
        f"0: 00000002 00000000 00010000 0001 01 77 {path}",
    ]
    (proc / "net" / "unix").write_text("\n".join(rows))
    process(proc, 12, "caddy", "socket:[77]")

    assert holder_of(Address("", 0, path)) == "caddy (process 12)"


def test_where_nothing_is_told_it_is_another_program(proc: Path) -> None:
    assert holder_of(closed_address()) == "another program"
