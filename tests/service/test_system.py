"""The service of a whole system, under a real systemd: its user, keys and bounds."""

import re
from pathlib import Path

from proxy.cli import exitcodes
from tests.running import SMS, Proxy, call
from tests.service.whole_system import booted
from tests.test_systemd import listening, named

PASSWORD, KEY = "a-password-of-admin", "a-local-key-of-somebody"
T = "/srv/venv/bin/telemed-proxy"
CONFIG = "-c /srv/config.yaml"


def test_it_has_a_user_of_its_own_and_the_keys_of_root(tmp_path: Path) -> None:
    listen = ("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    with booted() as machine, Proxy("sandbox", *listen, folder=tmp_path) as upstream:
        found = upstream.expect(
            re.compile(r"sandbox api (\S+)\s+auth (\S+)\s+client_id (\S+)")
        )
        free = [listening(), listening()]
        proxy, admin = map(named, free)
        for each in free:
            each.close()
        closed = machine.types(
            "umask 077; echo 'upstream: {client_id: x}' > closed.yaml\n"
            f"{T} service install --system -c closed.yaml"
        )
        assert closed.returncode == exitcodes.CONFIG
        assert "run: chmod o+rX /srv/closed.yaml" in closed.stderr

        made = machine.types(
            f"cat > config.yaml <<'X'\n"
            f"upstream: {{api_url: '{found[1]}', auth_url: '{found[2]}',"
            f" client_id: {found[3]}}}\n"
            f"listen: ['{proxy}', 'unix:/run/telemed.sock']\n"
            f"admin: {{listen: '{admin}', password_file: password}}\n"
            f"access: {{local_key_file: keys}}\n"
            f"store: {{encryption_key_file: key}}\n"
            f"X\n"
            f"umask 077; echo {PASSWORD} > password; echo {KEY} > keys\n"
            f"{T} store key > key\n"
            f"{T} service install --system {CONFIG} --now"
        )
        assert made.returncode == 0, made.stderr + made.stdout

        before = len(upstream.lines)
        asked = call(
            "POST",
            f"http://{admin}/api/login/code",
            json={"phone": "+79161234567"},
            auth=("x", PASSWORD),
        )
        assert asked.ok, asked.text
        code = upstream.expect(SMS, since=before)["code"]
        login = machine.types(f"{T} login {CONFIG} '+7 916 123-45-67' --code {code}")
        assert login.returncode == 0, login.stderr

        url = f"http://{proxy}/api/v1/profile/get"
        assert call("GET", url).status_code == 401
        assert call("GET", url, headers={"X-Proxy-Key": KEY}).status_code == 200

        seen = machine.types(
            "pid=$(systemctl show -p MainPID --value telemed-proxy)\n"
            "stat -c 'mode %a of %U' /run/telemed.sock /var/lib/telemed-proxy/*.json\n"
            "stat -c 'user %u' /proc/$pid\n"
            "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/$pid/status\n"
            "head -c 20 /var/lib/telemed-proxy/tokens.json"
        )
        assert seen.returncode == 0, seen.stderr
        assert "mode 600 of root\nmode 600 of telemed-proxy\n" in seen.stdout
        assert "CapEff:\t0000000000000000\n" in seen.stdout
        assert re.search(r"NoNewPrivs:\s1\nSeccomp:\s2", seen.stdout)

        # The key of the token file, changed as the page says.
        changed = machine.types(
            f"cp key old; {T} store key > key; cat old >> key\n"
            f"systemctl restart telemed-proxy; {T} refresh {CONFIG}\n"
            f"sed -i 2d key; systemctl restart telemed-proxy\n"
            f"{T} service status --system"
        )
        assert changed.returncode == 0, changed.stderr + changed.stdout
        assert call("GET", url, headers={"X-Proxy-Key": KEY}).status_code == 200

        gone = machine.types(
            f"{T} service uninstall --system; find /etc/systemd/system ! -type d"
        )
        assert gone.stdout.count("\n") == 2, gone.stdout + gone.stderr
