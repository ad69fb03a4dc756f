"""Who is right where nginx differs, for each rule, and why.

* `ours`: in at least one of the cases nginx breaks a MUST or a SHOULD, which is named.
* `both`: the sections leave it open; ours is the stricter one, or chosen on purpose.
* `contract`: what is expected is this program's own, and no server needs to do it.
* `nginx`: what is expected breaks a section. Such a case has to be mended.

A section is of the same RFC as the rule unless it names another.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Right = Literal["ours", "both", "contract", "nginx"]


@dataclass(frozen=True)
class Verdict:
    """Who is right about a rule, and why: a phrase of Markdown."""

    right: Right
    why: str

    def __str__(self) -> str:
        return f"**{self.right}**: {self.why}"


def ours(why: str) -> Verdict:
    return Verdict("ours", why)


def both(why: str) -> Verdict:
    return Verdict("both", why)


def contract(why: str) -> Verdict:
    return Verdict("contract", why)


def nginx(why: str) -> Verdict:
    return Verdict("nginx", why)


# -- Reasons that several rules share --------------------------------------------------

GRAMMAR = ours(
    "what does not match the grammar SHOULD be answered with 400 (9112, 2.2)"
)
LINE_ENDS = both(
    "a lone LF MAY end a line, and CRs before it may be ignored (9112, 2.2); ours is"
    " strict, so that no other reader sees other lines"
)
WHITE_SPACE = ours(
    "white space around a value, tabs included, MUST be left out (9110, 5.5)"
)
BLIND = ours(
    "nginx hands the bytes on as an answer of HTTP/0.9; an intermediary MUST send a"
    " version of its own (9112, 2.3)"
)
INTERIM = ours(
    "a client MUST be able to read interim responses before the final one; to nginx the"
    " first is the final one (9110, 15.2)"
)
ASKS = both(
    "a gateway may ask as an origin server does, or leave it to the upstream as a proxy"
    " does; ours leaves it, so that nothing is uploaded in vain"
)
TRAILERS = both(
    "trailers MAY be discarded (9112, 7.1.2); ours relays them when asked to"
)
STRICT_ANSWER = both(
    "nothing tells a client to refuse it, and a close without an answer is allowed"
    " (9112, 9.5); ours takes nothing lenient from an upstream, and says 502"
)
CUT = ours(
    "a cut answer MUST be recorded as incomplete; nginx ends it so that the client"
    " takes it for whole"
)
FOR_US = ours("it is for the next client only, and so MUST be left out (7.6)")
UNNAMED = ours("fields known to be for one hop SHOULD be removed, named or not")
NAMED = ours("what Connection names MUST be removed")
HALF_CLOSED = both(
    "a half-closed connection does not mean that nobody wants the answer (9.6), but a"
    " server may close at any time (9.5); ours answers"
)
TUNNEL = both(
    "a tunnel lasts until both ends are closed (9110, 3.7), or ends with the first"
    " (9110, 9.3.6); ours lets each side have its say"
)
LIMITS = both(
    "limits are the server's own, and any 4xx will do (9110, 5.4); ours says which"
)
ORDER = contract(
    "the order of different fields means nothing (9110, 5.3); ours keeps it"
)
OWN_FORM = contract("our own answers have the form of the API")
OWN_REASON = contract("a reason of ours to refuse")
LOOP = contract(
    "the name in Via is ours; that a message MUST NOT go round for ever (9110, 7.6) is"
    " nobody else's reason to refuse it"
)
VIA = ours("a gateway MUST send Via with each request")
HTTP_0_9 = ours(
    "it SHOULD be answered with 400 (2.2); nginx sends a page without a head"
)
CODING = ours(
    "a coding may leave Transfer-Encoding only with its being decoded (9112, 6.1);"
    " nginx drops the name alone, and nobody can read the content"
)
FRAMED = ours("invalid framing MUST become a 502")
AUTHORITY = ours(
    "what a target's scheme demands MUST be met, or the request be rejected; a target"
    " with a fragment SHOULD be answered with 400 (9112, 2.2)"
)
TARGET = both(
    "what is no URI SHOULD be refused (9112, 3.2), as nginx does, and anything else may"
    " be; ours forwards each byte and lets the upstream judge"
)
RAW = both(
    "it SHOULD be refused (9112, 3.2); nginx sends the bytes on, ours encodes them, for"
    " old programs"
)
LOCATION = contract("nginx compares prefixes, in their case; ours compares origins")
COOKIES = contract("nginx changes no cookie unless told to")

VERDICTS: dict[str, dict[str, Verdict]] = {
    "RFC 3986, 2.1": {
        "Bytes that no target may have are percent-encoded, and nothing else is.": RAW,
        "Each byte beyond ASCII is percent-encoded, in upper case.": RAW,
    },
    "RFC 3986, 4.2": {
        "A reference without scheme leads to the upstream's host as well.": LOCATION,
    },
    "RFC 6455, 7.1.1": {
        "A client that has ended its side still gets what comes.": TUNNEL,
        "An upstream that has ended its side still gets what comes.": TUNNEL,
    },
    "RFC 6585, 5": {
        "A field that is too large is refused before its end.": LIMITS,
        "A field that is too large is refused with 431.": LIMITS,
        "A head that is too large is refused whatever follows it.": LIMITS,
        "Fields that are too large together are refused with 431.": LIMITS,
        "Too many fields are refused with 431.": LIMITS,
        "What follows a field that is too long is not answered with the token.": LIMITS,
    },
    "RFC 9110, 2.5": {
        "What is not HTTP/1.x is no answer.": ours(
            "the major version is the syntax; nginx relays HTTP/0.9 as it is, though it"
            " MUST send a version of its own (9112, 2.3)"
        ),
    },
    "RFC 9110, 5.1": {
        "A field's name is a token.": ours(
            "what does not match the grammar SHOULD be answered with 400 (9112, 2.2);"
            " nginx leaves the field out and goes on"
        ),
        "A field's name is any token.": ours(
            "unknown fields MUST be forwarded; nginx takes letters, digits, - and _"
            " only"
        ),
        "A head with a line that is no field is not relayed.": STRICT_ANSWER,
    },
    "RFC 9110, 5.4": {
        "Trailers without end are not waited for.": both(
            "limits are the recipient's own; nginx reads on for as long as they come"
        ),
    },
    "RFC 9110, 5.5": {
        "A head with a line that is no field is not relayed.": ours(
            "control characters are invalid, and MAY be kept in a safe context only"
        ),
        "A transfer coding that is not understood is not relayed.": CODING,
        "A value has no control characters but the tab.": ours(
            "control characters are invalid, and MAY be kept in a safe context only; CR"
            " and LF at the end of a line are open (9112, 2.2)"
        ),
        "White space around Content-Length is no part of it.": WHITE_SPACE,
    },
    "RFC 9110, 6.5.1": {
        "Trailers are relayed to a client that takes them, in order and case.": (
            TRAILERS
        ),
        "Trailers may be cut into segments anywhere.": TRAILERS,
        "Trailers that were announced are relayed.": TRAILERS,
    },
    "RFC 9110, 7.2": {
        "The upstream gets its own name, whatever name of ours was used.": WHITE_SPACE,
    },
    "RFC 9110, 7.4": {
        "A request for a name that is not ours is refused.": both(
            "which names are its own is the server's to say; no port of ours is 999999"
        ),
        "A target for elsewhere is refused, whatever Host says.": both(
            "a server may refuse what was not meant for it; to nginx another port of"
            " its name is not elsewhere"
        ),
        "The absolute form with another authority is refused.": AUTHORITY,
    },
    "RFC 9110, 7.6": {
        "Signs are forwarded as they came, those that no URI may have included.": (
            TARGET
        ),
        "The status line and the fields are relayed as they came.": ORDER,
        "The target is forwarded as it came.": TARGET,
    },
    "RFC 9110, 7.6.1": {
        "Fields for one connection only are not relayed, even unnamed.": UNNAMED,
        "Fields for one connection only are not relayed, however many.": UNNAMED,
        "Fields for one hop are not forwarded.": UNNAMED,
        "What Connection names is for one connection only.": NAMED,
        "What Connection names is for this connection only.": NAMED,
        "What the upstream says of its connection does not end the client's.": UNNAMED,
    },
    "RFC 9110, 7.6.2": {
        "A request that is forwarded has one forward less.": ours(
            "Max-Forwards of OPTIONS MUST be counted down"
        ),
        "A request with no forwards left goes no further.": ours(
            "OPTIONS with no forwards left MUST NOT be forwarded"
        ),
        "A request with no forwards left is answered here.": ours(
            "OPTIONS with no forwards left MUST be answered as the last recipient does"
        ),
    },
    "RFC 9110, 7.6.3": {
        "A forwarded request has a Via.": VIA,
        "A forwarded request has one more Via.": VIA,
        "A loop cannot be hidden.": LOOP,
        "A request that has been here before goes in circles.": LOOP,
        "Via has the version in which the request came.": VIA,
    },
    "RFC 9110, 7.8": {
        "An offer to upgrade is for one connection only.": ours(
            "what Connection names MUST be removed (7.6.1)"
        ),
        "An upgrade in HTTP/1.0 is ignored.": ours(
            "Upgrade in HTTP/1.0 MUST be ignored"
        ),
        "An upgrade is ignored in HTTP/1.0.": ours(
            "Upgrade in HTTP/1.0 MUST be ignored"
        ),
        "An upgrade is offered to the upstream, which may decline.": both(
            "Upgrade MAY be ignored; nginx is set up for WebSocket alone, as is usual"
        ),
        "Fields for one connection only are not relayed, even unnamed.": ours(
            "Upgrade SHOULD be removed, named or not (7.6.1)"
        ),
        "Only an upgrade that may happen is offered to the upstream.": ours(
            "a sender of Upgrade MUST have named it in Connection; what came without"
            " SHOULD be removed (7.6.1)"
        ),
    },
    "RFC 9110, 8.6": {
        "101 is given no framing, and what it says of one is not relayed.": ours(
            "1xx MUST NOT have Content-Length"
        ),
        "204 that announces a length ends with its head all the same.": ours(
            "204 MUST NOT have Content-Length"
        ),
        "A Content-Length that is no number is not relayed.": ours(
            "overflow MUST be prevented; invalid framing MUST become a 502 (9112, 6.3)"
        ),
        "Content-Length is one number, in ASCII digits that fit.": ours(
            "a lone LF MAY end a line, but the next line is then no field, and SHOULD"
            " be answered with 400 (9112, 2.2); a bare CR at the end is open"
        ),
    },
    "RFC 9110, 9.1": {
        "A method is any token, in the case in which it came.": ours(
            "new methods are to be forwarded (7.6), and what a server does not know"
            " SHOULD be answered with 501, not 400"
        ),
    },
    "RFC 9110, 9.2.2": {
        "A request that may not be repeated is delivered once, come what may.": ours(
            "what is not known to be idempotent SHOULD NOT be sent again; nginx repeats"
            " any method but POST, PATCH and LOCK"
        ),
    },
    "RFC 9110, 9.3.2": {
        "An answer of ours to HEAD has no content, but says what it would be.": (
            OWN_FORM
        ),
    },
    "RFC 9110, 9.3.6": {
        "There are no tunnels here.": ours("405 MUST have Allow (15.5.6)"),
    },
    "RFC 9110, 9.3.8": {
        "Nothing is answered with what the proxy sends, and so with its token.": ours(
            "405 MUST have Allow (15.5.6); TRACK, which nginx forwards, is refused for"
            " the token's sake"
        ),
    },
    "RFC 9110, 10.1.1": {
        "A client need not wait to be asked.": INTERIM,
        "A client that waits to be asked for its content is asked.": INTERIM,
        "A final answer comes instead of being asked for content.": ASKS,
        "A final status instead of 100 is relayed, and no content is asked for.": ASKS,
        "An expectation that is not known is passed on, or refused with 417.": both(
            "417 is a MAY; nginx forwards no Expect at all, ours leaves it to the"
            " upstream"
        ),
        "An upstream that decides may close at once.": ASKS,
        "Content in chunks waits for 100 as well.": INTERIM,
        "Content that waits for 100 is sent on after it.": INTERIM,
        "HTTP/1.0 knows no expectation, and no interim response.": ours(
            "HTTP/1.0 clients MUST NOT be sent interim responses (15.2)"
        ),
        "Other interim responses may come before and after 100.": INTERIM,
        "The expectation has no case.": INTERIM,
    },
    "RFC 9110, 10.1.4": {
        "Of TE only trailers is passed on.": both(
            "TE is about one hop, and nobody needs to ask for trailers; ours asks for"
            " those whose client takes them"
        ),
        "TE may name other codings, with weights.": TRAILERS,
    },
    "RFC 9110, 10.2.4": {
        "Date and Server are the upstream's.": ORDER,
    },
    "RFC 9110, 11.7.1": {
        "A challenge for a proxy is for us, who have no answer to it.": FOR_US,
        "Fields for one connection only are not relayed, even unnamed.": FOR_US,
    },
    "RFC 9110, 11.7.3": {
        "Fields for one connection only are not relayed, even unnamed.": FOR_US,
    },
    "RFC 9110, 15": {
        "A status has three digits, the first of them from 1 on.": BLIND,
    },
    "RFC 9110, 15.2": {
        "100 before the answer to HEAD does not take its place.": INTERIM,
        "An HTTP/1.0 client gets no interim response.": ours(
            "HTTP/1.0 clients MUST NOT be sent interim responses"
        ),
        "An interim response is no answer.": INTERIM,
        "An interim response is relayed before the next one comes.": INTERIM,
        "Interim responses are relayed when they come.": INTERIM,
        "Interim responses are relayed whatever the method is.": INTERIM,
        "Interim responses are relayed, each as it came and in order.": INTERIM,
        "Interim responses say nothing about the final one.": INTERIM,
    },
    "RFC 9110, 15.2.2": {
        "A protocol that was not asked for is not gone over to.": ours(
            "a server MUST NOT switch to a protocol that the client did not offer (7.8)"
        ),
    },
    "RFC 9110, 15.5.9": {
        "A client that stops in the middle of its content is told so in time.": both(
            "an error before the close is a MAY (9112, 8); ours says 408"
        ),
    },
    "RFC 9110, 15.6.3": {
        "An upstream that closes instead of saying 100 is a 502.": ASKS,
    },
    "RFC 9110, 17.5": {
        "Connection may name much.": ours(
            "what Connection names MUST be removed (7.6.1)"
        ),
    },
    "RFC 9112, 2.2": {
        "A bare CR is refused, or becomes a space.": ours(
            "what has a bare CR MUST be taken for invalid, or the CR for a space"
        ),
        "A field is a name, a colon and a value, on one line.": GRAMMAR,
        "Blank lines are for requests; here they are refused, or left out.": BLIND,
        "However a request is cut into segments, it is the same request.": LINE_ENDS,
        "However interim responses are cut into segments, they are the same.": INTERIM,
        "Lines end with CRLF, and CR and LF stand nowhere else.": LINE_ENDS,
        "Nothing but empty lines may stand before a request line.": both(
            "a lone LF MAY end a line, and a bare CR there MAY be white space (3); ours"
            " is strict, so that no other reader sees other lines"
        ),
    },
    "RFC 9112, 2.3": {
        "A request of HTTP/0.9 has no fields.": HTTP_0_9,
        "A request of HTTP/0.9 is refused at once.": HTTP_0_9,
        "A request of HTTP/0.9 is refused.": HTTP_0_9,
        "The version is HTTP/1, a dot, and one digit.": GRAMMAR,
        "What is not HTTP/1.x is no answer.": BLIND,
    },
    "RFC 9112, 3": {
        "One space stands between method, target and version, and no other.": ours(
            "more white space MAY be taken for one space; but what nginx takes for"
            " HTTP/0.9 SHOULD be answered with 400 (2.2), not without a head"
        ),
    },
    "RFC 9112, 3.2": {
        "A request of HTTP/1.0 may come without Host.": both(
            "only HTTP/1.1 needs Host; nginx is set up to serve one name, ours takes"
            " the address that was called"
        ),
        "Controls, spaces and fragments are in no target.": GRAMMAR,
        "Host is one host, and perhaps a port.": ours(
            "an invalid Host MUST be answered with 400"
        ),
    },
    "RFC 9112, 3.2.2": {
        "The absolute form with our own authority is served.": ours(
            "the absolute form MUST be accepted, and its query MUST NOT be changed"
            " (9110, 7.7): nginx drops an empty one"
        ),
    },
    "RFC 9112, 3.2.4": {
        "OPTIONS may be about the whole server.": ours(
            "an absolute form without a path MUST become *; nginx makes it /, and"
            " refuses *"
        ),
    },
    "RFC 9112, 4": {
        "A status has three digits, the first of them from 1 on.": BLIND,
        "A status line that ends with the status is completed, or refused.": ours(
            "the space after the status MUST be sent"
        ),
        "What can become no head is not waited for.": BLIND,
        "What is not HTTP/1.x is no answer.": BLIND,
    },
    "RFC 9112, 5": {
        "A field is a name, a colon and a value, on one line.": GRAMMAR,
        "A head with a line that is no field is not relayed.": ours(
            "a sender MUST NOT generate what is not valid (9110, 2.2); nginx adds a"
            " colon to the line and sends it"
        ),
        "The case of a name and the space around a value do not matter.": WHITE_SPACE,
    },
    "RFC 9112, 5.1": {
        "White space before the colon is removed from an answer.": both(
            "a proxy that relays such an answer MUST mend it, as ours does; nginx"
            " refuses it"
        ),
    },
    "RFC 9112, 6.1": {
        "A transfer coding that is not understood is not relayed.": CODING,
        "A transfer coding that is not understood is refused.": LINE_ENDS,
        "An answer with both framings is not relayed.": ours(
            "it ought to be an error; who relays it MUST go by Transfer-Encoding (6.3)."
            " nginx does for chunked; with another coding it goes by the length"
        ),
    },
    "RFC 9112, 6.3": {
        "A Content-Length that is no number is not relayed.": FRAMED,
        "An answer with lengths that differ is not relayed.": FRAMED,
        "Content after a response to HEAD is not relayed, nor taken for an answer.": (
            ours(
                "a connection on which more came than asked for SHOULD be closed (9.2)"
            )
        ),
        "Content-Length is there once, and where everyone sees it.": LINE_ENDS,
    },
    "RFC 9112, 7": {
        "The case of a coding and the space around it do not matter.": WHITE_SPACE,
    },
    "RFC 9112, 7.1": {
        "A chunk is as long as its size says.": STRICT_ANSWER,
        "A chunk's size is hexadecimal digits, in a number that fits.": GRAMMAR,
        "A line of a chunk ends with CRLF.": GRAMMAR,
        "However content is cut into segments, it is the same content.": ours(
            "the cases of the other rules about chunks, byte by byte: what does not"
            " match the grammar SHOULD be answered with 400 (2.2)"
        ),
        "The lines and the data of a chunk end with CRLF, where they should.": GRAMMAR,
        "What is no chunk size ends the answer visibly.": STRICT_ANSWER,
    },
    "RFC 9112, 7.1.1": {
        "A chunk extension that is not valid, or too long, is refused.": ours(
            "what does not match the grammar SHOULD be answered with 400 (2.2), and a"
            " limit of length ought to be there"
        ),
    },
    "RFC 9112, 7.1.2": {
        "Trailers are fields, and are refused where they are not valid.": ours(
            "what does not match the grammar SHOULD be answered with 400 (2.2); where"
            " the fault is a lone LF, it is open"
        ),
        "Trailers of a request are discarded, and so not announced.": both(
            "Trailer may be left as a hint of what was lost (9110, 6.6.2)"
        ),
        "Trailers that are no fields end the answer visibly.": both(
            "trailers MAY be discarded, and nginx does not look at them; ours does not"
            " guess where such an answer ends"
        ),
    },
    "RFC 9112, 8": {
        "A fault that comes after part of the content ends the request.": ours(
            "what does not match the grammar SHOULD be answered with 400 (2.2); how"
            " long trailers may be is open"
        ),
        "A head that is cut is no answer, and costs one delivery.": INTERIM,
        "An answer that breaks off does not look complete.": CUT,
        "Content that breaks off does not arrive as a whole one, and is told so.": both(
            "an error before the close is a MAY; ours says 400"
        ),
        "Content until the close that is cut ends in a reset.": CUT,
    },
    "RFC 9112, 9.2": {
        "What an upstream says before it was asked is no answer.": ours(
            "what came before a request MUST NOT be taken for its response"
        ),
    },
    "RFC 9112, 9.3": {
        "A connection is kept or ended as the client says.": both(
            "a server may close at any time (9.5); nginx looks for close anywhere in"
            " the field, ours reads the list"
        ),
        "An answer of ours ends a connection of HTTP/1.0.": OWN_FORM,
    },
    "RFC 9112, 9.3.2": {
        "Interim responses belong to the next final one.": INTERIM,
        "The next request begins right after content that was asked for.": INTERIM,
    },
    "RFC 9112, 9.6": {
        "A client that has only stopped sending gets its answer.": HALF_CLOSED,
        "All that was asked before half an end is answered.": HALF_CLOSED,
        "An answer of ours is not lost to a client that goes on sending.": OWN_REASON,
        "An answer of ours that did not wait for the content ends the connection.": (
            OWN_REASON
        ),
        "What Connection names is for this connection only.": ours(
            "what Connection names MUST be removed (9110, 7.6.1)"
        ),
        "What is before a malformed request is answered, and nothing after it.": (
            LINE_ENDS
        ),
    },
    "RFC 9112, 11.2": {
        "However a request is cut into segments, it is the same request.": GRAMMAR,
        "Nobody can read the end of a chunk in two ways.": GRAMMAR,
        "The caller's Authorization cannot be hidden from this proxy.": LINE_ENDS,
        "Transfer-Encoding cannot be hidden from one of two readers.": GRAMMAR,
    },
    "RFC 9113, 3.1": {
        "HTTP/2 is not what a connection through here goes over to.": ours(
            "HTTP2-Settings is named in Connection and MUST be removed (9110, 7.6.1)"
        ),
        "Only an upgrade that may happen is offered to the upstream.": ours(
            "HTTP2-Settings is named in Connection and MUST be removed (9110, 7.6.1);"
            " not to offer WebSocket among others is open"
        ),
    },
    "the contract, config": {
        "A cookie for the upstream's host loses the Domain that would deny ours.": (
            COOKIES
        ),
        "One cookie that is made ours leaves its neighbours alone.": COOKIES,
        "Only Location and the domains of cookies are made ours.": contract(
            "nginx takes Refresh for a redirect, too"
        ),
        "The time for the head of the answer is for the final one.": contract(
            "nginx takes the first interim response for the final one"
        ),
        "The upstream's own origin in Location becomes ours; the rest stays.": LOCATION,
    },
    "the contract, what a calling program sees": {
        "A Date that nobody can read is none of our business.": ORDER,
        "A head that does not end in time is as none.": OWN_FORM,
        "A method that is not served is told so, with those that are.": OWN_FORM,
        "A request of a page that may not call is refused.": OWN_REASON,
        "A request that could be read in two ways is told so.": OWN_FORM,
        "A request that has been here is not sent round once more.": OWN_REASON,
        "A request that is none is told so.": OWN_FORM,
        "A request under a name that is not ours is refused.": OWN_FORM,
        "A target that is too long is told so.": OWN_FORM,
        "After an answer of ours the upstream's come as before.": OWN_FORM,
        "An answer of the proxy's own never shows the token.": OWN_REASON,
        "An upstream that cuts its answer before its head is told as such.": OWN_FORM,
        "An upstream that does not answer is told as such, and is asked once.": (
            OWN_FORM
        ),
        "An upstream that does not answer is told as such.": OWN_FORM,
        "An upstream that refuses connections is told as such.": OWN_FORM,
        "An upstream whose answer is none is told as such.": OWN_FORM,
        "Callers tell our answers by Proxy-Status: no relayed one names us.": (
            contract("Proxy-Status in our name is ours alone")
        ),
        "Content-Length keeps its place and its case.": ORDER,
        "Fields for one connection only are not relayed, even unnamed.": contract(
            "Trailer is for those who get the trailers"
        ),
        "Fields that are too large are told so.": OWN_FORM,
        "The caller's Authorization never arrives, and the token does, once.": contract(
            "the caller's Authorization is dropped, however often it comes; nginx"
            " refuses a second one"
        ),
        "Trailers that are dropped are not announced.": contract(
            "Trailer is for those who get the trailers"
        ),
        "What is meant for this proxy is not forwarded.": contract(
            "Proxy-Authorization MAY be relayed (9110, 11.7.2); ours never shows the"
            " upstream what was meant for us"
        ),
    },
}


def verdicts() -> Iterator[tuple[str, str, Verdict]]:
    """Yield section, rule and verdict of all that is judged."""
    for section, rules in VERDICTS.items():
        for rule, verdict in rules.items():
            yield section, rule, verdict
