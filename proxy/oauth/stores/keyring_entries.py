"""How a record is laid out in the entries of a keyring.

An entry holds little: 1,280 characters on Windows. So a document is split over several,
and one more, the manifest, says which they are. It is written last: until then the old
one names the old parts, which are still there, as writes take turns in two slots.

* `NAME` is the manifest of an account
* `NAME/SLOT/NUMBER` is a part of its document
* `/accounts` lists the names, as no keyring can be asked what it holds
"""

import hashlib
import json
import logging
from typing import Any, Protocol
from urllib.parse import quote

from proxy.errors import StoreError
from proxy.oauth.stores.record import RecordError

logger = logging.getLogger(__name__)

VERSION = 1
PART_LENGTH = 1200
"""Below what Windows takes: 2,560 bytes in UTF-16."""

_INDEX = "/accounts"

Members = dict[str, Any]


class Texts(Protocol):
    """Texts by the names of their entries."""

    def get(self, entry: str) -> str | None:
        """Return the text of `entry`, or None if there is no such entry."""

    def set(self, entry: str, text: str) -> None:
        """Make `text` the text of `entry`."""

    def delete(self, entry: str) -> None:
        """Delete `entry`, which must be there."""


def read_manifest(texts: Texts, account: str) -> Members:
    """Return the manifest of `account`; an empty one if there is none.

    Raises:
        RecordError: it is damaged.
        StoreError: a newer program wrote it.
    """
    text = texts.get(_manifest(account))
    if text is None:
        return {}
    manifest = _object(text)
    numbers = [manifest.get(name) for name in ("version", "write", "parts")]
    if any(type(number) is not int or number < 0 for number in numbers):
        raise RecordError("it has no version")
    if manifest["version"] > VERSION:
        raise StoreError(
            "the tokens in the keyring were written by a newer telemed-proxy (form "
            f"{manifest['version']}); use that one, or another keyring:SERVICE"
        )
    return manifest


def read_document(texts: Texts, account: str, manifest: Members) -> Members:
    """Return the document that `manifest` tells of.

    Raises:
        RecordError: a part is missing, or is another one.
    """
    if not manifest:
        return {}
    text = _joined(texts, account, manifest["write"], manifest["parts"])
    if _digest(text) != manifest.get("sha256"):
        raise RecordError("a part is missing or is another one")
    return _object(text)


def write_document(
    texts: Texts, account: str, document: Members, before: Members
) -> None:
    """Keep `document` in place of the one that the manifest `before` tells of."""
    write = before.get("write", 0) + 1
    text = json.dumps(document, separators=(",", ":"))
    parts = [text[i : i + PART_LENGTH] for i in range(0, len(text), PART_LENGTH)]
    for number, part in enumerate(parts):
        texts.set(_part(account, write, number), part)
    if _joined(texts, account, write, len(parts)) != text:
        raise StoreError("the keyring does not keep texts as they are; use another")
    if not before:
        _list(texts, account)
    manifest = {
        **before,
        "version": VERSION,
        "write": write,
        "parts": len(parts),
        "sha256": _digest(text),
    }
    texts.set(_manifest(account), json.dumps(manifest))
    try:
        _sweep(texts, account, write, len(parts), len(parts))
        _sweep(texts, account, write + 1, 0, before.get("parts", 0))
    except StoreError as exc:
        # The next write takes them away.
        logger.warning("earlier tokens are still in the keyring: %s", exc)


def read_accounts(texts: Texts) -> list[str]:
    """Return the names of the accounts that have a manifest."""
    names = _index(texts)
    return [name for name in names if texts.get(_manifest(name)) is not None]


def _list(texts: Texts, account: str) -> None:
    names = _index(texts)
    if account not in names:
        texts.set(_INDEX, json.dumps([*names, account]))


def _index(texts: Texts) -> list[str]:
    try:
        names = json.loads(texts.get(_INDEX) or "[]")
    except ValueError:
        return []
    return [str(name) for name in names] if isinstance(names, list) else []


def _joined(texts: Texts, account: str, write: int, count: int) -> str:
    parts = (texts.get(_part(account, write, number)) for number in range(count))
    return "".join(part or "" for part in parts)


def _sweep(texts: Texts, account: str, write: int, first: int, end: int) -> None:
    """Delete the parts from `first` on that another write left there; `end` or more.

    The last goes first: where this is cut off, the next one still finds the rest.
    """
    while texts.get(_part(account, write, end)) is not None:
        end += 1
    for number in reversed(range(first, end)):
        texts.delete(_part(account, write, number))


def _manifest(account: str) -> str:
    return quote(account, safe="")


def _part(account: str, write: int, number: int) -> str:
    return f"{_manifest(account)}/{write % 2}/{number}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _object(text: str) -> Members:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise RecordError("it is not JSON") from exc
    if not isinstance(members, dict):
        raise RecordError("it is not an object")
    return members
