"""The Dockerfile: linted, and its build stage carried out step by step."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.running import Proxy, call, own_environ

ROOT = Path(__file__).parent.parent
DOCKERFILE = ROOT / "Dockerfile"
INSTALLED = "/opt/telemed-proxy"
STATE = "/var/lib/telemed-proxy"
LOCAL_KEY = "/run/secrets/local_key"


@dataclass
class Stage:
    """The instructions of one stage, in order: (name, rest)."""

    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [rest for step, rest in self.steps if step == name]

    def environ(self) -> dict[str, str]:
        words = [word for rest in self.all("ENV") for word in shlex.split(rest)]
        return dict(word.split("=", 1) for word in words)


def read_stages() -> list[Stage]:
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    text = text.replace("\\\n", " ")
    stages: list[Stage] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            stages.append(Stage())
        elif stages:
            stages[-1].steps.append((name, rest))
    return stages


BUILD, RUNTIME = read_stages()


def test_the_linter_has_nothing_to_say() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if hadolint is None:
        pytest.skip("hadolint is not packaged for this system")
    linted = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_it_runs_without_root_and_keeps_state_on_a_volume() -> None:
    [user] = RUNTIME.all("USER")
    uid, gid = user.split(":")
    [accounts] = RUNTIME.all("RUN")
    assert f"--gid {gid} telemed" in accounts
    assert f"--uid {uid} --gid telemed" in accounts
    assert RUNTIME.all("VOLUME") == [STATE]
    assert RUNTIME.environ()["TELEMED_PROXY__STORE__URL"].startswith(f"file:{STATE}/")


def test_nothing_but_the_sources_gets_into_the_build() -> None:
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    copied = {
        name.strip("/") for rest in BUILD.all("COPY") for name in rest.split()[:-1]
    }
    assert "*" in allowed
    assert {line[1:].strip("/") for line in allowed if line[:1] == "!"} == copied


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build stage's steps, carried out below a folder instead of /."""
    root = tmp_path_factory.mktemp("image")
    source, python = root / "source", root / "python"
    source.mkdir()
    python.mkdir()
    # The base image calls it `python`; not every machine does.
    (python / "python").symlink_to(sys.executable)
    for name, rest in BUILD.steps:
        if name == "COPY":
            copy(rest.split(), source)
        elif name == "RUN":
            subprocess.run(
                ["/bin/sh", "-euc", below(root, rest)],
                cwd=source,
                env=own_environ()
                | {
                    "PATH": f"{python}{os.pathsep}{os.defpath}",
                    "PIP_NO_COMPILE": "1",  # slow, and changes nothing
                },
                check=True,
                timeout=240,
                stdout=subprocess.DEVNULL,
            )
    return root


def copy(words: list[str], to: Path) -> None:
    for word in words[:-1]:
        if word.endswith("/"):
            shutil.copytree(ROOT / word, to / word)
        else:
            shutil.copy(ROOT / word, to)


def below(root: Path, text: str) -> str:
    for place in (INSTALLED, STATE, LOCAL_KEY):
        text = text.replace(place, f"{root}{place}")
    return text


@pytest.mark.timeout(300)
def test_the_built_program_starts_guarded_and_says_that_a_login_is_needed(
    image: Path,
) -> None:
    key = Path(below(image, LOCAL_KEY))
    key.parent.mkdir(parents=True)
    key.write_text("container-key\n")
    key.chmod(0o600)
    environ = {
        name: below(image, value).replace("$PATH", os.environ["PATH"])
        for name, value in RUNTIME.environ().items()
    }
    environ |= {
        "HOME": str(image),
        # Ports are shared with everything else on this machine.
        "TELEMED_PROXY__LISTEN": "0.0.0.0:0",
        "TELEMED_PROXY__ADMIN__LISTEN": "127.0.0.1:0",
        "TELEMED_PROXY__UPSTREAM__CLIENT_ID": "98483c47f17f4888b0bf695d1165062e",
    }
    [entry], [command] = RUNTIME.all("ENTRYPOINT"), RUNTIME.all("CMD")
    program = [below(image, f"{INSTALLED}/bin/{name}") for name in strings(entry)]

    with Proxy(
        *strings(command), command=program, folder=image, environ=environ
    ) as proxy:
        url = proxy.url.replace("0.0.0.0", "127.0.0.1")
        profile = f"{url}/api/v1/profile/get"
        assert call("GET", profile).status_code == 401
        answer = call("GET", profile, headers={"X-Proxy-Key": "container-key"})
        assert answer.status_code == 503
        assert answer.json()["value"] == "login_required"

        [health] = RUNTIME.all("HEALTHCHECK")
        environ["TELEMED_PROXY__ADMIN__LISTEN"] = proxy.admin.removeprefix("http://")
        checked = subprocess.run(
            [program[0], *strings(health.partition("CMD ")[2])[1:]],
            cwd=image,
            env=own_environ() | environ,
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert checked.returncode == 4
        assert "telemed-proxy login" in checked.stdout

        assert proxy.stop() in (0, 128 + signal.SIGTERM)


def strings(form: str) -> list[str]:
    """Return the words of an instruction's JSON form."""
    return re.findall(r'"([^"]*)"', form)
