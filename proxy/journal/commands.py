"""An exchange's request as a command that sends it again. Pure.

The commands are for `sh`; pasted into it, they send the same method, target, fields and
content, byte for byte. `command` takes a masked entry: what is masked stays so.
"""

from typing import Final

from proxy.journal.command_curl import curl
from proxy.journal.command_httpie import httpie
from proxy.journal.command_parts import call_of
from proxy.journal.command_python import python
from proxy.journal.entry import Entry

_WRITERS: Final = {
    "curl": curl,
    "curl-direct": curl,
    "python": python,
    "httpie": httpie,
}

KINDS: Final = tuple(_WRITERS)
"""What `command` can write: `curl-direct` goes to the upstream, with `$TOKEN`."""


def command(entry: Entry, kind: str) -> str:
    """Return the request of a masked `entry` as a command of `kind`, one of `KINDS`.

    Raises:
        KeyError: there is no such kind.
    """
    write = _WRITERS[kind]
    return write(call_of(entry, direct=kind == "curl-direct")) + "\n"
