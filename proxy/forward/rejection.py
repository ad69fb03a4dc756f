"""Is this response "token not accepted"? Pure.

The upstream says it in two ways: 401, or 403 with `{"type": "oauth"}`. A 403 with
`{"type": "forbidden"}` is a real refusal and is relayed untouched.
"""

import json
import zlib

MAX_CONTENT = 64 * 1024
"""Bytes of a 403's content that are read to tell what it is; a longer one is not it."""


SUSPECT = frozenset({401, 403})
"""The statuses that need a closer look."""


def is_rejection(status: int, content: bytes = b"", coding: bytes = b"") -> bool:
    """Say whether a response means that the token was rejected.

    `content` is all of a 403's content, and `coding` its Content-Encoding. Content in a
    coding that cannot be read here is not taken for a rejection.
    """
    if status == 401:
        return True
    if status != 403:
        return False
    try:
        document = json.loads(_decoded(content, coding.strip().lower()))
    except (ValueError, zlib.error, RecursionError):
        return False
    return isinstance(document, dict) and document.get("type") == "oauth"


def _decoded(content: bytes, coding: bytes) -> bytes:
    if coding in {b"", b"identity"}:
        return content
    # 32 lets zlib tell gzip from zlib by itself; the limit stops a bomb.
    return zlib.decompressobj(wbits=32 + zlib.MAX_WBITS).decompress(
        content, MAX_CONTENT
    )
