"""How the programs of the pages are run, and what each needs."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import programs
from tests.recipes.pages import ADDRESS, ALL
from tests.running import own_environ

PATIENCE = 40

# Nobody listens there: a program that heeds these does not reach the proxy.
NOWHERE = dict.fromkeys(
    (
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ),
    "http://127.0.0.1:9",
)


@dataclass(frozen=True)
class Runner:
    """What starts a program, the name of its file, and what has to be there."""

    command: tuple[str, ...]
    file: str
    needs: str = ""
    module: str = ""


_JAVA = (
    "java",
    # A short run gains nothing from the optimizing compiler.
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
)
# Warnings and notices on stdout, and none of them is fine.
_PHP = ("php", "-d", "error_reporting=-1", "-d", "display_errors=1")
_PYTHON = (sys.executable, "-W", "error::DeprecationWarning")

RUNNERS = {
    "curl-1": Runner(("sh",), "recipe.sh", "curl"),
    "wget-1": Runner(("sh",), "recipe.sh", "wget"),
    "python-1": Runner(_PYTHON, "recipe.py", module="requests"),
    "python-2": Runner(_PYTHON, "recipe.py", module="httpx"),
    "python-3": Runner(_PYTHON, "recipe.py"),
    "node-1": Runner(("node",), "recipe.mjs", "node"),
    "node-2": Runner(("node",), "recipe.mjs", "node"),
    "java-1": Runner(_JAVA, "Recipe.java", "java"),
    "php-1": Runner(_PHP, "recipe.php", "php"),
    "php-2": Runner(_PHP, "recipe.php", "php"),
    "perl-1": Runner(("perl", "-w"), "recipe.pl", "perl"),
    "perl-2": Runner(("perl", "-w"), "recipe.pl", "lwp"),
}


def run(
    name: str, url: str, folder: Path, environ: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the program `name` against `url` in `folder`, where it finds a scan.pdf."""
    runner = RUNNERS[name]
    if runner.needs:
        programs.need(runner.needs)
    if runner.module:
        pytest.importorskip(runner.module)
    text = ALL[name].text
    assert ADDRESS in text
    file = folder / runner.file
    file.write_text(text.replace(ADDRESS, url), encoding="utf-8")
    return subprocess.run(
        [*runner.command, str(file)],
        cwd=folder,
        env=own_environ()
        | NOWHERE
        | {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "HOME": str(folder)}
        | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )
