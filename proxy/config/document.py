"""YAML as plain text values with the line of each.

Scalars stay as they were written: `client_id: 0012` is not the number ten, and a
duration without its unit can be told from one with it. What a config file has no use
for (aliases, tags, depth) is refused before it is expanded.
"""

from dataclasses import dataclass
from typing import Any

import yaml

Place = tuple[str | int, ...]

_DEEPEST = 8
_LONGEST_NAME = 60
_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset(
    _TAG + name
    for name in (
        "bool",
        "float",
        "int",
        "map",
        "merge",
        "null",
        "seq",
        "str",
        "timestamp",
        "value",
    )
)
_NO_ALIASES = "aliases are not used here; quote a text that begins with *"
_ADVICE = "check colons, quotes and indents"


class DocumentError(ValueError):
    """The text is not the YAML we read; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Document:
    """The root value, and the line on which each place begins."""

    root: Any
    lines: dict[Place, int]


def shown(name: str) -> str:
    """Return a name that somebody wrote, fit for a sentence."""
    short = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "..."
    return short if short.isprintable() and short else repr(short)


def parse_document(text: str) -> Document:
    """Return what `text` holds; raise `DocumentError` where it is not our YAML."""
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.YAMLError as exc:
        # Not chained: PyYAML's error quotes the line, which may hold a secret.
        raise _document_error(exc, text) from None
    finally:
        if loader is not None:
            loader.dispose()
    lines: dict[Place, int] = {}
    return Document(None if node is None else _value(node, (), lines), lines)


class _Loader(yaml.SafeLoader):
    """Composes nodes, but neither aliases nor depth."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise DocumentError(mark.line + 1, _NO_ALIASES)
        if self.depth > _DEEPEST:
            raise DocumentError(mark.line + 1, "this is nested too deeply")
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def _document_error(exc: yaml.YAMLError, text: str) -> DocumentError:
    if isinstance(exc, yaml.reader.ReaderError):
        line = text.count("\n", 0, exc.position) + 1
        return DocumentError(line, "control characters are not allowed")
    mark = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
    line = 1 if mark is None else mark.line + 1
    problem = str(getattr(exc, "problem", None) or "")
    if "\\t" in problem:
        return DocumentError(line, "tabs cannot indent here; use spaces")
    if "alias" in str(getattr(exc, "context", None)):
        return DocumentError(line, _NO_ALIASES)
    if "another document" in problem:
        return DocumentError(line, "a second document begins (---), but one is allowed")
    return DocumentError(line, f"this is not valid YAML; {_ADVICE}")


def _value(node: yaml.Node, place: Place, lines: dict[Place, int]) -> Any:
    line = node.start_mark.line + 1
    # A setting's line is that of its name.
    lines.setdefault(place, line)
    if node.tag not in _PLAIN_TAGS:
        raise DocumentError(line, "tags (!name) are not used here")
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, lines)
    if isinstance(node, yaml.SequenceNode):
        return [
            _value(child, (*place, index), lines)
            for index, child in enumerate(node.value)
        ]
    return None if node.tag == _TAG + "null" else node.value


def _mapping(
    node: yaml.MappingNode, place: Place, lines: dict[Place, int]
) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, child in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise DocumentError(line, "the name of a setting must be a plain word")
        name = str(key.value)
        below = (*place, name)
        if name in mapping:
            raise DocumentError(
                line, f"{shown(name)} is set twice, first in line {lines[below]}"
            )
        lines[below] = line
        mapping[name] = _value(child, below, lines)
    return mapping
