"""The cases of `symbn bench --all`, and how the libraries run the layers of the catalogue.

In: nothing.  Out: tables. A layer that has no row here is timed too, without peers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from symbn.tools.bench.task import BACKWARD, FORWARD


@dataclass(frozen=True, slots=True)
class Case:
    """A layer at extents; `save` as in `symbn derive`."""

    layer: str
    extents: Mapping[str, int]
    direction: str = BACKWARD
    order: int = 1
    save: tuple[str, ...] | None = None


IMAGES = {"N": 32, "C": 256, "S": 56 * 56}
ROWS = {"N": 4096, "D": 4096}
SHORT = {"N": 4096, "D": 1024}
# What PyTorch keeps of a forward pass; to keep xhat as well is one more array to write.
STATISTICS = ("x", "mu", "sigma2")

ALL = (
    Case("batchnorm2d", IMAGES),
    Case("batchnorm2d", {"N": 64, "C": 512, "S": 7 * 7}),
    Case("batchnorm1d", {"N": 8192, "C": 1024}),
    Case("batchnorm1d", {"N": 32 * 56 * 56, "C": 256}),
    Case("batchnorm", {"N": 10**7}),
    Case("layernorm", ROWS),
    Case("layernorm", SHORT),
    Case("rmsnorm", ROWS),
    Case("rmsnorm", SHORT),
    Case("batchnorm2d", IMAGES, FORWARD, save=STATISTICS),
    Case("layernorm", ROWS, FORWARD, save=STATISTICS),
    Case("batchnorm2d", IMAGES, order=2),
    Case("layernorm", SHORT, order=2),
    Case("softmax", {"N": 4096, "K": 4096}),
    Case("log_softmax", {"N": 4096, "K": 4096}),
    Case("groupnorm", {"N": 32, "G": 32, "K": 8, "S": 28 * 28}),
    Case("instancenorm", {"N": 32, "C": 256, "S": 28 * 28}),
)


def _groups(f: Any, x: Any, gamma: Any, beta: Any, eps: float) -> Any:
    """PyTorch's group normalization has one axis for all channels."""
    return f.group_norm(x.flatten(1, 2), x.shape[1], gamma, beta, eps).view_as(x)


# The forward pass in PyTorch, given torch, torch.nn.functional and the layer's inputs and constants by name; autograd does the rest.
TORCH: Mapping[str, Callable[..., Any]] = {
    "batchnorm": lambda _, f, x, gamma, beta, eps: f.batch_norm(x[:, None], None, None, gamma[None], beta[None], True, 0.0, eps)[:, 0],
    "batchnorm1d": lambda _, f, x, gamma, beta, eps: f.batch_norm(x, None, None, gamma, beta, True, 0.0, eps),
    "batchnorm2d": lambda _, f, x, gamma, beta, eps: f.batch_norm(x, None, None, gamma, beta, True, 0.0, eps),
    "batchnorm_inference": lambda _, f, x, gamma, beta, mu, sigma2, eps: f.batch_norm(x, mu, sigma2, gamma, beta, False, 0.0, eps),
    "cross_entropy": lambda _, f, x, t: f.cross_entropy(x, t),
    "groupnorm": lambda _, f, x, gamma, beta, eps: _groups(f, x, gamma.flatten(), beta.flatten(), eps),
    "instancenorm": lambda _, f, x, gamma, beta, eps: f.instance_norm(x, weight=gamma, bias=beta, eps=eps),
    "layernorm": lambda _, f, x, gamma, beta, eps: f.layer_norm(x, x.shape[1:], gamma, beta, eps),
    "linear": lambda _, f, x, w, b: f.linear(x, w, b),
    "log_softmax": lambda _, f, x: f.log_softmax(x, 1),
    "logsumexp": lambda _, f, x: x.logsumexp(1),
    "mse": lambda _, f, x, t: f.mse_loss(x, t),
    "rmsnorm": lambda _, f, x, gamma, eps: f.rms_norm(x, x.shape[1:], gamma, eps),
    "softmax": lambda _, f, x: f.softmax(x, 1),
    "weight_norm": lambda torch, f, v, g: torch._weight_norm(v, g[:, None], 0),
}


def _standard(x: Any, axes: tuple[int, ...], eps: Any) -> Any:
    """x less its mean, over its deviation, in JAX or NumPy arrays."""
    return (x - x.mean(axes, keepdims=True)) / (x.var(axes, keepdims=True) + eps) ** 0.5


# The same in JAX, given jax and the values by name.
JAX: Mapping[str, Callable[..., Any]] = {
    "batchnorm": lambda _, x, gamma, beta, eps: gamma * _standard(x, (0,), eps) + beta,
    "batchnorm1d": lambda _, x, gamma, beta, eps: gamma * _standard(x, (0,), eps) + beta,
    "batchnorm2d": lambda _, x, gamma, beta, eps: gamma[:, None] * _standard(x, (0, 2), eps) + beta[:, None],
    "groupnorm": lambda _, x, gamma, beta, eps: gamma[..., None] * _standard(x, (2, 3), eps) + beta[..., None],
    "instancenorm": lambda _, x, gamma, beta, eps: gamma[:, None] * _standard(x, (2,), eps) + beta[:, None],
    "layernorm": lambda _, x, gamma, beta, eps: gamma * _standard(x, (1,), eps) + beta,
    "linear": lambda _, x, w, b: x @ w.T + b,
    "log_softmax": lambda jax, x: jax.nn.log_softmax(x, 1),
    "logsumexp": lambda jax, x: jax.nn.logsumexp(x, 1),
    "mse": lambda _, x, t: ((x - t) ** 2).mean(),
    "rmsnorm": lambda _, x, gamma, eps: gamma * x / ((x**2).mean(1, keepdims=True) + eps) ** 0.5,
    "softmax": lambda jax, x: jax.nn.softmax(x, 1),
}


def _post(axes: tuple[int, ...], per_channel: Callable[[Any], Any]) -> Callable[..., tuple[Any, ...]]:
    """The last line of the published derivation in examples/batchnorm_post.md, which is for one feature, over these axes."""

    def backward(np: Any, dy: Any, xhat: Any, sigma2: Any, gamma: Any, eps: Any) -> tuple[Any, ...]:
        n = dy.size // np.asarray(sigma2).size
        total, weighted = np.sum(dy, axis=axes), np.sum(dy * xhat, axis=axes)
        first, second = per_channel(total), per_channel(weighted)
        scale = per_channel(gamma * (1.0 / np.sqrt(sigma2 + eps)))
        return scale * (dy - (1.0 / n) * first - (1.0 / n) * xhat * second), weighted, total

    return backward


# A backward pass in NumPy as people publish it, given NumPy and the values by name. It returns (dx, dgamma, dbeta).
POST: Mapping[str, Callable[..., tuple[Any, ...]]] = {
    "batchnorm": _post((0,), lambda value: value),
    "batchnorm1d": _post((0,), lambda value: value),
    "batchnorm2d": _post((0, 2), lambda value: value[:, None]),
}
