"""Whose data a member, parameter or field holds, by its name. Pure.

Two levels. What is secret (tokens, passwords, validation codes, local keys) is hidden
from everyone. What is personal is hidden until somebody asks for it on purpose.
"""

import re
from enum import Enum, auto
from functools import lru_cache
from typing import Final


class Level(Enum):
    """How well a value is hidden."""

    SECRET = auto()
    PERSONAL = auto()


_SECRET: Final = frozenset(
    {
        *("auth", "bearer", "credential", "jwt", "key", "otp", "pass", "passphrase"),
        *("passcode", "pin", "pwd", "sig", "signature", "sms", "xauth", "xproxykey"),
        *("confirmationcode", "smscode", "validationcode", "verificationcode"),
        "username",  # the phone number in the password grant, hidden by redaction too
        "пароль",
    }
)
# sessionToken, push_token, new-password, x-api-key
_SECRET_ENDS: Final = (
    *("token", "password", "passwd", "secret", "authorization"),
    *("apikey", "accesskey", "authkey", "localkey", "privatekey", "secretkey"),
)

# What the API's documents, its sandbox and their likely relatives call them.
_PERSONAL: Final = frozenset(
    {
        *("about", "account", "age", "allergies", "anamnesis", "answer", "apartment"),
        *("birthday", "body", "building", "city", "code", "complaint", "conclusion"),
        *("content", "dateofbirth", "description", "diagnosis", "diagnosiscode"),
        *("dob", "education", "flat", "gender", "height", "heightcm", "house"),
        *("latitude", "longitude", "lat", "lon", "lng", "inn", "mail", "mobile"),
        *("msisdn", "note", "number", "policy", "policynumber", "documentnumber"),
        *("oms", "passport", "patronymic", "photo", "postalcode", "question"),
        *("recommendation", "sex", "street", "subject", "surname", "symptom", "tel"),
        *("title", "treatment", "weight", "weightkg", "zip", "zipcode"),
    }
)
# patientFirstName, contactPhone, birth_date, feedbackText
_PERSONAL_ENDS: Final = (
    *("name", "phone", "phonenumber", "telephone", "email", "birthdate", "address"),
    *("text", "comment", "message", "snils", "passport", "surname", "patronymic"),
    *("cardnumber", "policynumber", "sessionid"),
)
# They end as names of people do.
_NOT_PEOPLE: Final = frozenset(
    {
        *("hostname", "operatingsystemname", "servername", "shortname"),
        *("statusname", "typename"),
    }
)
_WORD = re.compile(r"[\w.$:@/\[\]-]{0,64}", re.ASCII)
_SEPARATORS = re.compile(r"[-_ .]")
_BETWEEN = re.compile(r"[^\w -]+")

_LONGEST: Final = 64
_ENDLESS: Final = 1024


class TooMuchError(Exception):
    """There is more to look into than is looked into: all of it is to be hidden."""


def plain(name: str) -> str:
    """Return `name` without case and separators: first_name and firstName are one."""
    return _SEPARATORS.sub("", name).lower()


def level_of(name: str) -> Level | None:
    """Return how well the value called `name` is hidden; None: it may be shown.

    The names of lists count as those of their items: `phones` as `phone`. Of
    `user[phone]`, `patient.phone` and `token.x` each word counts, but for ids.
    """
    if len(name) <= _LONGEST:
        return _remembered(name)
    return Level.SECRET if len(name) > _ENDLESS else _found(name)


def _found(name: str) -> Level | None:
    words = [plain(word) for word in _BETWEEN.split(name)]
    levels = {_level_of_word(word) for word in words if word}
    if Level.SECRET in levels:
        return Level.SECRET
    last = next((word for word in reversed(words) if word), "")
    is_own = _level_of_word(last) is not None
    return Level.PERSONAL if levels - {None} and (is_own or not is_id(last)) else None


_remembered = lru_cache(maxsize=1024)(_found)


def _level_of_word(word: str) -> Level | None:
    for each in (word, word.removesuffix("s"), word.removesuffix("es")):
        if each in _SECRET or each.endswith(_SECRET_ENDS):
            return Level.SECRET
        if each in _NOT_PEOPLE:
            return None
        if each in _PERSONAL or each.endswith(_PERSONAL_ENDS):
            return Level.PERSONAL
    return None


def hides(level: Level | None, *, unmasked: bool) -> bool:
    """Return whether a value of `level` is hidden."""
    return level is Level.SECRET or (level is Level.PERSONAL and not unmasked)


def is_id(name: str) -> bool:
    """Return whether `name` is that of an id, or of a list of them."""
    return plain(name).endswith(("id", "ids"))


def is_name(text: str) -> bool:
    """Return whether `text` can be the name of a member, and not somebody's words."""
    return _WORD.fullmatch(text) is not None
