"""What NumPy and PyTorch code claims: right code agrees with the oracle, wrong code has a witness, errors say what to write."""

from __future__ import annotations

import contextlib
import random
import re
import time

import pytest

from symbn.errors import EquationError
from symbn.language import Equation, expr_text, load_layer, parse_equation, parse_layer
from symbn.language.limits import MAX_NODES
from symbn.language.numpy_reader import parse_numpy
from symbn.layer import Layer
from symbn.oracle import check_identity
from symbn.vocabulary import vocabulary

ONE_LINER = "dx = (1. / N) * gamma / np.sqrt(var + eps) * (N * dy - np.sum(dy, axis=0) - xhat * np.sum(dy * xhat, axis=0))"
STAGED = """
def batchnorm_backward(dout, cache):
    # unfold the variables stored in cache
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape
    xmu = x - mu
    sqrtvar = np.sqrt(var + eps)
    ivar = 1./sqrtvar
    # step 9
    dbeta = np.sum(dout, axis=0)
    dgammax = dout
    # step 8
    dgamma = np.sum(dgammax*xhat, axis=0)
    dxhat = dgammax*gamma
    # step 7
    divar = np.sum(dxhat*xmu, axis=0)
    dxmu1 = dxhat*ivar
    # step 6
    dsqrtvar = -1./(sqrtvar**2)*divar
    # step 5
    dvar = 0.5*1./np.sqrt(var + eps)*dsqrtvar
    # step 4
    dsq = 1./N*np.ones((N, D))*dvar
    # step 3
    dxmu2 = 2*xmu*dsq
    # step 2
    dx1 = (dxmu1 + dxmu2)
    dmu = -1*np.sum(dxmu1 + dxmu2, axis=0)
    # step 1
    dx2 = 1./N*np.ones((N, D))*dmu
    # step 0
    dx = dx1 + dx2
    return dx, dgamma, dbeta
"""
LAYERNORM = """
def layernorm_backward(dout, x, w, mean, rstd):
    norm = (x - mean[:, None]) * rstd[:, None]
    db = dout.sum(axis=0)
    dw = (dout * norm).sum(0)
    dnorm = dout * w
    dx = dnorm - dnorm.mean(axis=-1, keepdims=True) - norm * (dnorm * norm).mean(-1, keepdims=True)
    dx *= rstd[:, None]
    return {"dx": dx, "dw": dw, "db": db}
"""
LAYERNORM_LETS = {"dout": "dy", "w": "gamma", "mean": "mu", "rstd": "1/np.sqrt(sigma2 + eps)", "dw": "dgamma", "db": "dbeta"}
TORCH = """
import torch

class LayerNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        return x

    @staticmethod
    def backward(ctx, grad_output):
        x_hat, rstd, weight = ctx.saved_tensors
        rstd = (ctx.sigma2 + ctx.eps).rsqrt().unsqueeze(-1)
        with torch.no_grad():
            g = grad_output * weight
            grad_x = rstd * (g - g.mean(dim=-1, keepdim=True) - x_hat * (g * x_hat).mean(-1, keepdim=True))
        grad_weight = torch.sum(grad_output * x_hat, dim=0)
        grad_bias = grad_output.sum(0)
        return grad_x, grad_weight, grad_bias, None
"""
TORCH_LETS = {
    "grad_output": "dy", "weight": "gamma", "x_hat": "xhat", "grad_x": "dx", "grad_weight": "dgamma", "grad_bias": "dbeta",
}  # fmt: skip

FROM_DXHAT = "dxhat = dy*gamma\ndx = (N*dxhat - dxhat.sum(0) - xhat*(dxhat*xhat).sum(0))/(N*np.sqrt(sigma2 + eps))"
VARIANCE = "m = x.shape[0]*x.shape[2]\nmu = np.sum(x, axis=(0, 2))/m\nsigma2 == ((x - mu[None, :, None])**2).sum((0, 2))/m"
RMSNORM = "r = (x.pow(2).mean(-1, keepdim=True) + eps).rsqrt()\ng = gamma*dy\ndx = r*g - r**3*x*(g*x).mean(-1, keepdim=True)"

SOFTMAX = 'def softmax(x: "K"):\n    e[k] = exp(x[k])\n    y[k] = e[k]/sum(e[j] for j in K)\n    return y\n'
ATTENTION = """
def attention(q: "T D", k: "S D", v: "S E"):
    s[t, u] = sum(q[t, d]*k[u, d] for d in D)/sqrt(D)
    e[t, u] = exp(s[t, u])
    p[t, u] = e[t, u]/sum(e[t, w] for w in S)
    o[t, f] = sum(p[t, u]*v[u, f] for u in S)
    return o
"""
BACKWARD = """
dv = p.T @ do
dp = do @ v.T
ds = p*(dp - np.sum(dp*p, axis=-1, keepdims=True))
dq = ds @ k/np.sqrt(D)
dk = ds.T @ q/np.sqrt(D)
return dq, dk, dv
"""

# layer, text, lets, the names claimed
TRUE: list[tuple[str, str, dict[str, str], list[str]]] = [
    ("batchnorm", ONE_LINER, {"var": "sigma2"}, ["dx"]),
    ("batchnorm1d", ONE_LINER, {"var": "sigma2"}, ["dx"]),
    ("batchnorm1d", STAGED, {"var": "sigma2", "dout": "dy"}, ["dx", "dgamma", "dbeta"]),
    ("layernorm", LAYERNORM, LAYERNORM_LETS, ["dx", "dgamma", "dbeta"]),
    ("layernorm", TORCH, TORCH_LETS, ["dx", "dgamma", "dbeta"]),
    ("batchnorm1d", "mu = x.mean(0)\nvar = x.var(0)\nxhat = (x - mu)/np.sqrt(var + eps)\ny = gamma*xhat + beta", {}, ["y"]),
    ("batchnorm1d", "np.sum(xhat, axis=0) == 0", {}, [""]),
    ("batchnorm1d", "dx.sum(axis=0) = 0", {}, [""]),
    ("batchnorm1d", "dx.T == (xhat.T - xhat.T)*dy.T + dx.T", {}, ["dx"]),
    ("batchnorm1d", "assert np.allclose(dgamma, (dy*xhat).sum(0))", {}, ["dgamma"]),
    ("batchnorm1d", "dbeta[None, :] = np.sum(dy, 0, keepdims=True)", {}, ["dbeta"]),
    ("batchnorm1d", "dgamma = np.sum(dy*xhat, axis=0, keepdims=True)", {}, ["dgamma"]),
    ("batchnorm1d", FROM_DXHAT, {}, ["dxhat", "dx"]),
    ("batchnorm1d", "t = dy*gamma\nt -= t.mean(0)\ndx = t - xhat*(t*xhat).mean(0)\ndx /= np.sqrt(sigma2 + eps)", {}, ["dx"]),
    ("batchnorm1d", "dx[:] = dy*gamma\ndx[...] -= dx.mean(0) + xhat*(dx*xhat).mean(0)\ndx /= (sigma2 + eps)**0.5", {}, ["dx"]),
    ("batchnorm2d", "dbeta = dy.sum((0, 2))\ndgamma = torch.sum(dy*xhat, dim=(0, 2))", {}, ["dbeta", "dgamma"]),
    ("batchnorm2d", VARIANCE, {}, ["sigma2"]),
    ("softmax", "y*(dy - (y*dy).sum(-1, keepdims=True))", {}, ["dx"]),
    ("softmax", "return y*(dy - np.einsum('nk,nk->n', y, dy)[:, None])", {}, ["dx"]),
    ("softmax", "y = F.softmax(x, dim=-1)\ndx = y*dy - y*(y*dy).sum(-1, keepdim=True)", {}, ["dx"]),
    ("linear", "dx = dy @ w", {}, ["dx"]),
    ("linear", "dw = dy.T @ x\ndb = np.sum(dy, axis=0)", {}, ["dw", "db"]),
    ("rmsnorm", RMSNORM, {}, ["dx"]),
    ("batchnorm1d", "return dict(dbeta=dy.sum(0))", {}, ["dbeta"]),
    ("batchnorm1d", "dbeta: np.ndarray = dy.sum(0)", {}, ["dbeta"]),
    ("batchnorm1d", "dbeta = dy.sum(0)\ncache = (x, mu)\nreturn dbeta, cache", {}, ["dbeta"]),
    ("batchnorm1d", "dbeta = dy.sum(0)\nreturn Gradients(dbeta, dgamma=(dy*xhat).sum(0))", {}, ["dbeta", "dgamma"]),
    ("batchnorm1d", "self.dgamma = np.sum(grad*self.x_hat, axis=0)", {"grad": "dy", "x_hat": "xhat"}, ["dgamma"]),
    ("batchnorm1d", "assert dy.shape == x.shape\nassert dbeta == dy.sum(0)", {}, ["dbeta"]),
    ("batchnorm1d", "saved['xhat'].data.sum(0) == np.zeros(x.shape[1])", {}, [""]),
    ("batchnorm1d", "np.ones((*x.shape[:1], 1)) == 1", {}, [""]),
    ("batchnorm1d", "dbeta = 0\ndbeta += dy.sum(0)", {}, ["dbeta"]),
    ("batchnorm1d", "TWO = 2.0\nN = 7\ndef f(dy, N):\n    return {'dbeta': dy.mean(0)*TWO*N/2}", {}, ["dbeta"]),
    (SOFTMAX, "dy_dx == np.diag(y) - np.outer(y, y)", {}, ["dy_dx"]),
    (SOFTMAX, "dx = (np.diag(y) - y[:, None] @ y[None, :]).T @ dy", {}, ["dx"]),
    (ATTENTION, BACKWARD, {}, ["dq", "dk", "dv"]),
]  # fmt: skip


def layer_of(name: str) -> Layer:
    """A layer of the catalogue, or of its text."""
    return parse_layer(name) if "\n" in name else load_layer(name)


def claims(layer: str, text: str, lets: dict[str, str] | None = None) -> tuple[Equation, ...]:
    loaded = layer_of(layer)
    return parse_numpy(text, loaded, {name: quantity.axes for name, quantity in vocabulary(loaded).items()}, lets=lets or {})


DOCSTRING = '''
def layernorm_backward_kernel(dy, x):
    """Backward pass of layer normalization, one row a program.

    The normalized input is xhat, and eps = a small constant. With g = gamma*dy:

        dx = (gamma*dy - (gamma*dy).mean(-1, keepdims=True)
              - xhat*(gamma*dy*xhat).mean(-1, keepdims=True))/np.sqrt(sigma2 + eps)[:, None].
    - ``dgamma = np.sum(dy*xhat, axis=0)``
    """
    ...
'''


def test_the_formulas_of_a_docstring_are_read_where_a_function_has_no_other_body() -> None:
    found = claims("layernorm", DOCSTRING)
    assert [expr_text(equation.left) for equation in found] == ["dx[n, d]", "dgamma[d]"]
    assert all(check_identity(load_layer("layernorm"), equation.left, equation.right, effort=1).agree for equation in found)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("(dy*xhat", "((dy*xhat", "equation:8:24: this '(' is never closed"),
        ("sigma2", "sigma", "equation:7:71: unknown name 'sigma'"),
        ("dy*xhat, axis", "dy*xhat axis", "equation:8:25: syntax error"),
    ],
)
def test_an_error_in_a_docstring_has_its_place(old: str, new: str, message: str) -> None:
    with pytest.raises(EquationError) as caught:
        claims("layernorm", DOCSTRING.lstrip().replace(old, new))
    assert str(caught.value).startswith(message)


SLIPS = ["(", ")", "[", "]", ",", ".", "=", "@", "-", "None", ":", "x", "np", "axis", "T", "0", "1.", "\n", "'"]


@pytest.mark.parametrize("seed", range(6))
def test_slips_of_the_keyboard_end_in_equations_or_in_our_errors(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(25):
        layer, text, lets, _ = rng.choice(TRUE)
        parts = re.findall(r"\w+|\s+|[^\w\s]", text)
        for _ in range(rng.randint(1, 4)):
            place, other = rng.randrange(len(parts)), rng.randrange(len(parts))
            change = rng.randrange(4)
            if change == 0:
                parts[place] = ""
            elif change == 1:
                parts[place], parts[other] = parts[other], parts[place]
            elif change == 2:
                parts[place] += parts[other]
            else:
                parts[place] = rng.choice(SLIPS)
        with contextlib.suppress(EquationError):
            for equation in claims(layer, "".join(parts), lets):
                assert expr_text(equation.right)


@pytest.mark.parametrize(("layer", "text", "lets", "names"), TRUE, ids=[f"{layer[:20]!r}: {text[:40]!r}" for layer, text, *_ in TRUE])
def test_right_code_agrees_with_the_oracle(layer: str, text: str, lets: dict[str, str], names: list[str]) -> None:
    found = claims(layer, text, lets)
    assert [getattr(equation.left, "name", "") for equation in found] == names
    for equation in found:
        report = check_identity(layer_of(layer), equation.left, equation.right, effort=1)
        assert report.agree, f"{equation.text}: {report.witness}"


@pytest.mark.parametrize(("layer", "text", "lets", "names"), TRUE[:6], ids=[text[:30] for _, text, *_ in TRUE[:6]])
def test_what_is_read_is_in_the_layer_language(layer: str, text: str, lets: dict[str, str], names: list[str]) -> None:
    loaded = load_layer(layer)
    extra = {name: quantity.axes for name, quantity in vocabulary(loaded).items()}
    for equation in claims(layer, text, lets):
        again = parse_equation(f"{expr_text(equation.left)} = {expr_text(equation.right)}", loaded, extra)
        assert (again.left, again.right) == (equation.left, equation.right)


@pytest.mark.parametrize(
    ("layer", "text", "lets"),
    [
        ("batchnorm1d", ONE_LINER.replace("- xhat", "+ xhat"), {"var": "sigma2"}),
        ("batchnorm1d", ONE_LINER.replace("axis=0", "axis=1, keepdims=True"), {"var": "sigma2"}),
        ("batchnorm1d", STAGED.replace("0.5*1.", "1."), {"var": "sigma2", "dout": "dy"}),
        ("layernorm", LAYERNORM.replace("dout * w", "dout"), LAYERNORM_LETS),
        ("layernorm", "sigma2 == torch.var(x, dim=-1)", {}),
        ("batchnorm1d", "sigma2 == np.var(x, axis=0, ddof=1)", {}),
    ],
)
def test_wrong_code_has_a_witness(layer: str, text: str, lets: dict[str, str]) -> None:
    reports = [check_identity(layer_of(layer), e.left, e.right, effort=1) for e in claims(layer, text, lets)]
    assert any(report.witness is not None for report in reports)


@pytest.mark.parametrize(
    ("text", "below"),
    [
        ("sigma2 == x.var(-1)", "mean("),
        ("sigma2 == np.var(x, axis=1)", "mean("),
        ("sigma2 == x.var(dim=-1)", "/(D - 1)"),
        ("sigma2 == (x.var(-1) + eps).rsqrt()", "/(D - 1)"),
        ("sigma2 == x.exp().var(1)", "/(D - 1)"),
        ("sigma2 == np.var(x.exp(), axis=1)", "mean("),
        ("sigma2 == jnp.exp(x).var(1)", "mean("),
        ("sigma2 == np.exp(x).var(1)", "mean("),
        ("import torch as th\nsigma2 == th.var(x, 1)", "/(D - 1)"),
        ("from torch import nn\nsigma2 == x.var(1)", "/(D - 1)"),
        ("import numpy as xp\nsigma2 == xp.var(x, 1)", "mean("),
        ("import numpy as xp\nsigma2 == xp.exp(x).var(1)", "mean("),
        ("sigma2 == self.x.pow(1).var(1)", "/(D - 1)"),
        ("sigma2 == scipy.special.expit(x).var(1)", "mean("),
    ],
)
def test_whose_variance_it_is_depends_on_the_library(text: str, below: str) -> None:
    (equation,) = claims("layernorm", text)
    assert below in expr_text(equation.right)
    assert ("/(D - 1)" in expr_text(equation.right)) == (below == "/(D - 1)")


def test_an_axis_may_have_the_name_of_a_module() -> None:
    layer = parse_layer('def f(x: "N F"):\n    s[n] = mean((x[n, i] - mean(x[n, j] for j in F))**2 for i in F)\n    return s\n')
    extra = {name: quantity.axes for name, quantity in vocabulary(layer).items()}
    (equation,) = parse_numpy("s == x.var(1)*F/F", layer, extra)
    assert check_identity(layer, equation.left, equation.right).agree


def test_letters_are_the_layers() -> None:
    (equation,) = claims("batchnorm1d", "dx = gamma*(dy - dy.mean(axis=0))")
    assert (expr_text(equation.left), expr_text(equation.right)) == ("dx[i, c]", "gamma[c]*(dy[i, c] - mean(dy[j, c] for j in N))")
    assert equation.text == "dx = gamma*(dy - dy.mean(axis=0))"


def test_an_array_changed_in_place_changes_under_all_its_names() -> None:
    (equation,) = claims("softmax", "t = dy\nt *= y\ndx = dy + t")
    assert expr_text(equation.right) == "dy[n, k]*y[n, k] + dy[n, k]*y[n, k]"
    (equation,) = claims("softmax", "t = jnp.asarray(dy)\nt *= y\ndx = dy + t")
    assert expr_text(equation.right) == "dy[n, k] + dy[n, k]*y[n, k]"


def test_names_given_to_one_array_change_together() -> None:
    (equation,) = claims("softmax", "a = b = y*dy\na += 1\ndx = b*1")
    assert expr_text(equation.right) == "y[n, k]*dy[n, k] + 1"


def test_an_array_that_nothing_else_shows_is_changed_in_place() -> None:
    (equation,) = claims("layernorm", "mu = mu.reshape(-1, 1)\nmu *= 2\ndx = dy*mu")
    assert expr_text(equation.right) == "dy[n, d]*mu[n]*2"


def test_a_square_layer_keeps_its_axes_apart() -> None:
    layer = parse_layer('def f(x: "N N", v: "N"):\n    y[i, j] = x[i, j]*v[j]\n    return y\n')
    extra = {name: quantity.axes for name, quantity in vocabulary(layer).items()}
    (equation,) = parse_numpy("dx = (dy*v[:, None]).T + dy @ dy.T", layer, extra)
    assert expr_text(equation.right) == "dy[j, i]*v[j] + sum(dy[i, k]*dy[j, k] for k in N)"
    for text, true in (("dx = dy*v", True), ("dx = dy*v[:, None]", False)):
        (equation,) = parse_numpy(text, layer, extra)
        assert check_identity(layer, equation.left, equation.right).agree == true


# layer, text, the message's first line after "equation:", the hint's beginning
ERRORS = [
    ("layernorm", "dx = gamma*dy*sigma2", "1:15: axis D of gamma*dy meets axis N of sigma2", "write sigma2[:, None]"),
    ("layernorm", "dx = dy - (mu + mu)", "1:12: axis D of dy meets axis N of mu + mu", "write (mu + mu)[:, None]"),
    ("layernorm", "dx = dy - dy.mean(1)", "1:11: axis D of dy meets axis N of dy.mean(1)", "write dy.mean(1)[:, None]"),
    ("layernorm", "dx = dy*x.T", "1:9: axis N of dy meets axis D of x.T", "write x"),
    ("layernorm", "dx = np.where(mu > 0, dy, 0)", "1:15: axis N of mu > 0 meets axis D of dy", "write (mu > 0)[:, None]"),
    ("layernorm", "dx = gama*dy", "1:6: unknown name 'gama'", "did you mean 'gamma'?; --let gama=OURS"),
    ("layernorm", "dx = M*dy", "1:6: unknown name 'M'", "known axes: 'N' and 'D'; --let M=OURS"),
    ("layernorm", "dx = np.sqt(dy)", "1:6: unknown function 'sqt'", "did you mean 'sqrt'?"),
    ("layernorm", "dx = dy.summ(0)", "1:6: unknown method 'summ'", "did you mean 'sum'?"),
    ("layernorm", "dx = np.cumsum(dy)", "1:6: unknown function 'cumsum'", "a running sum has no form here"),
    ("layernorm", "dx = dy.mul_(2)", "1:6: 'mul_' changes an array in place", "write x = x.mul(...)"),
    ("layernorm", "dx = np.prod(dy)", "1:6: a product over an axis has no form here", "for extents, write np.prod(x.shape)"),
    ("layernorm", "dx = dy.sum(2)", "1:13: there is no axis 2 in an array of shape (N, D)", "its axes are 0 to 1, or -2 to -1"),
    ("layernorm", "dx = dy.sum((0, 0))", "1:13: an axis stands here twice", "name each axis once"),
    ("layernorm", "dx = np.sum(dy, axis=mu)", "1:22: 'axis' is an integer or a tuple of integers", "write axis=0"),
    ("layernorm", "dx = sum(dy)", "1:6: 'sum' alone is Python's own, which takes the first axis", "write np.sum(x, axis=0)"),
    ("layernorm", "dx = np.sum(dy, out=x)", "1:17: 'out' of sum is not read here", "sum takes x, axis, keepdims"),
    ("layernorm", "dx = dy[0]", "1:6: single elements have no formula for every extent", "write whole axes"),
    ("layernorm", "dx = dy[1:]", "1:9: a part of an axis has no formula for every extent", "write whole axes"),
    ("layernorm", "dx = dy[i]", "1:9: 'i' is not an index here", "NumPy formulas speak of whole arrays: write dx, not dx[i]"),
    ("layernorm", "dx = dy.reshape(-1)", "1:6: reshape would merge the axes N and D", "keep them apart"),
    ("layernorm", "dx = dy.reshape(5, -1)", "1:17: this is not the extent of an axis, nor 1", "write a shape with the extents"),
    ("layernorm", "dx = dy @ x", "1:6: @ sums over axis D on the left and axis N on the right", "the shapes are (N, D) and (N, D)"),
    ("layernorm", "dx = np.einsum('nd,dn->nd', dy, x)", "1:6: letter 'd' stands for axis D and for axis N", "use two letters"),
    ("layernorm", "dx = np.einsum('nd->d', dy, x)", "1:6: einsum's 'nd->d' speaks of 1 arrays, but 2 follow", ""),
    ("layernorm", "dx = dy // 2", "1:12: '//' is not read here", "write / for an exact quotient"),
    ("layernorm", "dx = dy ^ 2", "1:11: '^' is not read here", "write ** for a power"),
    ("layernorm", "dx = dy/0", "1:9: division by zero", ""),
    ("layernorm", "dx = x.max(dim=1)", "1:1: 'dx' is the pair of values and indices here", "take its values"),
    ("layernorm", "dx = (dy - (x)", "1:6: this '(' is never closed", "it opens 'dy - (x)'; close it"),
    ("layernorm", "dx = dy)*2", "1:8: this ')' closes nothing", "remove it"),
    ("layernorm", "gamma*dy", "1:1: what is this the value of?", "write dx = ...; the gradients are dx, dgamma, dbeta"),
    ("layernorm", "dgamma = dy*xhat", "1:1: 'dgamma' has shape (D,), but this has shape (N, D)", "reduce over N: np.sum(..., axis=0)"),
    ("layernorm", "dw = (dy*xhat).sum(0)", "1:1: 'dw' is no name of the layer 'layernorm' or of a derivative", "--let dw=dgamma"),
    ("layernorm", "t = dy*2\nreturn t", "2:8: 't' is no name of the layer 'layernorm' or of a derivative", "--let t=dx"),
    ("layernorm", "t = dy*2\nreturn dx", "2:8: 'dx' is returned and never assigned", "write dx = ... above"),
    ("layernorm", "return dy, dy*2", "1:8: 'dy' is returned and never assigned", ""),
    ("layernorm", "t = dy\nreturn t*2, dy*3", "2:8: which result is this?", "give it a name"),
    ("layernorm", "dx -= dy.mean(0)", "1:1: 'dx' is changed before it is assigned", "write dx = ... first"),
    ("layernorm", "t = gamma\nt += dy", "2:6: 't' has shape (D,) and cannot become", "write t = t ... instead"),
    ("layernorm", "t = dy.T\nt *= 2", "2:1: this changes an array in place, and 't' is a view of 'dy'", "write t = t ... instead"),
    ("layernorm", "dx = dy*2\ndx[np.arange(N), t] -= 1", "2:1: a part of an array is not changed here", "change the whole array"),
    ("layernorm", "for i in range(3):\n    dx = dy", "1:1: a 'for' loop is not read here", "write the whole array at once"),
    ("layernorm", "if x:\n    dx = dy", "1:1: an 'if' statement is not read here", "keep the branch to check"),
    ("layernorm", "dx = dy if x else 2", "1:6: '... if ... else ...' is not read here", "write np.where"),
    ("layernorm", "N, D, K = x.shape", "1:1: 3 names for 2", "such as N, D = x.shape"),
    ("layernorm", "dx = 'a'", "1:6: 'a' is not a number", ""),
    ("layernorm", "dx = x.foo", "1:6: '.foo' is not read here", "an array has 'T'"),
    ("layernorm", "dx = gamma(x)", "1:6: 'gamma' is a value here, not a function", "to multiply, write gamma*(...)"),
    ("layernorm", "dx = np.var(x, 0, True)", "1:19: a third argument of var is not read here", "name it: ddof=1"),
    ("layernorm", "dx = F.softmax(x)", "1:6: softmax over which axis?", "write softmax(x, axis=-1)"),
    ("layernorm", "dx = x.squeeze(0)", "1:6: axis 0 is N, which may be larger than 1", "squeeze takes axes of extent 1 away"),
    ("layernorm", "def f(x):\n    dx = dy\ndef g(x):\n    dx = dy", "3:1: there are 2 functions here", "keep one of 'f' and 'g'"),
    ("layernorm", "", "there is nothing to check here", "write dx = ..."),
    ("layernorm", "x: int", "this claims nothing", "write dx = ..., or a == b"),
    ("layernorm", "dx = 2 +* 3", "1:9: syntax error", ""),
    ("layernorm", "def f(dy):\n    dx = dy*gamm\n    return dx", "2:13: unknown name 'gamm'", "did you mean 'gamma'?"),
    ("layernorm", "dx = np.maximum(dy)", "1:6: maximum has no argument 'y' here", "it takes maximum(y, ...)"),
    ("layernorm", "dx = dy.sum(0, keepdims=x)", "1:25: 'keepdims' is True or False here", "write keepdims=True"),
    ("layernorm", "dx = np.ones((x.shape, 1))", "1:14: a shape is one tuple", ""),
    ("layernorm", "dx = np.sum(*dy)", "1:13: '*' before an argument is not read here", "write out the arguments"),
    ("layernorm", "dx = np.sqrt(dy, x, x)", "1:18: sqrt takes 1 arguments here", "they are x"),
    ("layernorm", "dx = dy.where(x > 0, x)", "1:6: 'where' is not a method that symbn reads", "write np.where(...)"),
    ("layernorm", "dx = (dy*x)(x)", "1:6: only a function is called", "to multiply, write a*b"),
    ("layernorm", "dgamma = mu", "1:1: 'dgamma' has shape (D,), but this has shape (N,)", "reduce over N"),
    ("layernorm", "dx = x.shape*dy", "1:6: a tuple stands where an array belongs", "take one of its elements"),
    ("layernorm", "dx = not dy", "1:6: 'not' takes no arrays", "write ~mask"),
    ("layernorm", "dx = 1 < dy < 2", "1:6: comparisons are not chained", "write (a < b) & (b < c)"),
    ("layernorm", "dx = dy in x", "1:6: this is not read here", ""),
    ("layernorm", "dx = dy*True", "1:9: True is not a number", ""),
    ("layernorm", "dx = np.ones((*dy, 1))", "1:16: a tuple belongs here", "such as x.shape"),
    ("layernorm", "dx = x.shape.foo", "1:6: a tuple has no 'foo' here", ""),
    ("layernorm", "dx = np.inf*dy", "1:6: 'inf' is not a number here", "write the formula for finite values"),
    ("layernorm", "dx = np.sqrt*dy", "1:6: 'sqrt' is not a constant that symbn knows", "a function is called"),
    ("layernorm", "dx = dy['a']", "1:9: a text is not an index", "write whole axes"),
    ("layernorm", "dx = dy/x.shape[2]", "1:17: a tuple of 2: there is no element 2", ""),
    ("layernorm", "dx = dy/x.shape[mu]", "1:17: an integer belongs here", ""),
    ("layernorm", "dx = dy[..., ...]", "1:9: only one '...' stands in brackets", ""),
    ("layernorm", "dx = dy[:, :, :]", "1:9: 3 indices for an array of shape (N, D)", ""),
    ("layernorm", "dx = np.clip(dy)", "1:6: clip needs a bound", "write np.clip(x, low, high)"),
    ("layernorm", "dx = np.einsum(dy, x)", "1:16: einsum begins with its specification", "such as np.einsum("),
    ("layernorm", "dx = np.einsum('nd;d->n', dy)", "1:6: 'nd;d->n' is not a specification of einsum", "write it as in"),
    ("layernorm", "dx = np.einsum('n->n', dy)", "1:6: 'n' has 1 letters for an array of shape (N, D)", "write a letter for every axis"),
    ("layernorm", "dx = np.einsum('nd->nk', dy)", "1:6: the output letter 'k' of einsum is in no array", "write it as in"),
    ("layernorm", "dx = dy @ 2", "1:6: '@' takes no scalars", "write *"),
    ("layernorm", "dx = x[None, :, :] @ x.T[:, :, None]", "1:6: @ sums over axis D on the left and axis N on the right", ""),
    ("layernorm", "dx = x[:, None, :] @ np.eye(x.shape[1])[:, :, None]", "1:6: in '@', axis N meets axis D among the leading axes", ""),
    ("layernorm", "dx = np.swapaxes(dy, (0, 1), 0)", "1:22: one axis belongs here", ""),
    ("layernorm", "dx = dy.transpose(0, 0)", "1:19: an axis stands here twice", "name each axis once"),
    ("layernorm", "dx = dy.transpose(0)", "1:6: (0) is not an order of the axes", "name each axis once"),
    ("layernorm", "dx = np.expand_dims(dy, 5)", "1:6: no new axes fit at (5)", ""),
    ("layernorm", "dx = np.tile(mu, (2, 1))", "1:18: this is not the extent of an axis, nor 1", "write a shape"),
    ("layernorm", "dx = np.tile(mu, (x.shape[1], x.shape[0]))", "1:6: an axis is repeated several times over", ""),
    ("layernorm", "dx = np.ones(-1)", "1:14: -1 is no extent here", "write x.shape"),
    ("layernorm", "dx = np.full(x.shape, mu)", "1:23: a fill value is a scalar", ""),
    ("layernorm", "dx = np.eye(N, D)", "1:6: the identity is a matrix over one axis twice", "write np.eye(x.shape[0])"),
    ("layernorm", "dx = np.diag(dy)", "1:6: an array of shape (N, D) has no diagonal", "a diagonal needs"),
    ("layernorm", "dx = dy.sum(tuple(range(N)))", "1:19: a range stands here for axes alone", ""),
    ("layernorm", "dx = dy.sum(tuple(N))", "1:13: tuple takes a shape here", "such as tuple(x.shape)"),
    ("layernorm", "dx = np.broadcast_to(dy, mu.shape)", "1:6: an array of shape (N, D) does not broadcast to (N,)", ""),
    ("layernorm", "dx = np.broadcast_to(mu, x.shape)", "1:6: an array of shape (N,) does not broadcast to (N, D)", ""),
    ("layernorm", "dx = np.linalg.norm(dy, 1)", "1:25: only the Euclidean norm is read here", "write it out"),
    ("layernorm", "return dy*2\ndx = 2", "2:1: this stands after the return", "remove it"),
    ("layernorm", "assert dx > 0", "1:1: this 'assert' is not read here", "state the equation itself"),
    ("layernorm", "dx = dy*2\ndx[0] = dy", "2:1: a part of an array is not assigned here", "assign the whole array"),
    ("layernorm", "dgamma[:] = dy", "1:13: a value of shape (N, D) does not fit into 'dgamma'", ""),
    ("layernorm", "a, b.c = x.shape", "1:4: a name stands left of '='", ""),
    ("layernorm", "a, b = mu", "1:1: 2 names for an array", "such as N, D = x.shape"),
    ("layernorm", "dx = dy@\n", "1:9: syntax error", ""),
    ("layernorm", "dx.sum(0) = gamm*2", "1:13: unknown name 'gamm'", "did you mean 'gamma'?"),
    ("layernorm", "dx.sum(0) = (gamma\n  + gamm)", "2:5: unknown name 'gamm'", "did you mean 'gamma'?"),
]


@pytest.mark.parametrize(("layer", "text", "message", "hint"), ERRORS, ids=[text[:40] for _, text, *_ in ERRORS])
def test_errors_say_where_and_what_to_write(layer: str, text: str, message: str, hint: str) -> None:
    with pytest.raises(EquationError) as caught:
        claims(layer, text)
    first = str(caught.value).split("\n")[0].removeprefix("equation:").strip()
    assert first.startswith(message)
    assert (caught.value.hint or "").startswith(hint)


def test_the_caret_stands_under_the_part_that_is_wrong() -> None:
    with pytest.raises(EquationError) as caught:
        claims("layernorm", "def f(dy):\n    t = dy*2\n    dx = t*sigma2\n    return dx")
    assert str(caught.value).split("\n")[1:3] == ["        dx = t*sigma2", "               ^~~~~~"]


def test_a_let_that_is_no_expression_says_so() -> None:
    with pytest.raises(EquationError, match=r"--let:1:1: unknown name 'sigma'"):
        claims("layernorm", "dx = rstd*dy", {"rstd": "sigma"})


BOMBS = {
    "doubling": "t = dy\n" + "t = t*t + t\n" * 60 + "dx = t",
    "doubling in one line": "dx = " + "F.softmax(" * 40 + "dy" + ", dim=-1)" * 40,
    "lines": "t = dy\n" + "t = np.exp(t)\n" * 3_000 + "dx = t",
    "copies": "t = dy" + " + dy*x" * 900 + "\n" + "s = t\n" * 3_000 + "dx = s",
    "sum": "dx = dy" + " + dy" * 1_400,
    "brackets": "dx = " + "(" * 200 + "dy" + ")" * 200,
    "tower": "dx = 9**9**9**9*dy",
    "statements": "t = dy + x\n" * 4_000 + "dx = t",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_hostile_texts_end_soon(text: str) -> None:
    start = time.perf_counter()
    with contextlib.suppress(EquationError):
        (equation,) = claims("layernorm", text)
        assert len(expr_text(equation.right)) < 20 * MAX_NODES
    assert time.perf_counter() - start < 10
