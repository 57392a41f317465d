"""The libraries, where they are installed: PyTorch as it is and compiled by inductor, JAX, and oneDNN.

In: a Setting.  Out: Contenders. Each runs the forward pass as its users write it (cases.py) and leaves the rest to its autograd. Nothing is
imported before it is asked for.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symbn.tools.bench import onednn
from symbn.tools.bench.cases import JAX, TORCH
from symbn.tools.bench.contenders import Maker
from symbn.tools.bench.inputs import Values
from symbn.tools.bench.setting import Contender, Setting
from symbn.tools.exchange import readable
from symbn.tools.halves import tensor_of

EAGER, INDUCTOR, XLA = "PyTorch", "inductor", "JAX"
# By name: the module to look for, the layers it is run for, and how to install it.
NEEDED: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    EAGER: ("torch", TORCH, "pip install torch"),
    INDUCTOR: ("torch", TORCH, "pip install torch"),
    XLA: ("jax", JAX, "pip install jax"),
    onednn.ONEDNN: ("", onednn.KINDS, "pip install onednn-cpu-gomp"),
}


def installed(name: str) -> bool:
    """Whether the peer could be run here; no Python is imported."""
    if name == onednn.ONEDNN:
        return onednn.found()
    return importlib.util.find_spec(NEEDED[name][0]) is not None


def absent() -> dict[str, str]:
    """What is not installed, with how to install it."""
    return {name: how for name, (_, _, how) in NEEDED.items() if not installed(name)}


def peers(setting: Setting) -> Mapping[str, Maker]:
    """By name, in the table's order: what is installed and knows the layer. There are none for other modes than vjp.

    oneDNN has no second order, and no double.
    """
    if setting.task.mode != "vjp":
        return {}
    makers: dict[str, Maker] = {EAGER: _eager, INDUCTOR: _inductor, XLA: _xla}
    if (setting.task.order, setting.task.dtype) == (1, "float32"):
        makers[onednn.ONEDNN] = onednn.contender
    return {name: make for name, make in makers.items() if installed(name) and setting.task.known in NEEDED[name][1]}


def _names(setting: Setting) -> tuple[str, ...]:
    """What the results of the pass are called, as far as a peer returns them."""
    if setting.second:
        return tuple(gradient.definition.name for gradient in setting.derivation.gradients.values())
    return setting.derivation.layer.outputs


def _eager(setting: Setting) -> Contender:
    return _torch(setting, EAGER, lambda forward: forward)


def _inductor(setting: Setting) -> Contender:
    import torch
    import torch._functorch.config

    torch._dynamo.reset()
    torch._functorch.config.donated_buffer = False  # a backward pass that runs many times may not take the forward pass's arrays
    return _torch(setting, INDUCTOR, lambda forward: torch.compile(forward, dynamic=False))


def _torch(setting: Setting, name: str, compiled: Callable[[Any], Any]) -> Contender:
    import torch
    import torch.nn.functional as functional

    torch.set_num_threads(setting.task.threads)
    inner = setting.derivation.first or setting.derivation
    table = TORCH[setting.task.known]
    constants = {key: float(value) if not np.ndim(value) else tensor_of(torch, value) for key, value in setting.constants.items()}
    forward = compiled(lambda *inputs: table(torch, functional, *inputs, **constants))

    def first(*values: Any) -> tuple[Any, ...]:
        if setting.derivation.first is None:
            return (forward(*values),)
        seeds, inputs = values[: len(inner.seeds)], values[len(inner.seeds) :]
        wanted = [value for part, value in zip(inner.layer.inputs, inputs, strict=True) if part.name in inner.wrt]
        return tuple(torch.autograd.grad(forward(*inputs), wanted, seeds[0], create_graph=True))

    leaves = {key: tensor_of(torch, np.asarray(value)).requires_grad_() for key, value in setting.inputs.items()}
    names = _names(setting)
    if not setting.second:
        return Contender(name, lambda: first(*leaves.values()), lambda made: _arrays(names, [value.detach() for value in made]))
    outputs = first(*leaves.values())
    wrt = [leaves[key] for key in setting.derivation.gradients]
    seeds = [tensor_of(torch, np.asarray(value)) for value in setting.seeds.values()]

    def call() -> Any:
        return torch.autograd.grad(outputs, wrt, seeds, retain_graph=True, allow_unused=True)

    def results(made: Any) -> Values:
        # None stands for a derivative that is 0 everywhere.
        return _arrays(names, [torch.zeros_like(of) if value is None else value for value, of in zip(made, wrt, strict=True)])

    return Contender(name, call, results)


def _xla(setting: Setting) -> Contender:
    import jax

    jax.config.update("jax_enable_x64", setting.task.dtype == "float64")
    inner = setting.derivation.first or setting.derivation
    table, constants = JAX[setting.task.known], setting.constants

    def forward(*inputs: Any) -> Any:
        return table(jax, *inputs, **constants)

    def first(*values: Any) -> tuple[Any, ...]:
        if setting.derivation.first is None:
            return (forward(*values),)
        seeds, inputs = values[: len(inner.seeds)], values[len(inner.seeds) :]
        found = jax.vjp(forward, *inputs)[1](seeds[0])
        return tuple(value for part, value in zip(inner.layer.inputs, found, strict=True) if part.name in inner.wrt)

    given = [jax.numpy.asarray(value) for value in setting.inputs.values()]
    names = _names(setting)
    if not setting.second:
        run = jax.jit(first)
        return Contender(XLA, lambda: jax.block_until_ready(run(*given)), lambda made: _arrays(names, made))
    _, pull = jax.jit(lambda *values: jax.vjp(first, *values))(*given)
    seeds = tuple(jax.numpy.asarray(value) for value in setting.seeds.values())
    places = [list(setting.inputs).index(key) for key in setting.derivation.gradients]
    back = jax.jit(lambda pull, seeds: [pull(seeds)[place] for place in places])
    return Contender(XLA, lambda: jax.block_until_ready(back(pull, seeds)), lambda made: _arrays(names, made))


def _arrays(names: tuple[str, ...], made: Any) -> Values:
    return {name: readable(name, value) for name, value in zip(names, made, strict=True)}
