"""The curl command, against a running proxy and with curl as it is installed."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.cli import exitcodes
from tests.certificates import made
from tests.cli.conftest import PHONE, Person, Upstream, settings
from tests.cli.doors import closed_address
from tests.programs import need
from tests.running import PROGRAM, Proxy, Running, own_environ

KEY = "a-key-that-nobody-shall-see"
PROFILE = "/api/v1/profile/get"

# Stands in for curl: shows what it was given, and what can be read from there.
_SHOWING = """\
#!{python}
import json, sys
words, read = sys.argv[1:], {{}}
for word in words:
    if word.startswith("@/dev/fd/"):
        with open(word[1:]) as file:
            read[word] = file.read()
print(json.dumps({{"words": words, "read": read, "stdin": sys.stdin.read()}}))
sys.exit(7)
"""


def curl(
    *arguments: str, environ: dict[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, "curl", *arguments],
        env=own_environ() | (environ or {}),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture
def showing(tmp_path: Path) -> dict[str, str]:
    """An environment in which curl shows what it was given, and ends with 7."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "curl"
    program.write_text(_SHOWING.format(python=sys.executable), "utf-8")
    program.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def add(person: Person, text: str) -> None:
    with (person.folder / "config.yaml").open("a", encoding="utf-8") as file:
        file.write("\n" + text)


@pytest.fixture
def key_file(person: Person) -> Path:
    """The file with the local key of `person`, which the config names."""
    file = person.folder / "keys"
    file.write_text(f"# mine\nreport {KEY}\nother another-key\n", "utf-8")
    file.chmod(0o600)
    add(person, f"access: {{local_key_file: '{file}'}}\n")
    return file


# -- Real calls ----------------------------------------------------------------------


@pytest.fixture
def logged_in(serving: Proxy, upstream: Upstream) -> Proxy:
    """A running proxy, with somebody logged in."""
    need("curl")
    login = {"phone": PHONE, "validation_code": upstream.code()}
    serving.ask("POST", "/api/login/token", login)
    return serving


@pytest.mark.parametrize("path", [PROFILE, PROFILE.removeprefix("/")])
def test_a_path_is_called_through_the_running_proxy(
    logged_in: Proxy, path: str
) -> None:
    done = curl(path, "--silent")

    assert (done.returncode, done.stderr) == (0, "")
    assert "item" in json.loads(done.stdout)


def test_everything_after_the_path_is_for_curl(logged_in: Proxy) -> None:
    content = json.dumps({"city": "a 'b' \"c\" $d\n№"})
    options = ["-s", "-i", "-H", "Content-Type: application/json", "-d", "@-"]
    done = curl("/api/v1/profile/update", *options, stdin=content)

    assert done.returncode == 0
    assert done.stdout.startswith("HTTP/1.1 200 ")
    shown = curl(PROFILE, "-s")
    assert json.loads(shown.stdout)["item"]["city"] == "a 'b' \"c\" $d\n№"


def test_the_exit_code_is_that_of_curl(logged_in: Proxy) -> None:
    assert curl("/api/v1/nothing", "--fail", "-s").returncode == 22


def test_a_path_reaches_the_api_as_it_was_typed(
    logged_in: Proxy, upstream: Upstream
) -> None:
    target = "/api/v1/profile/./a/../get?x[0]={1,2}&y=[1-3]"
    curl(target, "-s")

    assert upstream.sandbox.requests[-1].target == target


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "unix", "https://127.0.0.1:0"])
def test_the_printed_command_and_the_run_one_reach_every_kind_of_listener(
    person: Person, upstream: Upstream, key_file: Path, listen: str
) -> None:
    need("curl")
    place = listen.replace("unix", f"unix:{person.folder}/a b.sock")
    made(person.folder / "tls")
    text = settings(upstream, person.folder, "127.0.0.1:0").replace(
        "listen: ['127.0.0.1:0']", f"listen: ['{place}']"
    )
    text += f"access: {{local_key_file: '{key_file}'}}\n"
    text += "tls: {certificate_file: tls/server.pem, key_file: tls/server.key}\n"
    (person.folder / "config.yaml").write_text(text, "utf-8")
    ready = re.compile(r"ready: proxy .*  admin http://(\S+)")
    with Running("serve", folder=person.folder) as running:
        admin = running.expect(ready)[1]
        run = curl("--admin", admin, PROFILE, "-s", "-w", " %{http_code}")
        printed = curl("--print", "--admin", admin, PROFILE, "-s")
        pasted = subprocess.run(
            printed.stdout,
            shell=True,
            env=own_environ() | {"KEY": KEY},
            capture_output=True,
            text=True,
            check=False,
        )

    # The key was right; nobody has logged in.
    assert "login_required" in run.stdout, run
    assert run.stdout.endswith(" 503")
    assert KEY not in printed.stdout + printed.stderr
    assert pasted.stdout == run.stdout.removesuffix(" 503")


# -- What curl is given --------------------------------------------------------------


def test_the_key_is_on_no_command_line_and_stdin_is_free(
    person: Person, key_file: Path, showing: dict[str, str]
) -> None:
    add(person, "# no proxy runs; its listener is known all the same\n")
    config = person.folder / "config.yaml"
    text = config.read_text("utf-8").replace("['127.0.0.1:0']", "['127.0.0.1:8899']")
    config.write_text(text, "utf-8")

    done = curl("x", "-d", "@-", environ=showing, stdin="content")

    given = json.loads(done.stdout)
    field, *options = given["words"][1:3], given["words"][3:]
    assert done.returncode == 7
    assert given["words"][0] == "http://127.0.0.1:8899/x"
    assert field[0] == "-H"
    assert options == [["-d", "@-"]]
    assert given["read"] == {field[1]: f"X-Proxy-Key: {KEY}\n"}
    assert given["stdin"] == "content"
    assert KEY not in str(given["words"])


@pytest.fixture
def known(person: Person) -> Person:
    """Somebody whose config names a listener, though no proxy runs."""
    config = person.folder / "config.yaml"
    text = config.read_text("utf-8").replace("['127.0.0.1:0']", "['0.0.0.0:8899']")
    config.write_text(text + "access: {anyone: true}\n", "utf-8")
    return person


def words(*arguments: str, environ: dict[str, str] | None = None) -> list[str]:
    done = curl("--print", *arguments, environ=environ)
    assert done.returncode == exitcodes.DONE, done.stderr
    return shlex.split(done.stdout)


def test_an_address_that_means_all_is_called_on_loopback(known: Person) -> None:
    assert words("/x") == ["curl", "http://127.0.0.1:8899/x"]


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_no_way_to_ours(known: Person, name: str) -> None:
    environ = {name: "http://127.0.0.1:9"}

    assert words("/x", environ=environ)[1:3] == ["--noproxy", "*"]


def test_words_of_a_printed_command_survive_a_shell(known: Person) -> None:
    odd = ["-d", "a 'b' \"c\" $HOME `x` \n№ *"]

    assert words("/x y?$z", *odd) == ["curl", "http://127.0.0.1:8899/x y?$z", *odd]


def test_another_key_goes_in_place_of_ours(
    serving: Proxy, person: Person, key_file: Path
) -> None:
    other = ["-H", "x-proxy-key: other"]

    assert words("/x", *other)[2:] == other
    assert words("/x", "-i")[2:] == ["-H", "X-Proxy-Key: $KEY", "-i"]


def test_a_curl_that_a_signal_ended_is_told_as_shells_do(
    known: Person, showing: dict[str, str]
) -> None:
    program = Path(showing["PATH"].partition(os.pathsep)[0]) / "curl"
    program.write_text("#!/bin/sh\nkill -TERM $$\n", "utf-8")

    assert curl("/x", environ=showing).returncode == exitcodes.SIGTERM


# -- Mistakes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["https://host/api"], "the path must be one such as /api/v1/profile/get"),
        (["HTTP://host/api"], "the path must be"),
        (["-i", "/api"], "the path comes first, then curl's options such as -i"),
        (["--data=secret", "/api"], "curl's options such as --data (more"),
        ([], "missing argument 'PATH'"),
    ],
)
def test_a_mistyped_line_is_one_sentence(arguments: list[str], sentence: str) -> None:
    done = curl(*arguments)

    assert done.returncode == exitcodes.USAGE
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


def test_without_curl_it_says_what_to_do(known: Person) -> None:
    done = curl("/x", environ={"PATH": str(known.folder)})

    assert done.returncode == exitcodes.FAILED
    assert done.stderr.startswith("telemed-proxy: curl is not installed; ")
    assert done.stderr.count("\n") == 1


def test_without_a_proxy_and_a_port_there_is_nothing_to_call(person: Person) -> None:
    done = curl("/x")

    assert done.returncode == exitcodes.FAILED
    assert "no proxy answers at" in done.stderr


def test_a_proxy_that_was_asked_for_has_to_be_there(known: Person) -> None:
    address = closed_address()
    done = curl("--print", "--admin", str(address), "/x")

    assert done.returncode == exitcodes.FAILED
    assert f"no proxy answers at {address}" in done.stderr
