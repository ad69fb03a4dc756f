"""Status codes and reason phrases of responses."""

import re
from http import HTTPStatus

from tests.conformance.case import (
    GET,
    OPEN,
    POST,
    Bytes,
    Case,
    Expect,
    Request,
    Response,
    relayed,
    request,
    response,
)

CONTENT = b'{"type": "any"}'
FIELDS = (
    b"Content-Type: application/problem+json",
    b"Content-Length: %d" % len(CONTENT),
    b"X-Trace: 7",
)
FORBIDDEN = b'{"type": "forbidden", "value": "role", "description": "no"}'

# 401, and 403 with an error of OAuth, are the upstream's word on our token.
STATUSES = (
    *(200, 201, 202, 203, 206, 226),
    *(300, 301, 302, 303, 305, 307, 308),
    *(400, 402, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417),
    *(418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451),
    *(500, 501, 502, 503, 504, 505, 506, 507, 508, 511),
    *(299, 399, 499, 599, 600, 999),
)
UNNAMED = {299: b"Odd", 399: b"Odd", 499: b"Client Closed", 599: b"", 600: b"Six"}

REASONS: dict[str, tuple[bytes, Bytes]] = {
    "empty": (b"200 ", b"HTTP/1.1 200 "),
    "long": (b"200 " + b"very " * 200, re.compile(rb"HTTP/1\.1 200 (very ?){200}")),
    "cyrillic": (line := "200 Всё хорошо".encode(), b"HTTP/1.1 " + line),
    "latin-1": (b"404 Non trouv\xe9", b"HTTP/1.1 404 Non trouv\xe9"),
    "of-another-status": (b"404 OK", b"HTTP/1.1 404 OK"),
    "with-spaces": (b"200 All  is   well", b"HTTP/1.1 200 All  is   well"),
    "with-tab": (b"200 All\tis well", b"HTTP/1.1 200 All\tis well"),
    "like-a-status-line": (b"200 HTTP/1.1 500 No", b"HTTP/1.1 200 HTTP/1.1 500 No"),
    "with-marks": (b"200 <b>'\"%0d%0a;:,", b"HTTP/1.1 200 <b>'\"%0d%0a;:,"),
    "padded": (b"200  OK ", re.compile(rb"HTTP/1\.1 200 +OK ?")),
}


def _reason(status: int) -> bytes:
    if status in UNNAMED:
        return UNNAMED[status]
    known = {one.value for one in HTTPStatus}
    return HTTPStatus(status).phrase.encode() if status in known else b"Odd"


def _relayed_status(status: int, method: bytes = b"GET") -> Case:
    line = b"%d %b" % (status, _reason(status))
    return relayed(
        f"status-{status}"
        + ("" if method == b"GET" else f"-{method.decode().lower()}"),
        "A final status is relayed with its reason, fields and content.",
        "RFC 9110, 15",
        response(line, *FIELDS, content=CONTENT),
        send=request(method) if method == b"GET" else POST,
        line=b"HTTP/1.1 " + line,
        only=FIELDS,
        absent=(b"Proxy-Status",),
        content=CONTENT,
    )


def _head(status: bytes) -> Case:
    return relayed(
        f"status-{status[:3].decode()}-to-head",
        "A response to HEAD has no content, whatever its status.",
        "RFC 9110, 9.3.2",
        response(status, b"Content-Length: 1234", b"X: 1"),
        send=request(b"HEAD"),
        line=b"HTTP/1.1 " + status,
        only=(b"Content-Length: 1234", b"X: 1"),
        content=b"",
    )


CASES: list[Case] = [
    *(_relayed_status(status) for status in STATUSES),
    *(_relayed_status(status, b"POST") for status in (200, 303, 402, 413, 503)),
    *(
        _head(status)
        for status in (
            *(b"200 OK", b"206 Partial Content", b"302 Found", b"404 Not Found"),
            *(b"500 Internal Server Error", b"503 Service Unavailable"),
        )
    ),
    *(
        relayed(
            f"reason-{name}",
            "The reason phrase is relayed as it came.",
            "RFC 9112, 4",
            response(status_line, content=b"fine"),
            line=line,
            content=b"fine",
        )
        for name, (status_line, line) in REASONS.items()
    ),
    Case(
        "reason-missing",
        "A status line that ends with the status is completed, or refused.",
        "RFC 9112, 4",
        GET,
        (
            Expect(got=(Response(line=b"HTTP/1.1 200 ", content=b"fine"),), after=OPEN),
            Expect(got=(Response(502),)),
        ),
        answers=(b"HTTP/1.1 200\r\nContent-Length: 4\r\n\r\nfine",),
    ),
    Case(
        "status-401",
        "A rejection that a new token does not mend is relayed with all it has.",
        "RFC 9110, 15.5.2",
        GET,
        (
            Expect(
                got=(
                    Response(
                        line=b"HTTP/1.1 401 Unauthorized",
                        only=(
                            b"Content-Length: 2",
                            b'WWW-Authenticate: Bearer error="invalid_token"',
                        ),
                        absent=(b"Proxy-Status",),
                        content=b"no",
                    ),
                ),
                deliveries=(1, 2),
                after=OPEN,
            ),
        ),
        answers=(
            response(
                b"401 Unauthorized",
                b"Content-Length: 2",
                b'WWW-Authenticate: Bearer error="invalid_token"',
                content=b"no",
            ),
        )
        * 2,
    ),
    *(
        Case(
            f"status-403-{name}",
            "A refusal that is not about the token is relayed untouched, after one "
            "delivery.",
            "RFC 9110, 15.5.4",
            POST,
            (
                Expect(
                    got=(
                        Response(
                            line=b"HTTP/1.1 403 Forbidden",
                            absent=(b"Proxy-Status",),
                            content=content,
                        ),
                    ),
                    reached=(Request(content=b"once"),),
                    after=OPEN,
                ),
            ),
            answers=(response(b"403 Forbidden", content=content),),
        )
        for name, content in {
            "forbidden": FORBIDDEN,
            "html": b"<h1>no</h1>",
            "empty": b"",
            "not-json": b'{"type": "oauth"',
            "list": b'[{"type": "oauth"}]',
            "large": b'{"type": "forbidden", "pad": "' + b"x" * 100_000 + b'"}',
        }.items()
    ),
    relayed(
        "status-205",
        "205 with an announced length of nothing ends there.",
        "RFC 9110, 15.3.6",
        response(b"205 Reset Content", b"X: 1"),
        line=b"HTTP/1.1 205 Reset Content",
        content=b"",
    ),
    relayed(
        "status-205-chunked",
        "205 may say with a last chunk that it has no content.",
        "RFC 9110, 15.3.6",
        b"HTTP/1.1 205 Reset Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        line=b"HTTP/1.1 205 Reset Content",
        content=b"",
    ),
]
