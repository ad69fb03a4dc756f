"""Texts and targets hold no secret in disguise, and cost no more than their length."""

import time

import pytest

from proxy.journal.texts import masked_target, masked_text

KEPT = 256 * 1024


@pytest.mark.parametrize(
    "target",
    [
        *("/x?%2570assword=S3cret", "/x?pass%77ord=S3cret", "/x?password%00=S3cret"),
        *("/x?%25252570assword=S3cret", "/x?pass=S3cret", "/x?pwd=S3cret"),
        *("/x?auth=S3cret", "/x?key=S3cret", "/x?apikey=S3cret", "/x?sig=S3cret"),
        *("/x?signature=S3cret", "/x?sms=S3cret", "/x?otp=S3cret", "/x?pin=S3cret"),
        *("/x?AccessToken.x=S3cret", "/x?token[a]=S3cret", '/x?"password":S3cret'),
        *("/x;pin=S3cret", "/x#access_token=S3cret", "/x?a=1#pin=S3cret"),
        *("/x?url=/y%23pin=S3cret", "/x?filter=pin+eq+S3cret", "/x?f=pin:S3cret"),
        *("/token/S3cret", "/api/v1/access/validation-code/S3cret"),
        *("/push-token/set/S3cret", "/%2574oken/S3cret", "/pin=S3cret/x"),
        *("http:u:S3cret@h/x", "u:S3cret@h/x", "http%3Au%3AS3cret%40h/x"),
        f"/x?{'a.' * 40}pin{'.a' * 40}=S3cret",
        f"/x?pin=S3cret&{'a=b&' * 3000}",
        f"/{'a/' * 3000}token/S3cret",
    ],
    ids=lambda target: target[:30],
)
def test_secrets_of_targets_are_hidden_from_everyone(target: str) -> None:
    for unmasked in (False, True):
        assert "S3cret" not in masked_target(target, unmasked=unmasked)


@pytest.mark.parametrize(
    "target",
    [
        *("/x#firstName=Anna", "/x?a=1#firstName=Anna", "/x?a=b#Anna", "/x#/p/Anna"),
        *("/x;firstName=Anna", "/x;a=1;firstName=Anna/y", "/firstName=Anna/y"),
        *("/x?firstName:Anna", "/x?firstName:Anna=1", "/x?fields=firstName:Anna"),
        *("/x?filter=firstName+eq+Anna", "/x?filter=contains(firstName,'Anna')"),
        *("/x?search=Anna", "/x?query=Anna", "/x?q=Anna", "/x?firstName.eq=Anna"),
        *("/first-name/Anna", "/surname/get/Anna"),
    ],
)
def test_personal_data_of_targets_is_hidden_until_asked_for(target: str) -> None:
    assert "Anna" not in masked_target(target, unmasked=False)
    assert masked_target(target, unmasked=True) == target


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/doctor/get-all?limit=10&offset=20&sort=name:asc&fields=id,firstName",
        "/api/v1/request/get/4711;v=2?status=open&type=voip&from=2026-11-25",
        "/x?message.id=5&userId=7&count=3&a=b:c",
        "http://127.0.0.1:8080/api/v1/push/subscribe?id=7",
        "/x?" + "a=b&" * 1900,
    ],
    ids=lambda target: target[:30],
)
def test_what_helps_to_find_a_bug_stays_in_targets(target: str) -> None:
    assert masked_target(target, unmasked=False) == target


@pytest.mark.parametrize(
    "text",
    [
        *("pin=S3cret", "pin: S3cret", 'pin: "S3\\"cret"', "pass: |\n  S3cret\n"),
        *(
            '{"password":["S3cret"]}',
            '{\\"pin\\":\\"S3cret\\"}',
            "name: pin, value: S3cret",
        ),
        *("<password>S3cret</password>", "<a:pin x='1'>S3cret</a:pin>"),
        *("<pin><![CDATA[S3cret]]></pin>", "<pin><b>S3cret</b></pin>"),
        *("<td>pin</td> <td>S3cret</td>", "<input name=pin value=S3cret>"),
        *('<meta content="S3cret" name="csrf-token">', '<x pin="S3cret"/>'),
        *("see /x#pin=S3cret", "see /x?a=1#pin=S3cret", "(/x?%2570in=S3cret)"),
    ],
)
def test_secrets_of_texts_are_hidden_from_everyone(text: str) -> None:
    for unmasked in (False, True):
        found = masked_text(f"it is {text}", unmasked=unmasked)
        assert "cret" not in found
        assert "***" in found


@pytest.mark.parametrize(
    "text",
    [
        *("firstName=Anna", "firstName: Maria, Anna", "<name>Anna</name>"),
        *("<input name=surname value=Anna>", "/x#firstName=Anna", "text='a \\'Anna'"),
    ],
)
def test_personal_data_of_texts_is_hidden_until_asked_for(text: str) -> None:
    assert "Anna" not in masked_text(text, unmasked=False)
    assert masked_text(text, unmasked=True) == text


@pytest.mark.parametrize(
    "text",
    ["status: 404, id=7", "error: not_found", "a<b> c: d", "<id>7</id>", "key: null"],
)
def test_what_helps_to_find_a_bug_stays_in_texts(text: str) -> None:
    assert masked_text(text, unmasked=False) == text


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "?",
            "?a",
            "a?b&",
            "a?b=c ",
            "a=b&",
            "a: ",
            "/",
            "&",
            "%",
            '\\"',
            "{}",
            "[1,",
        ),
        *("a", "1", "a@b.", "eyJ", " ", "\n", ";", ",", "<", "<a b=c>", "#a=", "pin "),
        *("name=a,value=", "[({ ", "http:u:"),
    ],
)
def test_a_hostile_text_costs_no_more_than_its_length(unit: str) -> None:
    text = unit * (KEPT // len(unit))
    for unmasked in (False, True):
        began = time.process_time()
        masked_text(text, unmasked=unmasked)
        masked_target(f"/x?{text}", unmasked=unmasked)
        # What is quadratic takes minutes.
        assert time.process_time() - began < 5
