"""Units in their folder: written all or none, and told from those that are not ours."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from proxy.errors import ProxyError
from proxy.service.units import MARK, SERVICE_UNIT, SOCKET_UNIT

UNITS = (SERVICE_UNIT, SOCKET_UNIT)

SYSTEM_FOLDER = Path("/etc/systemd/system")


def unit_folder(environ: Mapping[str, str], *, system: bool) -> Path:
    """Return where the units of the system, or of this user, are kept."""
    if system:
        return SYSTEM_FOLDER
    home = environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "systemd" / "user"


def read_unit(file: Path) -> str | None:
    """Return the text of a unit, None where there is none.

    Raises:
        ProxyError: it cannot be read.
    """
    try:
        return file.read_text("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise ProxyError(f"{file} cannot be read ({exc.strerror})") from exc


def is_ours(file: Path) -> bool:
    """Return whether `install` wrote `file`."""
    # One that is masked is a link to /dev/null.
    return not file.is_symlink() and (read_unit(file) or "").startswith(MARK)


def foreign_units(folder: Path) -> list[Path]:
    """Return those of our names that somebody else wrote."""
    files = [folder / name for name in UNITS]
    return [each for each in files if os.path.lexists(each) and not is_ours(each)]


def write_units(folder: Path, texts: Mapping[str, str], *, force: bool) -> None:
    """Put the units into `folder`, and remove one of ours that is no longer wanted.

    All are written beside their places first, so that none is there without the other.

    Raises:
        ProxyError: they cannot be written, or would replace what somebody else wrote.
    """
    if not force and (foreign := foreign_units(folder)):
        raise ProxyError(
            f"{foreign[0]} was not written by this program; move it away, "
            "or replace it with --force"
        )
    fresh = {folder / name: folder / f".{name}.new" for name in texts}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, new in fresh.items():
            _write(new, texts[file.name])
        for file, new in fresh.items():
            new.replace(file)
    except OSError as exc:
        raise ProxyError(_why(exc, folder)) from exc
    finally:
        for new in fresh.values():
            with suppress(OSError):
                new.unlink(missing_ok=True)
    _remove(folder, [name for name in UNITS if name not in texts])


def remove_units(folder: Path) -> list[Path]:
    """Remove what `write_units` wrote, and what enables it; return that.

    Raises:
        ProxyError: it cannot be removed.
    """
    return _remove(folder, UNITS)


def closed_to_others(file: Path) -> str | None:
    """Return the command that lets others read `file`; None if they can."""
    for folder in reversed(file.parents):
        if not folder.stat().st_mode & 0o001:
            return f"chmod o+x {folder}"
    mode = file.stat().st_mode
    wanted = 0o005 if file.is_dir() else 0o004
    return None if mode & wanted == wanted else f"chmod o+rX {file}"


def _remove(folder: Path, names: Iterable[str]) -> list[Path]:
    """Remove those of the units that are ours, with the links that enable them."""
    removed = []
    for file in [folder / name for name in names if is_ours(folder / name)]:
        links = folder.glob(f"*.target.wants/{file.name}")
        for each in [*filter(Path.is_symlink, links), file]:
            try:
                each.unlink()
            except OSError as exc:
                raise ProxyError(_why(exc, each)) from exc
            removed.append(each)
    return removed


def _write(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    # Nothing in it is secret, and the manager of a user reads it as that user.
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(descriptor)


def _why(error: OSError, place: Path) -> str:
    where = error.filename or place
    step = "run it with sudo" if isinstance(error, PermissionError) else "try again"
    return f"{where} cannot be changed ({error.strerror}); mend that, or {step}"
