"""How long each layer takes. Nothing here asserts a time: machines differ."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from bench.micro.layers import Layer, layers


@pytest.fixture(scope="module")
def all_layers() -> Iterator[dict[str, Layer]]:
    with asyncio.Runner() as runner:
        yield layers(runner)


NAMES = (
    "request head",
    "request head, fields as before",
    "access rules",
    "outbound head",
    "pool",
    "response head",
    "relayed lines",
    "access log line",
    "metrics",
    "whole exchange",
)


@pytest.mark.parametrize("name", NAMES)
def test_layer(name: str, all_layers: dict[str, Layer], benchmark: Any) -> None:
    benchmark(all_layers[name])
