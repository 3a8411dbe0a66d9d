"""The machine's limit: what a training step cannot be faster than here, whoever writes it.

    products   every matrix product of the step and of its gradients, by sgemm alone, back to back:
               y = x w needs x w, g w^T and x^T g. Operands lie still and may stay in the cache,
               and nothing stands between the products.
    traffic    the bytes that must move at least, as one stream: the result of each node of the
               graph, and its gradient, written once and read once; each weight read forwards and
               backwards, and its gradient written and read; Adam's reading and writing of weights
               and both means. What a node keeps or makes besides is not counted, and views are not.

Each is timed in turns with the step, and stands as its share of it. A step of 1.0 x would do
nothing else. The two do not add up to a limit: products may hide the traffic of their operands.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from .bench import Setting

FLOAT = 4  # bytes
STREAM = 64 * 2**20  # bytes of an array that is streamed, at most; more than a cache holds
WEIGHTS = 2 + 2 + 7  # times that each moves: read twice, gradient twice, Adam: w m v twice, g once

Product = tuple[int, int, int, int]  # a stack of so many (n, k) @ (k, m)


def forward(setting: Setting) -> list[Product]:
    """The products of one pass forwards."""
    B, T, C, H = setting.batch, setting.T, setting.C, setting.H
    N, D = B * T, C // H
    block = [(1, N, C, C)] * 4 + [(1, N, C, 4 * C), (1, N, 4 * C, C)]
    attention = [(B * H, T, D, T), (B * H, T, T, D)]  # all pairs of positions, as both compute it
    return (block + attention) * setting.L + [(1, N, C, setting.V)]


def products(setting: Setting) -> list[Product]:
    """Those, and for each the two that give the gradients of its factors."""
    return [
        product
        for s, n, k, m in forward(setting)
        for product in ((s, n, k, m), (s, n, m, k), (s, k, n, m))
    ]


def flops(setting: Setting) -> int:
    """Multiplications and additions in the products of a step."""
    return sum(2 * s * n * k * m for s, n, k, m in products(setting))


def sgemm(setting: Setting) -> Callable[[], None]:
    """A function that runs the products of a step; operands of the same shape are shared."""
    arrays: dict[tuple, np.ndarray] = {}

    def array(role: str, stack: int, *shape: int) -> np.ndarray:
        whole = shape if stack == 1 else (stack, *shape)
        return arrays.setdefault((role, whole), np.full(whole, 0.5, np.float32))

    work = [
        (array("a", s, n, k), array("b", s, k, m), array("out", s, n, m))
        for s, n, k, m in products(setting)
    ]

    def run() -> None:
        for a, b, out in work:
            np.matmul(a, b, out=out)

    return run


def traffic(compute: Callable[[], Any], params: dict[str, Any]) -> int:
    """Bytes that a step moves at least, by the nodes that are made when its loss is computed."""
    results = {}  # the array that owns the numbers, by its id, and how many bytes a node has of it
    for data in results_of(compute):
        owner = data
        while owner.base is not None:
            owner = owner.base
        results[id(owner)] = data.nbytes
    weights = sum(p.data.nbytes for p in params.values())
    return 4 * sum(results.values()) + WEIGHTS * weights


def results_of(compute: Callable[[], Any]) -> list[np.ndarray]:
    """The arrays of all nodes that `compute` makes."""
    from solutions.ex03_tensor import Tensor

    arrays, op = [], Tensor.op

    def noted(data: Any, parents: tuple, vjp: Callable) -> Tensor:
        result = op(data, parents, vjp)
        arrays.append(result.data)
        return result

    Tensor.op = staticmethod(noted)
    try:
        compute()
    finally:
        Tensor.op = staticmethod(op)
    return arrays


def stream(size: int, threads: int) -> Callable[[], None]:
    """A function that moves so many bytes, half of them read and half written."""
    length = max(1, min(size // 2, STREAM) // FLOAT)
    source, copy = np.ones(length, np.float32), np.empty(length, np.float32)
    times = max(1, round(size / (2 * source.nbytes)))
    if threads == 1:
        return lambda: [np.copyto(copy, source) for _time in range(times)]
    pool = ThreadPoolExecutor(threads)
    parts = list(zip(np.array_split(copy, threads), np.array_split(source, threads)))

    def move(part: tuple[np.ndarray, np.ndarray]) -> None:
        for _time in range(times):
            np.copyto(*part)

    return lambda: list(pool.map(move, parts))
