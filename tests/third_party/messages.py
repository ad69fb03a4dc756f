"""HTTP messages as they were on the wire, a character for each byte."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Message:
    """A head, and as much of the content as its reader took."""

    text: str

    @cached_property
    def start(self) -> str:
        return self._head[0]

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        pairs = (line.partition(":") for line in self._head[1:])
        return [(name, value.strip()) for name, _, value in pairs]

    def values(self, name: str) -> list[str]:
        return [value for one, value in self.fields if one.lower() == name]

    @cached_property
    def content(self) -> bytes:
        """The content, out of its chunks."""
        framed = self.text.partition("\r\n\r\n")[2]
        chunks = _chunks(framed) if self._is_chunked else [framed]
        return "".join(chunks).encode("latin-1")

    @cached_property
    def is_whole(self) -> bool:
        if self._is_chunked:
            return self.text.endswith("\r\n0\r\n\r\n")
        return self.values("content-length") in ([], [str(len(self.content))])

    @cached_property
    def decoded(self) -> bytes:
        """The content without its content coding, where that is known."""
        match self.values("content-encoding"):
            case ["gzip"]:
                return gzip.decompress(self.content)
            case ["deflate"]:
                return zlib.decompress(self.content)
            case _:
                return self.content

    @property
    def _head(self) -> list[str]:
        return self.text.partition("\r\n\r\n")[0].split("\r\n")

    @property
    def _is_chunked(self) -> bool:
        return self.values("transfer-encoding") == ["chunked"]


def _chunks(framed: str) -> Iterator[str]:
    """Yield what is in the chunks; the reader may have stopped at any point."""
    while framed:
        size, _, framed = framed.partition("\r\n")
        length = int(size, 16)
        yield framed[:length]
        framed = framed[length + 2 :]
