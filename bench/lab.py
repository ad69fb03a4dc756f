"""Where a run takes place: a folder, the upstream, and everybody who was started.

What a `Lab` starts ends with it, also on Ctrl-C; all of it listens on loopback only.
"""

import getpass
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.peers.others import PEERS
from bench.peers.ours import ROOT, Ours, Prepared, prepare, start_ours
from bench.peers.running import Place, Running
from bench.processes import StartError, accepts, allow_many_files, free_port, start
from bench.results import Results
from bench.upstream import Upstream, start_upstream

OURS = "telemed-proxy"
QUIET = "telemed-proxy, no journal or log"
NO_UVLOOP = "telemed-proxy, no uvloop"

SILENCE: dict[str, Any] = {"journal": {"exchanges": 0}, "log": {"access": False}}


@dataclass(frozen=True)
class Options:
    """How much of everything, and of which checkout."""

    rounds: int = 5
    seconds: float = 3.0
    idle: float = 100.0
    soak: float = 1.0  # minutes
    peers: tuple[str, ...] = tuple(PEERS)
    variants: tuple[str, ...] = (OURS, QUIET, NO_UVLOOP)
    tree: Path = ROOT
    also: tuple[Path, ...] = ()


@dataclass
class Lab:
    """A run: what was asked for, what was found, and how to start somebody."""

    options: Options
    results: Results
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self.files = allow_many_files()
        try:
            self.folder = Path(
                self.stack.enter_context(
                    tempfile.TemporaryDirectory(prefix="telemed-proxy-bench-")
                )
            )
            # nginx's worker, if it changes to another user, reads files in it.
            self.folder.chmod(0o755)
            self._numbers = itertools.count()
            self.upstream = start_upstream(
                self.folder, self.files, nginx_user, self.stack
            )
            self.auth_url = self._start_authorization()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stack.close()

    def names(self) -> list[str]:
        """Return everybody there is in this run, this proxy and its variants last."""
        return [
            *(name for name in PEERS if name in self.options.peers),
            *self.options.variants,
            *(label(tree) for tree in self.options.also),
        ]

    @contextmanager
    def running(
        self, *names: str, settings: dict[str, Any] | None = None
    ) -> Iterator[list[Running]]:
        """Start those of `names` that are part of this run, until the block ends.

        `settings` are this proxy's, for what its default configuration would refuse.
        """
        with ExitStack() as stack:
            there = [name for name in names if name in self.names()]
            tried = [self._try(name, stack, settings or {}) for name in there]
            yield [one for one in tried if one is not None]

    @contextmanager
    def ours(
        self, settings: dict[str, Any] | None = None, upstream: Upstream | None = None
    ) -> Iterator[Running]:
        """Start this proxy with `settings`, in front of `upstream`."""
        with ExitStack() as stack:
            ours = Ours(self.options.tree, settings or {})
            yield self._start_ours(OURS, ours, self.place(upstream), stack)

    def prepared(self) -> tuple[Prepared, Place]:
        """Return what starts this proxy, for those who start it themselves."""
        place = self.place()
        return prepare(Ours(self.options.tree), place, self.auth_url), place

    def place(self, upstream: Upstream | None = None) -> Place:
        """Return a folder and a port that nobody else has."""
        folder = self.folder / str(next(self._numbers))
        folder.mkdir()
        return Place(
            folder, free_port(), upstream or self.upstream, self.files, nginx_user()
        )

    def _try(
        self, name: str, stack: ExitStack, settings: dict[str, Any]
    ) -> Running | None:
        """Start it; a peer that does not start is left out."""
        try:
            return self._start(name, stack, settings)
        except StartError:
            if name not in PEERS:
                raise
            self.results.left_out[name] = "it did not start"
            return None

    def _start(self, name: str, stack: ExitStack, settings: dict[str, Any]) -> Running:
        place = self.place()
        if (ours := self._variants().get(name)) is not None:
            ours = replace(ours, settings=ours.settings | settings)
            return self._start_ours(name, ours, place, stack)
        started = PEERS[name](place)
        stack.callback(started.stop)
        return Running(name, f"http://127.0.0.1:{place.port}", started)

    def _start_ours(
        self, name: str, ours: Ours, place: Place, stack: ExitStack
    ) -> Running:
        prepared = prepare(ours, place, self.auth_url)
        # Logged in once and started again, as it runs for most of its life.
        start_ours(prepared, place).stop()
        started = start_ours(prepared, place, log_in=False)
        stack.callback(started.stop)
        url = f"http://127.0.0.1:{place.port}"
        return Running(name, url, started, prepared.admin)

    def _variants(self) -> dict[str, Ours]:
        ours = Ours(self.options.tree)
        return {
            OURS: ours,
            QUIET: replace(ours, settings=SILENCE),
            NO_UVLOOP: replace(ours, uvloop=False),
            **{label(tree): Ours(tree) for tree in self.options.also},
        }

    def _start_authorization(self) -> str:
        port = free_port()
        server = start(
            [sys.executable, "-m", "bench.authorization", str(port)],
            self.folder / "authorization.out",
            folder=ROOT,
            ready=accepts(port),
        )
        self.stack.callback(server.stop)
        return f"http://127.0.0.1:{port}"


def label(tree: Path) -> str:
    """Return what the checkout in `tree` is called in tables."""
    return f"also {tree.name}"


def nginx_user() -> str:
    """Return the line by which nginx's worker stays who started it.

    Root's would become nobody, who may not look into our folder.
    """
    return f"user {getpass.getuser()};" if os.geteuid() == 0 else ""


def say(text: str) -> None:
    """Tell the person who waits what is going on."""
    width = shutil.get_terminal_size().columns - 1
    if sys.stderr.isatty():
        print(f"\r\033[K{text[:width]}", end="", file=sys.stderr, flush=True)
    else:
        print(text, file=sys.stderr, flush=True)
