"""The service of a user, under a real systemd."""

import re
import sys
from pathlib import Path

from proxy.cli import exitcodes
from tests.running import SMS, Proxy, call
from tests.service.conftest import Manager
from tests.test_systemd import Calling, listening, named


def configure(manager: Manager, upstream: Proxy) -> tuple[Path, str, str]:
    """Write a config; return it, and where it has the proxy listen."""
    found = upstream.expect(
        re.compile(r"sandbox api (\S+)\s+auth (\S+)\s+client_id (\S+)")
    )
    free = [listening(), listening()]
    proxy, admin = map(named, free)
    for each in free:
        each.close()
    # A name that units have to be told with care.
    folder = manager.home / '50% of "it\'s" $HOME; здесь'
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(
        f"upstream: {{api_url: '{found[1]}', auth_url: '{found[2]}',"
        f" client_id: {found[3]}}}\n"
        f"listen: ['{proxy}', 'unix:{manager.runtime}/own socket']\n"
        f"admin: {{listen: '{admin}'}}\n"
    )
    return folder / "config.yaml", f"http://{proxy}", f"http://{admin}"


def log_in(admin: str, upstream: Proxy) -> None:
    before = len(upstream.lines)
    asked = call("POST", f"{admin}/api/login/code", json={"phone": "+79161234567"})
    assert asked.ok, asked.text
    code = upstream.expect(SMS, since=before)["code"]
    done = call("POST", f"{admin}/api/login/token", json={"validation_code": code})
    assert done.ok, done.text


def test_a_service_from_its_start_to_its_end(manager: Manager) -> None:
    listen = ("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    with Proxy("sandbox", *listen, folder=manager.home) as upstream:
        config, proxy, admin = configure(manager, upstream)

        installed = manager.service("install", "-c", str(config), "--now")
        assert installed.returncode == 0, installed.stderr + installed.stdout
        state = manager.service("status")
        assert state.returncode == 0
        assert state.stdout.count("enabled, active") == 2
        assert f"admin page: {admin}" in state.stdout
        assert "nobody is logged in" in state.stdout

        log_in(admin, upstream)
        tokens = manager.home / "state of mine" / "telemed-proxy" / "tokens.json"
        assert tokens.exists()
        assert (manager.runtime / "own socket").stat().st_mode & 0o777 == 0o600
        port = int(proxy.rpartition(":")[2])
        with Calling(port) as calling:
            for _ in range(2):
                calling.wait_for(20)
                done = manager.types("systemctl", "--user", "restart", "telemed-proxy")
                assert done.returncode == 0, done.stderr
            calling.wait_for(20)
        assert set(calling.answers) == {200}

        # Once more, while it runs, and without what keeps the sockets.
        again = manager.service("install", "-c", str(config), "--now", "--no-socket")
        assert again.returncode == 0, again.stderr
        assert call("GET", f"{proxy}/api/v1/profile/get").status_code == 200
        assert manager.service("status").stdout.count("enabled, active") == 1

        gone = manager.service("uninstall")
        assert gone.returncode == 0, gone.stderr
        left = [
            each for each in manager.home.rglob("*") if "telemed-proxy." in each.name
        ]
        assert left == []
        assert tokens.exists()
        assert config.exists()
        assert manager.service("status").returncode == exitcodes.FAILED


def test_what_the_page_says_to_type(manager: Manager) -> None:
    page = Path(__file__).parents[2] / "docs" / "operations" / "systemd.md"
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
    script = "".join(block for block in blocks if "sudo" not in block)
    # There is no journald.
    script = re.sub(r"^journalctl.*\n", "", script, flags=re.M)
    for word in ("install -c ~/", "status", "restart", "uninstall"):
        assert word in script

    listen = ("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    with Proxy("sandbox", *listen, folder=manager.home) as upstream:
        config, *_ = configure(manager, upstream)
        config.parent.rename(manager.home / "telemed")
        bin_folder = Path(sys.executable).parent
        path = f"PATH={bin_folder}:/usr/local/bin:/usr/bin:/bin"
        done = manager.types("env", path, "sh", "-euxc", script)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "enabled, active" in done.stdout
    assert "Removed " in done.stdout


def test_one_that_does_not_start_says_where_to_read_why(manager: Manager) -> None:
    listen = ("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    with Proxy("sandbox", *listen, folder=manager.home) as upstream:
        config, *_ = configure(manager, upstream)
        config.write_text(
            config.read_text() + "access: {local_key_file: nothing-is-here}\n"
        )

        failed = manager.service("install", "-c", str(config), "--now", "--no-socket")

    assert failed.returncode == exitcodes.FAILED
    assert "journalctl --user -e -u telemed-proxy.service" in failed.stderr
    assert failed.stderr.count("\n") == 1
