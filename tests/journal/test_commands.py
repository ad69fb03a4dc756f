"""What is copied and pasted sends the same request again, byte for byte."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given, settings, strategies as st

from proxy.journal.commands import KINDS, command
from proxy.journal.entry import Entry, Message
from proxy.journal.masking import masked
from tests import programs
from tests.journal.entries import entry, kept, message
from tests.journal.recorder import Recorded, Recorder, recording

SECRETS = {"KEY": "the-key", "TOKEN": "the-token"}
SHELLS = [name for name in ("sh", "dash", "bash") if shutil.which(name)]

NOT_COMPARED = {
    *(b"host", b"content-length", b"connection", b"transfer-encoding", b"expect"),
    b"authorization",
}

JSON = "application/json"
USUAL = [("User-Agent", "app/1"), ("Accept", "*/*")]


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with recording() as running:
        yield running


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def compared(fields: list[tuple[bytes, bytes]]) -> Counter[tuple[bytes, bytes]]:
    return Counter(each for each in fields if each[0].lower() not in NOT_COMPARED)


def run(words: list[str], **more: str) -> None:
    environment = {"PATH": os.environ["PATH"], **SECRETS, **more}
    ended = subprocess.run(
        words,
        env=environment,
        capture_output=True,
        timeout=50,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == 0, ended.stderr.decode("utf-8", "replace")


def run_in_shell(text: str, tmp_path: Path, shell: str = "sh", **more: str) -> None:
    script = tmp_path / "script"
    script.write_bytes(as_bytes(text))
    run([shell, str(script)], HOME=str(tmp_path), **more)


def there(one: Entry, recorder: Recorder) -> Entry:
    """Return `one` as of a proxy, and an upstream, where the recorder listens."""
    return Entry(
        **{name: getattr(one, name) for name in Entry.__slots__}
        | {"listener": recorder.address, "upstream": recorder.address}
    )


def assert_same(sent: Recorded, one: Entry, *, target: bool = True) -> None:
    assert sent.method == as_bytes(one.method)
    assert sent.target == as_bytes(one.target) or not target
    original = [(as_bytes(name), as_bytes(value)) for name, value in one.request.fields]
    assert compared(sent.fields) == compared(original)
    assert one.request.content is not None
    assert sent.content == one.request.content.data


def posted(content: bytes, *fields: tuple[str, str], kind: str = "text/plain") -> Entry:
    length = ("Content-Length", str(len(content)))
    return entry("POST", request=message(content, *USUAL, length, *fields, kind=kind))


CALLS = {
    "plain": entry(request=message(b"", *USUAL)),
    "bare": entry(request=message(b"")),
    "hop fields": entry(
        request=message(
            b"",
            *USUAL,
            ("Host", "h"),
            ("Connection", "close"),
            ("Authorization", "Bearer hunter2"),
            ("Accept-Encoding", "gzip, br"),
        )
    ),
    "repeats and empty": entry(
        request=message(
            b"", *USUAL, ("X-A", "1"), ("x-a", "2"), ("X-A", "1"), ("X-Empty", "")
        )
    ),
    "quotes": entry(
        request=message(b"", *USUAL, ("X-Q", 'it\'s "$HOME" `id` \\ ! !! ${x} %s \\n'))
    ),
    "tab, Cyrillic, bytes": entry(
        request=message(
            b"", *USUAL, ("X-T", "a\tb!"), ("X-C", "Привет"), ("X-B", "\udcff\udc80-'%")
        )
    ),
    "file look-alike": entry(request=message(b"", *USUAL, ("X-At", "@/etc/hostname"))),
    "cookies": entry(request=message(b"", *USUAL, ("Cookie", 'a=1; b="2"'))),
    "query": entry(
        target="/api/v2/message/get-all?createdFromUtc=2026-11-25T03:00:00+0300&a=%7E%2f",
        request=message(b"", *USUAL),
    ),
    "globs": entry(
        target="/a/{b,c}/[1-3]?x[]=1&y=$HOME'", request=message(b"", *USUAL)
    ),
    "dots": entry(target="/a/../b/./c/%2e%2E/d", request=message(b"", *USUAL)),
    "slashes": entry(target="//evil.example//x", request=message(b"", *USUAL)),
    "fragment": entry(target="/a?b#c", request=message(b"", *USUAL)),
    "hostile target": entry(
        target="/a\"`\\|^<>'Привет\udcff", request=message(b"", *USUAL)
    ),
    "asterisk": entry("OPTIONS", "*", request=message(b"", *USUAL)),
    "head": entry("HEAD", request=message(b"", *USUAL)),
    "delete": entry("DELETE", request=message(b"", *USUAL)),
    "own method": entry("X-!#$%&'*+.^_`|~", request=message(b"", *USUAL)),
    "post nothing": posted(b""),
    "get with content": entry("GET", request=message(b"{}", *USUAL)),
    "put": entry("PUT", request=message(b"a=1&b=2", *USUAL, kind="text/x")),
    "json": posted('{\n  "text": "it\'s «боль» \\n $x `y` !"\n}\n'.encode()),
    "at": posted(b"@/etc/hostname"),
    "dash": posted(b"-n \\c %d %%"),
    "dash and bytes": posted(b"-e\xff"),
    "trailing newlines": posted(b"a\r\n\n\n"),
    "all bytes": posted(bytes(range(256)) + b"'\\%-"),
    "long text": posted(("слово 'и' \\ %\n" * 20_000).encode(), kind=""),
    "no type": entry("POST", request=message(b"a=1", *USUAL)),
    "empty type": entry("POST", request=message(b"a=1", *USUAL, ("Content-Type", ""))),
}


@pytest.mark.parametrize(
    ("kind", "shell"), [*(("curl", shell) for shell in SHELLS), ("curl-direct", "sh")]
)
@pytest.mark.parametrize("name", CALLS)
def test_curl_sends_the_same_request(
    name: str, kind: str, shell: str, recorder: Recorder, tmp_path: Path
) -> None:
    programs.need("curl")
    one = there(CALLS[name], recorder)

    run_in_shell(command(one, kind), tmp_path, shell)

    sent = recorder.last()
    assert_same(sent, one)
    token = b"Bearer the-token" if kind == "curl-direct" else None
    assert sent.value(b"authorization") == token


names = st.text("abcXYZ-", min_size=1).map(lambda text: f"X-{text}")
values = st.one_of(
    st.text(st.characters(min_codepoint=0x20, exclude_characters="\x7f")),
    st.text("\t '\"\\$`!%@;:=*~#&|<>(){}[]Ж\udcfe"),
).map(lambda text: text.strip(" \t"))
contents = st.one_of(st.binary(), st.text().map(lambda text: text.encode()))
targets = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E)).map(
    lambda text: f"/{text}"
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(names, values), max_size=4), contents, targets)
def test_curl_sends_hostile_values_as_they_are(
    recorder: Recorder,
    tmp_path_factory: pytest.TempPathFactory,
    fields: list[tuple[str, str]],
    content: bytes,
    target: str,
) -> None:
    programs.need("curl")
    request = Message([*USUAL, ("Content-Length", "1"), *fields], kept(content))
    one = there(entry("POST", target, request), recorder)

    run_in_shell(command(one, "curl"), tmp_path_factory.mktemp("hostile"))

    assert_same(recorder.last(), one)


def test_curl_reaches_a_unix_socket(tmp_path: Path) -> None:
    programs.need("curl")
    with recording(tmp_path / "it's a socket") as recorder:
        one = there(CALLS["query"], recorder)

        run_in_shell(command(one, "curl"), tmp_path)

        assert_same(recorder.last(), one)


PYTHON_CALLS = sorted(CALLS.keys() - {"repeats and empty", "asterisk"})


def assert_equal_target(sent: Recorded, one: Entry, text: str) -> None:
    """Assert that the target is the same, or equal and said to be in another form."""
    is_same = sent.target == as_bytes(one.target)
    assert unquote_to_bytes(sent.target) == unquote_to_bytes(as_bytes(one.target))
    assert is_same or "sends the target in another form" in text


@pytest.mark.parametrize("name", PYTHON_CALLS)
def test_python_sends_the_same_request(
    name: str, recorder: Recorder, tmp_path: Path
) -> None:
    one = there(CALLS[name], recorder)
    text = command(one, "python")
    script = tmp_path / "script.py"
    script.write_text(text, "utf-8")

    run([sys.executable, "-I", str(script)])

    sent = recorder.last()
    assert_same(sent, one, target=False)
    assert_equal_target(sent, one, text)


def test_python_joins_repeated_fields(recorder: Recorder, tmp_path: Path) -> None:
    fields = [("X-A", "1"), ("x-a", "2"), ("Cookie", "a=1"), ("Cookie", "b=2")]
    one = there(entry(request=message(b"", *fields)), recorder)
    script = tmp_path / "script.py"
    script.write_text(command(one, "python"), "utf-8")

    run([sys.executable, "-I", str(script)])

    sent = recorder.last()
    assert (sent.value(b"x-a"), sent.value(b"cookie")) == (b"1, 2", b"a=1; b=2")


HTTPIE_CALLS = sorted(
    CALLS.keys() - {"quotes", "tab, Cyrillic, bytes", "asterisk", "own method"}
)


@pytest.mark.parametrize("name", HTTPIE_CALLS)
def test_httpie_sends_the_same_request(
    name: str, recorder: Recorder, tmp_path: Path
) -> None:
    one = there(CALLS[name], recorder)
    folder = Path(sys.executable).parent
    text = command(one, "httpie")

    run_in_shell(
        text,
        tmp_path,
        PATH=f"{folder}:{os.environ['PATH']}",
        HTTPIE_CONFIG_DIR=str(tmp_path),
        LC_ALL="C.UTF-8",
    )

    sent = recorder.last()
    assert_same(sent, one, target=False)
    assert_equal_target(sent, one, text)


def test_httpie_says_what_it_cannot_send() -> None:
    fields = [("X-Path", "C:\\:x"), ("X-Bytes", "\udcff")]

    text = command(entry(request=message(b"", *fields)), "httpie")

    assert "# HTTPie cannot send the value of X-Path: it is left out." in text
    assert "# HTTPie cannot send the value of X-Bytes: it is left out." in text
    assert "\udcff" not in text


@pytest.mark.parametrize("method", ["-oPWNED", "--download", "-v", "X-Y", ""])
def test_httpie_is_not_called_for_what_it_takes_for_an_option(method: str) -> None:
    text = command(entry(method), "httpie")

    assert text == "# HTTPie takes only letters for a method: curl takes this one.\n"


ARGUMENTS = {
    "field": entry(request=message(b"", *USUAL, ("-oPWNED", "x"), ("--offline", ""))),
    "file": entry(request=message(b"", *USUAL, ("@/etc/hostname", "x"))),
    "content": entry("POST", request=message(b"-oPWNED", *USUAL, kind="text/plain")),
    "method": entry("-oPWNED", request=message(b"", *USUAL)),
}


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        *((name, "curl", "") for name in ("field", "content", "method")),
        ("file", "curl", "# A field is left out, as its name is none.\n"),
        ("file", "httpie", "# A field is left out, as its name is none.\n"),
        ("field", "httpie", "a field with - before its name for an option"),
        ("content", "httpie", ""),
    ],
)
def test_nothing_of_a_request_is_taken_for_an_option(
    name: str, kind: str, says: str, recorder: Recorder, tmp_path: Path
) -> None:
    programs.need("curl")
    one = there(ARGUMENTS[name], recorder)
    assert one.request.content is not None
    home = tmp_path / "home"
    home.mkdir()
    text = command(one, kind)

    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    config = str(tmp_path / "config")
    run_in_shell(f"cd {home}\n{text}", tmp_path, PATH=path, HTTPIE_CONFIG_DIR=config)

    sent = recorder.last()
    assert says in text
    assert sent.method == as_bytes(one.method)
    assert sent.content == one.request.content.data
    assert sent.value(b"@/etc/hostname") is None
    assert list(home.iterdir()) == []


def test_httpie_says_that_it_writes_methods_in_capitals() -> None:
    said = "# HTTPie writes the method in capitals: curl does not.\n"

    assert said in command(entry("get"), "httpie")
    assert said not in command(entry("GET"), "httpie")


@pytest.mark.parametrize("kind", ["curl", "python", "httpie"])
def test_the_local_key_is_put_in_by_who_runs_it(
    kind: str, recorder: Recorder, tmp_path: Path
) -> None:
    programs.need("curl")
    one = there(entry(request=message(b"", ("X-Proxy-Key", "hunter2"))), recorder)

    text = command(one, kind)

    assert "hunter2" not in text
    if kind == "python":
        run([sys.executable, "-I", "-c", text])
    else:
        folder = Path(sys.executable).parent
        path = f"{folder}:{os.environ['PATH']}"
        run_in_shell(text, tmp_path, PATH=path, HTTPIE_CONFIG_DIR=str(tmp_path))
    assert recorder.last().value(b"x-proxy-key") == b"the-key"


def test_what_is_for_the_proxy_does_not_go_to_the_upstream() -> None:
    fields = [("X-Proxy-Key", "hunter2"), ("X-Proxy-Allow-Repeat", "1")]
    one = entry(request=message(b"", *fields))

    assert "X-Proxy" not in command(one, "curl-direct")
    assert "-H 'X-Proxy-Allow-Repeat: 1'" in command(one, "curl")


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (message(None), "was not kept, so it is not in here"),
        (
            message(b'{"id":', kind=JSON, size=900),
            "only its beginning was kept, of 900 bytes",
        ),
        (message(b"secret", kind="text/plain"), "is hidden, so it is not in here"),
        (
            message(b'{"text":"x"}', kind=JSON),
            "put in what *** stands for",
        ),
    ],
    ids=["not kept", "cut", "hidden", "masked"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_command_says_what_is_missing(
    kind: str, request_: Message, says: str
) -> None:
    text = command(masked(entry("POST", request=request_)), kind)

    first = text.splitlines()[0]
    assert first.startswith("# ")
    assert says in first
    assert "secret" not in text


def test_a_short_command_is_one_line_and_a_long_one_is_several() -> None:
    assert command(CALLS["plain"], "curl") == (
        "curl \\\n"
        "  http://127.0.0.1:8080/api/v1/profile/get \\\n"
        "  -H 'User-Agent: app/1' \\\n"
        "  -H 'Accept: */*'\n"
    )
    assert command(entry(target="/x"), "curl") == (
        "curl http://127.0.0.1:8080/x -H User-Agent: -H Accept:\n"
    )


def test_content_that_was_decoded_is_not_called_coded() -> None:
    import gzip

    data = gzip.compress(b'{"firstName":"Anna","id":7}')
    request = message(data, ("Content-Encoding", "gzip"), kind="application/json")
    text = command(masked(entry("POST", request=request)), "curl")

    assert "Content-Encoding" not in text
    assert '--data-raw \'{"firstName":"***","id":7}\'' in text


def test_absolute_targets_become_those_of_the_proxy() -> None:
    one = entry(target="http://other.example/x?y")

    assert "http://127.0.0.1:8080/x?y" in command(one, "curl")
    assert "other.example" not in command(one, "curl")


@pytest.mark.parametrize("kind", ["python", "httpie"])
def test_what_cannot_call_a_socket_says_so(kind: str) -> None:
    text = command(entry(listener="unix:/run/proxy.sock"), kind)

    assert "cannot call a Unix socket: curl can.\n" in text
    assert "http://localhost/api" in text


def test_curl_does_not_wait_for_leave_to_send_much() -> None:
    assert "-H Expect:" in command(posted(b"x" * 1024 * 1024), "curl")
    assert "Expect" not in command(posted(b"x" * 1024), "curl")
