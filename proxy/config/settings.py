"""Which settings there are, by their keys: `("upstream", "client_id")`."""

from collections.abc import Iterator

from proxy.config.models import Config
from proxy.config.section import Section, Setting

Key = tuple[str, ...]


def is_section(key: Key) -> bool:
    """Return whether `key` holds settings, rather than being one."""
    return _section(key) is not None


def is_setting(key: Key) -> bool:
    """Return whether `key` is a setting."""
    return key in SETTINGS


def may_be_empty(key: Key) -> bool:
    """Return whether `key:` with nothing behind it means the default.

    So it is for texts and lists. An empty number or duration is a mistake: nothing
    may well have been meant as none.
    """
    default = SETTINGS[key].make_default()
    return default is None or default == "" or isinstance(default, tuple)


def names_in(section: Key) -> list[str]:
    """Return the names that `section` may hold."""
    found = _section(section)
    return [] if found is None else list(found.settings)


def nearest(key: Key) -> Key | None:
    """Return the setting that was meant by `key`, if it can be guessed."""
    from difflib import get_close_matches  # for mistakes only

    elsewhere = [known for known in SETTINGS if known[-1] == key[-1]]
    if elsewhere:
        return elsewhere[0]
    if close := get_close_matches(key[-1], names_in(key[:-1]), n=1):
        return (*key[:-1], close[0])
    dotted = {".".join(known): known for known in SETTINGS}
    close = get_close_matches(".".join(key), dotted, n=1, cutoff=0.8)
    return dotted[close[0]] if close else None


def _section(key: Key) -> type[Section] | None:
    section: type[Section] | None = Config
    for name in key:
        if section is None or name not in section.settings:
            return None
        section = section.settings[name].section
    return section


def _all_settings(
    section: type[Section], above: Key = ()
) -> Iterator[tuple[Key, Setting]]:
    for name, setting in section.settings.items():
        if setting.section is not None:
            yield from _all_settings(setting.section, (*above, name))
        else:
            yield (*above, name), setting


SETTINGS = dict(_all_settings(Config))
"""Every setting, in the order of the models."""
