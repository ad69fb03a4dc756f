"""What is passed on before its message ends, in both directions."""

from collections.abc import Callable

from tests.conformance.case import (
    ANY,
    CLOSED,
    OK,
    OPEN,
    Case,
    Expect,
    Request,
    Response,
    relayed,
    request,
    response,
)
from tests.conformance.steps import (
    AT_HEAD,
    CLIENT_GOT_HEAD,
    CLIENT_GOT_RESPONSE,
    CLOSE,
    UPSTREAM_GOT_CONTENT,
    UPSTREAM_GOT_HEAD,
    Script,
    Sleep,
    Slowly,
    Step,
    client_got,
    client_responses,
    upstream_got,
    upstream_requests,
)

UPLOAD = request(b"POST", b"/a", b"Content-Length: 9")
UPLOAD_CHUNKS = request(b"POST", b"/a", b"Transfer-Encoding: chunked")
HTTP_10 = request(version=b"HTTP/1.0")

OK_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENTS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    b"Cache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n"
)
OK_UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\n"

PIECES = tuple(b"data: %d\n\n" % number for number in range(8))
WHOLE = b"".join(PIECES)
OK_LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(WHOLE)

LARGE = b"0123456789abcdef" * 125_000
WHEN_IT_COMES = "Each piece of an answer is relayed before the next one comes."


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def _plain(piece: bytes) -> bytes:
    return piece


def _in_turn(
    head: bytes, write: Callable[[bytes], bytes], *end: Step
) -> tuple[Step, ...]:
    """Return an answer whose pieces are sent once the one before has arrived."""
    steps: list[Step] = [head, CLIENT_GOT_HEAD]
    for piece in PIECES:
        steps += (write(piece), client_got(piece))
    return (*steps, *end)


CHUNKED_IN_TURN = _in_turn(OK_CHUNKED, _chunk, b"0\r\n\r\n")
LENGTH_IN_TURN = _in_turn(OK_LENGTH, _plain)
UNTIL_CLOSE_IN_TURN = _in_turn(OK_UNTIL_CLOSE, _plain, CLOSE)


def _early(
    name: str, upload: bytes, answer: Script, send: tuple[Step, ...] = ()
) -> Case:
    """Return a case whose answer comes before the request's content is complete."""
    return Case(
        f"early-answer-{name}",
        "A final answer is relayed while the client still uploads.",
        "RFC 9112, 9.5",
        (upload, CLIENT_GOT_RESPONSE, *send),
        (
            Expect(
                got=(Response(413, content=b"no"),),
                reached=(Request(complete=None),),
                after=ANY,
            ),
        ),
        answers=(answer,),
    )


TOO_MUCH = response(b"413 Content Too Large", content=b"no")
TOO_MUCH_CLOSE = response(b"413 Content Too Large", b"Connection: close", content=b"no")
TOO_MUCH_CHUNKED = (
    b"HTTP/1.1 413 Content Too Large\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nno\r\n0\r\n\r\n"
)

CASES: list[Case] = [
    relayed(
        "first-event",
        "An event is relayed before the next one comes.",
        "RFC 9112, 7.1",
        _in_turn(EVENTS, _chunk, b"0\r\n\r\n"),
        fields=(b"Content-Type: text/event-stream", b"Cache-Control: no-store"),
        content=WHOLE,
    ),
    relayed(
        "streamed-in-chunks",
        WHEN_IT_COMES,
        "RFC 9112, 7.1",
        CHUNKED_IN_TURN,
        content=WHOLE,
    ),
    relayed(
        "streamed-by-length",
        WHEN_IT_COMES,
        "RFC 9112, 6",
        LENGTH_IN_TURN,
        content=WHOLE,
    ),
    relayed(
        "streamed-until-close",
        WHEN_IT_COMES,
        "RFC 9112, 6",
        UNTIL_CLOSE_IN_TURN,
        content=WHOLE,
        after=ANY,
    ),
    relayed(
        "streamed-in-chunks-to-1.0",
        WHEN_IT_COMES,
        "RFC 9112, 6",
        CHUNKED_IN_TURN,
        send=HTTP_10,
        content=WHOLE,
        framing="close",
        after=CLOSED,
    ),
    relayed(
        "streamed-until-close-to-1.0",
        WHEN_IT_COMES,
        "RFC 9112, 6",
        UNTIL_CLOSE_IN_TURN,
        send=HTTP_10,
        content=WHOLE,
        after=CLOSED,
    ),
    relayed(
        "streamed-of-1.0",
        WHEN_IT_COMES,
        "RFC 9112, 6",
        _in_turn(b"HTTP/1.0 200 OK\r\n\r\n", _plain, CLOSE),
        content=WHOLE,
        after=ANY,
    ),
    relayed(
        "streamed-in-code",
        "Coded content is not held back to be looked at.",
        "RFC 9110, 8.4",
        _in_turn(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n",
            _chunk,
            b"0\r\n\r\n",
        ),
        content=WHOLE,
    ),
    relayed(
        "streamed-error",
        "An error is relayed when it comes, too.",
        "RFC 9112, 6",
        _in_turn(
            b"HTTP/1.1 500 Internal Server Error\r\nTransfer-Encoding: chunked\r\n\r\n",
            _chunk,
            b"0\r\n\r\n",
        ),
        status=500,
        content=WHOLE,
    ),
    relayed(
        "streamed-to-post",
        WHEN_IT_COMES,
        "RFC 9112, 6",
        CHUNKED_IN_TURN,
        send=request(b"POST", content=b"once"),
        content=WHOLE,
    ),
    relayed(
        "streamed-bit-of-a-chunk",
        "A chunk is relayed before it is complete.",
        "RFC 9112, 7.1",
        (
            OK_CHUNKED + b"c\r\nfirst",
            client_got(b"first"),
            b" second\r\n0\r\n\r\n",
        ),
        content=b"first second",
    ),
    relayed(
        "streamed-head",
        "A head is relayed before the content comes.",
        "RFC 9112, 6",
        (OK_LENGTH, CLIENT_GOT_HEAD, WHOLE),
        content=WHOLE,
    ),
    relayed(
        "streamed-head-in-chunks",
        "A head is relayed before the content comes.",
        "RFC 9112, 6",
        (OK_CHUNKED, CLIENT_GOT_HEAD, _chunk(WHOLE) + b"0\r\n\r\n"),
        content=WHOLE,
    ),
    relayed(
        "trickle-by-length",
        "An answer that comes byte by byte is relayed whole.",
        "RFC 9112, 6",
        (Slowly(OK_LENGTH + WHOLE, seconds=0.002),),
        content=WHOLE,
    ),
    relayed(
        "trickle-in-chunks",
        "An answer that comes byte by byte is relayed whole.",
        "RFC 9112, 7.1",
        (Slowly(OK_CHUNKED + _chunk(WHOLE) + b"0\r\n\r\n", seconds=0.002),),
        content=WHOLE,
    ),
    relayed(
        "trickle-until-close",
        "An answer that comes byte by byte is relayed whole.",
        "RFC 9112, 6.3",
        (Slowly(OK_UNTIL_CLOSE + WHOLE, seconds=0.002), CLOSE),
        content=WHOLE,
        after=ANY,
    ),
    relayed(
        "slow-answer-in-time",
        "An answer that takes its time, but comes, is relayed.",
        "the contract, config",
        (Sleep(0.3), OK),
        content=b"fine",
        profile="short",
    ),
    relayed(
        "stream-longer-than-the-time-for-the-head",
        "The time for the head does not limit what follows it.",
        "the contract, config",
        (OK_CHUNKED, Slowly(_chunk(WHOLE), size=8, seconds=0.1), b"0\r\n\r\n"),
        content=WHOLE,
        profile="short",
    ),
    relayed(
        "large-by-length",
        "A large answer is relayed whole.",
        "RFC 9112, 6",
        response(content=LARGE),
        only=(b"Content-Length: %d" % len(LARGE),),
        content=LARGE,
    ),
    relayed(
        "large-in-chunks",
        "A large answer is relayed whole.",
        "RFC 9112, 7.1",
        OK_CHUNKED + _chunk(LARGE) + b"0\r\n\r\n",
        content=LARGE,
    ),
    relayed(
        "large-until-close",
        "A large answer is relayed whole.",
        "RFC 9112, 6.3",
        (OK_UNTIL_CLOSE + LARGE, CLOSE),
        content=LARGE,
        after=ANY,
    ),
    relayed(
        "large-in-chunks-to-1.0",
        "A large answer is relayed whole.",
        "RFC 9112, 6.3",
        OK_CHUNKED + _chunk(LARGE) + b"0\r\n\r\n",
        send=HTTP_10,
        content=LARGE,
        after=CLOSED,
    ),
    Case(
        "large-to-two",
        "Two large answers do not mix.",
        "RFC 9112, 9.3.2",
        request(target=b"/1") + request(target=b"/2"),
        (
            Expect(
                got=(Response(content=LARGE), Response(content=LARGE[::-1])),
                after=OPEN,
            ),
        ),
        answers=(
            response(content=LARGE),
            OK_CHUNKED + _chunk(LARGE[::-1]) + b"0\r\n\r\n",
        ),
    ),
    relayed(
        "first-piece-of-upload",
        "Content is forwarded before the rest of it comes.",
        "RFC 9112, 6",
        response(),
        send=(UPLOAD + b"one", UPSTREAM_GOT_CONTENT, b"twosix"),
        status=200,
    ),
    relayed(
        "head-of-upload",
        "A head is forwarded before its content comes.",
        "RFC 9112, 6",
        response(),
        send=(UPLOAD, UPSTREAM_GOT_HEAD, b"onetwosix"),
        status=200,
    ),
    Case(
        "upload-chunk-by-chunk",
        "Each chunk of a request is forwarded before the next one comes.",
        "RFC 9112, 7.1",
        (
            UPLOAD_CHUNKS,
            UPSTREAM_GOT_HEAD,
            *(
                step
                for piece in PIECES
                for step in (_chunk(piece), upstream_got(piece))
            ),
            b"0\r\n\r\n",
        ),
        (Expect(got=(Response(200),), reached=(Request(content=WHOLE),), after=OPEN),),
    ),
    Case(
        "upload-large",
        "A large upload arrives whole.",
        "RFC 9112, 6",
        request(b"PUT", b"/a", content=LARGE),
        (Expect(got=(Response(200),), reached=(Request(content=LARGE),), after=OPEN),),
    ),
    Case(
        "upload-slower-than-the-time-for-the-head",
        "The time for the answer's head does not run while the client uploads.",
        "the contract, config",
        (UPLOAD, Slowly(b"onetwosix", seconds=0.12)),
        (
            Expect(
                got=(Response(200),),
                reached=(Request(content=b"onetwosix"),),
                after=OPEN,
            ),
        ),
        profile="short",
    ),
    Case(
        "upload-that-stops",
        "A client that stops in the middle of its content is told so in time.",
        "RFC 9110, 15.5.9",
        (UPLOAD + b"one",),
        (
            Expect(
                got=(Response(frozenset({408, 504})),),
                reached=(Request(content=b"one", complete=False),),
                after=CLOSED,
            ),
        ),
        profile="short",
    ),
    Case(
        "answer-and-upload-at-once",
        "An answer may begin while the request still comes, and end after it.",
        "RFC 9110, 7.5",
        (
            UPLOAD + b"one",
            client_got(b"first"),
            b"two",
            upstream_got(b"onetwo"),
            b"six",
            CLIENT_GOT_RESPONSE,
        ),
        (
            Expect(
                got=(Response(200, content=b"first last"),),
                reached=(Request(content=b"onetwosix"),),
                after=ANY,
            ),
        ),
        answers=(
            (
                AT_HEAD,
                b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst",
                upstream_got(b"onetwosix"),
                b" last",
            ),
        ),
    ),
    _early("length", UPLOAD + b"one", (AT_HEAD, TOO_MUCH)),
    _early("length-close", UPLOAD + b"one", (AT_HEAD, TOO_MUCH_CLOSE)),
    _early("length-closed", UPLOAD + b"one", (AT_HEAD, TOO_MUCH_CLOSE, CLOSE)),
    _early("length-in-chunks", UPLOAD + b"one", (AT_HEAD, TOO_MUCH_CHUNKED)),
    _early("chunks", UPLOAD_CHUNKS + b"3\r\none\r\n", (AT_HEAD, TOO_MUCH)),
    _early("chunks-close", UPLOAD_CHUNKS + b"3\r\none\r\n", (AT_HEAD, TOO_MUCH_CLOSE)),
    _early(
        "chunks-closed",
        UPLOAD_CHUNKS + b"3\r\none\r\n",
        (AT_HEAD, TOO_MUCH_CLOSE, CLOSE),
    ),
    _early("no-content-yet", UPLOAD, (AT_HEAD, TOO_MUCH)),
    _early("client-goes-on", UPLOAD + b"one", (AT_HEAD, TOO_MUCH), (b"two", b"six")),
    _early(
        "client-goes-on-in-chunks",
        UPLOAD_CHUNKS + b"3\r\none\r\n",
        (AT_HEAD, TOO_MUCH_CLOSE, CLOSE),
        (b"3\r\ntwo\r\n0\r\n\r\n",),
    ),
    Case(
        "early-answer-of-large-upload",
        "An answer that comes early is not lost to a client that goes on sending.",
        "RFC 9112, 9.6",
        request(b"PUT", b"/a", content=LARGE),
        (
            Expect(
                got=(Response(413, content=b"no"),),
                reached=(Request(complete=None),),
            ),
        ),
        answers=((AT_HEAD, TOO_MUCH_CLOSE, CLIENT_GOT_HEAD, CLOSE),),
    ),
    Case(
        "early-answer-then-next",
        "What is left of an upload is no request.",
        "RFC 9112, 9.5",
        (UPLOAD + b"one", CLIENT_GOT_RESPONSE, b"GET / HTTP/1.1\r\n\r\n"),
        (
            Expect(
                got=(Response(413, content=b"no"),),
                reached=(Request(complete=None),),
                after=CLOSED,
            ),
            Expect(
                got=(Response(413, content=b"no"), Response(400)),
                reached=(Request(complete=None),),
                after=CLOSED,
            ),
        ),
        answers=((AT_HEAD, TOO_MUCH),),
    ),
    Case(
        "slow-answer-holds-up-nobody",
        "An answer that takes long does not hold up another client's.",
        "RFC 9112, 9.4",
        (upstream_requests(1), request(target=b"/2"), client_responses(1)),
        (
            Expect(
                got=(Response(200, content=b"fine"),),
                reached=(
                    Request(line=b"GET /1 HTTP/1.1"),
                    Request(line=b"GET /2 HTTP/1.1"),
                ),
                after=OPEN,
            ),
        ),
        answers=((), OK),
        others=(request(target=b"/1"),),
    ),
    Case(
        "slow-upload-holds-up-nobody",
        "A client that uploads slowly does not hold up another.",
        "RFC 9112, 9.4",
        (UPSTREAM_GOT_CONTENT, request(target=b"/2"), client_responses(1)),
        (Expect(got=(Response(200, content=b"fine"),), after=OPEN),),
        others=((UPLOAD + b"one",),),
    ),
    Case(
        "stream-holds-up-nobody",
        "A stream that never ends does not hold up another client's request.",
        "RFC 9112, 9.4",
        (upstream_requests(1), request(target=b"/2"), client_responses(1)),
        (Expect(got=(Response(200, content=b"fine"),), after=OPEN),),
        answers=((EVENTS + _chunk(PIECES[0]),), OK),
        others=(request(target=b"/1"),),
    ),
]
