"""The document that a token file holds, plain or encrypted.

Plain: `{"version": 1, "accounts": {NAME: record}}`. Encrypted, that is inside:
`{"version": 2, "encrypted": TEXT}`. The number is another one, so that a program that
knows only the plain form says so and leaves the file alone.
"""

import json
from collections.abc import Callable
from typing import Any

from proxy.errors import StoreError
from proxy.oauth.stores.record import RecordError

VERSION = 1
ENCRYPTED_VERSION = 2


def read_document(content: bytes, name: str, decrypt: Callable[[str], bytes]) -> Any:
    """Return the plain document that is in the `content` of the file called `name`.

    Raises:
        RecordError: it is damaged.
        StoreError: a newer program wrote it; or what `decrypt` raises.
    """
    document = _parse(content)
    if document["version"] == ENCRYPTED_VERSION:
        encrypted = document.get("encrypted")
        if not isinstance(encrypted, str):
            raise RecordError("it is encrypted, but empty")
        document = _parse(decrypt(encrypted))
    if document["version"] > VERSION:
        raise StoreError(
            f"{name} was written by a newer telemed-proxy (form "
            f"{document['version']}); use that one, or name another file in store.url"
        )
    if not isinstance(document.get("accounts") or {}, dict):
        raise RecordError("it has no accounts")
    return document


def write_document(
    document: dict[str, Any], encrypt: Callable[[bytes], str] | None
) -> bytes:
    """Return the content of a file that holds `document`."""
    document = {**document, "version": VERSION}
    if encrypt is not None:
        plain = json.dumps(document, ensure_ascii=False).encode()
        document = {"version": ENCRYPTED_VERSION, "encrypted": encrypt(plain)}
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _parse(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as exc:
        raise RecordError("it is not JSON") from exc
    version = document.get("version") if isinstance(document, dict) else None
    if type(version) is not int or version < 1:
        raise RecordError("it has no version")
    return dict(document)
