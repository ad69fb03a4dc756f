"""The commands' view of a running proxy: its admin listener."""

import base64
import http.client
import json
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from proxy.cli.handshake import speaks_tls
from proxy.cli.http_call import Answer, call, reason, to_listener
from proxy.config import Address
from proxy.errors import (
    CLIENT_REFUSED,
    AccessDeniedError,
    ConfigError,
    CooldownError,
    LoginError,
    LoginRequiredError,
    ProxyError,
    TokenRefusedError,
    UpstreamError,
)

# A status is read from memory; the other calls wait for the upstream.
STATUS_PATIENCE: Final = 10.0
CALL_PATIENCE: Final = 150.0

# Seconds, if the proxy does not tell; it looks at passwords again after a minute.
_LOCKED_OUT: Final = 60

# What OpenSSL, in its versions, calls an answer that is no TLS.
_PLAIN: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"}
)


class NoProxyError(ProxyError):
    """Nothing listens at the admin address."""


class AdminClient:
    """Calls the admin listener at `address`; every failure is a ProxyError.

    Three that look alike to a socket are told apart: nothing listens there
    (`NoProxyError`), something else listens there (`ConfigError`), and the proxy
    answered with an error (the class that it stands for, with its sentence).
    """

    def __init__(
        self,
        address: Address,
        password_file: Path | None = None,
        *,
        certificate_file: Path | None = None,
        patience: float = STATUS_PATIENCE,
    ) -> None:
        self.address = address
        self._certificate_file = certificate_file
        self._patience = patience
        self._password_file = password_file

    def status(self) -> dict[str, Any]:
        """Return the status object, which also proves that the proxy is there."""
        answer = self._call("GET", "/api/status", self._patience)
        shape = json_object(answer)
        if answer.status == 200 and {"state", "version"} <= shape.keys():
            return shape
        if "description" in shape and (
            answer.status in {401, 403} or _is_locked_out(answer, shape)
        ):
            raise self._error(answer, shape)
        raise self._stranger(answer)

    def request_code(self, phone: str) -> dict[str, Any]:
        """Have the SMS with the validation code sent to `phone`."""
        return self._post("/api/login/code", {"phone": phone})

    def submit_code(self, validation_code: str, phone: str | None) -> dict[str, Any]:
        """Log in with the code; returns the new status."""
        content = {"validation_code": validation_code}
        if phone is not None:
            content["phone"] = phone
        return self._post("/api/login/token", content)

    def refresh(self) -> dict[str, Any]:
        """Force a refresh; returns the new status."""
        return self._post("/api/refresh", {})

    def logout(self) -> dict[str, Any]:
        """Forget the tokens; returns the new status."""
        return self._post("/api/logout", {})

    def _post(self, target: str, content: dict[str, str]) -> dict[str, Any]:
        body = json.dumps(content).encode()
        answer = self._call("POST", target, CALL_PATIENCE, body)
        shape = json_object(answer)
        if 200 <= answer.status < 300:
            return shape
        if "description" not in shape:
            raise self._stranger(answer)
        raise self._error(answer, shape)

    def _call(
        self, method: str, target: str, patience: float, content: bytes | None = None
    ) -> Answer:
        connection = to_listener(self.address, self._certificate_file)
        fields = {"Accept": "application/json", "Content-Type": "application/json"}
        fields |= self._credential()
        try:
            return call(
                connection,
                method,
                target,
                fields=fields,
                content=content,
                patience=patience,
            )
        except http.client.HTTPException as exc:
            raise self._no_http() from exc
        except ssl.SSLError as exc:
            raise self._other_tls(exc) from exc
        except PermissionError as exc:
            raise ProxyError(f"{self.address} may not be opened by this user") from exc
        except TimeoutError as exc:
            raise ProxyError(
                f"the proxy at {self.address} did not answer in time"
            ) from exc
        except OSError as exc:
            if isinstance(exc, ConnectionResetError) and self._speaks_tls():
                raise self._no_http() from exc
            raise NoProxyError(
                f"no proxy answers at {self.address}: {reason(exc)}"
            ) from exc

    def _speaks_tls(self) -> bool:
        return not self.address.tls and speaks_tls(self.address)

    def _no_http(self) -> ConfigError:
        """Return what is wrong where an answer was no HTTP."""
        if not self._speaks_tls():
            return ConfigError(_somebody_else(self.address))
        secure = replace(self.address, tls=True)
        return ConfigError(
            f"what listens at {self.address} speaks TLS; set admin.listen to {secure} "
            f"and tls.certificate_file to what it shows, or pass --admin {secure}"
        )

    def _other_tls(self, error: ssl.SSLError) -> ConfigError:
        """Return what is wrong where no TLS came about."""
        if error.reason in _PLAIN:
            plain = self.address.place
            return ConfigError(
                f"what listens at {self.address} does not speak TLS; set admin.listen "
                f"to {plain}, or pass --admin {plain}"
            )
        return ConfigError(
            f"what listens at {self.address} does not show the certificate in "
            "tls.certificate_file; restart the proxy, or mend the config"
        )

    def _credential(self) -> dict[str, str]:
        if self._password_file is None:
            return {}
        try:
            password = self._password_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigError(
                f"admin.password_file {self._password_file} cannot be read:"
                f" {type(exc).__name__}"
            ) from exc
        pair = base64.b64encode(f"admin:{password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}

    def _stranger(self, answer: Answer) -> ConfigError:
        if answer.fields.get("Proxy-Status", "").startswith("telemed-proxy"):
            return ConfigError(
                f"{self.address} is where the proxy takes requests, not its admin"
                " listener; set admin.listen, or pass --admin"
            )
        return ConfigError(_somebody_else(self.address))

    def _error(self, answer: Answer, shape: dict[str, Any]) -> ProxyError:
        sentence = str(shape["description"] or f"the proxy answered {answer.status}")
        if answer.status == 401 and self._password_file is None:
            sentence += "; set admin.password_file in the config"
        value = shape.get("value")
        retry_after = answer.fields.get("Retry-After", "")
        seconds = int(retry_after) if retry_after.isdecimal() else None
        if _is_locked_out(answer, shape):
            # What is in the config now may be right: it is not even looked at.
            return AccessDeniedError(
                f"the proxy at {self.address} looks at no password for another "
                f"{seconds or _LOCKED_OUT} s, as too many wrong ones came from here; "
                "check admin.password_file, and wait that long",
                value="password",
                status=answer.status,
                retry_after=seconds,
            )
        if value in {TokenRefusedError.value, CLIENT_REFUSED}:
            # Which error it was is in the sentence.
            return TokenRefusedError("", sentence, value=value)
        kind = _error_class(answer.status, shape.get("type"))
        return kind(
            sentence,
            value=value if isinstance(value, str) else None,
            status=answer.status,
            retry_after=seconds,
        )


def _is_locked_out(answer: Answer, shape: dict[str, Any]) -> bool:
    """Say whether passwords are not looked at for a while, after wrong ones."""
    return answer.status == 429 and shape.get("value") == "password"


def _error_class(status: int, kind: object) -> type[ProxyError]:
    """Return the class that the error stood for where it was raised."""
    if kind == "oauth":
        return LoginRequiredError
    if kind == "upstream":
        return UpstreamError
    by_status = {
        400: LoginError,
        401: AccessDeniedError,
        403: AccessDeniedError,
        429: CooldownError,
    }
    return by_status.get(status, ProxyError)


def _somebody_else(address: Address) -> str:
    return (
        f"something else listens at {address}, not the admin listener of"
        " telemed-proxy; set admin.listen to a free address, or pass --admin"
    )


def json_object(answer: Answer) -> dict[str, Any]:
    """Return the JSON object in `answer`; an empty one where there is none."""
    try:
        shape = json.loads(answer.content)
    except ValueError:
        return {}
    return shape if isinstance(shape, dict) else {}
