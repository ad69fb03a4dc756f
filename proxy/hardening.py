"""Keeps what is in this process's memory to this process."""

import ctypes
import logging
import sys

logger = logging.getLogger(__name__)

# linux/prctl.h
_PR_SET_DUMPABLE = 4


def keep_memory_private() -> None:
    """Have no core dump written, and on Linux no other program of this user look in.

    The tokens and keys are in memory as they are. A limit alone does not do: dumps that
    the kernel hands to a program (systemd-coredump, apport) are not bound by it.
    """
    if sys.platform == "win32":
        return  # dumps are made there for those only who ask for them
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if sys.platform == "linux":
            _set_undumpable()
    except (OSError, ValueError, AttributeError) as error:
        logger.warning("a crash might leave tokens in a core dump: %s", error)


def _set_undumpable() -> None:
    """Also closes /proc/PID/mem, /proc/PID/environ and ptrace to this user's others."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, "the kernel refuses to make it private")
