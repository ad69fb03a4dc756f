"""What a peer needs in order to start, and what is known of it when it runs."""

from dataclasses import dataclass, field
from pathlib import Path

from bench.processes import Started
from bench.upstream import Upstream


@dataclass(frozen=True)
class Place:
    """Where a peer finds what it needs; `folder` is its own."""

    folder: Path
    port: int
    upstream: Upstream
    files: int  # how many it may open
    user: str  # the line by which nginx stays who started it


@dataclass(frozen=True)
class Running:
    """A peer that takes calls at `url`."""

    name: str
    url: str
    program: Started
    admin: str = ""
    extra: dict[str, str] = field(default_factory=dict)
