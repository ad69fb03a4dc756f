"""No room on the disk, and a folder that cannot be written to, while tokens are due."""

import os
import resource
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.reliability.program import Program, until
from tests.reliability.race import Load, generations
from tests.reliability.world import World, settled


class Shortage(ABC):
    """A way in which the token file cannot be written for a while."""

    name: str
    prefix: Sequence[str] = ()
    """What the program is started with, so that it can be done to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def begin(self, program: Program) -> None:
        """From now on nothing can be saved."""

    @abstractmethod
    def end(self, program: Program) -> None:
        """From now on it can."""

    def look_into(self, program: Program, world: World) -> None:  # noqa: B027
        """Have `world` find the token file where the program has it."""


class FileLimit(Shortage):
    """The process may write no file longer than a byte."""

    name = "file size limit"

    def begin(self, program: Program) -> None:
        self._limit(program, 1)

    def end(self, program: Program) -> None:
        self._limit(program, resource.RLIM_INFINITY)

    def _limit(self, program: Program, size: int) -> None:
        resource.prlimit(
            program.process.pid,
            resource.RLIMIT_FSIZE,
            (size, resource.RLIM_INFINITY),
        )


class ReadOnlyFolder(Shortage):
    """The folder's mode lets nobody write in it."""

    name = "read-only folder"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        if os.geteuid() == 0:  # whom modes do not keep from anything
            drop = "-dac_override"
            self.prefix = ("setpriv", f"--inh-caps={drop}", f"--bounding-set={drop}")

    def begin(self, program: Program) -> None:
        self.folder.chmod(0o500)

    def end(self, program: Program) -> None:
        self.folder.chmod(0o700)


class FullDisk(Shortage):
    """A file system of 64 KiB that only the program sees, and a file that fills it."""

    name = "full disk"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        mount = 'mount -t tmpfs -o size=64k,mode=700 none "$0" && exec "$@"'
        self.prefix = ("unshare", "--mount", "sh", "-c", mount, str(folder))

    @staticmethod
    def is_possible() -> bool:
        """Say whether file systems may be mounted here, as not even root may always."""
        if not shutil.which("unshare"):
            return False
        tried = subprocess.run(
            ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
            capture_output=True,
            check=False,
        )
        return tried.returncode == 0

    def look_into(self, program: Program, world: World) -> None:
        root = Path(f"/proc/{program.process.pid}/root")
        world.tokens = root / world.tokens.relative_to("/")
        self.folder = world.tokens.parent

    def begin(self, program: Program) -> None:
        with (self.folder / "filler").open("wb", buffering=0) as file:
            os.fchmod(file.fileno(), 0o600)
            with suppress(OSError):
                while True:
                    file.write(b"\0" * 4096)

    def end(self, program: Program) -> None:
        (self.folder / "filler").unlink(missing_ok=True)


async def shortage(world: World, kind: type[Shortage], tries: int = 2) -> int:
    """Have it come while a refresh is due, and go; return how many calls were made.

    It lasts for `tries` more tries. The refresh waits for room, as its answer could not
    be saved.
    """
    async with _shortage(world, kind) as (program, load, lack):
        lack.begin(program)
        await _failed_to_save(program)
        # A refresh that was under way when it began may be answered after it.
        before, made = len(world.refreshes), load.answers.total()
        tried = program.count("next try in")
        await until(lambda: program.count("next try in") >= tried + tries)
        await until(lambda: load.answers.total() >= made + 10)
        assert len(world.refreshes) == before, "spent, and not to be saved"
        lack.end(program)
    return load.answers.total()


async def shortage_past_the_end(world: World, kind: type[Shortage]) -> int:
    """Have it last longer than the access token.

    Then there is no choice: the new pair is used from memory, and saved when it can be.
    """
    async with _shortage(world, kind) as (program, load, lack):
        lack.begin(program)
        await _failed_to_save(program)
        await generations(world, 2)
        assert world.generation_saved() < world.issued()
        lack.end(program)
    return load.answers.total()


@asynccontextmanager
async def _shortage(
    world: World, kind: type[Shortage]
) -> AsyncIterator[tuple[Program, Load, Shortage]]:
    folder = world.tokens.parent
    folder.mkdir(mode=0o700)
    lack = kind(folder)
    async with world, world.program(prefix=lack.prefix) as program:
        lack.look_into(program, world)
        await world.login(program)
        await settled(world, program)
        load = Load([program])
        async with load.running():
            try:
                yield program, load, lack
            except BaseException:
                lack.end(program)
                raise
            await program.told(lambda told: told["last_error"] is None)
            await generations(world, 1)
            await settled(world, program)
        assert not load.failed, load.failed[:5]
        assert world.outcomes().keys() == {"issued"}, world.outcomes()
        assert world.sandbox.spent_presented == 0
        program.pause()
        world.check_files()


async def _failed_to_save(program: Program) -> None:
    await program.told(lambda told: "check the folder" in str(told["last_error"]))
