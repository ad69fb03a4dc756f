"""What each layer allocates for a request: `python -m bench.micro.allocations`.

`kept` are blocks of memory that are still there after a call, averaged over many: a
layer that keeps any leaks, or fills something bounded. `peak` are bytes that a call has
at its most.
"""

import asyncio
import gc
import sys
import tracemalloc

from bench.micro.layers import Layer, layers
from bench.tables import Table, plain

CALLS = 2000


def main() -> None:
    rows: Table = [("layer", "kept, blocks", "peak, bytes")]
    with asyncio.Runner() as runner:
        for name, layer in layers(runner).items():
            rows.append((name, f"{kept(layer):.3f}", f"{peak(layer)}"))
    print(plain(rows))


def kept(layer: Layer) -> float:
    """Return how many blocks a call leaves behind."""
    for _ in range(100):
        layer()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(CALLS):
        layer()
    gc.collect()
    return (sys.getallocatedblocks() - before) / CALLS


def peak(layer: Layer) -> int:
    """Return the bytes that a call has at its most."""
    layer()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        layer()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


if __name__ == "__main__":
    main()
