"""What each test of the suite led to: its outcome, and the messages behind it."""

import http.client
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Record:
    """One test; messages are bytes, a character each."""

    outcome: str = ""
    details: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Head and content of each request, as httpbin received it."""
    answers: list[str] = field(default_factory=list)
    """Each answer, as far as the test read it."""


class Heard:
    """A stream that keeps what was read from it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.kept = bytearray()

    def read(self, *limit: int) -> bytes:
        return self._keep(self._stream.read(*limit))

    def read1(self, *limit: int) -> bytes:
        return self._keep(self._stream.read1(*limit))

    def readline(self, *limit: int) -> bytes:
        return self._keep(self._stream.readline(*limit))

    def readinto(self, buffer: bytearray) -> int:
        count: int = self._stream.readinto(buffer)
        self._keep(bytes(buffer[:count]))
        return count

    def _keep(self, read: bytes) -> bytes:
        self.kept += read
        return read

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Records:
    """The records of a run; messages go to the one whose test is under way."""

    def __init__(self) -> None:
        self.all: dict[str, Record] = {}
        self._current = Record()
        self._heard: list[Heard] = []

    def begin(self, test: str) -> None:
        self._current = self.all.setdefault(test, Record())
        self._heard = []

    def end(self) -> None:
        self._current.answers = [one.kept.decode("latin-1") for one in self._heard]

    def request(self, head: bytes, content: bytes) -> None:
        self._current.requests.append(
            (head.decode("latin-1"), content.decode("latin-1"))
        )

    def outcome(self, test: str, outcome: str, details: str) -> None:
        record = self.all[test]
        # A test that passed may still fail while it is cleaned up after.
        if record.outcome in ("", "passed"):
            record.outcome, record.details = outcome, details

    def listen_in(self) -> None:
        """Keep all that http.client, which urllib3 stands on, reads of an answer."""
        plain = http.client.HTTPResponse.__init__

        def init(response: Any, *arguments: Any, **named: Any) -> None:
            plain(response, *arguments, **named)
            response.fp = Heard(response.fp)
            self._heard.append(response.fp)

        setattr(http.client.HTTPResponse, "__init__", init)  # noqa: B010

    def save(self, file: Path, left_out: dict[str, str]) -> None:
        tests = {test: asdict(record) for test, record in self.all.items()}
        file.write_text(json.dumps({"tests": tests, "left_out": left_out}))
