"""What is shown and exported holds no secret, and personal data only on purpose."""

import base64
import gzip
import json
import time
import zlib
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings, strategies as st

from proxy.journal.commands import KINDS, command
from proxy.journal.entry import Entry, Message
from proxy.journal.har import archive
from proxy.journal.json_text import masked_json
from proxy.journal.masking import kind_of, masked, masked_content, masked_fields, shown
from proxy.journal.media import DECODED_LIMIT, ShownContent
from proxy.journal.personal import Level, level_of
from proxy.journal.texts import masked_target, masked_text
from tests.journal.entries import entry, message

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=edge"
PNG = b"\x89PNG\r\n\x1a\n" + b"pixels"

PHONE = "+7 916 123-45-67"
DIGITS = "79161234567"
EMAIL = "anna.k@example.ru"

# -- Names ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("firstName", "last_name", "Middle-Name", "fullName", "patientName", "phone"),
        *("contactPhone", "phones", "email", "emails", "birthDate", "birth_date"),
        *("text", "messageText", "message", "comment", "description", "address"),
        *("snils", "policy", "complaints", "diagnosis", "user[phone]", "patient.email"),
    ],
)
def test_names_of_personal_data_are_known_however_they_are_written(name: str) -> None:
    assert level_of(name) is Level.PERSONAL


@pytest.mark.parametrize(
    "name",
    [
        *("access_token", "refreshToken", "pushToken", "X-Auth-Token", "password"),
        *("newPassword", "validation_code", "client_secret", "X-Api-Key", "tokens"),
        *("X-Proxy-Key", "smsCode"),
    ],
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert level_of(name) is Level.SECRET


@pytest.mark.parametrize(
    "name",
    [
        *(
            "id",
            "requestId",
            "type",
            "status",
            "statusName",
            "created",
            "createdFromUtc",
        ),
        *("count", "totalCount", "items", "item", "rating", "price", "isRead"),
        *("operatingSystemName", "unreadMessageCount", "token_type", "expires_in", ""),
    ],
)
def test_what_helps_to_find_a_bug_stays(name: str) -> None:
    assert level_of(name) is None


# -- Text and targets -----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *(PHONE, DIGITS, "8 (916) 123-45-67", "9161234567", "916 123 45 67"),
        *("8.916.123.45.67", f"тел.{DIGITS}", f"phone{DIGITS}", "+49 30 1234567"),
        *(f"+{DIGITS}", f"%2B{DIGITS}", f"%252B{DIGITS}", EMAIL, "анна@почта.рф"),
        *("anna%40example.ru", f"<{EMAIL}>", f"mailto:{EMAIL}?x", "112-233-445 95"),
        *("45 06 123456", "1234567890123456", "1234 5678 9012 3456"),
        base64.b64encode(f"phone {PHONE}".encode()).decode(),
        base64.b64encode("Болит голова".encode()).decode(),
        base64.b64encode(bytes(range(256))).decode(),
    ],
)
def test_personal_data_is_known_by_its_shape(text: str) -> None:
    assert masked_text(f"see {text} here", unmasked=False) != f"see {text} here"
    assert text not in masked_text(f"see {text} here", unmasked=False)
    assert masked_text(f"see {text} here", unmasked=True) == f"see {text} here"


@pytest.mark.parametrize(
    "text",
    [
        "Bearer hunter2",
        "password=hunter2",
        "sessionToken: hunter2",
        'api_key="hunter2',
        f"{base64.b64encode(b'Authorization: Bearer hunter2').decode()}",
        "%7B%22access_token%22%3A%22hunter2%22",
        "Код: 7654",
        "code 76543",
    ],
)
def test_secrets_are_masked_even_when_unmasked(text: str) -> None:
    for unmasked in (False, True):
        found = masked_text(f"got {text}", unmasked=unmasked)
        assert text.removeprefix("code ") not in found
        assert "hunter2" not in found


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-25T03:00:00+0300",
        "2026-11-25 03:00:00.123456",
        "3f0c9161-2345-4678-9123-456789abcdef",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "Mozilla/5.0 (X11; Linux x86_64) Chrome/91.0.4472.124 Safari/537.36",
        "/api/v1/writingrequest/has-unread-messages/12345",
        "1764039600123",
        "bad_argument",
        "status code 404",
        "100% of 5",
    ],
)
def test_text_without_personal_data_stays(text: str) -> None:
    assert masked_text(text, unmasked=False) == text


@pytest.mark.parametrize(
    ("target", "hidden", "unmasked"),
    [
        ("/api/v1/doctor/get/101?limit=10&offset=0", None, None),
        ("/x?createdFromUtc=2026-11-25T03:00:00+0300&requestId=7", None, None),
        ("/x?name=Anna&id=7", "/x?name=***&id=7", None),
        ("/x?na%6De=Anna", "/x?na%6De=***", None),
        (f"/x?q=%2B{DIGITS};id=7", "/x?q=***;id=7", None),
        (f"/x?q=+{DIGITS}", "/x?q=***", None),
        (f"/by/{DIGITS}/x", "/by/***/x", None),
        ("/phone/11111111111", "/phone/***", None),
        ("/email/%61nna%40example.ru", "/email/***", None),
        ("/x/%2B79161234567", "/x/%2B***", None),
        ("/x?Анна", "/x?***", None),
        ("/x?q=%7B%22a%22%3A1%7D", "/x?q=***", None),
        ("/x?back=/y?firstName=Anna", "/x?back=***", None),
        ("/x?pushToken=hunter2&a=1", "/x?pushToken=***&a=1", "/x?pushToken=***&a=1"),
        ("/x?access_token=hunter2", "/x?access_token=***", "/x?access_token=***"),
        ("*", None, None),
        ("", None, None),
    ],
)
def test_targets_are_masked_by_names_and_by_shape(
    target: str, hidden: str | None, unmasked: str | None
) -> None:
    assert masked_target(target, unmasked=False) == (hidden or target)
    assert masked_target(target, unmasked=True) == (unmasked or target)


# -- Fields ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "hidden", "unmasked"),
    [
        ("Authorization", "Bearer hunter2", "Bearer ***", "Bearer ***"),
        ("x-proxy-key", "hunter2", "***", "***"),
        ("Proxy-Authorization", "hunter2", "***", "***"),
        ("X-Auth-Token", "hunter2", "***", "***"),
        ("Cookie", "a=1; b=2", "a=***; b=***", "a=1; b=2"),
        ("Cookie", "hunter2", "***", "hunter2"),
        (
            "Cookie",
            "telemed-proxy-admin-8081=hunter2; b=2",
            "telemed-proxy-admin-8081=***; b=***",
            "telemed-proxy-admin-8081=***; b=2",
        ),
        (
            "Cookie",
            "Telemed-Proxy-Admin-socket=x",
            *["Telemed-Proxy-Admin-socket=***"] * 2,
        ),
        ("Cookie", "access_token=hunter2", "access_token=***", "access_token=***"),
        (
            "Set-Cookie",
            "s=1; Path=/; HttpOnly",
            "s=***; Path=/; HttpOnly",
            "s=1; Path=/; HttpOnly",
        ),
        ("X-Patient-Name", "Anna", "***", "Anna"),
        ("X-Note-To", f"call {PHONE}", "call ***", f"call {PHONE}"),
        ("From", EMAIL, "***", EMAIL),
        ("Referer", "http://h/x?name=Anna&y=1", "http://h/x?name=***&y=1", None),
        ("Location", "/x?name=Anna", "/x?name=***", None),
        ("Location", "/phone/11111111111", "/phone/***", None),
        (
            "Content-Disposition",
            'inline; filename="a\\"b.pdf"; filename*=UTF-8\'\'%D0%90',
            'inline; filename="***"; filename*="***"',
            None,
        ),
        ("Age", "10", None, None),
        ("Host", "127.0.0.1:8080", None, None),
        ("Content-Type", MULTIPART, None, None),
        ("Date", "Wed, 25 Nov 2026 03:00:00 GMT", None, None),
        ("X-Broken", "\udcff", None, None),
    ],
)
def test_fields_are_masked_by_name_and_by_shape(
    name: str, value: str, hidden: str | None, unmasked: str | None
) -> None:
    one = [("A", "1"), (name, value), ("A", "2")]

    for flag, expected in ((False, hidden), (True, unmasked)):
        found = masked_fields(one, unmasked=flag)
        assert found == [("A", "1"), (name, expected or value), ("A", "2")]


# -- JSON -----------------------------------------------------------------------------


def test_json_keeps_its_order_style_repeats_and_numbers() -> None:
    text = (
        '{ "id" : 7,\n\t"firstName":"Анна","a":1,"a":1.50, "big":1e999,"n":NaN,'
        '"phones":["1", 2, null, true],"e":"\\u0041","empty":{"text":""}}'
    )

    assert masked_json(text, unmasked=False) == (
        '{ "id" : 7,\n\t"firstName":"***","a":1,"a":1.50, "big":1e999,"n":NaN,'
        '"phones":["***", "***", null, true],"e":"\\u0041","empty":{"text":""}}'
    )
    assert masked_json(text, unmasked=True) == text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ('{"type":"oauth","description":"log in"}', None),
        (
            '{"type":"not_found","value":null,"description":"see +79161234567"}',
            "see ***",
        ),
        (
            '{"type":"payment","description":"Консультация","id":1}',
            '"description":"***"',
        ),
        ('{"type":"firstName","value":"Анна"}', '"value":"***"'),
        ('{"key":"pushToken","value":"hunter2"}', '"value":"***"'),
        ('{"region":{"id":77,"name":"Москва"}}', None),
        ('{"doctor":{"id":77,"name":"Анна"}}', '"id":77,"name":"***"'),
        ('{"message":"Authorization has been denied for this request."}', None),
        ('{"message":{"id":4,"requestId":7,"n":5,"x":["a"]}}', '"n":"***","x":["***"]'),
        ('{"token":{"a":["b"],"id":"c"}}', '{"token":{"a":["***"],"id":"***"}}'),
        ('{"message":{"messageIds":["a"],"b":"c"}}', '{"messageIds":["a"],"b":"***"}'),
        ('{"Анна":1}', '{"***":1}'),
        ('{"+79161234567":1}', '{"***":1}'),
        ('{"x":79161234567}', '{"x":"***"}'),
        ('{"x":"{\\"firstName\\":\\"Анна\\"}"}', '{\\"firstName\\":\\"***\\"}'),
        ('{"x":"{\\"firstName\\":\\"Анна"}', '{"x":"***"}'),
        ('{"x":"/y?firstName=Анна&id=7"}', '{"x":"/y?firstName=***&id=7"}'),
        (f'["{DIGITS}"]', '["***"]'),
        (f'"{DIGITS}"', '"***"'),
    ],
)
def test_json_is_masked_by_its_members(text: str, hidden: str | None) -> None:
    found = masked_json(text, unmasked=False)

    assert found is not None
    assert (found == text) if hidden is None else (hidden in found)
    json.loads(found)


def test_all_below_a_secret_is_secret() -> None:
    text = '{"token":{"text":"hunter2","n":[1]}}'

    assert masked_json(text, unmasked=True) == '{"token":{"text":"***","n":["***"]}}'


def test_json_within_json_is_looked_into_down_to_a_depth() -> None:
    def nested(depth: int) -> str:
        text = '{"id":7}'
        for _ in range(depth):
            text = json.dumps({"x": text})
        return text

    assert masked_json(nested(4), unmasked=False) == nested(4)
    assert "***" in str(masked_json(nested(5), unmasked=True))


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"a" "b"}', "1 2", '{"a":1,}', "[1,]", "{1:2}", "tru", "]", "Анна", ":"]
    + ['{"a":1]', '"x', "[1}", '{"a"}', ",", '{"a":}', '"\\x"', '{"a":1}{', "[,1]"],
)
def test_what_is_not_json_is_not_taken_for_it(text: str) -> None:
    assert masked_json(text, unmasked=False) is None


def test_json_that_is_too_deep_is_not_read() -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        text = opening * 500 + "1" + closing * 500
        assert masked_json(text, unmasked=False) == text
        assert masked_json(f"[{text}]", unmasked=False) is None


def test_json_that_was_cut_is_masked_up_to_its_end() -> None:
    text = '{"id": 7, "firstName": "Анна", "phone": 79161234567, "text": "Болит"}'

    for length in range(len(text)):
        found = masked_json(text[:length], unmasked=False, whole=False) or ""
        for personal in ("Ан", "791", "Бо"):
            assert personal not in found
    assert masked_json(text[:45], unmasked=False, whole=False) == (
        '{"id": 7, "firstName": "***", "phone": "***'
    )


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 50_000 + "1" + "}" * 50_000,
        '"' + "\\" * 199_998 + '"',
        "9" * 100_000,
        '{"x":"' + "a" * 200_000 + '"}',
        '{"x":"' + "a?b=" * 40_000 + '"}',
        '{"x":"' + "+7" * 100_000 + '"}',
        '{"x":"' + "a." * 100_000 + '@"}',
        '{"x":"' + "token " * 30_000 + '"}',
        '{"x":"' + "код " * 30_000 + '"}',
        '{"x":"' + "%25" * 60_000 + '"}',
        '{"x":"' + "{[" * 60_000 + '"}',
    ],
    ids=lambda text: text[:12],
)
def test_hostile_json_costs_no_more_than_its_length(text: str) -> None:
    began = time.process_time()

    masked_json(text, unmasked=False)

    assert time.process_time() - began < 4


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_masked_json_is_json_again(data: Any) -> None:
    text = json.dumps(data, ensure_ascii=False)

    found = masked_json(text, unmasked=False)

    assert found is not None
    json.loads(found)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(), st.sampled_from([JSON, FORM, MULTIPART, "text/html", "image/png", ""])
)
def test_no_content_raises(data: bytes, kind: str) -> None:
    for body in (
        data,
        b'{"a":"' + data + b'"}',
        b"--edge\r\n" + data,
        gzip.compress(data),
    ):
        for coding in ("identity", "gzip", "deflate", "br"):
            one = message(body, ("Content-Encoding", coding), kind=kind)
            for unmasked in (False, True):
                shown(one, unmasked=unmasked)


# -- Forms ----------------------------------------------------------------------------


def data_of(one: Message, *, unmasked: bool = False) -> bytes:
    content = masked_content(one, unmasked=unmasked)
    assert content is not None
    return content.data


def test_forms_are_masked_by_their_names() -> None:
    form = message(f"id=7&firstName=A%20B&q={DIGITS}&password=p&&x".encode(), kind=FORM)

    assert data_of(form) == b"id=7&firstName=***&q=***&password=***&&x"
    assert data_of(form, unmasked=True) == (
        f"id=7&firstName=A%20B&q={DIGITS}&password=***&&x".encode()
    )


def test_a_form_that_was_cut_loses_its_last_value() -> None:
    form = message(b"id=7&x=791612", kind=FORM, size=99)

    assert data_of(form) == b"id=7&***"


def test_free_text_sent_as_a_form_is_hidden() -> None:
    assert data_of(message("Болит голова".encode(), kind=FORM)) == b"***"


def part(name: str, content: bytes, more: str = "", kind: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"{more}{kind}'
    return b"--edge\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


PARTS = b"".join(
    [
        part("requestId", b"7"),
        part("comment", "Анна".encode()),
        part("token", b"hunter2"),
        part(
            "data", b'{"phone":"1","id":2}', kind="\r\nContent-Type: application/json"
        ),
        part("file", PNG, '; filename="Анна.png"', "\r\nContent-Type: image/png"),
        part("note", b"", '; filename="a.txt"'),
        b"--edge--\r\n",
    ]
)


def test_multipart_keeps_its_frame() -> None:
    found = data_of(message(PARTS, kind=MULTIPART))

    assert found == b"".join(
        [
            part("requestId", b"7"),
            part("comment", b"***"),
            part("token", b"***"),
            part("data", b'{"phone":"***","id":2}', kind="\r\nContent-Type: " + JSON),
            part("file", b"***", '; filename="***"', "\r\nContent-Type: image/png"),
            part("note", b"", '; filename="***"'),
            b"--edge--\r\n",
        ]
    )


def test_unmasked_multipart_loses_its_secrets_only() -> None:
    found = data_of(message(PARTS, kind=MULTIPART), unmasked=True)

    assert found == PARTS.replace(b"hunter2", b"***")


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (PARTS[:-12], None),
        (PARTS, 9999),
        (b"preamble" + PARTS, None),
        (b"--edge\r\nX: 1\r\n\r\nAnna\r\n--edge--", None),
        (b"Anna", None),
    ],
    ids=["no end", "cut", "preamble", "no name", "none"],
)
def test_multipart_that_is_not_understood_is_hidden(
    data: bytes, size: int | None
) -> None:
    assert data_of(message(data, kind=MULTIPART, size=size)) == b"***"


# -- Kinds and codings ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "kind", "expected"),
    [
        (b"", JSON, "none"),
        (b"{}", JSON, "json"),
        (b"{}", "application/problem+json; charset=utf-8", "json"),
        (b"\xef\xbb\xbf {}", "text/plain", "json"),
        (b"[1]", None, "json"),
        (b'{"a":1}', FORM, "json"),
        (b"a=1", FORM, "form"),
        (PARTS, MULTIPART, "form"),
        (b"<p>", "text/html", "text"),
        (b"<svg/>", "image/svg+xml", "text"),
        (b"plain", None, "text"),
        (PNG, "image/png", "image"),
        (b"\xff\xd8\xff", "image/jpeg", "image"),
        (b"GIF89a", "image/gif", "image"),
        (b"RIFF....WEBPVP8", "image/webp", "image"),
        (b"GIF89a", "image/png", "binary"),
        (b"<script>", "image/png", "binary"),
        (PNG, None, "binary"),
        (b"%PDF-1.4", "application/pdf", "binary"),
        (b"\xff{}", JSON, "binary"),
        (b"a\0b", "text/plain", "binary"),
    ],
)
def test_the_kind_is_that_of_type_and_bytes(
    data: bytes, kind: str | None, expected: str
) -> None:
    assert kind_of(message(data, kind=kind)) == expected


TEXT = b'{"firstName":"Anna","id":7}'
MASKED = '{"firstName":"***","id":7}'
RAW = zlib.compressobj(wbits=-15)
CODED = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "Deflate": RAW.compress(TEXT) + RAW.flush(),
    "identity": TEXT,
    "deflate, gzip": gzip.compress(zlib.compress(TEXT)),
}


@pytest.mark.parametrize("coding", CODED)
def test_coded_content_is_looked_into(coding: str) -> None:
    one = message(CODED[coding], ("Content-Encoding", coding), kind=JSON)

    found, open_ = shown(one, unmasked=False), shown(one, unmasked=True)

    assert found is not None
    assert open_ is not None
    assert (found["text"], found["kind"], found["hidden"]) == (MASKED, "json", False)
    assert open_["text"] == TEXT.decode()
    assert found["size"] == found["kept"] == len(CODED[coding])


@pytest.mark.parametrize(
    ("data", "coding"),
    [
        (TEXT, "br"),
        (TEXT, "zstd"),
        (TEXT, "gzip"),
        (gzip.compress(TEXT) * 2, "gzip"),
        (gzip.compress(b" " * DECODED_LIMIT + TEXT), "gzip"),
        (gzip.compress(gzip.compress(b"0" * 10**8)), "gzip, gzip"),
    ],
    ids=["br", "zstd", "broken", "two members", "bomb", "bomb in a bomb"],
)
def test_what_cannot_be_looked_into_is_hidden_from_everyone(
    data: bytes, coding: str
) -> None:
    one = message(data, ("Content-Encoding", coding), kind=JSON)

    for unmasked in (False, True):
        found = shown(one, unmasked=unmasked)
        assert found is not None
        assert (found["text"], found["hidden"], found["kind"]) == (None, True, "binary")
        assert data_of(one, unmasked=unmasked) == b"***"


def test_coded_content_that_was_cut_is_masked_up_to_its_end() -> None:
    many = json.dumps([{"firstName": f"Anna{i}", "id": i} for i in range(500)]).encode()
    data = gzip.compress(many)
    one = message(data[:600], ("Content-Encoding", "gzip"), kind=JSON, size=len(data))

    found = shown(one, unmasked=False)

    assert found is not None
    assert found["text"].startswith('[{"firstName": "***", "id": 0}')
    assert "Anna" not in found["text"]
    assert (found["kept"], found["size"]) == (600, len(data))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ("Анна".encode(), "text/plain"),
        (b"<p>Anna</p>", "text/html"),
        (b'{"firstName":"Anna",}', JSON),
        (PNG, "image/png"),
        (b"%PDF-1.4", "application/pdf"),
        (b'{"firstName":"Anna\xff"}', JSON),
    ],
)
def test_what_is_not_understood_is_hidden_until_asked_for(
    data: bytes, kind: str
) -> None:
    one = message(data, kind=kind)

    found = shown(one, unmasked=False)

    assert found is not None
    assert (found["hidden"], found["text"]) == (True, None)
    assert data_of(one) == b"***"
    assert data_of(one, unmasked=True) == data


def test_secrets_go_even_from_text_that_is_broken() -> None:
    for data in (b'{"access_token":"hunter2","x":"\xff"}', b'{"password":"hunter2",}'):
        assert b"hunter2" not in data_of(message(data, kind=JSON), unmasked=True)
    utf16 = '{"access_token":"hunter2"}'.encode("utf-16")
    assert data_of(message(utf16, kind=JSON), unmasked=True) == b"***"


def test_no_content_in_a_coding_is_no_content() -> None:
    found = shown(message(b"", ("Content-Encoding", "gzip"), kind=JSON), unmasked=False)

    assert found is not None
    assert (found["kind"], found["text"], found["hidden"]) == ("none", None, False)


def test_content_that_was_not_kept_stays_so() -> None:
    assert kind_of(message(None, kind=JSON)) == "binary"
    assert shown(message(None), unmasked=False) is None
    assert masked(entry(request=message(None))).request.content is None


def test_what_needs_no_mask_is_the_same_object() -> None:
    plain = message(b'{"id":7}', kind=JSON)
    coded = message(gzip.compress(b'{"id":7}'), ("Content-Encoding", "gzip"), kind=JSON)

    assert masked_content(plain, unmasked=False) is plain.content
    assert masked_content(coded, unmasked=True) is coded.content


def test_masked_content_has_its_true_size_and_no_hash() -> None:
    # A hash of `{"phone":"..."}` gives the number to whoever tries all of them.
    content = masked_content(message(TEXT, kind=JSON), unmasked=False)

    assert isinstance(content, ShownContent)
    assert (content.size, content.sha256, content.is_whole) == (len(TEXT), "", True)


# -- All of it ------------------------------------------------------------------------

NAME, STREET, WORDS = "Аграфена", "Садовая-Кудринская", "Болит левый висок"
TOKEN = "eyJhbGciOiJub25lIn0.eyJodW50ZXIyIjoxfQ.c2lnbmF0dXJl"
OPAQUE, VALIDATION, KEY = "opaqueAccess1234", "765432", "local-key-1234"

ALWAYS = [TOKEN, OPAQUE, VALIDATION, KEY, "admin-session-1234", "s3cr3t-pass"]
PERSONAL = [
    *(NAME, STREET, WORDS, DIGITS, "916 123-45-67", "916) 123-45-67", EMAIL),
    *("112-233-445 95", "1985-04-12", "session-of-anna", "pixels"),
    *(quote(NAME), quote(EMAIL), base64.b64encode(WORDS.encode()).decode()),
    json.dumps(NAME)[1:-1],
]

PLANTED_JSON: dict[str, Any] = {
    "item": {
        "id": 4711,
        "firstName": NAME,
        "PHONE_NUMBER": f"+{DIGITS}",
        "email": EMAIL,
        "birthDate": "1985-04-12T00:00:00+0300",
        "address": {"street": STREET, "house": 5},
        "messages": [{"id": 1, "text": WORDS}],
        "unknown": f"звоните 8 (916) 123-45-67 или {EMAIL}, СНИЛС 112-233-445 95",
        "nested": json.dumps({"text": WORDS, "password": "s3cr3t-pass"}),
        "coded": base64.b64encode(WORDS.encode()).decode(),
        "coded_token": base64.b64encode(f"access_token={OPAQUE}".encode()).decode(),
        "access_token": OPAQUE,
        "validationCode": VALIDATION,
        "trace": f"Authorization: Bearer {OPAQUE}",
        "link": f"/x?firstName={quote(NAME)}&access_token={OPAQUE}",
    }
}
PLANTED = json.dumps(PLANTED_JSON, ensure_ascii=False).encode()
ESCAPED = json.dumps(PLANTED_JSON).encode()
PLANTED_FORM = (
    f"id=4711&firstName={quote(NAME)}&email={quote(EMAIL)}&number={DIGITS}"
    f"&password=s3cr3t-pass&smsCode={VALIDATION}&text={quote(WORDS)}"
).encode()
PLANTED_PARTS = b"".join(
    [
        part("requestId", b"4711"),
        part("comment", WORDS.encode()),
        part("validation_code", VALIDATION.encode()),
        part("payload", PLANTED, kind=f"\r\nContent-Type: {JSON}"),
        part("file", PNG, f'; filename="{NAME}.png"'),
        b"--edge--\r\n",
    ]
)

FIELDS = [
    ("Authorization", f"Bearer {TOKEN}"),
    ("X-Proxy-Key", KEY),
    ("X-Session-Token", OPAQUE),
    ("Cookie", "telemed-proxy-admin-8081=admin-session-1234; s=session-of-anna"),
    ("Referer", f"https://h/p?firstName={quote(NAME)}&access_token={OPAQUE}"),
    ("X-Patient-Name", NAME),
    ("X-Debug", f"phone +{DIGITS}, Bearer {TOKEN}"),
    ("Content-Disposition", f"inline; filename*=UTF-8''{quote(NAME)}"),
]
TARGET = (
    f"/api/v1/x/{DIGITS}/email/{quote(EMAIL)}?id=4711&firstName={quote(NAME)}"
    f"&number={DIGITS}&access_token={OPAQUE}&t={TOKEN}&validation_code={VALIDATION}"
    f"&data={quote(json.dumps({'text': WORDS, 'password': 's3cr3t-pass'}))}"
)

CONTENTS = {
    "json": message(PLANTED, kind=JSON),
    "escaped json": message(ESCAPED, kind=JSON),
    "json with a mark": message(b"\xef\xbb\xbf" + PLANTED, kind=JSON),
    "json as a form": message(PLANTED, kind=FORM),
    "json as text": message(PLANTED, kind="text/plain"),
    "json without type": message(PLANTED),
    "broken json": message(PLANTED + b"]", kind=JSON),
    "invalid utf-8": message(PLANTED + b"\xff", kind=JSON),
    "utf-16": message(PLANTED.decode().encode("utf-16"), kind=JSON),
    "gzip": message(gzip.compress(PLANTED), ("Content-Encoding", "gzip"), kind=JSON),
    "not gzip": message(PLANTED, ("Content-Encoding", "gzip"), kind=JSON),
    "br": message(PLANTED, ("Content-Encoding", "br"), kind=JSON),
    "form": message(PLANTED_FORM, kind=FORM),
    "cut form": message(PLANTED_FORM[:-9], kind=FORM, size=9999),
    "multipart": message(PLANTED_PARTS, kind=MULTIPART),
    "cut multipart": message(PLANTED_PARTS[:-9], kind=MULTIPART, size=9999),
    "text": message(f"{WORDS} Bearer {TOKEN}".encode(), kind="text/plain"),
    "html": message(f"<p>{NAME} token={OPAQUE}".encode(), kind="text/html"),
    "image": message(PNG, kind="image/png"),
    "octets": message(PLANTED, kind="application/octet-stream"),
} | {
    f"cut json {end}": message(PLANTED[:end], kind=JSON, size=len(PLANTED))
    for end in range(60, len(PLANTED), 41)
}


def planted(one: Message) -> Entry:
    body = Message([*one.fields, *FIELDS], one.content)
    return entry(
        "POST",
        TARGET,
        body,
        Message(
            [*body.fields, ("Set-Cookie", "s=session-of-anna; Path=/")], one.content
        ),
        status=502,
        reason=f"call +{DIGITS}",
        error=f"refused: Bearer {TOKEN}",
        detail=f"{EMAIL} with access_token={OPAQUE} was refused",
        caller="nightly",
        request_id=f"from-{DIGITS}",
        upstream="https://anna:s3cr3t-pass@api.example",
    )


def exports(original: Entry, *, unmasked: bool) -> str:
    """Return everything that leaves the journal, with base64 and gzip undone."""
    safe = masked(original, unmasked=unmasked)
    har = archive([safe], creator_version="1")
    sides = [original.request, *([original.response] if original.response else [])]
    texts = [json.dumps(har, ensure_ascii=False), *(command(safe, k) for k in KINDS)]
    texts += [
        json.dumps(shown(side, unmasked=unmasked), ensure_ascii=False) for side in sides
    ]
    for side in (safe.request, safe.response):
        assert side is not None
        assert side.content is not None
        texts.append(side.content.data.decode("utf-8", "replace"))
        texts.append(side.content.data.decode("utf-16", "replace"))
    content = har["log"]["entries"][0]["response"]["content"]
    if "encoding" in content:
        texts.append(base64.b64decode(content["text"]).decode("utf-8", "replace"))
    return "\n".join(texts)


@pytest.mark.parametrize("name", CONTENTS)
def test_masked_exports_hold_nothing_that_was_planted(name: str) -> None:
    text = exports(planted(CONTENTS[name]), unmasked=False)

    assert [each for each in ALWAYS + PERSONAL if each in text] == []
    assert "4711" in text  # ids are of use


@pytest.mark.parametrize("name", CONTENTS)
def test_unmasked_exports_hold_no_secret(name: str) -> None:
    text = exports(planted(CONTENTS[name]), unmasked=True)

    assert [each for each in ALWAYS if each in text] == []
    assert [each for each in (DIGITS, "session-of-anna") if each not in text] == []


@pytest.mark.parametrize("name", ["json", "gzip", "json without type", "multipart"])
def test_unmasked_exports_hold_what_was_asked_for(name: str) -> None:
    text = exports(planted(CONTENTS[name]), unmasked=True)

    expected = [NAME, STREET, WORDS, DIGITS, EMAIL, "1985-04-12", "112-233-445 95"]
    assert [each for each in expected if each not in text] == []


def test_an_entry_says_whether_it_is_masked() -> None:
    one = entry(response=message(TEXT, kind=JSON))

    assert masked(one).masked
    assert not masked(one, unmasked=True).masked
    assert masked(entry()).response is None
