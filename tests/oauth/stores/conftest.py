"""Every kind of place where tokens are kept, real ones all."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import keyring.core
import pytest
from cryptography.fernet import Fernet
from keyring.backends.SecretService import Keyring as SecretServiceKeyring

from tests.oauth.stores.places import FilePlace, KeyringPlace, Place, RedisPlace
from tests.oauth.stores.secret_service import open_secret_service
from tests.redis_server import RedisServer

PLACES = ("file_place", "encrypted_place", "keyring_place", "redis_place")
"""The fixtures that make a place of each kind."""


@pytest.fixture(params=PLACES)
def any_store(request: pytest.FixtureRequest) -> Place:
    """A place of one kind, where nothing is stored yet."""
    return cast("Place", request.getfixturevalue(request.param))


@pytest.fixture
def file_place(tmp_path: Path) -> FilePlace:
    return FilePlace(f"file:{tmp_path}/state/tokens.json")


@pytest.fixture
def encrypted_place(tmp_path: Path) -> FilePlace:
    key = Fernet.generate_key().decode()
    return FilePlace(f"file:{tmp_path}/state/tokens.json", key)


@pytest.fixture(scope="session")
def secret_service(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """The environment in which there is a Secret Service."""
    with open_secret_service(tmp_path_factory.mktemp("secrets")) as environ:
        yield environ


@pytest.fixture
def keyring_place(
    secret_service: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> KeyringPlace:
    environ = {**secret_service, "XDG_STATE_HOME": str(tmp_path)}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    backend = SecretServiceKeyring()  # type: ignore[no-untyped-call]
    # The library looks for a backend once in the life of a process.
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend)
    # All tests share the keyring.
    service = f"test-{uuid.uuid4()}"
    return KeyringPlace(f"keyring:{service}", environ=environ, backend=backend)


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis that all tests share; each has a prefix of its own."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_place(redis: RedisServer) -> RedisPlace:
    prefix = f"test-{uuid.uuid4()}"
    return RedisPlace(redis.url(prefix), server=redis, prefix=prefix)
