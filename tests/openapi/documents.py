"""The two OpenAPI documents, and what has to hold in either."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

import proxy.admin

ADMIN = Path(proxy.admin.__file__).with_name("openapi.json")
UPSTREAM = Path(__file__).parents[2] / "docs" / "openapi" / "upstream.json"

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield the method, path and description of each call."""
    for path, item in document["paths"].items():
        for name, operation in item.items():
            if name in METHODS:
                yield name.upper(), path, operation


def resolved(document: Any, node: Any) -> Any:
    """Return what `node` refers to, or itself."""
    while isinstance(node, dict) and "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def references(node: Any) -> Iterator[str]:
    """Yield every reference below `node`."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def examples(node: Any, place: str = "#") -> Iterator[tuple[str, Any, Any]]:
    """Yield the place, schema and value of every example below `node`."""
    if isinstance(node, list):
        for index, each in enumerate(node):
            yield from examples(each, f"{place}/{index}")
    elif isinstance(node, dict):
        yield from _own_examples(node, place)
        for name, each in node.items():
            if name not in ("example", "examples"):
                yield from examples(each, f"{place}/{name}")


def _own_examples(node: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the examples of a parameter, header or content, or else of a schema."""
    if "schema" in node:
        named = node.get("examples", {}) | {"one": {"value": node.get("example")}}
        for name, example in named.items():
            if name != "one" or "example" in node:
                yield f"{place}/{name}", node["schema"], example["value"]
    elif isinstance(node.get("examples"), list):
        for index, value in enumerate(node["examples"]):
            yield f"{place}/{index}", node, value


def expect_true_examples(document: Any) -> None:
    """Fail for an example that is not as the schema beside it says."""
    found = list(examples(document))
    assert found
    for place, schema, value in found:
        whole = {"allOf": [schema], "components": document["components"]}
        faults = [
            error.message for error in Draft202012Validator(whole).iter_errors(value)
        ]
        assert not faults, f"{place}: {faults}"


def expect_no_leftovers(document: Any) -> None:
    """Fail for a component that nothing refers to, or an id that is there twice."""
    used = set(references(document))
    for kind, named in document["components"].items():
        if kind != "securitySchemes":
            unused = {
                name for name in named if f"#/components/{kind}/{name}" not in used
            }
            assert not unused, f"{kind}: {unused}"
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
