"""serve and sandbox as programs: what they take, and how they end."""

import re
import signal
from pathlib import Path

import pytest

from proxy.cli import exitcodes
from tests.cli.conftest import PHONE, Person, Upstream
from tests.running import SMS, Proxy, Running, call

ANYWHERE = ("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")


def test_flags_win_over_the_config(person: Person) -> None:
    socket = person.folder / "proxy.sock"

    with Running(
        *("serve", "--listen", f"unix:{socket}", "--log-level", "error"),
        *("--listen", "127.0.0.1:0", "--admin", f"unix:{person.folder}/admin.sock"),
        folder=person.folder,
    ) as running:
        ready = running.expect(re.compile(r"ready: proxy (.*)  admin (\S+)"))

        assert ready[1].startswith(f"unix:{socket} http://127.0.0.1:")
        assert ready[2] == f"unix:{person.folder}/admin.sock"
        assert socket.is_socket()
        # A log line for each call is not an error.
        call("GET", f"{ready[1].split()[1]}/api/v1/profile/get")
        # And the commands find it there.
        status = person.run("status", "--admin", ready[2])
        assert status.exit_code == exitcodes.LOGIN_REQUIRED, status.output
        assert f"takes requests at:  unix:{socket}, 127" in status.stdout

    assert running.stop() == exitcodes.SIGTERM
    assert not any("telemed.access" in line for line in running.lines)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, exitcodes.SIGINT), (signal.SIGTERM, exitcodes.SIGTERM)],
)
def test_the_sandbox_ends_by_signal_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    environ = {"TMPDIR": str(tmp_path)}
    with Proxy("sandbox", *ANYWHERE, folder=tmp_path, environ=environ) as proxy:
        proxy.login()
        store = Path(proxy.ask("GET", "/api/status")["store"].removeprefix("file:"))
        assert store.exists()
        assert store.parent.parent == tmp_path
        proxy.process.send_signal(number)
        assert proxy.process.wait(timeout=15) == code

    assert list(tmp_path.iterdir()) == []
    assert not any("Traceback" in line for line in proxy.lines)


def test_the_sandbox_reads_neither_config_nor_environment(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("not: a config\n", "utf-8")
    environ = {
        "TELEMED_PROXY__UPSTREAM__API_URL": "https://real.example",
        "TELEMED_PROXY__NO_SUCH": "thing",
        "TELEMED_PROXY_CONFIG": "/nowhere.yaml",
    }

    options = ("--scenario", "short-lived", "--seed", "7")
    with Proxy(
        "sandbox", *ANYWHERE, *options, folder=tmp_path, environ=environ
    ) as proxy:
        proxy.login(PHONE)
        status = proxy.ask("GET", "/api/status")
        code = proxy.expect(SMS)["code"]

    assert status["upstream"].startswith("http://127.0.0.1:")
    assert status["expires_in"] <= 10
    with Upstream(seed=7) as same:
        assert same.code() == code


def test_an_address_in_use_is_one_sentence_and_exit_code_3(
    serving: Proxy, person: Person
) -> None:
    taken = serving.admin.removeprefix("http://")
    (person.folder / "config.yaml").unlink()

    with Running(
        "sandbox", "--listen", "127.0.0.1:0", "--admin", taken, folder=person.folder
    ) as running:
        assert running.process.wait(timeout=15) == exitcodes.CONFIG

    running.stop()
    assert running.lines[-1].startswith("telemed-proxy: ")
    assert f"{taken} is in use" in running.lines[-1]
    assert not any("Traceback" in line for line in running.lines)
