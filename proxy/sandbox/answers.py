"""Answers in the shapes that the upstream documents. No I/O."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer: its content is held in memory."""

    content: bytes
    content_type: str = JSON_TYPE
    status: int = 200
    fields: tuple[tuple[str, str], ...] = ()
    compressible: bool = False


@dataclass(frozen=True, slots=True)
class StreamAnswer:
    """An answer whose content is made while it is sent."""

    size: int
    chunks: Callable[[], Iterator[bytes]] = field(repr=False)
    with_length: bool = True
    content_type: str = "application/octet-stream"
    status: int = 200
    fields: tuple[tuple[str, str], ...] = ()


class ApiError(Exception):
    """A documented error of the API."""

    def __init__(
        self, status: int, kind: str, value: str | None, description: str
    ) -> None:
        super().__init__(description)
        self.status = status
        self.kind = kind
        self.value = value
        self.description = description

    def answer(self) -> Answer:
        """Return the error in the documented shape."""
        body = {
            "type": self.kind,
            "value": self.value,
            "description": self.description,
        }
        return json_answer(body, status=self.status)


def bad_argument(value: str, description: str) -> ApiError:
    """Return the error for an argument that cannot be used; `value` names it."""
    return ApiError(400, "bad_argument", value, description)


def not_found(value: str, description: str) -> ApiError:
    """Return the error for something that does not exist."""
    return ApiError(404, "not_found", value, description)


def conflict(value: str, description: str) -> ApiError:
    """Return the error for something its state does not allow."""
    return ApiError(409, "conflict", value, description)


def limit_exceeded(value: str, description: str) -> ApiError:
    """Return the error for too much of something."""
    return ApiError(400, "limit_exceeded", value, description)


def json_answer(body: Any, *, status: int = 200) -> Answer:
    """Return `body` as JSON: UTF-8, Cyrillic as it is."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    # What is no character (a lone surrogate, raw bytes of a target) stays an escape.
    return Answer(text.encode(errors="backslashreplace"), status=status)


def item(body: Json) -> Answer:
    """Return a single object in its envelope."""
    return json_answer({"item": body})


def page(items: Sequence[Json], limit: int, offset: int) -> Answer:
    """Return the part of `items` that `limit` and `offset` ask for."""
    part = list(items[offset : offset + limit])
    body = {"items": part, "count": len(part), "totalCount": len(items)}
    answer = json_answer(body)
    return Answer(answer.content, compressible=True)
