"""The third party's library and its tests, in an environment of their own.

Nothing of it is part of this project. It is installed once, beside the developer's
environment, and later runs find it there.
"""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from filelock import FileLock

REQUESTS = "2.34.2"
"""The exact version: the differences are listed for its tests."""

PACKAGES = (
    f"requests[socks]=={REQUESTS}",
    "httpbin==0.10.4",
    "pytest>=8",
    "pytest-httpbin==2.1.0",
    "pytest-mock>=3.14",
    "trustme>=1.1",
    "waitress>=3,<4",
)

CACHE = Path(__file__).parents[2] / ".venv" / "third-party"
PYTHON = CACHE / "environment" / "bin" / "python"
SUITE = CACHE / f"requests-{REQUESTS}"


def make_environment() -> None:
    """Install what is not there yet."""
    CACHE.mkdir(parents=True, exist_ok=True)
    stamp = CACHE / "complete"
    content = "\n".join([sys.version, *PACKAGES])
    with FileLock(CACHE / "lock"):
        if stamp.exists() and stamp.read_text() == content:
            return
        stamp.unlink(missing_ok=True)
        shutil.rmtree(SUITE, ignore_errors=True)
        _python("venv", "--clear", "--without-pip", str(PYTHON.parents[1]))
        _pip("--python", str(PYTHON), "install", *PACKAGES)
        # Only the source distribution has the tests.
        source = ("--no-deps", "--no-binary", "requests", f"requests=={REQUESTS}")
        _pip("download", "--dest", str(CACHE), *source)
        with tarfile.open(SUITE.with_name(f"{SUITE.name}.tar.gz")) as archive:
            # Before 3.11.4 there are no filters; without one, 3.12 and later warn.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(CACHE)
        stamp.write_text(content)


def _pip(*arguments: str) -> None:
    _python("pip", "--disable-pip-version-check", "--no-input", "--quiet", *arguments)


def _python(module: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"cannot install the suite of requests: {done.stdout[-500:]}")
