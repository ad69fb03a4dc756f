"""What the expressions of rules and dashboards ask Prometheus for."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser
import yaml

FOLDER = Path(__file__).parents[2] / "docs" / "operations"

# Those of the dashboard itself, which Grafana fills in.
_VARIABLES = {"$__rate_interval": "5m", "$instance": ".*"}

# What Prometheus adds to all that it scrapes.
OF_TARGETS = frozenset({"job", "instance"})


@dataclass(frozen=True)
class Wanted:
    """A metric, and its labels: those that are matched, with the value."""

    metric: str
    matched: tuple[tuple[str, str], ...]
    grouped: frozenset[str] = frozenset()


def rules() -> list[dict[str, Any]]:
    """Return the alerts."""
    whole = yaml.safe_load((FOLDER / "alerts.yml").read_text("utf-8"))
    return [rule for group in whole["groups"] for rule in group["rules"]]


def dashboard() -> Any:
    return json.loads((FOLDER / "grafana.json").read_text("utf-8"))


def queries() -> list[str]:
    """Return the expressions of the dashboard, its variables filled in."""
    return [
        filled(target["expr"])
        for panel in dashboard()["panels"]
        for target in panel["targets"]
    ]


def filled(expression: str) -> str:
    for name, value in _VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, expression
    return expression


def wanted(expression: str) -> list[Wanted]:
    """Return what `expression` asks for. Raises ValueError for one that is none."""
    return list(_wanted(promql_parser.parse(expression), frozenset()))


def _wanted(node: Any, grouped: frozenset[str]) -> Iterator[Wanted]:
    match node:
        case promql_parser.VectorSelector():
            matched = ((one.name, one.value) for one in node.matchers.matchers)
            assert node.name is not None, "a selector without a metric"
            yield Wanted(node.name, tuple(matched), grouped)
        case promql_parser.MatrixSelector():
            yield from _wanted(node.vector_selector, grouped)
        case promql_parser.AggregateExpr():
            yield from _wanted(node.expr, grouped | set(_labels(node.modifier)))
        case promql_parser.BinaryExpr():
            more = grouped | set(_labels(getattr(node.modifier, "matching", None)))
            yield from _wanted(node.lhs, more)
            yield from _wanted(node.rhs, more)
        case promql_parser.Call():
            for each in node.args:
                yield from _wanted(each, grouped)
        case promql_parser.NumberLiteral() | promql_parser.StringLiteral():
            pass
        case _:
            yield from _wanted(node.expr, grouped)


def _labels(modifier: Any) -> list[str]:
    return [] if modifier is None else list(modifier.labels)


def shown_labels(text: str) -> set[str]:
    """Return the labels that a template of Prometheus or Grafana shows."""
    found = re.findall(r"\{\{ *(?:\$labels\.)?(\w+) *\}\}", text)
    return set(found)
