"""What the page says once after a form was sent: done, or what went wrong."""

from dataclasses import dataclass

from proxy.admin.texts import Texts
from proxy.errors import (
    CooldownError,
    LoginError,
    LoginRequiredError,
    ProxyError,
    StoreError,
    TokenRefusedError,
    UpstreamError,
)

# From the special to the general: the first that fits is said.
_KINDS: tuple[tuple[type[ProxyError], str], ...] = (
    (CooldownError, "too_many"),
    (LoginRequiredError, "login_required"),
    (TokenRefusedError, "refused"),
    (UpstreamError, "upstream"),
    (StoreError, "store"),
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `key` names its text, `typed` goes back into the phone field."""

    key: str
    failed: bool = False
    detail: str = ""
    seconds: int = 0
    typed: str = ""
    code_known: bool = False

    def text(self, texts: Texts) -> str:
        """Return the sentence in the reader's language."""
        return texts[self.key].format(seconds=self.seconds)


def failure(
    error: ProxyError, wrong: str, *, typed: str = "", code_known: bool = False
) -> Message:
    """Return what to say of `error`; `wrong` is the key when what was typed is wrong.

    The detail is the error's own sentence, in English.
    """
    seconds = error.retry_after or 0
    key = _key(error, wrong)
    if key == "too_many" and seconds:
        key = "cooldown"
    detail = error.description[:1].upper() + error.description[1:]
    return Message(key, True, detail, seconds, typed, code_known)


def _key(error: ProxyError, wrong: str) -> str:
    if error.value == "attempts":
        return "too_many_codes"
    for kind, key in _KINDS:
        if isinstance(error, kind):
            return key
    return wrong if isinstance(error, LoginError) else "other"
