"""Textbook gradients put to tensorgrad: is the gradient it derives the same? Run by equality.py with the Python that has tensorgrad.

Two ways to ask, both by tensorgrad's own simplifier: are the simplified forms equal, and does the difference simplify to zero?
"""

from __future__ import annotations

import json
from time import perf_counter

import tensorgrad.functions as F
from tensorgrad import Variable, Zero
from tensorgrad_layers import LAYERS, C, D, K, N, eps


def _textbook_norm(x, dy, gamma, dim):
    """(gamma dy - mean(gamma dy) - xhat mean(gamma dy xhat))/sqrt(sigma2 + eps)."""
    centered = x - F.mean(x, dim=dim, keepdims=True)
    rstd = 1 / F.sqrt(F.mean(centered * centered, dim=dim, keepdims=True) + eps)
    xhat, g = centered * rstd, gamma * dy
    return (g - F.mean(g, dim=dim, keepdims=True) - xhat * F.mean(g * xhat, dim=dim, keepdims=True)) * rstd


def batchnorm():
    x, gamma, dy = Variable("x", N), Variable("gamma"), Variable("dy", N)
    return _textbook_norm(x, dy, gamma, "N")


def batchnorm1d():
    x, gamma, dy = Variable("x", N, C), Variable("gamma", C), Variable("dy", N, C)
    return _textbook_norm(x, dy, gamma, "N")


def layernorm():
    x, gamma, dy = Variable("x", N, D), Variable("gamma", D), Variable("dy", N, D)
    return _textbook_norm(x, dy, gamma, "D")


def rmsnorm():
    x, gamma, dy = Variable("x", N, D), Variable("gamma", D), Variable("dy", N, D)
    rms = F.sqrt(F.mean(x * x, dim="D", keepdims=True) + eps)
    xhat = x / rms
    return (gamma * dy - xhat * F.mean(gamma * dy * xhat, dim="D", keepdims=True)) / rms


def softmax():
    x, dy = Variable("x", N, K), Variable("dy", N, K)
    y = F.softmax(x, dim="K")
    return y * (dy - F.sum(dy * y, dim="K", keepdims=True))


def ask(layer):
    weighted, inputs = LAYERS[layer.__name__]()
    found, expected = F.sum(weighted).grad(inputs[0]), layer()
    answers = {}
    for question, run in (
        ("same form", lambda: found.full_simplify() == expected.full_simplify()),
        ("difference is 0", lambda: isinstance((found - expected).full_simplify(), Zero)),
    ):
        start = perf_counter()
        try:
            answer = str(bool(run()))
        except Exception as error:  # what it raises is its answer
            answer = type(error).__name__
        answers[question] = {"answer": answer, "seconds": perf_counter() - start}
    return answers


if __name__ == "__main__":
    print(json.dumps({layer.__name__: ask(layer) for layer in (batchnorm, batchnorm1d, layernorm, rmsnorm, softmax)}))
