"""What the page says once after a form was sent: done, or what went wrong.

An error is told in the reader's language, by its class and value. Only what is unknown
here is told in the error's own English, below a heading in the reader's language.
"""

from dataclasses import dataclass, replace
from typing import Literal

from proxy.admin.texts import Texts, duration
from proxy.errors import (
    CLIENT_REFUSED,
    CooldownError,
    LoginError,
    LoginRequiredError,
    ProxyError,
    StoreError,
    TokenRefusedError,
    UpstreamError,
    UpstreamUnreachableError,
)
from proxy.oauth.login import WRONG_CODE
from proxy.oauth.phone import MAX_DIGITS, MIN_DIGITS

Step = Literal["send", "login", "refresh", "logout"]
"""Which form was sent."""

# By UpstreamError.value; anything else is told with its own sentence.
_UPSTREAM = {
    "dns": "dns",
    "refused": "unreachable",
    "tls": "tls",
    "unreachable": "unreachable",
    "timeout": "timeout",
    "incomplete": "bad_answer",
    "token_answer": "bad_answer",
    "validation_code": "sms_failed",
}

# Texts that leave open what happened, so that the error's own sentence follows.
_OPEN = frozenset({"other", "upstream", "store_other"})
# Texts after which the server's own words help: only it knows why.
_QUOTED = frozenset({"number_refused", "sms_failed", "code_refused"})

_REFUSED = "the authorization server refused: "


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `keys` name its sentences, `typed` goes back into the phone field.

    `detail` is the error's own sentence, `quoted` what the server said.
    """

    keys: tuple[str, ...]
    failed: bool = False
    detail: str = ""
    quoted: str = ""
    seconds: int = 0
    left: int = 0
    typed: str = ""
    code_known: bool = False

    def text(self, texts: Texts, *, store: str = "") -> str:
        """Return the sentences in the reader's language; `store` keeps the tokens."""
        wait = duration(self.seconds, texts)
        return " ".join(
            texts[key].format(wait=wait, left=self.left, store=store)
            for key in self.keys
        )


def done(key: str) -> Message:
    """Return the good news called `key`."""
    return Message((key,))


def bad_phone(typed: str, *, code_known: bool = False) -> Message:
    """Return how to mend `typed`, which is no phone number."""
    digits = sum(char.isdecimal() for char in typed)
    if any(char.isalpha() for char in typed):
        key = "phone_letters"
    elif not digits:
        key = "phone_empty"
    elif digits < MIN_DIGITS:
        key = "phone_short"
    elif digits > MAX_DIGITS:
        key = "phone_long"
    else:
        key = "phone_wrong"
    return Message((key, "phone_how"), True, typed=typed, code_known=code_known)


def failure(error: ProxyError, step: Step, *, left: int = 0) -> Message:
    """Return what to say of `error`, met in `step`.

    `left` is how many wrong codes may still be typed.
    """
    keys = _keys(error, step)
    message = Message(keys, True, seconds=error.retry_after or 0, left=left)
    text = error.description
    if keys[0] in _OPEN:
        return replace(message, detail=text[:1].upper() + text[1:])
    if keys[0] in _QUOTED:
        said = text.partition(": ")[2].removeprefix(_REFUSED)
        # A gateway's page of HTML tells a person nothing.
        return replace(message, quoted="" if said.startswith("<") else said)
    return message


def _keys(error: ProxyError, step: Step) -> tuple[str, ...]:
    match error:
        case LoginError(value="attempts"):
            return ("codes_spent",)
        case CooldownError():
            return ("cooldown",) if error.retry_after else ("too_many",)
        case LoginError():
            return _login_keys(error, step)
        case LoginRequiredError() if step != "logout":
            return ("login_required",)
        case TokenRefusedError(value=value):
            return ("client_refused",) if value == CLIENT_REFUSED else ("refused",)
        case UpstreamError():
            return _upstream_keys(error, step)
        case StoreError():
            return _store_keys(error, step)
        case _:
            return ("other",)


def _login_keys(error: LoginError, step: Step) -> tuple[str, ...]:
    if step == "send":
        return ("number_refused",)
    if error.value == "phone":
        return ("no_code_yet",)
    cause = error.__cause__
    if not isinstance(cause, TokenRefusedError):
        return ("type_code",)  # the server was not asked, and no try was counted
    return "wrong_code" if cause.error == WRONG_CODE else "code_refused", "codes_left"


def _upstream_keys(error: UpstreamError, step: Step) -> tuple[str, ...]:
    key = _UPSTREAM.get(error.value or "", "upstream")
    if step != "send":
        return (key,)
    is_unsent = isinstance(error, UpstreamUnreachableError)
    return key, "no_sms" if is_unsent else "sms_unsure"


def _store_keys(error: StoreError, step: Step) -> tuple[str, ...]:
    if error.value == "store_busy":
        key = "store_busy"
    else:
        known = isinstance(error.__cause__, OSError)
        key = "store" if known else "store_other"
    # An SMS that cannot be counted is not sent.
    return (key, "no_sms") if step == "send" else (key,)
