"""Phone numbers: read as people type them, sent as the upstream wants them.

`phonenumbers` splits and formats. It does not judge: its numbering plans lag behind
reality, and the upstream's own sample number is in none of them. What is refused
cannot be dialled at all.
"""

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.errors import LoginError

if TYPE_CHECKING:  # it takes 50 ms to import, and most runs read no number
    import phonenumbers

MAX_DIGITS = 15  # ITU-T E.164, section 6.2.1: country code and number together
MIN_DIGITS = 7  # the shortest full numbers in use, such as those of Niue
MAX_TYPED = 64  # more is not a phone number, whatever it is

EXAMPLE = "write it like +7 916 123-45-67"


@dataclass(frozen=True, slots=True, repr=False)
class Phone:
    """A phone number in the two parts that the upstream asks for, digits only."""

    country_code: str
    number: str

    @property
    def username(self) -> str:
        """Both parts together, as the password grant wants them."""
        return self.country_code + self.number

    @property
    def display(self) -> str:
        """The whole number in its country's usual groups, for its owner to check."""
        import phonenumbers

        parsed = _library_parse("+" + self.username)
        if parsed is None or not phonenumbers.is_valid_number(parsed):
            return f"+{self.country_code} {self.number}"
        return phonenumbers.format_number(
            parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL
        )

    @property
    def masked(self) -> str:
        """The number with its middle hidden, for status and logs."""
        shown = 4 if len(self.number) >= 8 else 2
        hidden = "*" * (len(self.number) - shown)
        return f"+{self.country_code}{hidden}{self.number[-shown:]}"

    def __repr__(self) -> str:
        return f"Phone({self.masked})"


def parse_phone(text: str, *, default_region: str = "RU") -> Phone:
    """Return the phone that `text` means; without a plus, one of `default_region`.

    Raises:
        LoginError: it cannot be dialled.
    """
    digits, international = _digits(text)
    _check_length(digits)
    if international:
        return _split(digits)
    return _national(digits, default_region)


def phone_from_parts(code: str, number: str) -> Phone:
    """Return the phone with country code `code` and the rest in `number`.

    Raises:
        LoginError: it cannot be dialled, or `number` names another country.
    """
    code_digits, _ = _digits(code)
    if len(code_digits) > 3 or code_digits.startswith("0"):
        raise LoginError(
            "the country code is one to three digits, such as 7", value="code"
        )
    number_digits, international = _digits(number)
    if international:
        phone = _split(number_digits)
        if phone.country_code != code_digits:
            raise LoginError(
                "the number begins with another country code than the one given",
                value="code",
            )
        return phone
    _check_length(code_digits + number_digits)
    # A trunk prefix (8 in Russia, 0 in most of Europe) is not part of the number.
    known = _valid("+" + code_digits + number_digits)
    return known or Phone(code_digits, number_digits)


def _digits(text: str) -> tuple[str, bool]:
    """Return the digits of `text`, and whether they begin with a country code."""
    if len(text) > MAX_TYPED:
        raise LoginError(f"that is too long for a phone number: {EXAMPLE}")
    # NFKC turns full-width signs and the many spaces into their plain selves.
    kept: list[str] = []
    for char in unicodedata.normalize("NFKC", text):
        if char.isdecimal():
            kept.append(str(unicodedata.decimal(char)))
        elif char == "+" and not kept:
            kept.append(char)
        elif not _is_decoration(char):
            raise LoginError(
                f"a phone number has digits only, with spaces and dashes: {EXAMPLE}"
            )
    digits = "".join(kept)
    international = digits.startswith("+")
    digits = digits.removeprefix("+")
    if not digits:
        raise LoginError(f"the phone number is empty: {EXAMPLE}")
    # 00 is how most of the world dials abroad; no number begins with it.
    if not international and digits.startswith("00"):
        return digits[2:], True
    return digits, international


def _is_decoration(char: str) -> bool:
    # Spaces, dashes, invisible marks that come along when a number is copied from
    # a page (Cf, and Cc for tabs and line ends), and the usual separators.
    return char in "().-/\u2212" or unicodedata.category(char) in (
        "Zs",
        "Pd",
        "Cf",
        "Cc",
    )


def _check_length(digits: str) -> None:
    if len(digits) > MAX_DIGITS:
        raise LoginError(
            f"a phone number has at most {MAX_DIGITS} digits, with its country code"
        )
    if len(digits) < MIN_DIGITS:
        raise LoginError(f"the phone number is too short: {EXAMPLE}")


def _national(digits: str, region: str) -> Phone:
    """Read `digits` typed without a plus, as people in `region` would mean them."""
    import phonenumbers

    phone = _valid(digits, region) or _valid("+" + digits)
    if phone is not None:
        return phone
    parsed = _library_parse(digits, region)
    if parsed is not None and phonenumbers.is_possible_number(parsed):
        return Phone(
            str(parsed.country_code), phonenumbers.national_significant_number(parsed)
        )
    return _split(digits)


def _split(digits: str) -> Phone:
    """Split `digits`, which begin with a country code."""
    import phonenumbers

    _check_length(digits)
    phone = _valid("+" + digits)
    if phone is not None:
        return phone
    # No country code is the beginning of another (E.164, section 6.2.1), so the
    # split is sure even where the rest is in no numbering plan.
    for length in (1, 2, 3) if not digits.startswith("0") else ():
        if int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return Phone(digits[:length], digits[length:])
    raise LoginError(f"no country has this country code: {EXAMPLE}")


def _valid(text: str, region: str | None = None) -> Phone | None:
    import phonenumbers

    parsed = _library_parse(text, region)
    if parsed is None or not phonenumbers.is_valid_number(parsed):
        return None
    return Phone(
        str(parsed.country_code), phonenumbers.national_significant_number(parsed)
    )


def _library_parse(
    text: str, region: str | None = None
) -> "phonenumbers.PhoneNumber | None":
    import phonenumbers

    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
