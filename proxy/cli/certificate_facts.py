"""What a certificate says of its issuer and of its end, read from its DER form.

`ssl` tells it only to those who trust the certificate, and `check` has to name who
issued one that nobody trusts. The form is X.509 (RFC 5280, section 4.1).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from proxy.access.hosts import shown

_ORGANISATION: Final = b"\x55\x04\x0a"  # 2.5.4.10
_COMMON_NAME: Final = b"\x55\x04\x03"  # 2.5.4.3

_UTC_TIME: Final = 0x17
_BMP_STRING: Final = 0x1E
_VERSION: Final = 0xA0

Element = tuple[int, bytes]
"""A tag and what it stands before."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Who issued a certificate, and when it ends, as seconds since 1970."""

    organisation: str
    common_name: str
    ends: float

    @property
    def issuer(self) -> str:
        """The issuer in words; printable, whatever somebody put into it."""
        names = dict.fromkeys(
            shown(each) for each in (self.common_name, self.organisation) if each
        )
        return " of ".join(names) or "somebody without a name"


def read_facts(der: bytes) -> Facts:
    """Return the facts of the certificate `der`.

    Raises:
        ValueError: it is none.
    """
    try:
        _, certificate = _elements(der)[0]
        fields = _elements(_elements(certificate)[0][1])
        if fields[0][0] == _VERSION:
            fields = fields[1:]
        _serial, _signed_how, (_, issuer), (_, validity) = fields[:4]
        names = dict(_names(issuer))
        ends = _instant(*_elements(validity)[1])
    except IndexError as exc:
        raise ValueError("this is no certificate") from exc
    return Facts(names.get(_ORGANISATION, ""), names.get(_COMMON_NAME, ""), ends)


def _elements(der: bytes) -> list[Element]:
    """Return the elements that stand in `der` one after the other."""
    found, at = [], 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length & 0x80:  # the length of the length
            size = length & 0x7F
            length, at = int.from_bytes(der[at : at + size], "big"), at + size
        if at + length > len(der):
            raise ValueError("this is no certificate")
        found.append((tag, der[at : at + length]))
        at += length
    return found


def _names(issuer: bytes) -> list[tuple[bytes, str]]:
    """Return each attribute of a name, by the identifier of its kind."""
    attributes = [
        _elements(each) for _, one in _elements(issuer) for _, each in _elements(one)
    ]
    return [(kind, _text(*value)) for (_, kind), value in attributes]


def _text(tag: int, value: bytes) -> str:
    return value.decode("utf-16-be" if tag == _BMP_STRING else "utf-8", "replace")


def _instant(tag: int, value: bytes) -> float:
    form = "%y%m%d%H%M%SZ" if tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    text = value.decode("ascii", "replace")
    return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
