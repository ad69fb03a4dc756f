"""Who else can use a file that holds a secret."""

import os
import stat
import sys
from pathlib import Path


def open_to_others(file: Path) -> tuple[str, str] | None:
    """Return what lets others use `file`, and what mends it; None if nothing does.

    Raises:
        OSError: the file cannot be looked at.
    """
    if sys.platform == "win32":  # rights are kept elsewhere there; modes say nothing
        return None
    found = file.stat()
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        return f"others can use {file} (mode {mode:04o})", f"chmod 600 {file}"
    # Root can do everything anyway; any other owner can change the mode.
    if found.st_uid not in {0, os.geteuid()}:
        return (
            f"{file} belongs to another user (uid {found.st_uid})",
            f"chown {os.geteuid()} {file}",
        )
    return None
