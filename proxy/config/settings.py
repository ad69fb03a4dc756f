"""Which settings there are, by their keys: `("upstream", "client_id")`."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, cast

from pydantic.fields import FieldInfo

from proxy.config.models import Config, Section

Key = tuple[str, ...]


def is_section(key: Key) -> bool:
    """Return whether `key` holds settings, rather than being one."""
    return _model(key) is not None


def is_setting(key: Key) -> bool:
    """Return whether `key` is a setting."""
    return key in SETTINGS


def may_be_empty(key: Key) -> bool:
    """Return whether `key:` with nothing behind it means the default.

    So it is for texts and lists. An empty number or duration is a mistake: nothing
    may well have been meant as none.
    """
    default = SETTINGS[key].default
    return default is None or default == "" or isinstance(default, tuple)


def names_in(section: Key) -> list[str]:
    """Return the names that `section` may hold."""
    model = _model(section)
    return [] if model is None else list(model.model_fields)


def nearest(key: Key) -> Key | None:
    """Return the setting that was meant by `key`, if it can be guessed."""
    elsewhere = [known for known in SETTINGS if known[-1] == key[-1]]
    if elsewhere:
        return elsewhere[0]
    if close := get_close_matches(key[-1], names_in(key[:-1]), n=1):
        return (*key[:-1], close[0])
    dotted = {".".join(known): known for known in SETTINGS}
    close = get_close_matches(".".join(key), dotted, n=1, cutoff=0.8)
    return dotted[close[0]] if close else None


def _model(key: Key) -> type[Section] | None:
    model: Any = Config
    for name in key:
        field = model.model_fields.get(name)
        if field is None or not _holds_settings(field):
            return None
        model = field.annotation
    return cast("type[Section]", model)


def _holds_settings(field: FieldInfo) -> bool:
    kind = field.annotation
    return isinstance(kind, type) and issubclass(kind, Section)


def _all_settings(above: Key = ()) -> Iterator[tuple[Key, FieldInfo]]:
    model = _model(above)
    fields = {} if model is None else model.model_fields
    for name, field in fields.items():
        if _holds_settings(field):
            yield from _all_settings((*above, name))
        else:
            yield (*above, name), field


SETTINGS = dict(_all_settings())
"""Every setting with pydantic's description of it, in the order of the models."""
