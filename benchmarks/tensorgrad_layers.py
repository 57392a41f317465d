"""The catalogue's layers as tensorgrad states them. Run by derivation.py with the Python that has tensorgrad: a layer's name in, JSON out.

Each is `sum(dy*y)`, differentiated by every input and simplified by tensorgrad's own `full_simplify`, with and without expanding.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version

import sympy
import tensorgrad.functions as F
from isolated import isolated
from tensorgrad import Delta, Product, Sum, Variable
from tensorgrad.extras.to_index import to_index

N, D, C, S, K, I, O = sympy.symbols("N D C S K I O")  # noqa: E741
eps = Variable("eps")


def _standard(x, dim):
    centered = x - F.mean(x, dim=dim, keepdims=True)
    return centered / F.sqrt(F.mean(centered * centered, dim=dim, keepdims=True) + eps)


def batchnorm():
    x, gamma, beta, dy = Variable("x", N), Variable("gamma"), Variable("beta"), Variable("dy", N)
    return dy * (gamma * _standard(x, "N") + beta), (x, gamma, beta)


def batchnorm1d():
    x, gamma, beta, dy = Variable("x", N, C), Variable("gamma", C), Variable("beta", C), Variable("dy", N, C)
    return dy * (gamma * _standard(x, "N") + beta), (x, gamma, beta)


def layernorm():
    x, gamma, beta, dy = Variable("x", N, D), Variable("gamma", D), Variable("beta", D), Variable("dy", N, D)
    return dy * (gamma * _standard(x, "D") + beta), (x, gamma, beta)


def rmsnorm():
    x, gamma, dy = Variable("x", N, D), Variable("gamma", D), Variable("dy", N, D)
    return dy * (gamma * x / F.sqrt(F.mean(x * x, dim="D", keepdims=True) + eps)), (x, gamma)


def weight_standardization():
    w, dy = Variable("w", O, I), Variable("dwhat", O, I)
    return dy * _standard(w, "I"), (w,)


def weight_norm():
    v, g, dw = Variable("v", O, I), Variable("g", O), Variable("dw", O, I)
    return dw * (g * v / F.sqrt(F.sum(v * v, dim="I", keepdims=True))), (v, g)


def l2norm():
    x, dy = Variable("x", N, D), Variable("dy", N, D)
    return dy * (x / F.sqrt(F.sum(x * x, dim="D", keepdims=True) + eps)), (x,)


def cosine_similarity():
    u, v, dy = Variable("u", N, D), Variable("v", N, D), Variable("dy", N)
    lengths = F.sqrt(F.sum(u * u, dim="D") + eps) * F.sqrt(F.sum(v * v, dim="D") + eps)
    return dy * (F.sum(u * v, dim="D") / lengths), (u, v)


def softmax():
    x, dy = Variable("x", N, K), Variable("dy", N, K)
    return dy * F.softmax(x, dim="K"), (x,)


def log_softmax():
    x, dy = Variable("x", N, K), Variable("dy", N, K)
    return dy * F.log_softmax(x, dim="K"), (x,)


def logsumexp():
    x, dy = Variable("x", N, K), Variable("dy", N)
    return dy * F.log(F.sum(F.exp(x), dim="K")), (x,)


def cross_entropy():
    x, t, dloss = Variable("x", N, K), Variable("t", N, K), Variable("dloss")
    return dloss * F.mean(F.cross_entropy(x, t, dim="K"), dim="N"), (x,)


def linear():
    x, w, b, dy = Variable("x", N, I), Variable("w", O, I), Variable("b", O), Variable("dy", N, O)
    return dy * (x @ w + b), (x, w, b)


def mse():
    x, t, dloss = Variable("x", N, D), Variable("t", N, D), Variable("dloss")
    return dloss * F.mean((x - t) * (x - t)), (x,)


LAYERS = {
    layer.__name__: layer
    for layer in (
        batchnorm, batchnorm1d, layernorm, rmsnorm, weight_standardization, weight_norm, l2norm, cosine_similarity, softmax, log_softmax,
        logsumexp, cross_entropy, linear, mse,
    )
}  # fmt: skip


def operators(tensor) -> int:
    """Sums, products and functions in the tree as it is written; a Delta that only contracts or broadcasts is free."""
    below = [*getattr(tensor, "terms", ()), *getattr(tensor, "factors", ()), *getattr(tensor, "inputs", ())]
    if getattr(tensor, "tensor", None) is not None:
        below.append(tensor.tensor)
    own = {Sum: len(below) - 1, Product: sum(not isinstance(part, Delta) for part in below) - 1}.get(type(tensor))
    if own is None:
        own = 1 if getattr(tensor, "inputs", ()) else 0
    return max(own, 0) + sum(operators(part) for part in below)


def derive(name: str, *, expand: bool):
    weighted, inputs = LAYERS[name]()
    loss = F.sum(weighted) if weighted.edges else weighted
    found = [loss.grad(part).full_simplify(expand=expand) for part in inputs]
    shown = [to_index(part) for part in found]
    return {"characters": sum(len(text.replace(" ", "")) for text in shown), "operators": sum(map(operators, found)), "text": shown}


def main() -> None:
    print(json.dumps({"version": version("tensorgrad"), "layers": list(LAYERS)}), flush=True)
    for name in map(str.strip, sys.stdin):
        answer = {}
        for form, expand in (("expanded", True), ("factored", False)):
            try:
                seconds, value = isolated(lambda expand=expand, name=name: derive(name, expand=expand))
                answer[form] = {"seconds": seconds, **value}
            except RuntimeError as error:
                answer[form] = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
