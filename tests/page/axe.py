"""axe-core, which knows what makes a page hard to use, from npm.

It is fetched once, beside the developer's environment, and later runs find it there.
"""

import json
import re
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from playwright.sync_api import Page

from tests.programs import need

VERSION = "4.14.1"
"""The exact version: what it complains of differs from one to the next."""

CACHE = Path(__file__).parents[2] / ".venv" / "axe-core"

# Whatever it knows but what is still tried out there.
_RUN = """() => axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  resultTypes: ["violations"],
})"""


def complaints(page: Page) -> list[str]:
    """Return what axe finds wrong with `page` as it stands, a line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_script())
    found: dict[str, Any] = page.evaluate(_RUN)
    # A page that nothing was tried on has no faults either.
    assert len(found["passes"]) > 10, found
    return [
        f"{rule['id']}: {rule['help']}: {node['html']} {_why(node)}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def _why(node: dict[str, Any]) -> str:
    return " ".join(re.findall(r"Element has .*", node.get("failureSummary", "")))


@cache
def _script() -> str:
    path = CACHE / f"axe-{VERSION}.min.js"
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE / "lock"):
        if not path.exists():
            _fetch(path)
    return path.read_text("utf-8")


def _fetch(path: Path) -> None:
    """Have npm bring the package, from the registry that it is set to; keep a file.

    npm checks the archive against the registry's hash, and runs nothing of it.
    """
    need("npm")
    unpacked = CACHE / "package"
    done = subprocess.run(
        [
            *("npm", "pack", f"axe-core@{VERSION}", "--json"),
            *("--pack-destination", str(CACHE)),
        ],
        cwd=CACHE,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"npm cannot fetch axe-core: {done.stderr[-500:]}")
    packed = CACHE / json.loads(done.stdout)[0]["filename"]
    with tarfile.open(packed) as archive:
        # Before 3.11.4 there are no filters; without one, 3.12 and later warn.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extract("package/axe.min.js", CACHE)
    (unpacked / "axe.min.js").replace(path)
    shutil.rmtree(unpacked)
    packed.unlink()
