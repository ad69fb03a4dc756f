"""The har command: what it asks for, and how its file comes about."""

import json
import os
import stat
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner, Result

from proxy.cli import exitcodes, main
from proxy.config import Address
from tests.cli.conftest import Person
from tests.cli.doors import Door, open_door
from tests.cli.streams import STATUS, Streams, open_streams
from tests.running import PROGRAM, Proxy, call, own_environ

ARCHIVE = {**STATUS, "log": {"version": "1.2", "entries": []}}
"""Does for the status as well, which is asked for first."""


@contextmanager
def archiving(content: object = ARCHIVE) -> Iterator[tuple[Door, Address]]:
    door = Door(content=json.dumps(content).encode())
    with open_door(door) as address:
        yield door, address


def har(address: Address, *arguments: str | Path) -> Result:
    words = ["har", "--admin", str(address), *map(str, arguments)]
    return CliRunner().invoke(main, words)


@pytest.mark.parametrize(
    ("arguments", "path", "query"),
    [
        ([], "/api/exchanges.har", {}),
        (["-o", "-"], "/api/exchanges.har", {}),
        (
            ["--filter", "is:error a&b"],
            "/api/exchanges.har",
            {"filter": ["is:error a&b"]},
        ),
        (["--unmasked"], "/api/exchanges.har", {"unmasked": ["true"]}),
        (["--report"], "/api/report.zip", {}),
        (
            ["--report", "--filter", "x", "--unmasked"],
            "/api/report.zip",
            {"filter": ["x"], "unmasked": ["true"]},
        ),
    ],
)
def test_it_asks_for_what_is_wanted(
    arguments: list[str], path: str, query: dict[str, list[str]]
) -> None:
    with archiving() as (door, address):
        done = har(address, *arguments)

    assert done.exit_code == exitcodes.DONE, done.output
    assert json.loads(done.stdout) == ARCHIVE
    asked = urlsplit(door.requests[-1][1])
    assert (asked.path, parse_qs(asked.query)) == (path, query)


def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "calls.har"
    file.write_text("an older one")
    file.chmod(0o644)
    with archiving() as (_, address):
        masked = har(address, "-o", file)
        unmasked = har(address, "--unmasked", "-o", tmp_path / "new.har")

    assert json.loads(file.read_text()) == ARCHIVE
    modes = {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert modes == {0o600}
    assert masked.stdout == f"Wrote {file}, masked.\n"
    assert "with personal data: keep it to yourself" in unmasked.stdout


def test_a_link_leads_to_the_file_that_is_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with archiving() as (_, address):
        har(address, "-o", tmp_path / "link")

    assert (tmp_path / "link").is_symlink()
    assert json.loads((tmp_path / "real").read_text()) == ARCHIVE


def test_what_is_no_file_is_written_to_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE)
    with archiving() as (_, address):
        assert har(address, "-o", pipe).exit_code == exitcodes.DONE

    assert json.loads(reader.communicate(timeout=10)[0]) == ARCHIVE
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"Content-Length": "10000"}, b"{"),
        ({"Transfer-Encoding": "chunked"}, b"1\r\n{\r\n"),
    ],
)
def test_what_breaks_off_leaves_the_old_file_as_it_was(
    tmp_path: Path, fields: dict[str, str], content: bytes
) -> None:
    file = tmp_path / "calls.har"
    file.write_text("an older one")
    with open_streams(Streams([content, b""], fields)) as address:
        done = har(address, "-o", file)

    assert done.exit_code == exitcodes.FAILED
    assert done.stderr == (
        f"telemed-proxy: the proxy at {address} broke off in the middle; try again\n"
    )
    assert [each.name for each in tmp_path.iterdir()] == ["calls.har"]
    assert file.read_text() == "an older one"


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "none" / "calls.har"
    with archiving() as (_, address):
        done = har(address, "-o", file)

    assert done.exit_code == exitcodes.FAILED
    assert done.stderr == (
        f"telemed-proxy: {file} cannot be written: no such file or directory\n"
    )


def test_a_reader_that_has_gone_is_no_error_of_the_proxy() -> None:
    large = {**ARCHIVE, "padding": "x" * 1_000_000}
    with archiving(large) as (_, address):
        done = subprocess.run(
            f"{' '.join(PROGRAM)} har --admin {address} | head -c 10",
            shell=True,
            env=own_environ(),
            capture_output=True,
            text=True,
            check=True,
        )

    assert len(done.stdout) == 10
    assert done.stderr == ""


def test_a_real_proxy_gives_an_archive_and_a_bundle(
    serving: Proxy, person: Person
) -> None:
    call("GET", f"{serving.url}/of/its/own?token=secret")
    for words in (["calls.har", "--filter", "/of/its/own"], ["r.zip", "--report"]):
        done = person.run("har", "-o", *words)
        assert done.exit_code == exitcodes.DONE, done.output

    log = json.loads((person.folder / "calls.har").read_text("utf-8"))["log"]
    assert log["version"] == "1.2"
    urls = {one["request"]["url"] for one in log["entries"]}
    assert {urlsplit(url).path for url in urls} == {"/of/its/own"}
    assert "secret" not in str(log)
    assert zipfile.is_zipfile(person.folder / "r.zip")
