"""Has schemathesis make the calls of a document, and compare the answers with it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.running import own_environ

SHOWN = 12_000
"""Characters of a report: it repeats requests, some of them long."""


def expect_as_documented(
    document: Any, url: str, config: Path, folder: Path, *options: str
) -> str:
    """Make the calls of `document` at `url`, and fail where it says something else.

    `config` says how; its generation is deterministic. Returns the report.
    """
    file = folder / "document.json"
    file.write_text(json.dumps(document), "utf-8")
    # A process of its own: its plugin for pytest is switched off in this one.
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", str(config), "run", str(file), "--url", url),
            *("--no-color", *options),
        ],
        cwd=folder,
        env=own_environ() | {"PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=60,
        check=False,
    )
    lines = (line[:400] for line in ended.stdout.splitlines())
    report = "\n".join(lines)
    assert ended.returncode == 0, report[-SHOWN:]
    return report
