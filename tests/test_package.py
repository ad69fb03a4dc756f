"""The wheel, alone in a clean environment."""

import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.running import Proxy, call, own_environ

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    [built] = folder.glob("*.whl")
    return built


def test_the_wheel_carries_every_file_of_the_package_and_nothing_else(
    wheel: Path,
) -> None:
    sources = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "proxy").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == sources


def test_the_wheel_alone_serves_a_call_through_the_sandbox(
    wheel: Path, tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    venv.create(environment)
    scripts = environment / ("Scripts" if sys.platform == "win32" else "bin")
    pip("--python", str(scripts / "python"), "install", str(wheel))
    empty, home = tmp_path / "empty", tmp_path / "home"
    empty.mkdir()
    home.mkdir()

    with Proxy(
        "sandbox",
        "--listen=127.0.0.1:0",
        "--admin=127.0.0.1:0",
        command=[str(scripts / "telemed-proxy")],
        folder=empty,
        environ={"HOME": str(home)},
    ) as proxy:
        proxy.login()
        answer = call("GET", f"{proxy.url}/api/v1/profile/get")
        assert answer.status_code == 200
        assert answer.json()["item"]
        page = call("GET", f"{proxy.admin}/")
        assert "<html" in page.text

    assert list(empty.iterdir()) == list(home.iterdir()) == []


def pip(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", *arguments],
        # Compiling all that is installed takes longer than installing it.
        env=own_environ() | {"PIP_NO_COMPILE": "1"},
        check=True,
        timeout=240,
    )
