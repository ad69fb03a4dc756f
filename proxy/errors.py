"""Every error this program raises on purpose, and how each is answered.

The commands add two of their own, which never leave them: see `cli.admin_client` and
`cli.failures`.

The tree splits by whose fault it is, which also fixes the status that a client sees:

* ProxyError                       500  ours
  * ConfigError                         the config file; ends the program, exit code 3
  * StoreError                     500  the token store cannot be read or written
  * RequestError                   400  the client's request; also 405, 408, 413, 414,
                                        421, 431, and 415 on the admin listener
    * NotFoundError                404  nothing is at this path of the admin listener
    * LoginError                   400  a phone number or validation code to be mended
      * CooldownError              429  too soon, or too often, for another SMS
    * AccessDeniedError            403  refused by Host, Origin, user or rules
      * LocalKeyError              401  local key or admin password missing or wrong
    * ConflictError                409  it does not go with how things are here
    * RepeatedCallError            409  a paid call that was sent a moment ago
    * OverLimitError               503  the caller has too much under way already
  * LoginRequiredError             503  the resource owner must log in (again)
  * UpstreamError                  502  the upstream, or the way to it
    * UpstreamUnreachableError     502  DNS, refused, TLS
    * UpstreamTimeoutError         504  too slow
    * UpstreamIncompleteError      502  the answer broke off, or is not HTTP
    * LoopError                    508  the upstream is this proxy
    * TokenAnswerError             502  the authorization server's answer is of no use
  * TokenRefusedError              502  the authorization server said no (RFC 6749, 5.2)

`type`, `value` and `description` are the upstream's own error shape; `proxy_error` is
the error type of RFC 9209, section 2.3.
"""

from typing import ClassVar


class ProxyError(Exception):
    """Any error raised on purpose; its text is one sentence for a person.

    The text must never hold a secret: it is answered, logged and shown.
    """

    status: int = 500
    type: ClassVar[str] = "internal_server_error"
    value: str | None = None
    proxy_error: str = "proxy_internal_error"
    retry_after: int | None = None

    def __init__(
        self,
        description: str,
        *,
        value: str | None = None,
        status: int | None = None,
        proxy_error: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(description)
        self.description = description
        if value is not None:
            self.value = value
        if status is not None:
            self.status = status
        if proxy_error is not None:
            self.proxy_error = proxy_error
        if retry_after is not None:
            self.retry_after = retry_after


class ConfigError(ProxyError):
    """The configuration is at fault: file, line, key and what is allowed."""

    proxy_error = "proxy_configuration_error"


class StoreError(ProxyError):
    """The token store cannot be read or written."""

    value = "store"


class RequestError(ProxyError):
    """The client's request is at fault."""

    status = 400
    type = "bad_argument"
    proxy_error = "http_request_error"


class NotFoundError(RequestError):
    """There is nothing at this path."""

    status = 404
    type = "not_found"
    value = "path"


class LoginError(RequestError):
    """A phone number or a validation code that the person can mend."""


class CooldownError(LoginError):
    """Too soon, or too often, for another SMS; carries `retry_after` in seconds."""

    status = 429
    type = "limit_exceeded"


class AccessDeniedError(RequestError):
    """Refused by Host, Origin, fetch metadata, user or rules; `value` says which."""

    status = 403
    type = "forbidden"
    proxy_error = "http_request_denied"


class LocalKeyError(AccessDeniedError):
    """A local key or the admin password is missing or wrong."""

    status = 401
    value = "local_key"


class RepeatedCallError(RequestError):
    """A paid call that was sent a moment ago, and not repeated on purpose."""

    status = 409
    type = "conflict"
    value = "paid_call"
    proxy_error = "http_request_denied"


class ConflictError(RequestError):
    """What is asked of the admin listener does not go with how things are."""

    status = 409
    type = "conflict"


class OverLimitError(RequestError):
    """The caller, or all of them together, have too much under way already."""

    status = 503
    type = "limit_exceeded"
    value = "in_flight"
    proxy_error = "http_request_denied"
    retry_after = 1


class LoginRequiredError(ProxyError):
    """Nobody has logged in, or the login is dead."""

    status = 503
    type = "oauth"
    value = "login_required"
    proxy_error = "destination_unavailable"
    retry_after = 30


class UpstreamError(ProxyError):
    """The upstream, or the way to it, is at fault."""

    status = 502
    type = "upstream"
    proxy_error = "http_protocol_error"


class UpstreamUnreachableError(UpstreamError):
    """No connection: DNS, refused, TLS; `value` and `proxy_error` say which."""

    value = "unreachable"
    proxy_error = "destination_unavailable"


class UpstreamTimeoutError(UpstreamError):
    """The upstream did not connect or answer in time."""

    status = 504
    value = "timeout"
    proxy_error = "http_response_timeout"


class UpstreamIncompleteError(UpstreamError):
    """The answer broke off before its end, or is not HTTP."""

    value = "incomplete"
    proxy_error = "http_response_incomplete"


class LoopError(UpstreamError):
    """The upstream turned out to be one of our own listeners."""

    status = 508
    value = "loop"
    proxy_error = "proxy_loop_detected"


class TokenAnswerError(UpstreamError):
    """The authorization server's answer is of no use: 5xx, empty, not JSON.

    Whether it acted on the request is unknown.
    """

    value = "token_answer"


CLIENT_REFUSED = "client_refused"


class TokenRefusedError(ProxyError):
    """The authorization server refused, with an OAuth error (RFC 6749, section 5.2).

    `error` is its code, standard or not, such as `invalid_grant`. `value` is
    CLIENT_REFUSED where no other validation code and no new login would help.
    """

    status = 502
    type = "upstream"
    value = "token_refused"
    proxy_error = "destination_unavailable"

    def __init__(
        self, error: str, description: str, *, value: str | None = None
    ) -> None:
        super().__init__(description, value=value)
        self.error = error
