"""May this request be sent again, and why. Pure.

The start calls cost the patient money, so the answer is no unless a section of
RFC 9110 says that the first sending cannot have done anything twice.
"""

# RFC 9110, section 9.2.2, less TRACE, which is not forwarded.
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


def may_resend_after_fault(
    method: str, *, content_kept: bool, answer_begun: bool, connection_reused: bool
) -> bool:
    """Say whether a request whose connection broke may go out once more.

    Only on a reused connection is a break without an answer the ordinary race with the
    upstream's idle timeout (RFC 9112, section 9.3.1); on a new one it is a fault that
    the caller must see.
    """
    return (
        method in IDEMPOTENT and content_kept and connection_reused and not answer_begun
    )


def may_replay_after_rejection(*, content_kept: bool, replayed: bool) -> bool:
    """Say whether a request whose token was rejected may go out once more.

    A 401 means that the request was not applied (RFC 9110, section 15.5.2), whatever
    its method; the upstream's `403 oauth` says the same in its own words.
    """
    return content_kept and not replayed
