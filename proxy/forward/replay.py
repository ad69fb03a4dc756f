"""May this request be sent again, and why. Pure.

The start calls cost the patient money, so the answer is no unless a section of
RFC 9110 says that the first sending cannot have done anything twice.
"""

from urllib.parse import unquote_to_bytes

_SENDS_SMS = b"/access/validation-code"

# RFC 9110, section 9.2.2, less TRACE, which is not forwarded.
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


def costs_an_sms(target: bytes) -> bool:
    """Say whether the request to `target` has an SMS sent, though its method is GET.

    A program that logs in by itself may ask for it here; a person waits for one code.
    """
    if b"%" not in target and _SENDS_SMS not in target.lower():
        return False  # the usual, told in one look
    path = unquote_to_bytes(target.partition(b"?")[0])
    return _SENDS_SMS in path.lower()


def may_resend_after_fault(
    *, repeatable: bool, answer_begun: bool, connection_reused: bool
) -> bool:
    """Say whether a request whose connection broke may go out once more.

    Only on a reused connection is a break without an answer the ordinary race with the
    upstream's idle timeout (RFC 9112, section 9.3.1); on a new one it is a fault that
    the caller must see.
    """
    return repeatable and connection_reused and not answer_begun


def may_replay_after_rejection(*, content_kept: bool, once: bool) -> bool:
    """Say whether a request whose token was rejected for the first time may go again.

    A 401 means that the request was not applied (RFC 9110, section 15.5.2), whatever
    its method; the upstream's `403 oauth` says the same in its own words.
    """
    return content_kept and not once
