import pytest

from proxy.errors import LoginError
from proxy.oauth.phone import Phone, parse_phone, phone_from_parts

MOSCOW = Phone("7", "9161234567")
SAMPLE = Phone("1", "1111111111")


@pytest.mark.parametrize(
    ("typed", "phone"),
    [
        pytest.param("+7 916 123-45-67", MOSCOW, id="as shown"),
        pytest.param("8 916 123-45-67", MOSCOW, id="trunk prefix"),
        pytest.param("+7 (916) 123-45-67", MOSCOW, id="brackets"),
        pytest.param("89161234567", MOSCOW, id="trunk prefix, bare"),
        pytest.param("79161234567", MOSCOW, id="country code, no plus"),
        pytest.param("9161234567", MOSCOW, id="neither"),
        pytest.param("007 916 1234567", MOSCOW, id="00 for abroad"),
        pytest.param(
            "8\u00a0916\u2009123\u201145\u201367", MOSCOW, id="no-break, dashes"
        ),
        pytest.param("\uff0b\uff17\uff19\uff11\uff16 1234567", MOSCOW, id="full width"),
        pytest.param(
            "\u202a+7 916 123\u221245\u00ad67\u202c", MOSCOW, id="pasted marks"
        ),
        pytest.param("\u0667\u0669\u0661\u0666 1234567", MOSCOW, id="arabic digits"),
        pytest.param("+7.916.123.45.67\r\n", MOSCOW, id="dots and a line end"),
        pytest.param("+7 8 916 1234567", MOSCOW, id="both prefixes"),
        pytest.param("+1 1111111111", SAMPLE, id="the documented sample"),
        pytest.param("+11111111111", SAMPLE, id="the documented sample, in one"),
        pytest.param("11111111111", SAMPLE, id="the documented sample, no plus"),
        pytest.param("375 29 123-45-67", Phone("375", "291234567"), id="Belarus"),
        pytest.param("+44 020 7946 0000", Phone("44", "2079460000"), id="Britain, 0"),
        pytest.param("+39 06 1234 5678", Phone("39", "0612345678"), id="Italy keeps 0"),
        pytest.param("+7 000 000-00-00", Phone("7", "0000000000"), id="in no plan"),
    ],
)
def test_what_people_type_is_read(typed: str, phone: Phone) -> None:
    assert parse_phone(typed) == phone


@pytest.mark.parametrize(
    ("code", "number", "phone"),
    [
        pytest.param("1", "1111111111", SAMPLE, id="the documented sample"),
        pytest.param("7", "9161234567", MOSCOW, id="plain"),
        pytest.param("+7", "(916) 123-45-67", MOSCOW, id="decorated"),
        pytest.param("7", "8 916 1234567", MOSCOW, id="trunk prefix"),
        pytest.param("7", "+79161234567", MOSCOW, id="country code twice"),
        pytest.param("007", "9161234567", MOSCOW, id="00"),
        pytest.param("99", "8901234567", Phone("998", "901234567"), id="split wrongly"),
        pytest.param("999", "123456", Phone("999", "123456"), id="unknown country"),
    ],
)
def test_code_and_number_may_be_apart(code: str, number: str, phone: Phone) -> None:
    assert phone_from_parts(code, number) == phone


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("", id="empty"),
        pytest.param(" +- ", id="no digit"),
        pytest.param("8 916 CALL NOW", id="letters"),
        pytest.param("8 9I6 123-45-67", id="a letter like a digit"),
        pytest.param("тел. 89161234567", id="a word"),
        pytest.param("7+9161234567", id="plus inside"),
        pytest.param("+7916123456789012", id="16 digits"),
        pytest.param("9" * 10_000, id="very long"),
        pytest.param("+7 12", id="too short"),
        pytest.param("112", id="emergency"),
        pytest.param("+0 123456789", id="no such country"),
        pytest.param("+999 123456789", id="no such country either"),
        pytest.param("9161234567#1", id="extension"),
    ],
)
def test_what_cannot_be_dialled_is_refused_without_an_echo(typed: str) -> None:
    with pytest.raises(LoginError) as caught:
        parse_phone(typed)

    assert "\n" not in caught.value.description
    if typed.strip():
        assert typed not in caught.value.description


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("", "9161234567"),
        ("7", ""),
        ("x", "9161234567"),
        ("0", "9161234567"),
        ("7777", "9161234567"),
        ("7", "1234567890123456"),
        ("7", "12"),
        ("7", "+44 20 7946 0000"),
    ],
)
def test_parts_that_cannot_be_dialled_are_refused(code: str, number: str) -> None:
    with pytest.raises(LoginError):
        phone_from_parts(code, number)


@pytest.mark.parametrize(
    ("phone", "username", "display", "masked"),
    [
        (MOSCOW, "79161234567", "+7 916 123-45-67", "+7******4567"),
        (SAMPLE, "11111111111", "+1 1111111111", "+1******1111"),
        (Phone("683", "4000"), "6834000", "+683 4000", "+683**00"),
    ],
)
def test_a_phone_is_sent_shown_and_masked(
    phone: Phone, username: str, display: str, masked: str
) -> None:
    assert (phone.username, phone.display, phone.masked) == (username, display, masked)


def test_a_phone_is_masked_when_printed() -> None:
    assert "9161234567" not in repr(MOSCOW)
