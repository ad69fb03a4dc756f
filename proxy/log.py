"""Log lines for people (text) and for machines (JSON), without secrets.

There are two doors. Whatever a record of `logging` holds, ours or a library's, message,
traceback or member, passes redaction in the formatters. Access lines, one for each
request, have their own and cheaper door, as it is known where a secret can stand in
them. A line that is about one request has its id.
"""

import json
import logging
import re
import sys
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol, TextIO

from proxy.config import LogConfig
from proxy.redaction import redact_data, redact_target, redact_text

request_id: ContextVar[str] = ContextVar("request_id", default="-")
"""The request that the running code works for."""

ACCESS_LOGGER = "telemed.access"

# Below this level these say what we say better, or what nobody should read: oauthlib
# logs tokens at debug level, aiohttp its own access lines.
_TAMED = {
    "aiohttp.access": logging.WARNING,
    "asyncio": logging.INFO,
    "oauthlib": logging.WARNING,
}

# Exceptions of these modules quote the first bytes of a head, Authorization included.
_QUOTING = {
    "aiohttp.http_exceptions",
    "aiohttp._http_parser",
}

_SHORT_LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}

# A hostile request target must not forge a line, nor colour a terminal or turn its
# writing direction.
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff]"
)


def setup_logging(config: LogConfig, stream: TextIO | None = None) -> None:
    """Send all logging to `stream`, by default stderr, in the form of `config`.

    Can be called again; the last call counts.
    """
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, _Handler):
            root.removeHandler(handler)
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(
        JsonFormatter() if config.format == "json" else TextFormatter()
    )
    root.addHandler(handler)
    root.setLevel(config.level.upper())
    for name, level in _TAMED.items():
        logging.getLogger(name).setLevel(max(level, root.level))


class TextFormatter(logging.Formatter):
    """`2026-11-23 12:00:00 INFO  oauth.refresher: refreshed [request-id]`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and the traceback, if any, indented below it."""
        moment = _local_time(int(record.created))
        level = _SHORT_LEVELS.get(record.levelname, record.levelname)
        name = record.name.removeprefix("proxy.")
        line = (
            f"{moment} {level:<5} {name}: {_visible(_message(record))} "
            f"[{_visible(_request_id(record))}]"
        )
        failure = _failure(record)
        return "\n    ".join([line, *map(_visible, failure.splitlines())])


class JsonFormatter(logging.Formatter):
    """One JSON object a line; the members of `record.fields` are added to it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        fields = getattr(record, "fields", None)
        members: dict[str, Any] = {
            **(redact_data(fields) if isinstance(fields, dict) else {}),
            "time": _utc_time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name.removeprefix("proxy."),
            "message": _message(record),
            "request_id": _request_id(record),
        }
        if failure := _failure(record):
            members["exception"] = failure
        return _json(members)


class Ended(Protocol):
    """What an access line tells of a request that has ended."""

    method: str
    target: str
    status: int
    started: float
    seconds: float
    received: int
    sent: int
    caller: str | None
    answered_by: str
    error: str | None
    replayed: bool

    @property
    def request_id(self) -> str:
        """What other lines about the request are found by."""


class AccessLog:
    """Writes the access lines, in the same forms as the formatters.

    Straight to `stream`, by default stderr: a record of `logging` and the redaction of
    a whole line would be a good part of what forwarding a small request takes.
    """

    def __init__(self, config: LogConfig, stream: TextIO | None = None) -> None:
        self.wanted = config.access and config.level in {"debug", "info"}
        self._line = _access_json if config.format == "json" else _access_text
        self._stream = stream or sys.stderr

    def write(self, exchanges: Iterable[Ended]) -> None:
        """Write a line about each of `exchanges`, all in one piece."""
        if not self.wanted:
            return
        lines = "".join(map(self._line, exchanges))
        # A reader that went away is no reason to fail a request.
        with suppress(OSError, ValueError):
            self._stream.write(lines)
            self._stream.flush()


def _access_text(exchange: Ended) -> str:
    moment = _local_time(int(exchange.started + exchange.seconds))
    return (
        f"{moment} INFO  {ACCESS_LOGGER}: "
        f"{_visible(_access_message(exchange))} [{exchange.request_id}]\n"
    )


def _access_json(exchange: Ended) -> str:
    line = _json(
        {
            "method": exchange.method,
            "target": redact_target(exchange.target),
            "status": exchange.status,
            "milliseconds": round(exchange.seconds * 1000, 1),
            "received": exchange.received,
            "sent": exchange.sent,
            "caller": exchange.caller,
            "answered_by": exchange.answered_by,
            "error": exchange.error,
            "time": _utc_time(exchange.started + exchange.seconds),
            "level": "info",
            "logger": ACCESS_LOGGER,
            "message": _access_message(exchange),
            "request_id": exchange.request_id,
        }
    )
    return line + "\n"


def _access_message(exchange: Ended) -> str:
    # Of all there is, a client chooses the method, a token, and the target only.
    target = redact_target(exchange.target)
    how = exchange.error or ("replayed" if exchange.replayed else exchange.answered_by)
    return (
        f"{exchange.method} {target} {exchange.status} "
        f"{exchange.seconds * 1000:.1f}ms {how}"
    )


def _json(members: dict[str, Any]) -> str:
    line = _encode(members)
    # What is left of bytes that were not UTF-8 becomes a JSON escape.
    return line.encode("utf-8", "backslashreplace").decode("utf-8")


def _unknown(value: object) -> str:
    return redact_text(str(value))


# json.dumps would build an encoder for each line.
_encode = json.JSONEncoder(ensure_ascii=False, default=_unknown).encode


class _Handler(logging.StreamHandler[TextIO]):
    """A stream handler that stays silent about what a broken log call held."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        # The original prints the arguments, past redaction.
        error = sys.exc_info()[0]
        if error is not None and issubclass(error, BrokenPipeError):
            return
        where = f"{record.pathname}:{record.lineno}"
        print(f"a log line from {where} could not be written", file=sys.stderr)  # noqa: T201


@lru_cache(maxsize=2)
def _local_time(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))


def _utc_time(instant: float) -> str:
    second = int(instant)
    return f"{_utc_second(second)}.{int((instant - second) * 1000):03d}Z"


@lru_cache(maxsize=2)
def _utc_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _message(record: logging.LogRecord) -> str:
    return redact_text(record.getMessage())


def _request_id(record: logging.LogRecord) -> str:
    return redact_text(str(getattr(record, "request_id", None) or request_id.get()))


def _failure(record: logging.LogRecord) -> str:
    """Return the traceback and stack of `record`, redacted; empty if it has none."""
    parts = []
    if record.exc_info and record.exc_info[1] is not None:
        parts.append(_traceback(record.exc_info[1]))
    if record.stack_info:
        parts.append(record.stack_info)
    return redact_text("\n".join(parts).rstrip("\n")) if parts else ""


def _traceback(error: BaseException) -> str:
    """Return what `traceback` prints, oldest cause first."""
    chain = [error]
    while (older := _older(chain[-1])) is not None and older not in chain:
        chain.append(older)
    return "\n".join(map(_one_traceback, reversed(chain)))


def _older(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    return None if error.__suppress_context__ else error.__context__


def _one_traceback(error: BaseException) -> str:
    if type(error).__module__ in _QUOTING:
        return f"{type(error).__name__}: a malformed message, not shown\n"
    return "".join(
        traceback.TracebackException.from_exception(error).format(chain=False)
    )


def _visible(text: str) -> str:
    """Return `text` with control characters written out."""
    if text.isprintable():
        return text
    return _CONTROLS.sub(lambda match: repr(match[0])[1:-1], text)
