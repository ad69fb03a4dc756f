"""One exchange as it is shown and exported. Pure."""

from dataclasses import dataclass, field
from typing import Final

TextField = tuple[str, str]
"""A field's name and value as they came, read as UTF-8 with surrogate escapes."""

STAGES: Final = (
    "earlier",
    "access",
    "token",
    "connection",
    "dns",
    "tcp",
    "tls",
    "first_byte",
    "content",
)
"""The parts of an exchange's time, in their order.

A first sending was rejected or broke off (`earlier`), who calls and what for was
checked (`access`), a token waited for (`token`), a free
connection waited for (`connection`) or opened (`dns`, `tcp`, `tls`); then the upstream
took its time for the head of the answer (`first_byte`), and the rest came (`content`).
"""


@dataclass(frozen=True, slots=True)
class KeptContent:
    """A message's content, less its transfer coding.

    `data` is its beginning, as far as it was kept; `size` and `sha256` (hex) are those
    of all of it.
    """

    data: bytes
    size: int
    sha256: str

    @property
    def is_whole(self) -> bool:
        """Whether all of it was kept."""
        return len(self.data) == self.size


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response. `content` is None where it was not kept.

    A message without content has an empty one that was kept, whatever the settings.
    """

    fields: list[TextField]
    content: KeptContent | None

    def value(self, name: str) -> str | None:
        """Return the value of the first field called `name`, whatever its case."""
        wanted = name.lower()
        return next(
            (value for each, value in self.fields if each.lower() == wanted), None
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One exchange. Times are seconds: `started` since the epoch, others durations.

    `id` is the journal's, `request_id` what log lines have, which a client may choose.
    `status` is 0, and `response` None, while there is no response, or if there never
    was one. `error` is a word such as `connection_refused`, `detail` the sentence that
    the client was told. `timing` has those of `STAGES` that took place. `warm` says
    that the connection had been used before, and is None where none was used.
    `received` and `sent` count bytes on the client's side. `upstream` is the API's
    base URL, `listener` ours, as `http://127.0.0.1:8080` or `unix:PATH`.
    """

    id: str
    number: int
    request_id: str
    started: float
    method: str
    target: str
    request: Message
    response: Message | None
    http_version: str = "1.1"
    status: int = 0
    reason: str = ""
    answered_by: str = "upstream"
    error: str | None = None
    detail: str | None = None
    caller: str | None = None
    running: bool = False
    warm: bool | None = None
    replayed: bool = False
    resent: bool = False
    paid: bool = False
    replay_of: str | None = None
    seconds: float = 0.0
    timing: dict[str, float] = field(default_factory=dict)
    received: int = 0
    sent: int = 0
    upstream: str = ""
    listener: str = ""
    masked: bool = False
