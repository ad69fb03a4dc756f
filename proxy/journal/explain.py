"""Why an exchange failed, or what is remarkable about it, in one sentence. Pure."""

import json
from typing import Final

from proxy.journal.endpoints import endpoint_of
from proxy.journal.entry import Entry

LARGEST_ERROR: Final = 64 * 1024
"""Bytes of an answer in which an error's type is looked for."""

# What is told where nobody kept what the client was told.
_ERRORS: Final = {
    "connection_limit_reached": (
        "Every connection to the API was in use for too long; raise "
        "upstream.max_connections, or send fewer calls at once."
    ),
    "connection_read_timeout": (
        "The answer stopped in the middle for longer than upstream.idle_timeout; "
        "try again."
    ),
    "connection_refused": (
        "The API's host refused the connection; run: telemed-proxy check"
    ),
    "connection_terminated": (
        "The API's host closed the connection at once; run: telemed-proxy check"
    ),
    "connection_timeout": (
        "No connection to the API came about within upstream.connect_timeout; run: "
        "telemed-proxy check"
    ),
    "connection_write_timeout": (
        "The API stopped taking the request's content; try again, or send less."
    ),
    "destination_ip_unroutable": (
        "There is no way to the API's host; look at the network, and run: "
        "telemed-proxy check"
    ),
    "destination_unavailable": (
        "The API or its login cannot be used now; run: telemed-proxy status"
    ),
    "dns_error": (
        "The name of the API's host cannot be resolved; run: telemed-proxy check"
    ),
    "http_protocol_error": (
        "What the API answered is not valid HTTP/1.1; see whether "
        "something stands in between: telemed-proxy check"
    ),
    "http_request_denied": (
        "The proxy's own rules do not let this request pass; see access and limits in "
        "the config."
    ),
    "http_request_error": (
        "The request is malformed, too large or too slow; mend the calling program."
    ),
    "http_response_header_section_size": (
        "The head of the API's answer is too large; tell the API's support."
    ),
    "http_response_incomplete": (
        "The API closed the connection before its answer was complete; try again."
    ),
    "http_response_timeout": (
        "The API did not answer within upstream.response_timeout; try again."
    ),
    "proxy_configuration_error": (
        "The proxy's configuration is at fault; run: telemed-proxy check"
    ),
    "proxy_internal_error": (
        "A fault of the proxy; its log says more, by the request's id."
    ),
    "proxy_loop_detected": (
        "The request led back to this proxy; set upstream.api_url to the API's address."
    ),
    "tls_certificate_error": (
        "The certificate of the API's host is not trusted; a company's own authority "
        "goes into upstream.ca_file."
    ),
    "tls_protocol_error": ("TLS with the API's host failed; run: telemed-proxy check"),
}

# The API's documented errors.
_TYPES: Final = {
    "bad_argument": (
        "The API does not accept an argument; compare the request with the API's "
        "description."
    ),
    "conflict": (
        "The API says that this does not go together with the present state; read "
        "that anew before another try."
    ),
    "forbidden": (
        "The API does not let this patient do that; a new login would not help."
    ),
    "insufficient_funds": (
        "The patient's account does not hold enough money for this; nothing was "
        "started."
    ),
    "internal_server_error": (
        "A fault of the API itself; try again, and if it stays, tell its support."
    ),
    "limit_exceeded": (
        "A limit of the API is exceeded; wait, and send fewer or smaller requests."
    ),
    "not_found": (
        "The API has nothing under this id; it may belong to another patient, or be "
        "gone."
    ),
    "oauth": (
        "The API did not accept the access token, and the request could not be sent "
        "again; try again, or run: telemed-proxy login"
    ),
}

_STATUSES: Final = {
    400: _TYPES["bad_argument"],
    401: _TYPES["oauth"],
    402: _TYPES["insufficient_funds"],
    403: (
        "The API refuses this: it is not allowed, or the token is not accepted; the "
        "type in its answer says which."
    ),
    404: _TYPES["not_found"],
    405: "The API knows this path, but not with this method.",
    409: _TYPES["conflict"],
    413: "The content is too large for the API; an attachment has at most 10 MB.",
    415: "The API does not take this kind of content; mend the Content-Type field.",
    429: _TYPES["limit_exceeded"],
    500: _TYPES["internal_server_error"],
    502: "Something in front of the API could not reach it; try again later.",
    503: "The API is away for maintenance, or overloaded; try again later.",
    504: "Something in front of the API waited for it in vain; try again later.",
}

_OTHERS: Final = {
    "replayed": (
        "The API did not accept the access token at first; the proxy refreshed it and "
        "sent the request again, so there is nothing to do."
    ),
    "resent": (
        "A kept connection had broken; the proxy sent the request again on a new one, "
        "so there is nothing to do."
    ),
    "status_4xx": (
        "The API refuses the request with {status}; compare it with the API's "
        "description."
    ),
    "status_5xx": (
        "The API failed with {status}; try again, and if it stays, tell its support."
    ),
    "still_rejected": (
        "The API did not accept the access token, nor a fresh one; run: telemed-proxy "
        "login"
    ),
    "undocumented": (
        "The API knows no such path, and it is none of the documented ones; look for a "
        "mistake in it."
    ),
    "unknown": "It failed on the way; the proxy's log says more, by the request's id.",
}

SENTENCES: Final = {
    **_ERRORS,
    **{f"type_{kind}": sentence for kind, sentence in _TYPES.items()},
    **{f"status_{status}": sentence for status, sentence in _STATUSES.items()},
    **_OTHERS,
}
"""What each reason means, but for the two that tell how far it came."""

_MAYBE_DONE: Final = (
    "; it costs money and may have been carried out, so look at the patient's requests "
    "before another try."
)

# After these, the request may have reached the API.
_LATE: Final = frozenset(
    {
        "client_left",
        "connection_read_timeout",
        "connection_write_timeout",
        "http_protocol_error",
        "http_response_header_section_size",
        "http_response_incomplete",
        "http_response_timeout",
    }
)


def reason(entry: Entry) -> str | None:
    """Return the word for why it failed, or is remarkable; None where all is well.

    It is an error's word, or begins with `type_` or `status_`, or is one of those in
    `_OTHERS`.
    """
    if entry.running:
        return None
    if entry.error == "client_left":
        return "left_late" if entry.status else "left_early"
    if entry.error is not None:
        return entry.error if entry.error in _ERRORS else "unknown"
    if entry.status >= 400:
        return _refusal(entry)
    return "replayed" if entry.replayed else "resent" if entry.resent else None


def is_unsure(entry: Entry) -> bool:
    """Say whether it costs money, and may have been done though it failed."""
    late = entry.error in _LATE if entry.error is not None else entry.status >= 500
    return entry.paid and late and not entry.running


def why(entry: Entry) -> str | None:
    """Return one sentence for the `reason`, with the next step; None without one.

    Of what the API sent, nothing is in it but the status and the size; of an error,
    the type decides if it is one of the documented.
    """
    word = reason(entry)
    if word is None:
        return None
    told = _sentence(entry.detail) or _told(word, entry)
    was_cut = word in _ERRORS or word == "unknown"
    if was_cut and entry.answered_by == "upstream" and entry.status:
        told = f"The answer was cut after {entry.sent} bytes: {_lower(told)}"
    return told.removesuffix(".") + _MAYBE_DONE if is_unsure(entry) else told


def _told(word: str, entry: Entry) -> str:
    """Return the sentence for the reason `word`."""
    if word == "left_late":
        return (
            f"The calling program left when it had {entry.sent} bytes of the answer; "
            "if it did not mean to, look at its limits."
        )
    if word == "left_early":
        return (
            f"The calling program left after {entry.seconds:.1f} s, before there was "
            "an answer; if it did not mean to, give it more time."
        )
    return SENTENCES[word].format(status=entry.status)


def _refusal(entry: Entry) -> str:
    """Return the reason for an answer of the API that is an error."""
    status = entry.status
    kind = _error_type(entry) if status < 500 else None
    if entry.replayed and (kind == "oauth" or (status in {401, 403} and kind is None)):
        return "still_rejected"
    if (kind == "not_found" or status == 404) and endpoint_of(entry.target) is None:
        return "undocumented"
    if kind is not None:
        return f"type_{kind}"
    if status in _STATUSES:
        return f"status_{status}"
    return "status_4xx" if status < 500 else "status_5xx"


def _error_type(entry: Entry) -> str | None:
    """Return the documented type of the error in the answer, if it was kept."""
    response = entry.response
    if response is None or response.content is None:
        return None
    content = response.content
    if not content.is_whole or content.size > LARGEST_ERROR:
        return None
    try:
        shape = json.loads(content.data)
    except (ValueError, RecursionError):  # also when it comes in a content coding
        return None
    kind = shape.get("type") if isinstance(shape, dict) else None
    return kind if isinstance(kind, str) and kind in _TYPES else None


def _sentence(detail: str | None) -> str | None:
    """Return what the client was told as a sentence of its own."""
    if not detail:
        return None
    # A command is there to be pasted, so no stop follows it.
    end = "" if detail.endswith(".") or "run: " in detail else "."
    return f"{detail[0].upper()}{detail[1:]}{end}"


def _lower(sentence: str) -> str:
    """Return `sentence` so that it can follow a colon; TLS stays as it is."""
    if sentence[:2].isupper():
        return sentence
    return sentence[0].lower() + sentence[1:]
