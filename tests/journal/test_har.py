"""An archive is one by the format's rules, and other programs open it."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from haralyzer import HarParser  # type: ignore[import-untyped]
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from proxy.journal.entry import Entry, Message
from proxy.journal.har import MASKED, UNMASKED, archive
from proxy.journal.masking import masked
from tests.journal.entries import entry, message

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PNG = b"\x89PNG\r\n\x1a\n\0"

SCHEMA = json.loads(Path(__file__).with_name("har_schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(
    SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER
)


def one_of(each: Entry) -> Any:
    """Return the entry of an archive that is valid, and stays so as a file."""
    whole = json.loads(json.dumps(archive([each], creator_version="1")))
    VALIDATOR.validate(whole)
    HarParser(whole)
    return whole["log"]["entries"][0]


def content_of(response: Message, *, unmasked: bool = True) -> Any:
    shown = masked(entry(response=response), unmasked=unmasked)
    return one_of(shown)["response"]["content"]


def post_of(request: Message) -> Any:
    return one_of(masked(entry("POST", request=request), unmasked=True))["request"]


def test_the_schema_knows_what_is_wrong() -> None:
    good = archive([entry(response=message(b"{}"))], creator_version="1")

    assert list(VALIDATOR.iter_errors(good)) == []
    for path, value in [
        ("startedDateTime", "2026-11-25 03:00"),
        ("time", "1"),
        ("cache", None),
        ("own", 1),
    ]:
        broken = json.loads(json.dumps(good))
        broken["log"]["entries"][0][path] = value
        assert list(VALIDATOR.iter_errors(broken)) != []


def test_an_archive_says_who_made_it_and_what_is_masked() -> None:
    one = entry()

    assert archive([], creator_version="1.5")["log"]["creator"] == {
        "name": "telemed-proxy",
        "version": "1.5",
    }
    assert archive([masked(one)], creator_version="1")["log"]["comment"] == MASKED
    both = [masked(one), masked(one, unmasked=True)]
    assert archive(both, creator_version="1")["log"]["comment"] == UNMASKED


def test_haralyzer_reads_the_requests() -> None:
    first = entry("POST", "/api/v1/message/add?a=1", message(b"{}", kind=JSON))
    second = entry(response=message(b"{}", kind=JSON), seconds=0.5)
    read = HarParser(archive([first, second], creator_version="1"))

    pages = [each for page in read.pages for each in page.entries]
    assert [each.request.url for each in pages] == [
        "https://api.example/api/v1/message/add?a=1",
        "https://api.example/api/v1/profile/get",
    ]
    assert [each.response.status for each in pages] == [0, 200]
    assert pages[1].time == 500


def test_the_request_is_what_was_asked_of_the_upstream() -> None:
    target = "/a?from=2026-11-25T03:00:00%2B0300&x=a+b&empty=&bare&c=%D0%90"
    fields = [("Cookie", "a=1; b=x=y"), ("Cookie", "c"), ("X-B", "\udcff")]

    request = one_of(entry("PATCH", target, message(b"", *fields)))["request"]

    assert request["method"] == "PATCH"
    assert request["url"] == f"https://api.example{target}"
    assert request["httpVersion"] == "HTTP/1.1"
    assert request["queryString"] == [
        {"name": "from", "value": "2026-11-25T03:00:00+0300"},
        {"name": "x", "value": "a+b"},
        {"name": "empty", "value": ""},
        {"name": "bare", "value": ""},
        {"name": "c", "value": "А"},
    ]
    assert request["cookies"] == [
        {"name": "a", "value": "1"},
        {"name": "b", "value": "x=y"},
        {"name": "c", "value": ""},
    ]
    assert request["headers"][2] == {"name": "X-B", "value": "\ufffd"}
    assert (request["bodySize"], request["headersSize"]) == (0, -1)
    assert "postData" not in request


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("http://other.example/x", "http://other.example/x"),
        ("*", "https://api.example/*"),
        ('/Ж "\udcff', "https://api.example/%D0%96%20%22%FF"),
        ("/x?u=http://h/", "https://api.example/x?u=http://h/"),
    ],
)
def test_every_target_gives_a_url(target: str, url: str) -> None:
    assert one_of(entry(target=target))["request"]["url"] == url


def test_the_response_is_what_came() -> None:
    fields = [
        ("Set-Cookie", "s=1; Path=/a; Domain=h; Secure; HttpOnly; SameSite=Lax"),
        ("Set-Cookie", "t=2; Expires=Wed, 25-Nov-2026 03:00:00 GMT"),
        ("Set-Cookie", "u=3; Expires=soon"),
        ("Location", "/there"),
    ]
    one = entry(response=message(b"", *fields), status=302, reason="Found")

    response = one_of(one)["response"]

    assert (response["status"], response["statusText"]) == (302, "Found")
    assert response["redirectURL"] == "/there"
    no = {"httpOnly": False, "secure": False}
    assert response["cookies"] == [
        {"name": "s", "value": "1", "path": "/a", "domain": "h"}
        | {"httpOnly": True, "secure": True},
        {"name": "t", "value": "2", "expires": "2026-11-25T03:00:00Z"} | no,
        {"name": "u", "value": "3"} | no,
    ]


def test_a_request_without_response_is_as_in_browsers() -> None:
    one = one_of(entry(error="connection_refused", seconds=0.25))

    assert one["response"]["status"] == 0
    assert one["response"]["bodySize"] == -1
    assert one["_error"] == "connection_refused"
    assert (one["time"], one["timings"]["wait"]) == (250, 250)


def test_instants_have_milliseconds() -> None:
    assert one_of(entry())["startedDateTime"] == "2026-11-25T03:00:00.123Z"
    assert one_of(entry(started=0.0))["startedDateTime"] == "1970-01-01T00:00:00.000Z"


TIMING = {
    "earlier": 0.02,
    "access": 0.001,
    "token": 0.002,
    "connection": 0.004,
    "dns": 0.01,
    "tcp": 0.02,
    "tls": 0.04,
    "first_byte": 0.1,
    "content": 0.2,
}


def test_the_time_is_the_sum_of_its_parts() -> None:
    one = one_of(entry(timing=TIMING, seconds=0.4, response=message()))

    assert one["timings"] == {
        "blocked": 27,
        "dns": 10,
        "connect": 60,
        "ssl": 40,
        "send": 0,
        "wait": 100,
        "receive": 203,  # with what no stage accounts for
    }
    assert one["time"] == 400
    assert one["_timing"]["token"] == 2


def test_parts_that_did_not_take_place_are_minus_one() -> None:
    one = one_of(entry(timing={"access": 0.001, "first_byte": 0.002}, seconds=0.003))

    assert [one["timings"][part] for part in ("dns", "connect", "ssl")] == [-1] * 3
    assert (one["timings"]["blocked"], one["time"]) == (1, 3)
    assert one_of(entry(timing=TIMING, seconds=0.1))["time"] == 397


def test_what_is_ours_is_marked_as_ours() -> None:
    one = one_of(
        entry(answered_by="proxy", replayed=True, paid=True, warm=True, replay_of="x-1")
    )

    found = {name: one[name] for name in one if name.startswith("_")}
    assert found == {
        "_id": "9f1c2a-2f",
        "_number": 47,
        "_request_id": "01J",
        "_answered_by": "proxy",
        "_error": None,
        "_detail": None,
        "_caller": None,
        "_running": False,
        "_warm": True,
        "_replayed": True,
        "_resent": False,
        "_paid": True,
        "_replay_of": "x-1",
        "_masked": False,
        "_timing": {},
    }


# -- Content --------------------------------------------------------------------------


def test_text_is_kept_as_text() -> None:
    assert content_of(message('{"a":"Ж"}'.encode(), kind=JSON)) == {
        "size": 10,
        "mimeType": JSON,
        "text": '{"a":"Ж"}',
    }


def test_binary_is_kept_in_base64() -> None:
    content = content_of(message(PNG, kind="image/png"))

    assert content["encoding"] == "base64"
    assert base64.b64decode(content["text"]) == PNG
    assert content["size"] == len(PNG)


def test_coded_content_is_shown_without_its_coding() -> None:
    text = b"[" + b"123456, " * 99 + b"7]"
    coded = gzip.compress(text)

    for unmasked in (True, False):
        one = message(coded, ("Content-Encoding", "gzip"), kind=JSON)
        response = one_of(masked(entry(response=one), unmasked=unmasked))["response"]
        assert response["content"]["text"] == text.decode()
        assert response["content"]["size"] == len(text)
        assert response["content"]["compression"] == len(text) - len(coded)
        assert response["bodySize"] == len(coded)


def test_what_is_not_there_is_said() -> None:
    kept = {"size": 0, "mimeType": "x-unknown"}
    assert content_of(message(None)) == kept | {"comment": "The content was not kept."}
    assert content_of(message(None, ("Content-Length", "55")))["size"] == 55

    cut = content_of(message(b'{"id":7', kind=JSON, size=900))
    assert (cut["text"], cut["size"]) == ('{"id":"***', 900)
    assert cut["comment"].startswith("The content is masked. Only the beginning")

    image = content_of(message(PNG, kind="image/png", size=900))
    assert "of 900 bytes. The SHA-256 of all is " in image["comment"]

    hidden = content_of(message(PNG, kind="image/png"), unmasked=False)
    assert (hidden["text"], hidden["comment"]) == ("***", "The content is hidden.")

    open_ = content_of(message(b'{"text":"x"}', kind=JSON), unmasked=False)
    assert (open_["text"], open_["size"]) == ('{"text":"***"}', 12)
    assert open_["comment"] == "The content is masked."


def test_the_size_of_what_was_sent_is_told_where_it_is_known() -> None:
    assert post_of(message(None, ("Content-Length", "55")))["bodySize"] == 55
    assert post_of(message(None, ("Transfer-Encoding", "chunked")))["bodySize"] == -1
    assert post_of(message(None, ("Content-Length", "x")))["bodySize"] == 0
    assert post_of(message(None, ("Content-Length", "55")))["postData"] == {
        "mimeType": "x-unknown",
        "comment": "The content was not kept.",
    }


def test_posted_content_has_the_form_that_it_came_in() -> None:
    assert post_of(message(b'{"a":1}', kind=JSON))["postData"] == {
        "mimeType": JSON,
        "text": '{"a":1}',
    }
    assert post_of(message(b"a=1&b=%D0%96+x&&c", kind=FORM))["postData"] == {
        "mimeType": FORM,
        "params": [
            {"name": "a", "value": "1"},
            {"name": "b", "value": "Ж x"},
            {"name": "c", "value": ""},
        ],
    }
    assert post_of(message(PNG, kind="image/png"))["postData"] == {
        "mimeType": "image/png",
        "text": base64.b64encode(PNG).decode(),
        "_encoding": "base64",
    }
