"""What went wrong, in the reader's language."""

import re

import pytest

from proxy.admin.messages import Step, bad_phone, failure
from proxy.admin.texts import ENGLISH, RUSSIAN, duration
from proxy.errors import (
    CLIENT_REFUSED,
    CooldownError,
    LoginError,
    LoginRequiredError,
    LoopError,
    ProxyError,
    RequestError,
    StoreError,
    TokenAnswerError,
    TokenRefusedError,
    UpstreamError,
    UpstreamIncompleteError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)

OWN = "its own sentence"
LATIN = re.compile("[A-Za-z]{2,}")
# Names that are the same in every language.
NAMES = re.compile(r"\b(API|DNS|TLS)\b|upstream\.client_id|file:\S+")


def caused(error: ProxyError, cause: Exception) -> ProxyError:
    error.__cause__ = cause
    return error


WRONG = TokenRefusedError("invalid_grant", "the user name or password is incorrect")
LOCKED = TokenRefusedError("locked", "the authorization server refused: locked (why)")

KNOWN: list[tuple[ProxyError, Step, str]] = [
    (
        caused(LoginError(OWN, value="validation_code"), WRONG),
        "login",
        "The code is wrong or too old. Check it, or ask for a new one. Tries left: 3.",
    ),
    (
        LoginError(OWN, value="validation_code"),
        "login",
        "Type the code from the SMS, such as 7654.",
    ),
    (
        caused(LoginError(OWN, value="attempts"), WRONG),
        "login",
        "Too many wrong codes. Ask for a new one.",
    ),
    (
        CooldownError(OWN, value="attempts", retry_after=40),
        "login",
        "Too many wrong codes. Ask for a new one.",
    ),
    (LoginError(OWN, value="phone"), "login", "Ask for a code first."),
    (
        CooldownError(OWN, retry_after=59),
        "send",
        "It is too soon for another SMS. Try again in 59\xa0s.",
    ),
    (
        CooldownError(OWN, retry_after=3541),
        "send",
        "It is too soon for another SMS. Try again in 60\xa0min.",
    ),
    (
        CooldownError(OWN),
        "send",
        "There were too many SMS for now. Wait a while and try again.",
    ),
    (
        LoginError("the upstream refuses this number"),
        "send",
        "The partner API sends no SMS to this number. Check the number.",
    ),
    (
        UpstreamError("the call was answered with 500", value="validation_code"),
        "send",
        "The partner API did not confirm that it sent an SMS. "
        "One may arrive all the same.",
    ),
    (
        UpstreamUnreachableError(OWN),
        "send",
        "The server cannot be reached. Check the network and try again. "
        "No SMS was sent.",
    ),
    (
        UpstreamUnreachableError(OWN, value="refused"),
        "login",
        "The server cannot be reached. Check the network and try again.",
    ),
    (
        UpstreamUnreachableError(OWN, value="dns"),
        "login",
        "The server's name is not known (DNS). Check the network and the "
        "configuration.",
    ),
    (
        UpstreamUnreachableError(OWN, value="tls"),
        "refresh",
        "There is no secure connection to the server (TLS): its certificate is not "
        "trusted, or something stands in between.",
    ),
    (
        UpstreamTimeoutError(OWN),
        "send",
        "The server did not answer in time. Try again later. "
        "One may arrive all the same.",
    ),
    (
        UpstreamTimeoutError(OWN),
        "login",
        "The server did not answer in time. Try again later.",
    ),
    (
        UpstreamIncompleteError(OWN),
        "refresh",
        "The server's answer is of no use. Try again later.",
    ),
    (
        TokenAnswerError(OWN),
        "login",
        "The server's answer is of no use. Try again later.",
    ),
    (
        LoginRequiredError(OWN),
        "refresh",
        "There is no login that could be renewed. Log in.",
    ),
    (
        TokenRefusedError("invalid_grant", OWN),
        "refresh",
        "The authorization server does not renew this login. Log in again.",
    ),
    (
        TokenRefusedError("invalid_client", OWN, value=CLIENT_REFUSED),
        "login",
        "The authorization server does not accept this program. Check "
        "upstream.client_id in the configuration.",
    ),
    (
        caused(StoreError(OWN), OSError("full")),
        "send",
        "The tokens cannot be read or saved in file:/t. Check the owner, the mode and "
        "the free space there. No SMS was sent.",
    ),
    (
        StoreError(OWN, value="store_busy"),
        "logout",
        "Another program holds file:/t. End it and try again.",
    ),
]


@pytest.mark.parametrize(("error", "step", "told"), KNOWN)
def test_a_known_error_is_told_in_the_language_of_the_page(
    error: ProxyError, step: Step, told: str
) -> None:
    message = failure(error, step, left=3)

    assert message.failed
    assert message.text(ENGLISH, store="file:/t") == told
    russian = message.text(RUSSIAN, store="file:/t")
    assert LATIN.findall(NAMES.sub("", russian)) == []
    assert (message.detail, message.quoted) == ("", "")


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (RequestError(OWN), "login"),
        (LoginRequiredError(OWN), "logout"),
        (LoopError(OWN), "refresh"),
        (UpstreamError(OWN), "send"),
        (StoreError(OWN), "refresh"),
    ],
)
def test_an_unknown_error_is_told_in_english_below_a_heading(
    error: ProxyError, step: Step
) -> None:
    message = failure(error, step)

    assert LATIN.findall(NAMES.sub("", message.text(RUSSIAN))) == []
    assert message.detail == "Its own sentence"


@pytest.mark.parametrize(
    ("error", "step", "quoted"),
    [
        (LoginError("the upstream refuses this number: Нет."), "send", "Нет."),
        (
            UpstreamError("answered with 503: a: b", value="validation_code"),
            "send",
            "a: b",
        ),
        (
            caused(LoginError(f"not accepted: {LOCKED}", value="x"), LOCKED),
            "login",
            "locked (why)",
        ),
    ],
)
def test_what_only_the_server_knows_is_quoted(
    error: ProxyError, step: Step, quoted: str
) -> None:
    assert failure(error, step).quoted == quoted


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("abc", "A phone number has no letters."),
        ("+7 916 abc", "A phone number has no letters."),
        ("", "The phone number is missing."),
        (" - ", "The phone number is missing."),
        ("916", "The phone number is too short."),
        ("+7 916 123 45 67 89 10 11", "The phone number is too long."),
        ("+0 916 123 45 67", "This is not a phone number."),
        ("+7 916 123-45-67 #", "This is not a phone number."),
    ],
)
def test_a_bad_phone_is_told_how_to_be_typed(typed: str, told: str) -> None:
    message = bad_phone(typed)

    how = "Type it with its country code, like +7 916 123-45-67."
    assert message.text(ENGLISH) == f"{told} {how}"
    assert LATIN.findall(message.text(RUSSIAN)) == []
    assert message.typed == typed


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(1, "1\xa0s"), (119, "119\xa0s"), (120, "2\xa0min"), (121, "3\xa0min")],
)
def test_long_waits_are_told_in_minutes(seconds: int, told: str) -> None:
    assert duration(seconds, ENGLISH) == told
