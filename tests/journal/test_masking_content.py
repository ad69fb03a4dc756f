"""Content holds no secret in disguise; what is too much to look into is hidden."""

import gzip
import json

import pytest

from proxy.journal.json_text import masked_json
from proxy.journal.masking import masked_content, shown
from proxy.journal.media import DECODED_LIMIT
from proxy.journal.personal import TooMuchError
from tests.journal.entries import message

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=edge"
OCTETS = "application/octet-stream"


def data_of(data: bytes, kind: str, *, unmasked: bool, coding: str = "") -> bytes:
    one = message(data, ("Content-Encoding", coding), kind=kind)
    content = masked_content(one, unmasked=unmasked)
    assert content is not None
    return content.data


def part(head: str, content: str = "S3cret") -> bytes:
    return f"--edge\r\n{head}\r\n\r\n{content}\r\n--edge--\r\n".encode()


NAMED = 'Content-Disposition: form-data; name="x"'


@pytest.mark.parametrize(
    "text",
    [
        '{"key":"password","value":{"a":["S3cret"]}}',
        '{"value":["S3cret"],"key":"password"}',
        '{"header":"X-Proxy-Key","value":"S3cret"}',
        '{"label":"pin","data":"S3cret"}',
        '["password","S3cret"]',
        '["id",["password",["S3cret"]]]',
        '{"key":"S3cret"}',
        '{"x":"data: {\\"password\\":[\\"S3cret\\"]}"}',
        '{"x":" \\ufeff{\\"password\\":{\\"a\\":\\"S3cret\\"}}"}',
        '{"x":"\\"{\\\\\\"password\\\\\\":{\\\\\\"a\\\\\\":\\\\\\"S3cret\\\\\\"}}\\""}',
        '{"x":"<pin>S3cret</pin>"}',
    ],
)
def test_secrets_in_json_are_hidden_from_everyone(text: str) -> None:
    for unmasked in (False, True):
        found = masked_json(text, unmasked=unmasked)
        assert "S3cret" not in str(found)
        assert found is not None


@pytest.mark.parametrize(
    "text",
    [
        '{"name":"surname","value":{"a":["Anna"]}}',
        '["surname","Anna"]',
        '{"x":"data: {\\"firstName\\":[\\"Anna\\"]}"}',
        '{"x":" \\ufeff{\\"firstName\\":\\"Anna\\"}"}',
        '{"x":"[1,{\\"firstName\\":\\"Anna\\"}"}',
        '{"x":"firstName: Maria Anna"}',
    ],
)
def test_personal_data_in_json_is_hidden_until_asked_for(text: str) -> None:
    assert "Anna" not in str(masked_json(text, unmasked=False))
    assert masked_json(text, unmasked=True) == text


@pytest.mark.parametrize(
    "text",
    [
        '{"key":"status","value":{"id":5,"count":3}}',
        '{"fields":["id","firstName","surname"]}',
        '{"x":"[1, 2, 3","type":"voip"}',
        '{"message":{"id":5}}',
    ],
)
def test_what_helps_to_find_a_bug_stays_in_json(text: str) -> None:
    assert masked_json(text, unmasked=False) == text


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'\xff{"password":"S3cret"}', OCTETS),
        (b'\xff{"password":"S3cret"}', "application/pdf"),
        (b"password=S3cret", OCTETS),
        (b"%PDF-1.4 password=S3cret", "application/pdf"),
        (b"pin: S3cret", "application/yaml"),
        ('{"password":"S3cret"}'.encode("utf-16"), OCTETS),
        (b'{"password":["S3cret"]}\n{"a":1}', "application/x-ndjson"),
        (b'{"pin":{"a":"S3cret"}}\n{"a":1}', JSON),
        (gzip.compress(b"password=S3cret"), "application/gzip"),
        (gzip.compress(gzip.compress(b"password=S3cret")), OCTETS),
        (
            part("Content-Type: text/plain", "UzNjcmV0"),
            "multipart/mixed; boundary=edge",
        ),
        (b"<input name=password value=S3cret>", "text/html"),
        (b"<password>S3cret</password>", "application/xml"),
        (b"%2570assword=S3cret", FORM),
    ],
    ids=range(14),
)
def test_secrets_in_other_content_are_hidden_from_everyone(
    data: bytes, kind: str
) -> None:
    for unmasked in (False, True):
        found = data_of(data, kind, unmasked=unmasked)
        for secret in (b"S3cret", b"UzNjcmV0", "S3cret".encode("utf-16")[2:]):
            assert secret not in found
        assert not found.startswith(b"\x1f\x8b")


@pytest.mark.parametrize(
    "data",
    [
        *(b"\x89PNG\r\n\x1a\n\xff\0", b"%PDF-1.4\xff\0", b"PK\x03\x04\xff\0"),
        *(
            b"RIFF....WAVE\xff\0",
            b"\0\0\0\x18ftypmp42\xff",
            gzip.compress(b"a", mtime=0),
        ),
    ],
    ids=range(6),
)
def test_files_of_a_known_format_are_shown_unmasked_as_they_are(data: bytes) -> None:
    assert data_of(data, OCTETS, unmasked=True) == data
    assert data_of(data, OCTETS, unmasked=False) == b"***"


@pytest.mark.parametrize(
    "head",
    [
        'Content-Disposition: form-data;\r\n name="password"',
        f'{NAMED}\r\nContent-Disposition: form-data; name="password"',
        'Content-Disposition: form-data; name="password"; name="x"',
        "Content-Disposition: form-data; name*=utf-8''password",
        f"{NAMED}; name*=utf-8''password",
        'Content-Disposition: form-data; name="pass%77ord"',
        'Content-Disposition: form-data; name="pass\\word"',
        f"{NAMED}\r\nContent-Transfer-Encoding: base64",
        f"{NAMED}\r\nContent-Type: multipart/mixed; boundary=b",
        'Content-Disposition : form-data; name="password"',
    ],
)
def test_a_part_with_an_odd_head_is_hidden(head: str) -> None:
    for unmasked in (False, True):
        found = data_of(part(head), MULTIPART, unmasked=unmasked)
        assert b"S3cret" not in found
        assert found == part('Content-Disposition: form-data; name="***"', "***")


def test_parts_of_bytes_lose_their_secrets() -> None:
    data = part(NAMED).replace(b"S3cret", b"\xff password=S3cret")

    assert b"\xff password=***" in data_of(data, MULTIPART, unmasked=True)
    assert b"S3cret" not in data_of(data, MULTIPART, unmasked=False)


def test_pairs_in_a_part_are_masked() -> None:
    data = part(NAMED, "firstName=Anna")

    assert data_of(data, MULTIPART, unmasked=False) == part(NAMED, "firstName=***")
    assert data_of(data, MULTIPART, unmasked=True) == data


@pytest.mark.parametrize(
    ("data", "kind", "coding"),
    [
        (b"[" + b"1," * 40_000 + b"1]", JSON, ""),
        (b"[" + b"{}," * 40_000 + b"1]", JSON, ""),
        (json.dumps({"x": "[" + "1," * 40_000 + "1]"}).encode(), JSON, ""),
        (b"a=1&" * 3000, FORM, ""),
        (part(NAMED)[:-10] * 300 + b"--edge--", MULTIPART, ""),
        (part(NAMED, "[" + "1," * 40_000 + "1]"), MULTIPART, ""),
        (b"/x?a=1 " * 3000, "text/plain", ""),
        (gzip.compress(b" " * DECODED_LIMIT + b"1"), JSON, "gzip"),
        (gzip.compress(gzip.compress(gzip.compress(b"{}"))), JSON, "gzip, gzip, gzip"),
    ],
    ids=[
        "json",
        "objects",
        "nested",
        "form",
        "parts",
        "part",
        "text",
        "gzip",
        "layers",
    ],
)
def test_what_is_too_much_to_look_into_is_hidden_from_everyone(
    data: bytes, kind: str, coding: str
) -> None:
    one = message(data, ("Content-Encoding", coding), kind=kind)

    for unmasked in (False, True):
        told = shown(one, unmasked=unmasked)
        assert told is not None
        assert (told["hidden"], told["text"]) == (True, None)
        assert data_of(data, kind, unmasked=unmasked, coding=coding) == b"***"


def test_an_ordinary_answer_is_never_too_much() -> None:
    doctor = {
        "id": 1,
        "name": "Анна",
        "specialty": {"id": 3, "name": "Терапевт"},
        "photo": "/api/v1/media/get/1",
        "price": 100.5,
    }
    text = json.dumps([doctor] * 1600, ensure_ascii=False)

    assert len(text.encode()) > 200_000
    assert "Анна" not in str(masked_json(text, unmasked=False))


def test_there_is_a_limit_to_what_is_looked_into() -> None:
    with pytest.raises(TooMuchError):
        masked_json("[" + "1," * 40_000 + "1]", unmasked=False)


def test_what_was_masked_before_is_not_masked_again() -> None:
    one = message(b'{"firstName":"Anna"}', kind=JSON)
    other = message(b'{"firstName":"***"}', kind=JSON)

    told = shown(one, masked_content(one, unmasked=False), unmasked=False)
    given = shown(one, masked_content(other, unmasked=False), unmasked=False)

    assert told == shown(one, unmasked=False)
    assert given is not None
    assert given["text"] == '{"firstName":"Anna"}'  # it is taken at its word


def test_a_form_with_a_file_is_told_as_a_text() -> None:
    data = part(f'{NAMED}; filename="a.png"').replace(
        b"S3cret", b"\x89PNG\r\n\x1a\n\xff"
    )

    told = shown(message(data, kind=MULTIPART), unmasked=True)

    assert told is not None
    assert "[9 bytes]" in told["text"]
