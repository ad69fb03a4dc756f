"""A real Secret Service on a bus of its own: gnome-keyring, unlocked, in a folder."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.programs import need
from tests.running import own_environ

COMMAND = (
    'echo "$DBUS_SESSION_BUS_ADDRESS"; '
    "exec gnome-keyring-daemon --foreground --unlock --components=secrets"
)

NAME = "org.freedesktop.secrets"
PATIENCE = 20.0


@contextmanager
def open_secret_service(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the environment in which it is found; its files are in `folder`."""
    need("dbus")
    need("gnome-keyring")
    home = {name: str(folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")}
    with subprocess.Popen(
        ["dbus-run-session", "--", "sh", "-c", COMMAND],
        env=own_environ() | home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        # The password of the keyring, which is made now; it ends with the input.
        process.stdin.write("secret")
        process.stdin.close()
        try:
            bus = process.stdout.readline().strip()
            deadline = time.monotonic() + PATIENCE
            while not _is_open(bus):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield {"DBUS_SESSION_BUS_ADDRESS": bus}
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def _is_open(bus: str) -> bool:
    """Return whether the keyring can be used; asking earlier would start another."""
    # On Linux only.
    import secretstorage
    from jeepney import message_bus
    from jeepney.io.blocking import open_dbus_connection
    from secretstorage.exceptions import ItemNotFoundException

    with open_dbus_connection(bus) as connection:
        asked = connection.send_and_get_reply(message_bus.NameHasOwner(NAME))
        if not asked.body[0]:
            return False
        try:
            default = secretstorage.get_collection_by_alias(connection, "default")
            return not default.is_locked()
        except ItemNotFoundException:
            return False
