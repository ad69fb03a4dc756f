"""Fills the HTML files beside it; every value is escaped unless it is `Markup`."""

import html
from functools import cache
from importlib import resources
from string import Template


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def fill(name: str, /, **values: str) -> Markup:
    """Return the template called `name` with each `$value` put in its place."""
    escaped = {
        key: value if isinstance(value, Markup) else html.escape(value)
        for key, value in values.items()
    }
    return Markup(_template(name).substitute(escaped))


def sentence(text: str, **values: Markup) -> Markup:
    """Return `text`, escaped, with `values` in its `{places}`."""
    return Markup(html.escape(text, quote=False).format(**values))


def join(parts: list[Markup]) -> Markup:
    """Return `parts` one below the other."""
    return Markup("\n".join(parts))


@cache
def _template(name: str) -> Template:
    path = resources.files("proxy.admin").joinpath("templates", f"{name}.html")
    return Template(path.read_text("utf-8").rstrip("\n"))
