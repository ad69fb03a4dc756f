"""The commands' view of the journal of a running proxy."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from proxy.cli.admin_client import CALL_PATIENCE, AdminClient, json_object
from proxy.cli.http_call import Answer, to_listener
from proxy.config import Address, Config, load_config
from proxy.errors import ProxyError

# More than any error has.
_ERROR_LIMIT: Final = 64 * 1024


class JournalClient(AdminClient):
    """Reads what is too long, or takes too long, to be read whole."""

    @contextmanager
    def opened(
        self,
        target: str,
        fields: dict[str, str],
        *,
        patience: float = CALL_PATIENCE,
    ) -> Iterator[http.client.HTTPResponse]:
        """Send a GET; the answer, still to be read, is open within the block.

        `patience` is how many seconds the proxy may be silent.

        Raises:
            ProxyError: the proxy answered with an error.
            OSError, http.client.HTTPException: it cannot be reached, or broke off.
        """
        connection = to_listener(self.address, self._certificate_file)
        try:
            connection.connect()
            connection.sock.settimeout(patience)
            connection.request("GET", target, headers=fields | self._credential())
            response = connection.getresponse()
            if response.status != 200:
                raise self._refusal(response)
            yield response
        finally:
            connection.close()

    def _refusal(self, response: http.client.HTTPResponse) -> ProxyError:
        content = response.read(_ERROR_LIMIT)
        answer = Answer(response.status, response.headers, content)
        shape = json_object(answer)
        if "description" in shape:
            return self._error(answer, shape)
        return self._stranger(answer)


def client_of(config: Config, admin: Address | None) -> JournalClient:
    """Return the client of the proxy at `admin`, or where the config says."""
    return JournalClient(
        admin or config.admin.listen,
        config.admin.password_file,
        certificate_file=config.tls.certificate_file,
    )


def running_proxy(config_path: Path | None, admin: Address | None) -> JournalClient:
    """Return the client of a proxy that has just shown that it runs.

    Raises:
        ProxyError: it does not, or lets nobody in; the sentence says what to do.
    """
    client = client_of(load_config(config_path, require_client_id=False), admin)
    client.status()
    return client
