"""Finds the config file, lays flags over environment over file, words the errors.

Whatever is wrong is one sentence that names where it stands, the setting, and what is
allowed. Values are repeated only where they cannot be secret.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proxy.config.document import Place
from proxy.config.keys import KEY_VARIABLE
from proxy.config.layers import (
    FileLayer,
    Layer,
    dotted,
    environment_layer,
    file_layer,
    flag_layer,
    variable_name,
)
from proxy.config.models import Config
from proxy.config.section import MalformedError
from proxy.config.settings import Key, may_be_empty
from proxy.config.together import SettingError
from proxy.errors import ConfigError

_FILE_VARIABLE = "TELEMED_PROXY_CONFIG"
_FILE_NAME = "config.yaml"
_CLIENT_ID = ("upstream", "client_id")
# A store's URL may hold a password, and where a file belongs, its content may stand.
_UNSPEAKABLE = {_CLIENT_ID, ("store", "url")}
_LONGEST_ECHO = 60

Merged = dict[Key, tuple[Any, Layer]]


def load_config(
    path: Path | None = None,
    *,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] = os.environ,
    require_client_id: bool = True,
) -> Config:
    """Return the settings; `overrides` are those of flags, by dotted name.

    Raises:
        ConfigError: with one sentence for a person, free of secrets.
    """
    file = find_config(path, environ)
    from_file = None if file is None else file_layer(file)
    config = _validated(
        _merged(from_file, environment_layer(environ), flag_layer(overrides or {}))
    )
    if require_client_id and not config.upstream.client_id:
        raise _client_id_missing(from_file)
    key = environ.get(KEY_VARIABLE, "")
    return config.replace(store=config.store.with_key(key))


def find_config(
    path: Path | None = None, environ: Mapping[str, str] = os.environ
) -> Path | None:
    """Return the config file to read, or None if there is none.

    Looked for in `path`, `$TELEMED_PROXY_CONFIG`, `./config.yaml` and the platform's
    config folder. A file that the first two name need not exist; reading it tells.
    """
    if path is not None:
        return path
    if named := environ.get(_FILE_VARIABLE):
        if not os.path.lexists(named):
            raise ConfigError(f"{_FILE_VARIABLE} names {named}, which does not exist")
        return Path(named)
    from platformdirs import user_config_path  # 15 ms and a megabyte, where it is told

    usual = user_config_path("telemed-proxy", appauthor=False) / _FILE_NAME
    for candidate in (Path(_FILE_NAME), usual):
        # Path.exists would raise where a folder is closed to us.
        if os.path.exists(candidate):  # noqa: PTH110
            return candidate
    return None


def _merged(*layers: Layer | None) -> Merged:
    """Return each setting with the layer that it comes from; later layers win."""
    merged: Merged = {}
    for layer in layers:
        if layer is None:
            continue
        for key, value in layer.values.items():
            merged.pop(key, None)
            if value is not None or not may_be_empty(key):
                merged[key] = (value, layer)
    return merged


def _validated(merged: Merged) -> Config:
    nested: dict[str, Any] = {}
    for key, (value, _) in merged.items():
        section = nested
        for name in key[:-1]:
            section = section.setdefault(name, {})
        section[key[-1]] = value
    try:
        return Config.parse(nested)
    except MalformedError as exc:
        place = exc.place
        # Not chained: what a library said of a value may repeat it.
        raise ConfigError(
            f"{_name(place, merged)} {exc}{_echo(place, merged)}"
        ) from None
    except SettingError as exc:
        # Of the settings that do not go together, name one that somebody wrote.
        place = next((p for p in exc.places if _key(p) in merged), exc.places[0])
        raise ConfigError(f"{_name(place, merged)} {exc}") from None


def _name(place: Place, merged: Merged) -> str:
    key = _key(place)
    return merged[key][1].name(place) if key in merged else dotted(place)


def _key(place: Place) -> Key:
    return tuple(part for part in place if isinstance(part, str))


def _echo(place: Place, merged: Merged) -> str:
    """Return ", not 'what was given'", unless that may be a secret."""
    key = _key(place)
    if key not in merged or key in _UNSPEAKABLE or key[-1].endswith("_file"):
        return ""
    value = merged[key][0]
    index = place[-1]
    if isinstance(value, list | tuple) and isinstance(index, int):
        value = value[index]
    if value is None:
        return ", but is empty"
    if isinstance(value, list | tuple):
        return ", not a list"
    if isinstance(value, dict):
        return ", not a section"
    # A URL with a password in it has an @.
    if not isinstance(value, str) or "@" in value:
        return ""
    if not value.isprintable() or len(value) > _LONGEST_ECHO:
        return ""
    return f", not {value!r}"


def _client_id_missing(from_file: FileLayer | None) -> ConfigError:
    variable = variable_name(_CLIENT_ID)
    if from_file is None:
        return ConfigError(
            "no config file was found, so upstream.client_id is missing; copy "
            f"config.example.yaml to config.yaml and fill it in, or set {variable}"
        )
    return ConfigError(
        f"{from_file.name(_CLIENT_ID)} is missing; fill in the client_id that the "
        f"operator of the API gave you (usually 32 hex digits), or set {variable}"
    )
