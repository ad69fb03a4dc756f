"""Load by curl: one process, one transfer."""

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class TransferError(Exception):
    """curl did not get the answer that it should have."""


@dataclass(frozen=True)
class Transfer:
    """What curl counted, and how long its process lived, in bytes and seconds."""

    down: int
    up: int
    seconds: float
    process: float
    answer: str


def run(url: str, *options: str | Path, folder: Path) -> Transfer:
    """Transfer `url`; the answer's content is kept where it is small."""
    told = folder / "answer"
    command: Sequence[str | Path] = [
        *("curl", "--silent", "--show-error", "--fail", "--max-time", "300"),
        # No config of the person's, no proxy of the environment's.
        *("--disable", "--noproxy", "*", "--write-out", "%{json}"),
        *("--output", "/dev/null" if "/files/" in url else told, *options, url),
    ]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    process = time.perf_counter() - began
    if done.returncode:
        raise TransferError(f"curl {url}: {done.stderr.strip()}")
    counted = json.loads(done.stdout)
    return Transfer(
        down=counted["size_download"],
        up=counted["size_upload"],
        seconds=counted["time_total"],
        process=process,
        answer="" if "/files/" in url else told.read_text(encoding="utf-8"),
    )
