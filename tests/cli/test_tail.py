"""The tail command, over streams that break and proxies that come back."""

import json
import os
import pty
import select
import signal
import subprocess
from contextlib import ExitStack
from itertools import islice
from typing import Self

import click
import pytest
from click.testing import CliRunner

from proxy.cli import exitcodes, main
from proxy.cli.events import Event, follow, read_events
from proxy.cli.journal_client import JournalClient
from proxy.config import Address
from proxy.errors import ProxyError
from tests.cli.conftest import Person
from tests.cli.doors import Door, closed_address, open_door, open_raw_door
from tests.cli.streams import Streams, event, exchange, open_streams, summary
from tests.running import PROGRAM, Proxy, call, own_environ

CONTENT = event("content", {"kept": False})


# -- The stream ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"event: a\nid: 7\ndata: {}\n\n", [Event("a", {}, "7")]),
        (b"event:a\r\ndata:{}\r\n\r\n", [Event("a", {})]),
        (b"data: {}\n\n", [Event("message", {})]),
        (b": beat\n\nretry: 9\n\nevent: a\n: beat\ndata: {}\n\n", [Event("a", {})]),
        (b'data: {"a":\ndata: 1}\n\n', [Event("message", {"a": 1})]),
        (b"id: 7\ndata: {}\n\ndata: {}\n\n", [Event("message", {}, "7")] * 2),
        (b"id: 7\ndata: {}\n\nid: 8\n\n", [Event("message", {}, "7")]),
        (b"id: 7\nid: 8\0\ndata: {}\n\n", [Event("message", {}, "7")]),
        (b"event: a\n\ndata: {}\n\n", [Event("message", {})]),
        (b"event: a\ndata: {}\n", []),
        (b"data: nonsense\n\ndata: [1]\n\n\xff\n\n", []),
        (b'data: {"a": "\xd0\xb2"}\n\n', [Event("message", {"a": "в"})]),
    ],
)
def test_a_stream_is_read_as_browsers_do(stream: bytes, events: list[Event]) -> None:
    assert list(read_events(stream.splitlines(keepends=True))) == events


def told(address: Address, count: int, wanted: str = "") -> list[str]:
    events = follow(JournalClient(address), wanted, pause=0)
    return [str(one.members.get("id")) for one in islice(events, count)]


def test_after_a_cut_it_goes_on_where_it_was(
    capsys: pytest.CaptureFixture[str],
) -> None:
    half = exchange(3)[:-20]
    streams = Streams(
        [
            *(CONTENT + exchange(1) + exchange(2) + half, b"", b""),
            exchange(3) + exchange(4),
        ]
    )
    with open_streams(streams) as address:
        assert told(address, 5, "is:error -a&b") == ["None", "r-1", "r-2", "r-3", "r-4"]

    target = "/api/exchanges/stream?filter=is%3Aerror%20-a%26b"
    assert streams.asked == [(target, None), *[(target, "2")] * 3]
    assert capsys.readouterr().err.splitlines() == [
        f"telemed-proxy: the proxy at {address} has gone (it ended the connection);"
        " waiting for it",
        "telemed-proxy: the proxy is back",
    ]


def test_a_stream_that_ends_while_the_proxy_stays_is_not_worth_a_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    streams = Streams([CONTENT + exchange(1), CONTENT, exchange(2)])
    with open_streams(streams) as address:
        assert told(address, 4) == ["None", "r-1", "None", "r-2"]

    assert [since for _, since in streams.asked] == [None, "1", "1"]
    assert capsys.readouterr().err == ""


def test_what_runs_does_not_move_the_place_to_go_on_from() -> None:
    running = event("exchange", summary(id="r-9", running=True))
    streams = Streams([exchange(1) + running, exchange(2)])
    with open_streams(streams) as address:
        assert told(address, 3) == ["r-1", "r-9", "r-2"]

    assert [since for _, since in streams.asked] == [None, "1"]


def test_an_error_ends_it_with_the_sentence_of_the_proxy() -> None:
    shape = {"type": "bad_argument", "value": "filter", "description": "Mend it."}
    door = Door(400, json.dumps(shape).encode())
    with open_door(door) as address, pytest.raises(ProxyError, match=r"^Mend it\.$"):
        told(address, 1)


def test_a_proxy_that_does_not_know_the_call_is_no_proxy() -> None:
    door = Door(404, b"<html>")
    with open_door(door) as address, pytest.raises(ProxyError, match="something else"):
        told(address, 1)


def test_a_proxy_that_dies_in_its_answer_is_waited_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with open_raw_door(b"nonsense\r\n\r\n") as address:
        events = follow(JournalClient(address), "", pause=-1)
        # The pause, which cannot be negative, is where it waits.
        with pytest.raises(ValueError, match="non-negative"):
            next(events)

    assert "has gone (what answers there does not speak HTTP" in capsys.readouterr().err


# -- The command ---------------------------------------------------------------------


class Tail:
    """A running tail, its output read line by line."""

    def __init__(
        self,
        address: Address,
        *arguments: str,
        terminal: bool = False,
        **environ: str,
    ) -> None:
        ours, theirs = pty.openpty() if terminal else os.pipe()
        inherited = own_environ()
        for name in ("COLUMNS", "NO_COLOR"):
            inherited.pop(name, None)
        self.process = subprocess.Popen(
            [*PROGRAM, "tail", "--admin", str(address), *arguments],
            env=inherited | environ,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(theirs)
        self.stdout = os.fdopen(ours, encoding="utf-8", newline="\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.stdout.close()

    def has_more(self) -> bool:
        """Say whether there is a line to be read, after a while."""
        return bool(select.select([self.stdout], [], [], 0.2)[0])

    def lines(self, count: int) -> list[str]:
        return [self.stdout.readline().rstrip("\r\n") for _ in range(count)]

    def said(self) -> str:
        """Return the next line of stderr, when there is one."""
        assert self.process.stderr
        return self.process.stderr.readline().rstrip("\n")

    def ends(self, number: signal.Signals | None = None) -> tuple[int, str]:
        if number is not None:
            self.process.send_signal(number)
        _, error = self.process.communicate(timeout=15)
        return self.process.returncode, error.strip()


def test_each_exchange_is_a_line_at_once() -> None:
    running = event("exchange", summary(id="r-1", running=True, status=0))
    failed = exchange(2, status=502, answered_by="proxy", why="It was so.")
    gap = event("skipped", {"count": 120})
    others = event("cleared", {}) + event("novelty", {"a": 1})
    script = CONTENT + running * 2 + exchange(1) + others + gap + failed
    with open_streams(Streams([script])) as address, Tail(address) as tail:
        lines = tail.lines(3)
        code, error = tail.ends(signal.SIGINT)

    assert "... GET      running" in lines[0]
    assert "200 GET" in lines[1]
    assert lines[2].endswith("/get/17  (by proxy)  It was so.")
    assert (code, error) == (
        exitcodes.SIGINT,
        "telemed-proxy: 120 exchanges were too many to be shown",
    )


def test_json_is_one_summary_a_line_of_what_is_over() -> None:
    running = event("exchange", summary(id="r-1", running=True, status=0))
    script = CONTENT + running + exchange(1, target="/\x1b[2J") + exchange(2)
    with (
        open_streams(Streams([script])) as address,
        Tail(address, "--json", "--color", "always") as tail,
    ):
        lines = tail.lines(2)
        code, error = tail.ends(signal.SIGTERM)

    assert [json.loads(one)["id"] for one in lines] == ["r-1", "r-2"]
    assert "\x1b" not in lines[0]
    assert (code, error) == (exitcodes.SIGTERM, "")


def test_a_reader_that_has_gone_ends_it_quietly() -> None:
    streams = Streams([exchange(1)], later=exchange(2) + exchange(3))
    with open_streams(streams) as address, Tail(address) as tail:
        tail.lines(1)
        tail.stdout.close()
        streams.more.set()
        assert tail.ends() == (exitcodes.FAILED, "")


def test_an_encoding_that_lacks_a_letter_does_not_end_it() -> None:
    with (
        open_streams(Streams([exchange(1, caller="Анна")])) as address,
        Tail(address, PYTHONIOENCODING="ascii") as tail,
    ):
        lines = tail.lines(1)

    assert lines[0].endswith(r"(\u0410\u043d\u043d\u0430)")


@pytest.mark.parametrize(
    ("arguments", "environ", "coloured"),
    [
        ([], {"TERM": "xterm"}, True),
        ([], {"TERM": "xterm", "NO_COLOR": "1"}, False),
        ([], {"TERM": "xterm", "NO_COLOR": ""}, True),
        ([], {"TERM": "dumb"}, False),
        (["--color", "always"], {"TERM": "xterm", "NO_COLOR": "1"}, True),
        (["--color", "never"], {"TERM": "xterm"}, False),
    ],
)
def test_a_terminal_gets_colours_unless_it_does_not_want_them(
    arguments: list[str], environ: dict[str, str], coloured: bool
) -> None:
    script = exchange(1, target="/" + "a" * 300) + exchange(2, status=500, why="So.")
    with (
        open_streams(Streams([script])) as address,
        Tail(address, *arguments, terminal=True, **environ) as tail,
    ):
        lines = tail.lines(3)
        assert tail.ends(signal.SIGINT) == (exitcodes.SIGINT, "")

    assert lines[0].startswith("\x1b[32m") is coloured
    assert ("\x1b" in "".join(lines)) is coloured
    assert len(click.unstyle(lines[0])) == 80
    assert click.unstyle(lines[2]) == "    So."


@pytest.mark.parametrize("choice", ["auto", "always"])
def test_a_pipe_gets_colours_only_if_asked(choice: str) -> None:
    with (
        open_streams(Streams([exchange(1)])) as address,
        Tail(address, "--color", choice, TERM="xterm") as tail,
    ):
        assert ("\x1b" in tail.lines(1)[0]) is (choice == "always")


def test_it_shows_what_passes_through_a_real_proxy(serving: Proxy) -> None:
    admin = Address.parse(serving.admin.removeprefix("http://"))
    with Tail(admin, "--filter", "path:/of/*/own") as tail:
        while not tail.has_more():  # it does not say when it has begun to look
            call("GET", f"{serving.url}/of/its/own?token=secret")
            call("GET", f"{serving.url}/of/another")
        line = tail.lines(1)[0]
        assert tail.ends(signal.SIGINT) == (exitcodes.SIGINT, "")

    assert "503 GET" in line
    assert "/of/its/own?token=***  (by proxy)  Nobody has logged in; run:" in line


def test_a_restart_of_the_proxy_is_waited_for(person: Person) -> None:
    admin = closed_address()
    started = ["serve", "--admin", str(admin)]
    with ExitStack() as stack:
        with Proxy(*started, folder=person.folder) as proxy:
            tail = stack.enter_context(Tail(admin))
            while not tail.has_more():
                call("GET", f"{proxy.url}/before")
        assert "has gone (connection refused); waiting for it" in tail.said()
        with Proxy(*started, folder=person.folder) as proxy:
            call("GET", f"{proxy.url}/after")
            while "/after" not in tail.lines(1)[0]:
                pass  # the test's time limit ends what would be endless
            assert tail.said() == "telemed-proxy: the proxy is back"


def test_no_proxy_is_one_sentence() -> None:
    address = closed_address()
    done = CliRunner().invoke(main, ["tail", "--admin", str(address)])

    assert done.exit_code == exitcodes.FAILED
    assert done.stderr == (
        f"telemed-proxy: no proxy answers at {address}: connection refused\n"
    )
    assert done.stdout == ""


@pytest.mark.parametrize("command", ["tail", "har"])
def test_a_filter_that_means_nothing_is_a_usage_error(command: str) -> None:
    done = CliRunner().invoke(main, [command, "--filter", "status:abc"])

    assert done.exit_code == exitcodes.USAGE
    assert "'--filter': status: takes a status such as 404" in done.stderr
    assert done.stderr.count("\n") == 1
