"""Who else can use a file that holds a secret."""

import os
import sys
from pathlib import Path

import pytest

from proxy.secret_files import open_to_others
from tests.cli.conftest import Upstream, settings
from tests.running import Proxy

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes say nothing")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.mark.parametrize(
    ("mode", "well"),
    [(0o600, True), (0o400, True), (0o640, False), (0o602, False), (0o604, False)],
)
def test_the_mode_tells(tmp_path: Path, mode: int, well: bool) -> None:
    file = tmp_path / "key"
    file.touch()
    file.chmod(mode)

    found = open_to_others(file)

    assert (found is None) == well
    if found is not None:
        assert found[1] == f"chmod 600 {file}"


@as_root
def test_the_owner_tells(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.touch(mode=0o600)
    os.chown(file, 65534, -1)

    found = open_to_others(file)

    assert found is not None
    assert "belongs to another user (uid 65534)" in found[0]
    assert found[1] == f"chown {os.geteuid()} {file}"


def test_serve_says_at_its_start_which_files_are_open(tmp_path: Path) -> None:
    with Upstream() as upstream:
        text = settings(upstream, tmp_path, "127.0.0.1:0")
    keys = tmp_path / "keys"
    keys.write_text("hunter2\n")
    keys.chmod(0o644)
    text += f"access: {{local_key_file: '{keys}'}}\n"
    (tmp_path / "config.yaml").write_text(text, "utf-8")

    with Proxy("serve", folder=tmp_path) as proxy:
        pass

    [warning] = [line for line in proxy.lines if "others can use" in line]
    assert f"access.local_key_file: others can use {keys} (mode 0644)" in warning
    assert f"run: chmod 600 {keys}" in warning
    assert not any("hunter2" in line for line in proxy.lines)
