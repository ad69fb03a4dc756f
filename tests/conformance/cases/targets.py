"""The request target."""

import string

from tests.conformance.case import (
    ANY,
    CLIENT_ERROR,
    CLOSED,
    HOST,
    OPEN,
    Case,
    Expect,
    Request,
    Response,
    forwarded,
    refused,
    request,
)
from tests.conformance.refusals import NEXT, or_refused

ODD = b"/a%2Fb%2f%41%7E+;|//./..?&&k=1&k=2&="

AS_IT_CAME = {
    "root": b"/",
    "encoded-slash": b"/a%2Fb",
    "encoded-slash-in-lower-case": b"/a%2fb",
    "encoded-letter": b"/%41%62",
    "encoded-unreserved": b"/%7E%2D%2E%5F",
    "encoded-in-both-cases": b"/%c3%A9%C3%a9?%c3%A9",
    "encoded-percent": b"/%25/%252F?%25",
    "encoded-question-mark": b"/a%3Fb?c%3Fd",
    "encoded-hash": b"/a%23b?c%23d",
    "encoded-space": b"/a%20b?c%20d",
    "encoded-nul": b"/a%00b?c%00d",
    "encoded-crlf": b"/a%0d%0aX:%201?b%0D%0A",
    "encoded-backslash": b"/a%5c..%5Cb",
    "encoded-dots": b"/a/%2e%2e/%2E/b",
    "encoded-dots-and-slash": b"/a/..%2f..%2Fb",
    "encoded-semicolon": b"/a%3Bb",
    "encoded-overlong": b"/%c0%ae%c0%ae/%e0%80%af",
    "encoded-by-iis": b"/%u0041?%u0041",
    "encoded-badly": b"/%zz%4?%zz%4",
    "percent-at-end": b"/a%",
    "plus": b"/a+b?c+d=+",
    "semicolon": b"/a;b=c/d;e?f;g",
    "jsessionid": b"/a;jsessionid=0123?b",
    "pipe": b"/a|b?c|d",
    "tilde": b"/~a/~?~",
    "sub-delimiters": b"/!$&'()*+,;=:@?!$&'()*+,;=:@",
    "two-slashes": b"//a//b//",
    "three-slashes": b"///",
    "slashes-and-host": b"//elsewhere.test/a",
    "trailing-slash": b"/a/",
    "dot": b"/./a/./b/.",
    "dots": b"/a/../b/..",
    "dots-beyond-root": b"/../../a",
    "dots-and-semicolon": b"/a/..;/b",
    "dots-only": b"/..",
    "three-dots": b"/...",
    "backslashes": b"/\\a\\..\\b",
    "url-in-path": b"/http://elsewhere.test/a",
    "url-in-query": b"/a?http://elsewhere.test:1/b?c",
    "at-sign": b"/@elsewhere.test",
    "port": b"/:80/a",
    "version": b"/HTTP/1.1",
    "asterisk": b"/*",
    "empty-query": b"/a?",
    "empty-query-of-root": b"/?",
    "question-marks": b"/a??b?c??",
    "ampersands": b"/a?&&b&&",
    "equals": b"/a?=&==&b=",
    "repeated-keys": b"/a?k=2&k=1&k=2",
    "empty-values": b"/a?k=&k&=v",
    "brackets": b"/a[0]?b[]=1&c[d]=2",
    "json": b'/a?{"b":["c",{}]}',
    "access-token": b"/a?access_token=own",
    "8-kb-query": b"/a?q=" + b"0123456789abcdef" * 512,
    "8-kb-path": b"/" + b"01234567/%2F+;%7e" * 512,
    "32-kb-query": b"/a?" + b"key=%D0%B0&" * 3_000,
}

SIGNS = sorted(set(string.punctuation.encode()) - set(b"#"))

RAW = {
    "utf-8": (
        "/врач?q=%D0%B0&р".encode(),
        b"/%D0%B2%D1%80%D0%B0%D1%87?q=%D0%B0&%D1%80",
    ),
    "utf-8-in-path": ("/é/日".encode(), b"/%C3%A9/%E6%97%A5"),
    "utf-8-in-query": ("/a?ж=й".encode(), b"/a?%D0%B6=%D0%B9"),
    "utf-8-of-four-bytes": ("/😀?😀".encode(), b"/%F0%9F%98%80?%F0%9F%98%80"),
    "cp1251": ("/врач?q=боль".encode("cp1251"), b"/%E2%F0%E0%F7?q=%E1%EE%EB%FC"),
    "cp866": ("/врач?я".encode("cp866"), b"/%A2%E0%A0%E7?%EF"),
    "koi8-r": ("/врач?я".encode("koi8-r"), b"/%D7%D2%C1%DE?%D1"),
    "latin-1": (b"/caf\xe9?\xe9", b"/caf%E9?%E9"),
    "overlong-utf-8": (b"/\xc0\xae\xc0\xae/\xc0\xaf", b"/%C0%AE%C0%AE/%C0%AF"),
    "cut-utf-8": (b"/\xd0?\xd0", b"/%D0?%D0"),
    "surrogate": (b"/\xed\xa0\x80", b"/%ED%A0%80"),
    "next-to-odd": (
        "/ж//./..;%2f%2F%d0%D0+|?ж&&%&ж=".encode(),
        b"/%D0%B6//./..;%2f%2F%d0%D0+|?%D0%B6&&%&%D0%B6=",
    ),
    "no-break-space": (b"/a\xa0b?c\xa0d", b"/a%A0b?c%A0d"),
    "next-line": (b"/a\x85b?c\x85d", b"/a%85b?c%85d"),
    "line-separator": ("/a\u2028b".encode(), b"/a%E2%80%A8b"),
    "byte-order-mark": (b"/\xef\xbb\xbfa", b"/%EF%BB%BFa"),
    "fullwidth-slash": ("/．．／a".encode(), b"/%EF%BC%8E%EF%BC%8E%EF%BC%8Fa"),
    # Their low bytes are CR, LF, space and a slash.
    "low-bytes": ("/ഊČĊĠį".encode(), b"/%E0%B4%8A%C4%8C%C4%8A%C4%A0%C4%AF"),
    "absolute": ("http://proxy.test/ж?ж".encode(), b"/%D0%B6?%D0%B6"),
    "4-kb": (b"/?" + "ж".encode() * 2_048, b"/?" + b"%D0%B6" * 2_048),
}

HIGH = bytes(range(0x80, 0x100))
HIGH_ENCODED = b"".join(b"%%%02X" % code for code in HIGH)

CONTROLS = {
    "nul": b"\0",
    "soh": b"\x01",
    "bell": b"\x07",
    "backspace": b"\x08",
    "tab": b"\t",
    "lf": b"\n",
    "vertical-tab": b"\x0b",
    "form-feed": b"\x0c",
    "cr": b"\r",
    "crlf": b"\r\n",
    "escape": b"\x1b",
    "unit-separator": b"\x1f",
    "space": b" ",
    "hash": b"#",
    "delete": b"\x7f",
}

NO_TARGETS = {
    "relative": b"a",
    "relative-dot": b"./a",
    "relative-dots": b"../a",
    "query-only": b"?a",
    "fragment-only": b"#a",
    "asterisk": b"*",
    "asterisk-and-path": b"*/a",
    "authority": b"proxy.test",
    "authority-and-port": b"proxy.test:80",
    "authority-and-path": b"proxy.test/a",
    "address-and-port": b"127.0.0.1:80",
    "userinfo": b"user@proxy.test",
    "backslash": b"\\a",
    "encoded-slash": b"%2Fa",
    "raw-utf-8": "ж".encode(),
    "scheme-only": b"http:",
    "scheme-and-path": b"http:/a",
    "scheme-and-relative": b"http:a",
    "scheme-and-backslashes": b"http:\\\\proxy.test\\a",
    "empty-authority": b"http:///a",
    "slashes-only": b"http://",
    "file-scheme": b"file:///etc/passwd",
    "unix-scheme": b"unix:/run/docker.sock|http://proxy.test/a",
    "quoted": b'"/a"',
    "angle-brackets": b"</a>",
}

OUR_AUTHORITY = {
    "of-ours": (b"http://proxy.test/a?b", b"/a?b"),
    "in-upper-case": (b"HTTP://PROXY.TEST/A?B", b"/A?B"),
    "without-path": (b"http://proxy.test", b"/"),
    "with-query-only": (b"http://proxy.test?a=/b", b"/?a=/b"),
    "with-empty-query": (b"http://proxy.test?", b"/?"),
    "byte-for-byte": (b"http://proxy.test" + ODD, ODD),
    "with-two-slashes": (b"http://proxy.test//elsewhere.test", b"//elsewhere.test"),
    "with-dots": (b"http://proxy.test/../a", b"/../a"),
    "with-at-in-path": (b"http://proxy.test/@elsewhere.test", b"/@elsewhere.test"),
    "with-at-in-query": (b"http://proxy.test?@elsewhere.test", b"/?@elsewhere.test"),
    "of-8-kb": (b"http://proxy.test/" + b"a" * 8_192, b"/" + b"a" * 8_192),
}

OTHER_AUTHORITIES = {
    "of-another": b"http://elsewhere.test/a",
    "of-another-without-path": b"http://elsewhere.test",
    "of-another-in-https": b"https://elsewhere.test/a",
    "of-a-longer-name": b"http://proxy.test.elsewhere.test/a",
    "of-a-subdomain": b"http://a.proxy.test/a",
    "of-a-name-that-ends-alike": b"http://evilproxy.test/a",
    "of-an-address": b"http://169.254.169.254/latest/meta-data",
    "of-another-port": b"http://elsewhere.test:80/a",
    "with-user": b"http://user@proxy.test/a",
    "with-user-and-password": b"http://user:password@proxy.test/a",
    "with-empty-user": b"http://@proxy.test/a",
    "with-our-name-as-user": b"http://proxy.test@elsewhere.test/a",
    "with-our-name-as-user-and-port": b"http://proxy.test:80@elsewhere.test/a",
    "with-our-name-behind-backslash": b"http://elsewhere.test\\@proxy.test/a",
    "with-our-name-before-backslash": b"http://proxy.test\\elsewhere.test/a",
    "with-comma": b"http://proxy.test,elsewhere.test/a",
    "with-encoded-slash": b"http://proxy.test%2Felsewhere.test/a",
    "with-encoded-name": b"http://%65lsewhere.test/a",
    "with-raw-name": "http://пример.test/a".encode(),
    "with-port-of-letters": b"http://proxy.test:port/a",
    "with-two-ports": b"http://proxy.test:80:81/a",
    "with-bracket": b"http://[proxy.test/a",
    "in-ftp": b"ftp://proxy.test/a",
    "in-ws": b"ws://proxy.test/a",
    "with-fragment": b"http://proxy.test/a#b",
    "with-fragment-only": b"http://proxy.test#/a",
}

OPTIONS_TARGETS = {
    "asterisk": (b"*", b"*"),
    "path": (b"/a?b", b"/a?b"),
    "absolute-without-path": (b"http://proxy.test", b"*"),
    "absolute-root": (b"http://proxy.test/", b"/"),
    "absolute-query": (b"http://proxy.test?a", b"/?a"),
    "absolute-path": (b"http://proxy.test/a", b"/a"),
}


def line(target: bytes, method: bytes = b"GET") -> bytes:
    return b" ".join((method, target, b"HTTP/1.1"))


ORIGIN_FORM = [
    forwarded(
        "target-byte-for-byte",
        "The target is forwarded as it came.",
        "RFC 9110, 7.6",
        request(target=ODD),
        line=line(ODD),
    ),
    *(
        forwarded(
            f"target-{name}",
            "The target is forwarded as it came.",
            "RFC 9110, 7.6",
            request(target=target),
            line=line(target),
        )
        for name, target in AS_IT_CAME.items()
    ),
    *(
        forwarded(
            f"target-sign-x{code:02x}",
            "Signs are forwarded as they came, those that no URI may have included.",
            "RFC 9110, 7.6",
            request(target=b"/a%cb/%c?c%cd&%c" % (code, code, code, code)),
            line=line(b"/a%cb/%c?c%cd&%c" % (code, code, code, code)),
        )
        for code in SIGNS
    ),
    forwarded(
        "target-letters-and-digits",
        "Letters and digits are forwarded as they came.",
        "RFC 9110, 7.6",
        request(target=b"/aA09zZ?" + string.ascii_letters.encode() + b"0123456789"),
        line=line(b"/aA09zZ?" + string.ascii_letters.encode() + b"0123456789"),
    ),
    *(
        forwarded(
            f"target-raw-{name}",
            "Bytes that no target may have are percent-encoded, and nothing else is.",
            "RFC 3986, 2.1",
            request(target=raw),
            line=line(encoded),
        )
        for name, (raw, encoded) in RAW.items()
    ),
    forwarded(
        "target-raw-in-path-every-byte",
        "Each byte beyond ASCII is percent-encoded, in upper case.",
        "RFC 3986, 2.1",
        request(target=b"/" + HIGH),
        line=line(b"/" + HIGH_ENCODED),
    ),
    forwarded(
        "target-raw-in-query-every-byte",
        "Each byte beyond ASCII is percent-encoded, in upper case.",
        "RFC 3986, 2.1",
        request(target=b"/a?" + HIGH),
        line=line(b"/a?" + HIGH_ENCODED),
    ),
    *(
        refused(
            f"target-with-{name}-in-{part}",
            "Controls, spaces and fragments are in no target.",
            "RFC 9112, 3.2",
            request(target=b"/a" + before + data + b"b") + NEXT,
        )
        for name, data in CONTROLS.items()
        for part, before in (("path", b""), ("query", b"?"))
    ),
    *(
        refused(
            f"no-target-{name}",
            "A target is a path, or an absolute URI of ours.",
            "RFC 9112, 3.2",
            request(target=target) + NEXT,
        )
        for name, target in NO_TARGETS.items()
    ),
    *(
        refused(
            f"no-target-asterisk-in-{method.decode().lower()}",
            "The asterisk is a target of OPTIONS only.",
            "RFC 9112, 3.2.4",
            request(method, b"*") + NEXT,
        )
        for method in (b"POST", b"HEAD", b"PROPFIND", b"options")
    ),
]

ABSOLUTE_FORM = [
    *(
        forwarded(
            f"absolute-form-{name}",
            "The absolute form with our own authority is served.",
            "RFC 9112, 3.2.2",
            request(target=target),
            line=line(origin),
        )
        for name, (target, origin) in OUR_AUTHORITY.items()
    ),
    forwarded(
        "absolute-form-with-port",
        "The absolute form with our own authority is served.",
        "RFC 9112, 3.2.2",
        request(target=b"http://proxy.test:8080/a", host=b"proxy.test:8080"),
        line=line(b"/a"),
    ),
    or_refused(
        forwarded(
            "absolute-form-with-default-port",
            "An authority is the same with the default port of its scheme.",
            "RFC 9110, 4.2.3",
            request(target=b"http://proxy.test:80/a"),
            line=line(b"/a"),
        ),
        after=ANY,
    ),
    or_refused(
        forwarded(
            "absolute-form-with-empty-port",
            "An authority is the same with an empty port.",
            "RFC 9110, 4.2.3",
            request(target=b"http://proxy.test:/a"),
            line=line(b"/a"),
        ),
        after=ANY,
    ),
    or_refused(
        forwarded(
            "absolute-form-in-https",
            "The scheme is not what this hop came by, and may be taken or refused.",
            "RFC 9110, 7.4",
            request(target=b"https://proxy.test/a?b"),
            line=line(b"/a?b"),
        ),
        after=ANY,
    ),
    forwarded(
        "absolute-form-in-1.0",
        "The absolute form with our own authority is served, Host or not.",
        "RFC 9112, 3.2.2",
        request(target=b"http://proxy.test/a", version=b"HTTP/1.0", host=None),
        line=line(b"/a"),
        after=CLOSED,
    ),
    refused(
        "absolute-form-without-host",
        "A request of HTTP/1.1 has Host, whatever the form of its target.",
        "RFC 9112, 3.2",
        request(target=b"http://proxy.test/a", host=None) + NEXT,
        status=400,
    ),
    *(
        refused(
            f"absolute-form-{name}",
            "The absolute form with another authority is refused.",
            "RFC 9110, 7.4",
            request(target=target),
            after=ANY,
        )
        for name, target in OTHER_AUTHORITIES.items()
    ),
    *(
        refused(
            f"absolute-form-and-another-host-{name}",
            "A target for elsewhere is refused, whatever Host says.",
            "RFC 9110, 7.4",
            request(target=target, host=host),
            after=ANY,
        )
        for name, target, host in (
            ("elsewhere", b"http://proxy.test/a", b"elsewhere.test"),
            ("ours", b"http://elsewhere.test/a", HOST),
            ("both", b"http://elsewhere.test/a", b"elsewhere.test"),
            ("loopback", b"http://proxy.test/a", b"localhost"),
            ("empty", b"http://proxy.test/a", b""),
        )
    ),
    Case(
        "absolute-form-then-request",
        "Each request on a connection is checked, not only the first.",
        "RFC 9110, 7.4",
        request(target=b"http://proxy.test/a")
        + request(target=b"http://elsewhere.test/b", host=b"elsewhere.test"),
        (
            Expect(
                got=(Response(200), Response(CLIENT_ERROR)),
                reached=(Request(line=line(b"/a")),),
            ),
        ),
    ),
]

OPTIONS = [
    forwarded(
        f"options-{name}",
        "OPTIONS may be about the whole server.",
        "RFC 9112, 3.2.4",
        request(b"OPTIONS", target),
        line=line(sent, b"OPTIONS"),
        only=(),
        after=OPEN,
    )
    for name, (target, sent) in OPTIONS_TARGETS.items()
]

CASES: list[Case] = [*ORIGIN_FORM, *ABSOLUTE_FORM, *OPTIONS]
