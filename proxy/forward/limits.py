"""What callers may take of this program; over it, they are answered at once."""

from dataclasses import dataclass

from proxy.errors import OverLimitError
from proxy.http1.head import MAX_HEAD


@dataclass(frozen=True, slots=True)
class InboundLimits:
    """Connections, bytes of a head, and seconds for it to come."""

    connections: int = 10_000
    head_size: int = MAX_HEAD
    head_time: float = 30.0


class Budget:
    """Bytes of content in memory: those of requests, and what slow readers leave.

    `content` is kept up by those who keep it; `unsent` is measured now and then.
    """

    __slots__ = ("_limit", "content", "unsent")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.content = 0
        self.unsent = 0

    @property
    def spent(self) -> bool:
        """Whether nothing more should be kept."""
        return self.content + self.unsent > self._limit

    def check(self, *, has_content: bool) -> None:
        """Refuse a request while there is no room for what it brings.

        One without content takes none of what uploads take. Raises OverLimitError.
        """
        taken = self.unsent + (self.content if has_content else 0)
        if taken > self._limit:
            raise OverLimitError(
                "the callers together have more content under way than is kept in "
                "memory (limits.buffered); try again",
                value="buffered",
            )
