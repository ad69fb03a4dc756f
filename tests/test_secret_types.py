"""What holds a secret shows nothing of it, however it is printed."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.access.keys import LocalKeys
from proxy.access.repeats import PaidCalls
from proxy.admin.password import Password
from proxy.admin.sessions import Sessions
from proxy.config import Config, ForwardConfig, Section, StoreKeys
from proxy.oauth.messages import TokenPair
from proxy.oauth.stores.record import AccountRecord
from tests.clocks import MovedClock

SECRET = "planted-secret"


def holders(folder: Path) -> list[object]:
    file = folder / "secret"
    file.write_text(f"{SECRET}\n")
    pair = TokenPair(SECRET, SECRET, issued_at=0.0, expires_at=1.0)
    keys, password, sessions = (
        LocalKeys(file),
        Password(file, MovedClock()),
        Sessions(MovedClock()),
    )
    basic = b"Basic " + base64.b64encode(f":{SECRET}".encode())
    keys.caller(SECRET.encode(), None)
    password.check(basic, "")
    sessions.begin()
    calls = PaidCalls(ForwardConfig().paid_calls, 60, MovedClock())
    content = SECRET.encode()
    calls.begin(calls.key("POST", "/api/v1/voiprequest/start", content, None))
    config = Config.parse(
        {
            "upstream": {"client_id": SECRET},
            "store": {"url": f"redis://:{SECRET}@localhost"},
        }
    )
    return [
        pair,
        AccountRecord(tokens=pair),
        keys,
        password,
        sessions,
        calls,
        config,
        config.store.with_key(SECRET),
        StoreKeys(text=SECRET),
        StoreKeys(file).read(),
    ]


@pytest.mark.parametrize("how", [repr, str, vars], ids=["repr", "str", "vars"])
def test_no_secret_can_be_printed(
    tmp_path: Path, how: Callable[[object], object]
) -> None:
    for holder in holders(tmp_path):
        # Who takes a config apart asks for its values; tuples of slots have no vars.
        if how is vars and (
            isinstance(holder, Section) or not hasattr(holder, "__dict__")
        ):
            continue
        assert SECRET not in str(how(holder)), type(holder)
