"""Answers that are broken: heads that are none, and framing that is not one."""

from dataclasses import dataclass, replace

from tests.conformance.case import (
    POST,
    Case,
    Expect,
    Response,
    broken,
    request,
    response,
)
from tests.conformance.steps import CLOSE, RESET, Script

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 5\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"5\r\nfive.\r\n0\r\n\r\n"
HEAD = request(b"HEAD")


@dataclass(frozen=True)
class Bad:
    """An answer that is not one, and the section that says so."""

    rule: str
    section: str
    answer: bytes


def _framed(*lines: bytes, content: bytes = b"five.") -> bytes:
    return response(b"200 OK", *lines, content=content)


def _length(*values: bytes) -> bytes:
    return _framed(*(b"Content-Length: " + value for value in values))


def _coded(*values: bytes, content: bytes = CHUNKS) -> bytes:
    return _framed(
        *(b"Transfer-Encoding: " + value for value in values), content=content
    )


def _field(line: bytes) -> bytes:
    return OK + LENGTH + line + b"\r\n\r\nfive."


NOT_A_LENGTH = "A Content-Length that is no number is not relayed."
DIFFER = "An answer with lengths that differ is not relayed."
BOTH = "An answer with both framings is not relayed."
NOT_A_CODING = "A transfer coding that is not understood is not relayed."
NOT_A_FIELD = "A head with a line that is no field is not relayed."
NOT_A_STATUS = "A status has three digits, the first of them from 1 on."
NOT_A_HEAD = "What is not HTTP/1.x is no answer."

LENGTHS = "RFC 9112, 6.3"
CODINGS = "RFC 9112, 6.1"
NAMES = "RFC 9110, 5.1"
VALUES = "RFC 9110, 5.5"
STATUS_LINE = "RFC 9112, 4"

FRAMING: dict[str, Bad] = {
    "lengths-that-differ": Bad(DIFFER, LENGTHS, _length(b"1", b"5")),
    "lengths-that-differ-longer-first": Bad(DIFFER, LENGTHS, _length(b"5", b"1")),
    "lengths-in-a-list": Bad(DIFFER, LENGTHS, _length(b"1, 5")),
    "lengths-with-nothing": Bad(DIFFER, LENGTHS, _length(b"5", b"")),
    "lengths-in-other-case": Bad(
        DIFFER, LENGTHS, _framed(b"content-length: 5", b"CONTENT-LENGTH: 4")
    ),
    "length-negative": Bad(NOT_A_LENGTH, LENGTHS, _length(b"-1")),
    "length-negative-and-right": Bad(NOT_A_LENGTH, LENGTHS, _length(b"-5")),
    "length-signed": Bad(NOT_A_LENGTH, LENGTHS, _length(b"+5")),
    "length-hex": Bad(NOT_A_LENGTH, LENGTHS, _length(b"0x5")),
    "length-hex-digit": Bad(NOT_A_LENGTH, LENGTHS, _length(b"A")),
    "length-empty": Bad(NOT_A_LENGTH, LENGTHS, _length(b"")),
    "length-point": Bad(NOT_A_LENGTH, LENGTHS, _length(b"5.0")),
    "length-exponent": Bad(NOT_A_LENGTH, LENGTHS, _length(b"5e0")),
    "length-underscored": Bad(NOT_A_LENGTH, LENGTHS, _length(b"0_5")),
    "length-two-words": Bad(NOT_A_LENGTH, LENGTHS, _length(b"5 5")),
    "length-with-unit": Bad(NOT_A_LENGTH, LENGTHS, _length(b"5B")),
    "length-with-parameter": Bad(NOT_A_LENGTH, LENGTHS, _length(b"5;a=b")),
    "length-quoted": Bad(NOT_A_LENGTH, LENGTHS, _length(b'"5"')),
    "length-in-other-digits": Bad(NOT_A_LENGTH, LENGTHS, _length("５".encode())),
    "length-before-comma": Bad(NOT_A_LENGTH, LENGTHS, _length(b"5,x")),
    "length-overflow-64": Bad(
        NOT_A_LENGTH, "RFC 9110, 8.6", _length(b"18446744073709551621")
    ),
    "length-overflow-63": Bad(
        NOT_A_LENGTH, "RFC 9110, 8.6", _length(b"9223372036854775808")
    ),
    "length-overflow-32": Bad(NOT_A_LENGTH, "RFC 9110, 8.6", _length(b"4294967301")),
    "length-of-many-digits": Bad(NOT_A_LENGTH, "RFC 9110, 8.6", _length(b"9" * 5000)),
    "length-nul": Bad(NOT_A_LENGTH, VALUES, _length(b"5\0")),
    "length-folded": Bad(DIFFER, "RFC 9112, 5.2", _length(b"1\r\n 5")),
    "length-and-chunked": Bad(
        BOTH, CODINGS, _framed(b"Content-Length: 5", CHUNKED[:-2], content=CHUNKS)
    ),
    "chunked-and-length": Bad(
        BOTH, CODINGS, _framed(CHUNKED[:-2], b"Content-Length: 5", content=CHUNKS)
    ),
    "length-right-and-chunked": Bad(
        BOTH,
        CODINGS,
        _framed(b"Content-Length: %d" % len(CHUNKS), CHUNKED[:-2], content=CHUNKS),
    ),
    "length-and-chunked-in-vain": Bad(
        BOTH, CODINGS, _framed(b"Content-Length: 5", CHUNKED[:-2])
    ),
    "length-and-unknown-coding": Bad(
        BOTH, CODINGS, _framed(b"Content-Length: 5", b"Transfer-Encoding: x")
    ),
    "length-and-identity": Bad(
        BOTH, CODINGS, _framed(b"Content-Length: 5", b"Transfer-Encoding: identity")
    ),
    "length-and-empty-coding": Bad(
        BOTH, CODINGS, _framed(b"Content-Length: 5", b"Transfer-Encoding:")
    ),
    "coding-unknown": Bad(NOT_A_CODING, CODINGS, _coded(b"xchunked")),
    "coding-gzip": Bad(NOT_A_CODING, CODINGS, _coded(b"gzip", content=b"zip")),
    "coding-gzip-then-chunked": Bad(NOT_A_CODING, CODINGS, _coded(b"gzip, chunked")),
    "coding-gzip-then-chunked-apart": Bad(
        NOT_A_CODING, CODINGS, _coded(b"gzip", b"chunked")
    ),
    "coding-chunked-then-gzip": Bad(NOT_A_CODING, CODINGS, _coded(b"chunked, gzip")),
    "coding-chunked-twice": Bad(NOT_A_CODING, CODINGS, _coded(b"chunked, chunked")),
    "coding-chunked-twice-apart": Bad(
        NOT_A_CODING, CODINGS, _coded(b"chunked", b"chunked")
    ),
    "coding-identity": Bad(NOT_A_CODING, CODINGS, _coded(b"identity")),
    "coding-chunked-and-identity": Bad(
        NOT_A_CODING, CODINGS, _coded(b"chunked", b"identity")
    ),
    "coding-with-parameter": Bad(NOT_A_CODING, CODINGS, _coded(b"chunked;a=b")),
    "coding-quoted": Bad(NOT_A_CODING, CODINGS, _coded(b'"chunked"')),
    "coding-empty": Bad(NOT_A_CODING, CODINGS, _coded(b"")),
    "coding-with-vertical-tab": Bad(NOT_A_CODING, VALUES, _coded(b"\x0bchunked")),
    "coding-with-obs-text": Bad(NOT_A_CODING, CODINGS, _coded(b"chunked\x85")),
    "coding-folded": Bad(NOT_A_CODING, "RFC 9112, 5.2", _coded(b"x\r\n chunked")),
}

HEADS: dict[str, Bad] = {
    "status-two-digits": Bad(NOT_A_STATUS, STATUS_LINE, b"HTTP/1.1 20 OK\r\n"),
    "status-four-digits": Bad(NOT_A_STATUS, STATUS_LINE, b"HTTP/1.1 2000 OK\r\n"),
    "status-letters": Bad(NOT_A_STATUS, STATUS_LINE, b"HTTP/1.1 2xx OK\r\n"),
    "status-zero": Bad(NOT_A_STATUS, "RFC 9110, 15", b"HTTP/1.1 000 OK\r\n"),
    "status-099": Bad(NOT_A_STATUS, "RFC 9110, 15", b"HTTP/1.1 099 OK\r\n"),
    "status-negative": Bad(NOT_A_STATUS, STATUS_LINE, b"HTTP/1.1 -200 OK\r\n"),
    "status-point": Bad(NOT_A_STATUS, STATUS_LINE, b"HTTP/1.1 200.5 OK\r\n"),
    "status-spelled": Bad(NOT_A_STATUS, STATUS_LINE, b"HTTP/1.1 OK\r\n"),
    "status-missing": Bad(NOT_A_STATUS, STATUS_LINE, b"HTTP/1.1\r\n"),
    "status-empty": Bad(NOT_A_STATUS, STATUS_LINE, b"HTTP/1.1 \r\n"),
    "status-after-two-spaces": Bad(NOT_A_STATUS, STATUS_LINE, b"HTTP/1.1  200 OK\r\n"),
    "status-after-tab": Bad(NOT_A_STATUS, STATUS_LINE, b"HTTP/1.1\t200 OK\r\n"),
    "status-in-other-digits": Bad(
        NOT_A_STATUS, STATUS_LINE, "HTTP/1.1 ２００ OK\r\n".encode()
    ),
    "reason-with-nul": Bad(NOT_A_STATUS, STATUS_LINE, b"HTTP/1.1 200 O\0K\r\n"),
    "reason-with-escape": Bad(NOT_A_STATUS, STATUS_LINE, b"HTTP/1.1 200 \x1b[31m\r\n"),
    "version-2": Bad(NOT_A_HEAD, "RFC 9110, 2.5", b"HTTP/2.0 200 OK\r\n"),
    "version-2-short": Bad(NOT_A_HEAD, "RFC 9112, 2.3", b"HTTP/2 200 OK\r\n"),
    "version-3": Bad(NOT_A_HEAD, "RFC 9110, 2.5", b"HTTP/3.0 200 OK\r\n"),
    "version-0.9": Bad(NOT_A_HEAD, "RFC 9110, 2.5", b"HTTP/0.9 200 OK\r\n"),
    "version-1": Bad(NOT_A_HEAD, "RFC 9112, 2.3", b"HTTP/1 200 OK\r\n"),
    "version-11": Bad(NOT_A_HEAD, "RFC 9112, 2.3", b"HTTP/11 200 OK\r\n"),
    "version-1.10": Bad(NOT_A_HEAD, "RFC 9112, 2.3", b"HTTP/1.10 200 OK\r\n"),
    "version-01.1": Bad(NOT_A_HEAD, "RFC 9112, 2.3", b"HTTP/01.1 200 OK\r\n"),
    "version-with-comma": Bad(NOT_A_HEAD, "RFC 9112, 2.3", b"HTTP/1,1 200 OK\r\n"),
    "version-lower-case": Bad(NOT_A_HEAD, "RFC 9112, 2.3", b"http/1.1 200 OK\r\n"),
    "version-of-another": Bad(NOT_A_HEAD, "RFC 9112, 2.3", b"ICY 200 OK\r\n"),
    "version-missing": Bad(NOT_A_HEAD, STATUS_LINE, b"200 OK\r\n"),
    "request": Bad(NOT_A_HEAD, STATUS_LINE, b"GET /a HTTP/1.1\r\n"),
    "space-first": Bad(NOT_A_HEAD, STATUS_LINE, b" HTTP/1.1 200 OK\r\n"),
    "field-first": Bad(NOT_A_HEAD, STATUS_LINE, b"Status: 200 OK\r\n"),
}

LINES: dict[str, Bad] = {
    "nul-in-value": Bad(NOT_A_FIELD, VALUES, _field(b"X: a\0b")),
    "nul-in-name": Bad(NOT_A_FIELD, NAMES, _field(b"X\0: a")),
    "escape-in-value": Bad(NOT_A_FIELD, VALUES, _field(b"X: a\x1b")),
    "delete-in-value": Bad(NOT_A_FIELD, VALUES, _field(b"X: a\x7f")),
    "no-colon": Bad(NOT_A_FIELD, "RFC 9112, 5", _field(b"X-No-Colon")),
    "no-name": Bad(NOT_A_FIELD, NAMES, _field(b": value")),
    "space-in-name": Bad(NOT_A_FIELD, NAMES, _field(b"X One: 1")),
    "tab-in-name": Bad(NOT_A_FIELD, NAMES, _field(b"X\tOne: 1")),
    "brackets-in-name": Bad(NOT_A_FIELD, NAMES, _field(b"X(1): 1")),
    "at-in-name": Bad(NOT_A_FIELD, NAMES, _field(b"X@a: 1")),
    "quote-in-name": Bad(NOT_A_FIELD, NAMES, _field(b'"X": 1')),
    "obs-text-in-name": Bad(NOT_A_FIELD, NAMES, _field("Имя: 1".encode())),
    "status-line-again": Bad(NOT_A_FIELD, "RFC 9112, 5", _field(b"HTTP/1.1 200 OK")),
    "html": Bad(NOT_A_FIELD, "RFC 9112, 5", _field(b"<html>")),
}

GARBAGE = {
    "one-byte": b"x",
    "text": b"hello, this is not HTTP\r\n\r\n",
    "html": b"<!DOCTYPE html><p>hello</p>",
    "blank-lines": b"\r\n\r\n\r\n\r\n",
    "nuls": b"\0" * 100,
    "banner-of-ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
    "greeting-of-smtp": b"220 mail.test ESMTP\r\n",
    "alert-of-tls": b"\x15\x03\x03\x00\x02\x02\x28",
    "settings-of-http-2": b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "json": b'{"status": 200}',
    "chunks": CHUNKS,
}

CUT_HEADS = {
    "nothing": b"",
    "two-letters": b"HT",
    "version": b"HTTP/1.1",
    "half-a-status": b"HTTP/1.1 20",
    "status": b"HTTP/1.1 200",
    "status-line-without-end": b"HTTP/1.1 200 OK",
    "status-line-with-cr": b"HTTP/1.1 200 OK\r",
    "status-line": b"HTTP/1.1 200 OK\r\n",
    "half-a-name": b"HTTP/1.1 200 OK\r\nContent-Le",
    "half-a-value": b"HTTP/1.1 200 OK\r\nContent-Length: 1",
    "fields": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
    "all-but-one-byte": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r",
    "interim": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Le",
}

LARGE = 300 * 1024
TOO_LARGE = {
    "one-field": OK + b"X: %b\r\n" % (b"y" * LARGE) + LENGTH + b"\r\nfive.",
    "many-fields": OK + b"X: y\r\n" * (LARGE // 6) + LENGTH + b"\r\nfive.",
    "reason": b"HTTP/1.1 200 %b\r\n" % (b"y" * LARGE) + LENGTH + b"\r\nfive.",
    "name": OK + b"%b: 1\r\n" % (b"y" * LARGE) + LENGTH + b"\r\nfive.",
    "endless-field": OK + b"X: " + b"y" * 1_000_000,
    "endless-fields": OK + b"X: %b\r\n" % (b"y" * 1000) * 1000,
    "endless-status-line": b"HTTP/1.1 200 " + b"y" * 1_000_000,
}


@dataclass(frozen=True)
class Odd(Bad):
    """An answer that may also be relayed, once it is put right."""

    right: Response = Response(200, content=b"five.")


ODD: dict[str, Odd] = {
    "lengths-repeated": Odd(
        "The same length twice is refused, or becomes one.",
        LENGTHS,
        _length(b"5", b"5"),
    ),
    "lengths-repeated-in-a-list": Odd(
        "The same length twice is refused, or becomes one.", LENGTHS, _length(b"5, 5")
    ),
    "lengths-repeated-with-zeros": Odd(
        "The same length twice is refused, or becomes one.",
        LENGTHS,
        _length(b"5", b"05"),
    ),
    "length-before-empty-element": Odd(
        "A list with an empty element is refused, or has one length.",
        "RFC 9110, 5.6.1",
        _length(b"5,"),
    ),
    "chunked-in-1.0": Odd(
        "Chunks in HTTP/1.0 are a fault, whatever is made of it.",
        CODINGS,
        b"HTTP/1.0 200 OK\r\n" + CHUNKED + b"\r\n" + CHUNKS,
    ),
    "bare-lf-everywhere": Odd(
        "Bare line feeds are refused, or become line ends.",
        "RFC 9112, 2.2",
        b"HTTP/1.1 200 OK\nContent-Length: 5\n\nfive.",
    ),
    "bare-lf-after-status": Odd(
        "Bare line feeds are refused, or become line ends.",
        "RFC 9112, 2.2",
        b"HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nfive.",
    ),
    "bare-lf-in-the-middle": Odd(
        "Bare line feeds are refused, or become line ends.",
        "RFC 9112, 2.2",
        _field(b"X: a\nY: b"),
        Response(200, fields=(b"X: a", b"Y: b"), content=b"five."),
    ),
    "bare-lf-before-content": Odd(
        "Bare line feeds are refused, or become line ends.",
        "RFC 9112, 2.2",
        OK + LENGTH + b"\nfive.",
    ),
    "bare-cr-in-value": Odd(
        "A bare CR is refused, or becomes a space.",
        "RFC 9112, 2.2",
        _field(b"X: a\rb"),
        Response(200, fields=(b"X: a b",), content=b"five."),
    ),
    "bare-cr-in-reason": Odd(
        "A bare CR is refused, or becomes a space.",
        "RFC 9112, 2.2",
        b"HTTP/1.1 200 O\rK\r\n" + LENGTH + b"\r\nfive.",
        Response(line=b"HTTP/1.1 200 O K", content=b"five."),
    ),
    "bare-cr-that-hides-a-field": Odd(
        "A bare CR is refused, or becomes a space.",
        "RFC 9112, 2.2",
        _field(b"X: a\rSet-Cookie: evil=1"),
        Response(200, absent=(b"Set-Cookie",), content=b"five."),
    ),
    "folded": Odd(
        "A folded line is refused, or becomes one.",
        "RFC 9112, 5.2",
        _field(b"X: a\r\n b"),
        Response(200, absent=(b"b",), content=b"five."),
    ),
    "folded-with-tab": Odd(
        "A folded line is refused, or becomes one.",
        "RFC 9112, 5.2",
        _field(b"X: a\r\n\tb: c"),
        Response(200, absent=(b"b",), content=b"five."),
    ),
    "space-before-the-first-field": Odd(
        "A line that begins with white space is refused, or left out.",
        "RFC 9112, 2.2",
        _field(b" X: 1"),
        Response(200, absent=(b"X",), content=b"five."),
    ),
    "blank-line-first": Odd(
        "Blank lines are for requests; here they are refused, or left out.",
        "RFC 9112, 2.2",
        b"\r\n" + OK + LENGTH + b"\r\nfive.",
    ),
    "large-but-not-too-large": Odd(
        "A head of some size is relayed whole, or refused.",
        "RFC 9110, 5.4",
        _field(b"X: " + b"y" * 100_000),
        Response(200, fields=(b"X: " + b"y" * 100_000,), content=b"five."),
    ),
}

SPACED = {
    "space": b"X-One : 1",
    "tab": b"X-One\t: 1",
    "several": b"X-One \t : 1",
}

# The content is what a client would get that went over to nothing.
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"


def _once(case: Case) -> Case:
    """Return `case` with one delivery: on a new connection nothing is sent again."""
    ways = tuple(replace(expect, deliveries=(1,)) for expect in case.expect)
    return replace(case, expect=ways)


def _bad(id: str, bad: Bad, send: bytes = request()) -> Case:
    answer: Script = (bad.answer, CLOSE)
    return _once(broken(id, bad.rule, bad.section, answer, send=send))


def _odd(id: str, odd: Odd) -> Case:
    case = _bad(id, odd)
    return replace(case, expect=(*case.expect, Expect(got=(odd.right,))))


CASES: list[Case] = [
    *(_bad(f"broken-{name}", bad) for name, bad in FRAMING.items()),
    *(
        _bad(f"broken-{name}-to-head", FRAMING[name], HEAD)
        for name in (
            *("lengths-that-differ", "length-negative", "length-overflow-64"),
            *("length-and-chunked", "coding-unknown"),
        )
    ),
    *(
        _bad(f"broken-{name}-to-post", FRAMING[name], POST)
        for name in ("lengths-that-differ", "length-and-chunked", "coding-unknown")
    ),
    *(
        _once(
            broken(
                f"broken-{name}",
                bad.rule,
                bad.section,
                (bad.answer + LENGTH + b"\r\nfive.", CLOSE),
            )
        )
        for name, bad in HEADS.items()
    ),
    *(_bad(f"broken-{name}", bad) for name, bad in LINES.items()),
    *(
        _once(broken(f"broken-garbage-{name}", NOT_A_HEAD, STATUS_LINE, (data, CLOSE)))
        for name, data in GARBAGE.items()
    ),
    *(
        _once(
            broken(
                f"broken-garbage-{name}-and-open",
                "What can become no head is not waited for.",
                STATUS_LINE,
                data,
            )
        )
        for name, data in GARBAGE.items()
        if name in ("text", "html", "nuls", "banner-of-ssh", "settings-of-http-2")
    ),
    *(
        _once(
            broken(
                f"broken-head-cut-at-{name}-{end.name.lower()}",
                "A head that is cut is no answer, and costs one delivery.",
                "RFC 9112, 8",
                (data, end),
            )
        )
        for name, data in CUT_HEADS.items()
        for end in (CLOSE, RESET)
    ),
    *(
        _once(
            broken(
                f"broken-head-too-large-{name}",
                "A head that is too large is not relayed in part.",
                "RFC 9110, 5.4",
                answer,
            )
        )
        for name, answer in TOO_LARGE.items()
    ),
    *(_odd(f"odd-answer-{name}", odd) for name, odd in ODD.items()),
    *(
        Case(
            f"odd-answer-space-before-colon-{name}",
            "White space before the colon is removed from an answer.",
            "RFC 9112, 5.1",
            request(),
            (
                Expect(
                    got=(
                        Response(
                            200,
                            only=(b"Content-Length: 5", b"X-One: 1"),
                            content=b"five.",
                        ),
                    ),
                ),
            ),
            answers=(_field(line),),
        )
        for name, line in SPACED.items()
    ),
    Case(
        "odd-answer-space-before-colon-of-length",
        "White space before the colon hides no framing.",
        "RFC 9112, 5.1",
        request(),
        (
            Expect(got=(Response(200, content=b"five."),)),
            Expect(got=(Response(502),)),
        ),
        answers=(OK + b"Content-Length : 5\r\n\r\nfive.",),
    ),
    _bad(
        "broken-space-before-colon-of-second-length",
        Bad(
            DIFFER,
            "RFC 9112, 5.1",
            OK + b"Content-Length: 1\r\nContent-Length : 5\r\n\r\nfive.",
        ),
    ),
    *(
        _once(
            broken(
                f"broken-switch-{name}",
                "A protocol that was not asked for is not gone over to.",
                "RFC 9110, 15.2.2",
                SWITCHED + lines + b"\r\n",
                send=send,
            )
        )
        for name, lines, send in (
            ("unasked", b"Upgrade: websocket\r\n", request()),
            ("unasked-to-post", b"Upgrade: websocket\r\n", POST),
            ("unasked-and-unnamed", b"", request()),
            ("unasked-to-head", b"Upgrade: websocket\r\n", HEAD),
        )
    ),
]
