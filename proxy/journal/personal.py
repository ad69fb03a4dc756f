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
        "apikey",
        "authorization",
        "clientsecret",
        "confirmationcode",
        "localkey",
        "otp",
        "pin",
        "proxyauthorization",
        "secret",
        "smscode",
        "username",  # the phone number in the password grant, hidden by redaction too
        "validationcode",
        "verificationcode",
        "xproxykey",
    }
)
# sessionToken, push_token, new-password, x-api-key
_SECRET_ENDS: Final = ("token", "password", "passwd", "secret", "apikey")

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
    *("cardnumber", "policynumber"),
)
# They end as names of people do.
_NOT_PEOPLE: Final = frozenset(
    {
        *("hostname", "operatingsystemname", "servername", "shortname"),
        *("statusname", "typename"),
    }
)
_WORD = re.compile(r"[\w.$:@/\[\]-]{0,64}", re.ASCII)
_LONGEST: Final = 64
_SEPARATORS = re.compile(r"[-_ .]")


def plain(name: str) -> str:
    """Return `name` without case and separators: first_name and firstName are one."""
    return _SEPARATORS.sub("", name).lower()


def level_of(name: str) -> Level | None:
    """Return how well the value called `name` is hidden; None: it may be shown.

    The names of lists count as those of their items: `phones` as `phone`.
    """
    return _level_of(name[-_LONGEST:])


@lru_cache(maxsize=1024)
def _level_of(name: str) -> Level | None:
    # "user[phone]", "patient.phone": the last word says what it is.
    word = plain(re.split(r"[\[\].]+", name.rstrip("[]. "))[-1])
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
