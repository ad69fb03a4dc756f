"""Upgrades: what is gone over to another protocol, and what is not."""

import re
from dataclasses import replace

from tests.conformance.case import (
    ANY,
    CLOSED,
    OK,
    OPEN,
    Case,
    Expect,
    Request,
    RequestParts,
    Response,
    broken,
    forwarded,
    relayed,
    request,
    response,
)
from tests.conformance.steps import (
    AT_HEAD,
    CLIENT_GOT_HEAD,
    CLIENT_GOT_RESPONSE,
    CLIENT_SAW_END,
    CLOSE,
    RESET,
    SHUT_WR,
    UPSTREAM_SAW_END,
    Script,
    Slowly,
    client_got,
    upstream_got,
)

UPGRADE = (b"Connection: Upgrade", b"Upgrade: websocket")
OPTION = re.compile(rb"(?i)connection: *upgrade")
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
VERSION = b"Sec-WebSocket-Version: 13"
ACCEPT = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

HANDSHAKE = request(b"GET", b"/ws", *UPGRADE, KEY, VERSION)
SWITCHING = b"101 Switching Protocols"
SWITCHED = response(SWITCHING, *UPGRADE, ACCEPT)

TUNNEL = "RFC 9110, 7.8"
EVERY_BYTE = bytes(range(256)) * 64


def _tunnelled(
    id: str,
    rule: str,
    send: Script,
    answer: Script,
    *,
    sent: bytes = b"",
    got: bytes = b"",
    expect: Expect | None = None,
    section: str = TUNNEL,
) -> Case:
    """Return a case whose client has `got` by the tunnel, and the upstream `sent`."""
    expect = expect or Expect()
    expect = replace(
        expect,
        got=(Response(101, fields=(UPGRADE[1],), content=got),),
        reached=(Request(fields=(UPGRADE[1],), content=sent),),
    )
    return Case(id, rule, section, send, (expect,), (answer,))


def _other(name: str, asked: bytes, answered: bytes, connection: bytes) -> Case:
    """Return a case that goes over to another protocol than WebSocket."""
    upgrade = b"Upgrade: " + answered
    return Case(
        f"upgrade-{name}",
        "Any protocol that both ends want is gone over to.",
        TUNNEL,
        (
            request(b"GET", b"/x", b"Connection: " + connection, b"Upgrade: " + asked),
            client_got(b"hello"),
            b"hi",
            client_got(b"bye"),
        ),
        (
            Expect(
                got=(Response(101, fields=(upgrade,), content=b"hellobye"),),
                reached=(Request(content=b"hi"),),
            ),
        ),
        answers=(
            (
                response(SWITCHING, b"Connection: Upgrade", upgrade) + b"hello",
                upstream_got(b"hi"),
                b"bye",
            ),
        ),
    )


NOT_OFFERED: dict[str, tuple[bytes, RequestParts]] = {
    "h2c": (
        request(
            b"GET",
            b"/a",
            b"Connection: Upgrade, HTTP2-Settings",
            b"Upgrade: h2c",
            b"HTTP2-Settings: AAMAAABkAAQAAP__",
        ),
        {"absent": (b"Upgrade", b"HTTP2-Settings")},
    ),
    "h2c-in-other-case": (
        request(b"GET", b"/a", b"Connection: upgrade", b"Upgrade: H2C"),
        {"absent": (b"Upgrade",)},
    ),
    "h2c-unnamed": (
        request(
            b"GET",
            b"/a",
            b"Connection: Upgrade",
            b"Upgrade: h2c",
            b"HTTP2-Settings: AAMAAABkAAQAAP__",
        ),
        {"absent": (b"Upgrade", b"HTTP2-Settings")},
    ),
    "http-2.0": (
        request(b"GET", b"/a", b"Connection: Upgrade", b"Upgrade: HTTP/2.0"),
        {"absent": (b"Upgrade",)},
    ),
    "h2c-among-others": (
        request(b"GET", b"/a", b"Connection: Upgrade", b"Upgrade: websocket, h2c"),
        {"fields": (b"Upgrade: websocket",)},
    ),
    "h2c-in-a-second-line": (
        request(
            b"GET",
            b"/a",
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            b"Upgrade: h2c",
        ),
        {"fields": (b"Upgrade: websocket",)},
    ),
    "without-connection": (
        request(b"GET", b"/a", b"Upgrade: websocket"),
        {"absent": (b"Upgrade",)},
    ),
    "with-another-option": (
        request(b"GET", b"/a", b"Connection: keep-alive", b"Upgrade: websocket"),
        {"absent": (b"Upgrade",)},
    ),
    "option-without-protocol": (
        request(b"GET", b"/a", b"Connection: Upgrade"),
        {"absent": (b"Upgrade",)},
    ),
}

UNWANTED = {
    "another": b"Connection: Upgrade\r\nUpgrade: foo\r\n",
    "more-than-asked": b"Connection: Upgrade\r\nUpgrade: websocket, foo\r\n",
    "one-that-begins-alike": b"Connection: Upgrade\r\nUpgrade: websocket2\r\n",
    "unnamed": b"Connection: Upgrade\r\n",
    "h2c": b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
}

REFUSALS: dict[str, tuple[bytes, bytes]] = {
    "200": (b"200 OK", b"page"),
    "400": (b"400 Bad Request", b"no"),
    "403": (b"403 Forbidden", b"no"),
    "404": (b"404 Not Found", b""),
    "426": (b"426 Upgrade Required", b"newer"),
    "503": (b"503 Service Unavailable", b"later"),
}

CASES: list[Case] = [
    _tunnelled(
        "websocket",
        "A WebSocket is tunnelled both ways, with the token on the handshake.",
        (HANDSHAKE, client_got(b"hello"), b"\x81\x02hi", client_got(b"bye")),
        (SWITCHED, b"\x81hello", upstream_got(b"\x81\x02hi"), b"\x81bye"),
        sent=b"\x81\x02hi",
        got=b"\x81hello\x81bye",
        section="RFC 6455, 4.1",
    ),
    Case(
        "websocket-handshake-fields",
        "The handshake is complete in both directions.",
        "RFC 6455, 4.2.2",
        (
            request(
                b"GET",
                b"/ws?room=%2F",
                b"Connection: keep-alive, Upgrade",
                b"Upgrade: websocket",
                KEY,
                VERSION,
                b"Sec-WebSocket-Protocol: chat, superchat",
                b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
                b"Authorization: Basic b3duOm93bg==",
                b"Cookie: a=1",
            ),
            CLIENT_GOT_HEAD,
        ),
        (
            Expect(
                got=(
                    Response(
                        line=b"HTTP/1.1 " + SWITCHING,
                        fields=(
                            ACCEPT,
                            b"Sec-WebSocket-Protocol: chat",
                        ),
                        absent=(b"Content-Length", b"Transfer-Encoding"),
                    ),
                ),
                reached=(
                    Request(
                        line=b"GET /ws?room=%2F HTTP/1.1",
                        fields=(
                            KEY,
                            VERSION,
                            b"Sec-WebSocket-Protocol: chat, superchat",
                            b"Sec-WebSocket-Extensions: permessage-deflate; "
                            b"client_max_window_bits",
                            b"Cookie: a=1",
                        ),
                    ),
                ),
            ),
        ),
        answers=(
            (response(SWITCHING, *UPGRADE, ACCEPT, b"Sec-WebSocket-Protocol: chat"),),
        ),
    ),
    Case(
        "websocket-connection-option",
        "Each side is told that this connection is upgraded.",
        TUNNEL,
        (HANDSHAKE, CLIENT_GOT_HEAD),
        (
            Expect(
                got=(Response(101, fields=(OPTION,)),),
                reached=(Request(fields=(OPTION,)),),
            ),
        ),
        answers=(SWITCHED,),
    ),
    _tunnelled(
        "websocket-data-behind-the-answer",
        "What comes along with the 101 is the new protocol's.",
        (HANDSHAKE, client_got(b"hello")),
        (SWITCHED + b"hello",),
        got=b"hello",
    ),
    _tunnelled(
        "websocket-data-behind-the-request",
        "What comes along with the handshake is the new protocol's, once it is.",
        (HANDSHAKE + b"\x81\x85early", client_got(b"hello")),
        (SWITCHED, upstream_got(b"early"), b"hello"),
        sent=b"\x81\x85early",
        got=b"hello",
    ),
    _tunnelled(
        "websocket-data-like-a-request",
        "What is tunnelled is not read.",
        (HANDSHAKE, CLIENT_GOT_HEAD, request() + request(), client_got(b"done")),
        (SWITCHED, upstream_got(request() * 2), OK + b"done"),
        sent=request() * 2,
        got=OK + b"done",
    ),
    _tunnelled(
        "websocket-every-byte",
        "Every byte goes through as it is.",
        (HANDSHAKE, CLIENT_GOT_HEAD, EVERY_BYTE, client_got(EVERY_BYTE)),
        (SWITCHED, upstream_got(EVERY_BYTE), EVERY_BYTE),
        sent=EVERY_BYTE,
        got=EVERY_BYTE,
    ),
    _tunnelled(
        "websocket-byte-by-byte",
        "Every piece goes through when it comes.",
        (HANDSHAKE, CLIENT_GOT_HEAD, Slowly(b"one by one"), client_got(b"end")),
        (SWITCHED, upstream_got(b"one by one"), Slowly(b"to the end")),
        sent=b"one by one",
        got=b"to the end",
    ),
    _tunnelled(
        "websocket-large",
        "Much goes through as well.",
        (HANDSHAKE, CLIENT_GOT_HEAD, b"u" * 1_000_000 + b"!", client_got(b"d!")),
        (SWITCHED, upstream_got(b"u!"), b"d" * 1_000_000 + b"!"),
        sent=b"u" * 1_000_000 + b"!",
        got=b"d" * 1_000_000 + b"!",
    ),
    _tunnelled(
        "websocket-to-and-fro",
        "A conversation goes on for as long as it takes.",
        (
            HANDSHAKE,
            *(
                step
                for number in range(20)
                for step in (client_got(b"<%d>" % number), b"(%d)" % number)
            ),
        ),
        (
            SWITCHED,
            *(
                step
                for number in range(20)
                for step in (b"<%d>" % number, upstream_got(b"(%d)" % number))
            ),
        ),
        sent=b"".join(b"(%d)" % number for number in range(20)),
        got=b"".join(b"<%d>" % number for number in range(20)),
    ),
    _tunnelled(
        "websocket-client-half-closes",
        "A client that has ended its side still gets what comes.",
        (HANDSHAKE, CLIENT_GOT_HEAD, b"last", SHUT_WR, client_got(b"answer")),
        (SWITCHED, upstream_got(b"last"), UPSTREAM_SAW_END, b"answer", CLOSE),
        sent=b"last",
        got=b"answer",
        expect=Expect(after=CLOSED),
        section="RFC 6455, 7.1.1",
    ),
    _tunnelled(
        "websocket-upstream-half-closes",
        "An upstream that has ended its side still gets what comes.",
        (HANDSHAKE, client_got(b"last"), CLIENT_SAW_END, b"answer", CLOSE),
        (SWITCHED + b"last", SHUT_WR, upstream_got(b"answer")),
        sent=b"answer",
        got=b"last",
        expect=Expect(upstream_left=True),
        section="RFC 6455, 7.1.1",
    ),
    *(
        _tunnelled(
            f"websocket-client-ends-with-{end.name.lower()}",
            "A client that leaves ends the tunnel.",
            (HANDSHAKE, client_got(b"hello"), b"bye", upstream_got(b"bye"), end),
            (SWITCHED + b"hello",),
            sent=b"bye",
            got=b"hello",
            expect=Expect(upstream_left=True),
        )
        for end in (CLOSE, RESET)
    ),
    *(
        _tunnelled(
            f"websocket-upstream-ends-with-{end.name.lower()}",
            "An upstream that leaves ends the tunnel.",
            (HANDSHAKE, client_got(b"hello"), b"bye"),
            (SWITCHED + b"hello", upstream_got(b"bye"), end),
            sent=b"bye",
            got=b"hello",
            expect=Expect(after=CLOSED),
        )
        for end in (CLOSE, RESET)
    ),
    _tunnelled(
        "websocket-upstream-ends-at-once",
        "What was sent before the end arrives.",
        HANDSHAKE,
        (SWITCHED + b"hello and bye", CLOSE),
        got=b"hello and bye",
        expect=Expect(after=CLOSED),
    ),
    Case(
        "websocket-after-another-request",
        "A connection that was used before can be upgraded.",
        TUNNEL,
        (
            request(target=b"/1"),
            CLIENT_GOT_RESPONSE,
            HANDSHAKE,
            client_got(b"hello"),
            b"hi",
            upstream_got(b"hi"),
        ),
        (
            Expect(
                got=(Response(200), Response(101, content=b"hello")),
                reached=(Request(), Request(content=b"hi")),
            ),
        ),
        answers=(OK, SWITCHED + b"hello"),
    ),
    Case(
        "websocket-pipelined",
        "A handshake waits for its turn.",
        TUNNEL,
        (request(target=b"/1") + HANDSHAKE, client_got(b"hello")),
        (
            Expect(
                got=(Response(200, content=b"fine"), Response(101, content=b"hello")),
                reached=(Request(), Request(line=b"GET /ws HTTP/1.1")),
            ),
        ),
        answers=(OK, SWITCHED + b"hello"),
    ),
    Case(
        "websocket-after-interim",
        "An interim response may come before the 101.",
        TUNNEL,
        (HANDSHAKE, client_got(b"hello")),
        (Expect(got=(Response(101, content=b"hello", interim=(Response(103),)),)),),
        answers=(
            (
                b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n",
                SWITCHED + b"hello",
            ),
        ),
    ),
    Case(
        "websocket-answer-without-framing",
        "101 is given no framing, and what it says of one is not relayed.",
        "RFC 9110, 8.6",
        (HANDSHAKE, client_got(b"hello")),
        (
            Expect(got=(Response(101, absent=(b"Content-Length",), content=b"hello"),)),
            Expect(got=(Response(502),)),
        ),
        answers=(response(SWITCHING, *UPGRADE, b"Content-Length: 0") + b"hello",),
    ),
    Case(
        "websocket-in-other-cases",
        "Neither the option nor the protocol has a case.",
        "RFC 6455, 4.2.1",
        (
            request(b"GET", b"/ws", b"connection: UPGRADE", b"upgrade: WebSocket"),
            client_got(b"hello"),
        ),
        (Expect(got=(Response(101, content=b"hello"),)),),
        answers=(
            response(SWITCHING, b"connection: upgrade", b"UPGRADE: WEBSOCKET")
            + b"hello",
        ),
    ),
    _other("another-protocol", b"foo/1", b"foo/1", b"Upgrade"),
    _other("one-of-several", b"foo/2, foo/1", b"foo/1", b"Upgrade"),
    _other("of-a-socket", b"tcp", b"tcp", b"Upgrade"),
    _other("among-options", b"foo/1", b"foo/1", b"X-Foo, upgrade, close"),
    Case(
        "upgrade-with-content",
        "Content comes before what is gone over to.",
        TUNNEL,
        (
            request(
                b"POST", b"/x", b"Connection: Upgrade", b"Upgrade: tcp", content=b"once"
            ),
            client_got(b"hello"),
            b"hi",
            upstream_got(b"hi"),
        ),
        (
            Expect(got=(Response(101, content=b"hello"),)),
            # Or it is no upgrade at all, and the 101 is one that nobody asked for.
            Expect(got=(Response(502),)),
        ),
        answers=(
            response(SWITCHING, b"Connection: Upgrade", b"Upgrade: tcp") + b"hello",
        ),
    ),
    *(
        forwarded(
            f"upgrade-not-offered-{name}",
            "Only an upgrade that may happen is offered to the upstream.",
            "RFC 9113, 3.1" if "h2c" in name or "http" in name else TUNNEL,
            send,
            **parts,
        )
        for name, (send, parts) in NOT_OFFERED.items()
    ),
    forwarded(
        "upgrade-not-offered-of-1.0",
        "An upgrade in HTTP/1.0 is ignored.",
        TUNNEL,
        request(b"GET", b"/a", *UPGRADE, version=b"HTTP/1.0"),
        absent=(b"Upgrade",),
        after=CLOSED,
    ),
    *(
        broken(
            f"upgrade-answered-with-{name}",
            "A protocol that was not asked for is not gone over to.",
            "RFC 9110, 15.2.2",
            b"HTTP/1.1 101 Switching Protocols\r\n" + lines + b"\r\n",
            send=HANDSHAKE,
        )
        for name, lines in UNWANTED.items()
    ),
    broken(
        "upgrade-of-1.0-in-spite",
        "A protocol that was not asked for is not gone over to.",
        "RFC 9110, 15.2.2",
        SWITCHED,
        send=request(b"GET", b"/a", *UPGRADE, version=b"HTTP/1.0"),
    ),
    *(
        relayed(
            f"upgrade-refused-with-{name}",
            "An upstream may answer in HTTP, and the connection stays in it.",
            TUNNEL,
            response(status, content=content),
            send=HANDSHAKE,
            line=b"HTTP/1.1 " + status,
            content=content,
        )
        for name, (status, content) in REFUSALS.items()
    ),
    relayed(
        "upgrade-required-by-upstream",
        "426 is relayed; what it offers is for this connection only.",
        "RFC 9110, 15.5.22",
        response(
            b"426 Upgrade Required",
            b"Connection: Upgrade",
            b"Upgrade: websocket, foo/1",
            b"Content-Length: 5",
            b"Sec-WebSocket-Version: 13, 8",
            content=b"newer",
        ),
        send=HANDSHAKE,
        line=b"HTTP/1.1 426 Upgrade Required",
        fields=(b"Content-Length: 5", b"Sec-WebSocket-Version: 13, 8"),
        content=b"newer",
    ),
    Case(
        "upgrade-refused-then-request",
        "After a refusal the next bytes are a request, with the token on it.",
        TUNNEL,
        HANDSHAKE + request(b"GET", b"/2", b"Authorization: Basic own"),
        (
            Expect(
                got=(Response(426), Response(200, content=b"fine")),
                reached=(Request(), Request(line=b"GET /2 HTTP/1.1")),
                after=OPEN,
            ),
        ),
        answers=(response(b"426 Upgrade Required", content=b"no"), OK),
    ),
    Case(
        "upgrade-refused-then-frames",
        "After a refusal what is no request is refused.",
        TUNNEL,
        (HANDSHAKE + b"\x81\x85\0\0\0\0early\r\n\r\n", CLIENT_GOT_RESPONSE),
        (
            Expect(
                got=(Response(200, content=b"fine"), Response(400)),
                reached=(Request(content=b""),),
                after=CLOSED,
            ),
        ),
        answers=(OK,),
    ),
    Case(
        "upgrade-client-leaves-before-the-answer",
        "A client that leaves before the 101 ends the request.",
        TUNNEL,
        (HANDSHAKE, upstream_got(b"/ws"), CLOSE),
        (Expect(reached=(Request(),), upstream_left=True, after=ANY),),
        answers=((AT_HEAD,),),
    ),
]
