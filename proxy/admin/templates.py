"""Fills the HTML files beside it; every value is escaped unless it is `Markup`."""

from functools import cache
from pathlib import Path
from string import Template

_FOLDER = Path(__file__).with_name("templates")

# As `html.escape`, which comes with two thousand named characters: half a megabyte.
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}
)


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escape(text: str) -> Markup:
    """Return `text` as HTML that shows it, also where it is an attribute."""
    return Markup(text.translate(_ESCAPES))


def fill(name: str, /, **values: str) -> Markup:
    """Return the template called `name` with each `$value` put in its place."""
    escaped = {
        key: value if isinstance(value, Markup) else escape(value)
        for key, value in values.items()
    }
    return Markup(_template(name).substitute(escaped))


def sentence(text: str, **values: Markup) -> Markup:
    """Return `text`, escaped, with `values` in its `{places}`."""
    return Markup(escape(text).format(**values))


def join(parts: list[Markup]) -> Markup:
    """Return `parts` one below the other."""
    return Markup("\n".join(parts))


@cache
def _template(name: str) -> Template:
    text = (_FOLDER / f"{name}.html").read_text("utf-8")
    return Template(text.rstrip("\n"))
