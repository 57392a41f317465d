"""Layers written blind, from docs/language.md alone; each with what it is for, and the reductions and operations of its backward pass.

The costs are of the whole pass, each shared sum counted once, as found: a table to notice a change by. Fewer is better.
"""

from typing import NamedTuple


class Blind(NamedTuple):
    """A layer, what is special in it, and the reductions and operations per element of its backward pass."""

    special: str
    reductions: int
    operations: int
    source: str


BLIND = {
    "add_norm": Blind(
        "two outputs, one of which the other reads",
        2,
        12,
        """
def add_norm(x: "N D", r: "N D", g: "D", *, eps=1e-6):
    assert eps > 0
    h[n, d] = x[n, d] + r[n, d]
    ms[n] = mean(h[n, d] ** 2 for d in D)
    y[n, d] = g[d] * h[n, d] / sqrt(ms[n] + eps)
    return h, y
""",
    ),
    "attention": Blind(
        "one head of attention",
        5,
        8,
        """
def attention(q: "N D", k: "M D", v: "M E"):
    a[i, j] = sum(q[i, d] * k[j, d] for d in D) / sqrt(D)
    e[i, j] = exp(a[i, j])
    z[i] = sum(e[i, j] for j in M)
    p[i, j] = e[i, j] / z[i]
    o[i, c] = sum(p[i, j] * v[j, c] for j in M)
    return o
""",
    ),
    "attention_max": Blind(
        "one head with max shift, its denominator without a name",
        5,
        8,
        """
def attention_max(q: "N D", k: "M D", v: "M D", *, scale=0.125):
    s[i, j] = scale * sum(q[i, d] * k[j, d] for d in D)
    m[i] = max(s[i, j] for j in M)
    e[i, j] = exp(s[i, j] - m[i])
    p[i, j] = e[i, j] / sum(e[i, l] for l in M)
    o[i, d] = sum(p[i, j] * v[j, d] for j in M)
    return o
""",
    ),
    "barlow": Blind(
        "delta in a loss over a matrix",
        2,
        4,
        """
def barlow(a: "N D", b: "N D", *, lam=0.005):
    c[i, j] = mean(a[n, i] * b[n, j] for n in N)
    l = sum(delta(i, j) * (1 - c[i, j]) ** 2 + lam * (1 - delta(i, j)) * c[i, j] ** 2 for i in D for j in D)
    return l
""",
    ),
    "batch_renorm": Blind(
        "two detached values under clips",
        2,
        10,
        """
def batch_renorm(x: "N", gamma, beta, *, eps=1e-5, rmean, rstd):
    assert eps > 0
    assert rstd > 0
    mu = mean(x[i] for i in N)
    sigma = sqrt(mean((x[i] - mu) ** 2 for i in N) + eps)
    r = stop_gradient(minimum(maximum(sigma / rstd, 1 / 3), 3))
    d = stop_gradient(minimum(maximum((mu - rmean) / rstd, -5), 5))
    xhat[i] = (x[i] - mu) / sigma * r + d
    y[i] = gamma * xhat[i] + beta
    return y
""",
    ),
    "bce_logits": Blind(
        "a loss that is smooth though made of kinks",
        0,
        15,
        """
def bce_logits(x: "N", *, t: "N"):
    l = mean(maximum(x[i], 0) - x[i] * t[i] + log1p(exp(-abs(x[i]))) for i in N)
    return l
""",
    ),
    "bce_naive": Blind(
        "sigmoid under two logarithms",
        0,
        3,
        """
def bce_naive(x: "N", *, t: "N"):
    p[i] = sigmoid(x[i])
    l = -mean(t[i] * log(p[i]) + (1 - t[i]) * log(1 - p[i]) for i in N)
    return l
""",
    ),
    "bilinear": Blind(
        "a bilinear form of three arrays",
        4,
        9,
        """
def bilinear(x: "B I", w: "O I J", z: "B J", b: "O"):
    y[n, o] = sum(x[n, i] * w[o, i, j] * z[n, j] for i in I for j in J) + b[o]
    return y
""",
    ),
    "bn_relu": Blind(
        "variance as the mean of squares less the square, then relu",
        2,
        20,
        """
def bn_relu(x: "N C", gamma: "C", beta: "C", *, eps=1e-5):
    assert eps > 0
    mu[c] = mean(x[n, c] for n in N)
    var[c] = mean(x[n, c] ** 2 for n in N) - mu[c] ** 2
    y[n, c] = relu(gamma[c] * (x[n, c] - mu[c]) / sqrt(var[c] + eps) + beta[c])
    return y
""",
    ),
    "ccc": Blind(
        "a quotient of moments of two inputs",
        0,
        12,
        """
def ccc(a: "N", b: "N"):
    ma = mean(a[i] for i in N)
    mb = mean(b[i] for i in N)
    va = mean((a[i] - ma) ** 2 for i in N)
    vb = mean((b[i] - mb) ** 2 for i in N)
    c = mean((a[i] - ma) * (b[i] - mb) for i in N)
    loss = 1 - 2 * c / (va + vb + (ma - mb) ** 2)
    return loss
""",
    ),
    "covariance_matrix": Blind(
        "a matrix of centered products over N - 1",
        1,
        2,
        """
def covariance_matrix(x: "N D"):
    m[d] = mean(x[n, d] for n in N)
    c[d, e] = sum((x[n, d] - m[d]) * (x[n, e] - m[e]) for n in N) / (N - 1)
    return c
""",
    ),
    "crammer_singer": Blind(
        "a maximum of an expression with labels in it",
        2,
        15,
        """
def crammer_singer(s: "N K", *, t: "N K"):
    assert sum(t[n, k] for k in K) == 1
    good[n] = sum(t[n, k] * s[n, k] for k in K)
    loss = mean(max(s[n, k] + 1 - t[n, k] for k in K) - good[n] for n in N)
    return loss
""",
    ),
    "cubic_mean": Blind(
        "a cube root",
        0,
        3,
        """
def cubic_mean(x: "N C"):
    assert x[i, c] > 0
    y[c] = mean(x[n, c] ** 3 for n in N) ** (1 / 3)
    return y
""",
    ),
    "cumulant": Blind(
        "a logarithm of a mean of exponentials",
        1,
        8,
        """
def cumulant(x: "N", t):
    k = log(mean(exp(t * x[i]) for i in N)) / t
    return k
""",
    ),
    "dice": Blind(
        "a quotient of sums, with labels",
        1,
        10,
        """
def dice(x: "N", *, t: "N", s=1):
    p[i] = sigmoid(x[i])
    l = 1 - (2 * sum(p[i] * t[i] for i in N) + s) / (sum(p[i] for i in N) + sum(t[i] for i in N) + s)
    return l
""",
    ),
    "double_center": Blind(
        "means over two axes and the mean of a mean",
        3,
        5,
        """
def double_center(x: "N M"):
    r[i] = mean(x[i, j] for j in M)
    c[j] = mean(x[i, j] for i in N)
    t = mean(r[i] for i in N)
    y[i, j] = x[i, j] - r[i] - c[j] + t
    return y
""",
    ),
    "dyt": Blind(
        "tanh by its scale",
        3,
        20,
        """
def dyt(x: "N C", alpha, gamma: "C", beta: "C"):
    y[n, c] = gamma[c] * tanh(alpha * x[n, c]) + beta[c]
    return y
""",
    ),
    "elu": Blind(
        "expm1 under where",
        1,
        11,
        """
def elu(x: "N", alpha):
    y[i] = where(x[i] > 0, x[i], alpha * expm1(x[i]))
    return y
""",
    ),
    "entropy": Blind(
        "entropy with a max shift: p*log(p)",
        0,
        4,
        """
def entropy(x: "K"):
    m = max(x[k] for k in K)
    Z = sum(exp(x[k] - m) for k in K)
    p[k] = exp(x[k] - m) / Z
    h = -sum(p[k] * log(p[k]) for k in K)
    return h
""",
    ),
    "excess_kurtosis": Blind(
        "the fourth moment over the squared second",
        1,
        14,
        """
def excess_kurtosis(x: "N"):
    mu = mean(x[i] for i in N)
    m2 = mean((x[i] - mu) ** 2 for i in N)
    m4 = mean((x[i] - mu) ** 4 for i in N)
    kappa = m4 / m2 ** 2 - 3
    return kappa
""",
    ),
    "f_statistic": Blind(
        "a quotient of variances between and within groups",
        0,
        6,
        """
def f_statistic(x: "G N"):
    mg[g] = mean(x[g, n] for n in N)
    m = mean(mg[g] for g in G)
    between = N * sum((mg[g] - m) ** 2 for g in G) / (G - 1)
    within = sum((x[g, n] - mg[g]) ** 2 for g in G for n in N) / (G * (N - 1))
    f = between / within
    return f
""",
    ),
    "fixed_weights": Blind(
        "weights that an assumption makes sum to 1",
        2,
        8,
        """
def fixed_weights(x: "N", *, w: "N", eps=1e-5):
    assert sum(w[i] for i in N) == 1
    assert w[i] >= 0
    assert eps > 0
    m = sum(w[i] * x[i] for i in N)
    v = sum(w[i] * (x[i] - m) ** 2 for i in N)
    z[i] = (x[i] - m) / sqrt(v + eps)
    return z
""",
    ),
    "focal": Blind(
        "focal loss with a max shift and labels that sum to 1",
        1,
        13,
        """
def focal(x: "N K", *, t: "N K", g=2):
    assert sum(t[n, k] for k in K) == 1
    m[n] = max(x[n, k] for k in K)
    lse[n] = m[n] + log(sum(exp(x[n, k] - m[n]) for k in K))
    lp[n, k] = x[n, k] - lse[n]
    loss = -mean(sum(t[n, k] * (1 - exp(lp[n, k])) ** 2 * lp[n, k] for k in K) for n in N)
    return loss
""",
    ),
    "gauss_nll": Blind(
        "a constant called y",
        0,
        14,
        """
def gauss_nll(mu: "N", s: "N", *, y: "N"):
    assert s[i] > 0
    l = mean(log(s[i]) + (y[i] - mu[i]) ** 2 / (2 * s[i] ** 2) for i in N)
    return l
""",
    ),
    "gelu": Blind(
        "erf",
        0,
        12,
        """
def gelu(x: "N"):
    y[i] = x[i] * (1 + erf(x[i] / sqrt(2))) / 2
    return y
""",
    ),
    "geometric_mean": Blind(
        "a root of a product, by logarithms",
        1,
        5,
        """
def geometric_mean(x: "N"):
    assert x[i] > 0
    g = exp(mean(log(x[i]) for i in N))
    y[i] = x[i] / g
    return y
""",
    ),
    "global_mean3": Blind(
        "a reduction of three axes at once",
        2,
        7,
        """
def global_mean3(x: "A B C"):
    m = mean(x[a, b, c] for a in A for b in B for c in C)
    s = sqrt(mean((x[a, b, c] - m) ** 2 for a in A for b in B for c in C))
    y[a, b, c] = (x[a, b, c] - m) / s
    return y
""",
    ),
    "glu": Blind(
        "a gated unit",
        0,
        5,
        """
def glu(a: "N", b: "N"):
    y[i] = a[i] * sigmoid(b[i])
    return y
""",
    ),
    "gram_style": Blind(
        "an array against itself",
        1,
        2,
        """
def gram_style(x: "C S", *, A: "C C"):
    G[c, k] = mean(x[c, s] * x[k, s] for s in S)
    l = sum((G[c, k] - A[c, k]) ** 2 for c in C for k in C)
    return l
""",
    ),
    "grn": Blind(
        "a norm, then a mean of norms",
        5,
        10,
        """
def grn(x: "B S C", gamma: "C", beta: "C", *, eps=1e-6):
    assert eps > 0
    g[b, c] = sqrt(sum(x[b, s, c] ** 2 for s in S))
    n[b, c] = g[b, c] / (mean(g[b, k] for k in C) + eps)
    y[b, s, c] = gamma[c] * x[b, s, c] * n[b, c] + beta[c] + x[b, s, c]
    return y
""",
    ),
    "gumbel_softmax": Blind(
        "a constant under two logarithms",
        1,
        5,
        """
def gumbel_softmax(x: "K", *, u: "K", tau=0.5):
    assert tau > 0
    g[k] = -log(-log(u[k]))
    e[k] = exp((x[k] + g[k]) / tau)
    p[k] = e[k] / sum(e[j] for j in K)
    return p
""",
    ),
    "hardswish": Blind(
        "minimum of relu times x",
        0,
        14,
        """
def hardswish(x: "N"):
    y[i] = x[i] * minimum(relu(x[i] + 3), 6) / 6
    return y
""",
    ),
    "harmonic_mean": Blind(
        "a mean of reciprocals",
        0,
        4,
        """
def harmonic_mean(x: "N"):
    assert x[i] > 0
    h = 1 / mean(1 / x[i] for i in N)
    return h
""",
    ),
    "hierarchical_lse": Blind(
        "a sum inside an exponential inside a sum inside a logarithm",
        1,
        6,
        """
def hierarchical_lse(x: "N K"):
    s = log(sum(exp(sum(x[n, k] ** 2 for k in K)) for n in N))
    return s
""",
    ),
    "hinge": Blind(
        "a hinge loss",
        0,
        5,
        """
def hinge(x: "N", *, t: "N"):
    loss = mean(relu(1 - t[i] * x[i]) for i in N)
    return loss
""",
    ),
    "huber": Blind(
        "a loss by where",
        0,
        7,
        """
def huber(x: "N", t: "N", *, delta0=1):
    assert delta0 > 0
    r[i] = x[i] - t[i]
    l = mean(where(abs(r[i]) <= delta0, r[i] ** 2 / 2, delta0 * (abs(r[i]) - delta0 / 2)) for i in N)
    return l
""",
    ),
    "independent_output": Blind(
        "an output that does not depend on an input",
        0,
        1,
        """
def independent_output(x: "N", z: "N"):
    y[i] = exp(x[i])
    w = sum(z[i] for i in N)
    return y, w
""",
    ),
    "infonce": Blind(
        "a contrastive loss over cosines, with its diagonal read",
        6,
        6,
        """
def infonce(a: "N D", b: "N D", tau, *, eps=1e-8):
    assert tau > 0
    assert eps > 0
    na[i] = sqrt(sum(a[i, d] ** 2 for d in D) + eps)
    nb[i] = sqrt(sum(b[i, d] ** 2 for d in D) + eps)
    s[i, j] = sum(a[i, d] * b[j, d] for d in D) / (na[i] * nb[j] * tau)
    loss = mean(log(sum(exp(s[i, j]) for j in N)) - s[i, i] for i in N)
    return loss
""",
    ),
    "input_passthrough": Blind(
        "an output that is the input",
        0,
        1,
        """
def input_passthrough(x: "N"):
    y[i] = x[i]
    m = mean(y[i] for i in N)
    return y, m
""",
    ),
    "intermediate_outputs": Blind(
        "an output that the other output is made of",
        1,
        8,
        """
def intermediate_outputs(x: "N K"):
    e[n, k] = exp(x[n, k])
    s[n] = sum(e[n, k] for k in K)
    p[n, k] = e[n, k] / s[n]
    h[n] = -sum(p[n, k] * log(p[n, k]) for k in K)
    return p, h
""",
    ),
    "kl_softmax": Blind(
        "two softmaxes in one line each",
        0,
        8,
        """
def kl_softmax(a: "K", b: "K"):
    p[k] = exp(a[k]) / sum(exp(a[j]) for j in K)
    q[k] = exp(b[k]) / sum(exp(b[j]) for j in K)
    l = sum(p[k] * (log(p[k]) - log(q[k])) for k in K)
    return l
""",
    ),
    "l1_normalize": Blind(
        "a clipped sum of absolute values",
        2,
        10,
        """
def l1_normalize(x: "N", *, eps=1e-12):
    assert eps > 0
    y[i] = x[i] / maximum(sum(abs(x[j]) for j in N), eps)
    return y
""",
    ),
    "label_smoothing": Blind(
        "an assumption on labels, and an extent in the loss",
        0,
        7,
        """
def label_smoothing(x: "N K", *, t: "N K", alpha=0.1):
    assert sum(t[n, k] for k in K) == 1
    z[n] = log(sum(exp(x[n, k]) for k in K))
    l = mean(sum(((1 - alpha) * t[n, k] + alpha / K) * (z[n] - x[n, k]) for k in K) for n in N)
    return l
""",
    ),
    "leaky_prelu": Blind(
        "a parametric kink by maximum and minimum",
        1,
        12,
        """
def leaky_prelu(x: "N C", a: "C"):
    y[n, c] = maximum(x[n, c], 0) + a[c] * minimum(x[n, c], 0)
    return y
""",
    ),
    "linear_attention": Blind(
        "attention with a feature map: contractions in another order",
        9,
        9,
        """
def linear_attention(q: "N D", k: "M D", v: "M E", *, eps=1e-6):
    assert eps > 0
    kv[d, e] = sum(exp(k[m, d]) * v[m, e] for m in M)
    ks[d] = sum(exp(k[m, d]) for m in M)
    o[n, e] = sum(exp(q[n, d]) * kv[d, e] for d in D) / (sum(exp(q[n, d]) * ks[d] for d in D) + eps)
    return o
""",
    ),
    "linf_normalize": Blind(
        "a maximum of absolute values",
        3,
        16,
        """
def linf_normalize(x: "N"):
    y[i] = x[i] / max(abs(x[j]) for j in N)
    return y
""",
    ),
    "log_cosh": Blind(
        "two inputs of which only the difference counts",
        0,
        11,
        """
def log_cosh(x: "N", t: "N"):
    l = mean(log((exp(x[i] - t[i]) + exp(t[i] - x[i])) / 2) for i in N)
    return l
""",
    ),
    "lower_axis": Blind(
        "an input N0 over N, a scalar n, and N as a number",
        1,
        2,
        """
def lower_axis(N0: "N", n):
    y[i] = N0[i] / N ** (1 / 2) + n * N
    return y
""",
    ),
    "mad_norm": Blind(
        "a kink in a statistic: mean absolute deviation",
        2,
        9,
        """
def mad_norm(x: "N", *, eps=1e-6):
    assert eps > 0
    m = mean(x[i] for i in N)
    d = mean(abs(x[i] - m) for i in N)
    y[i] = (x[i] - m) / (d + eps)
    return y
""",
    ),
    "masked_norm": Blind(
        "a constant array over two of three axes as weights",
        2,
        12,
        """
def masked_norm(x: "B T D", gamma: "D", *, m: "B T", eps=1e-5):
    assert eps > 0
    assert m[b, t] >= 0
    c = sum(m[b, t] for b in B for t in T)
    mu[d] = sum(m[b, t] * x[b, t, d] for b in B for t in T) / c
    v[d] = sum(m[b, t] * (x[b, t, d] - mu[d]) ** 2 for b in B for t in T) / c
    y[b, t, d] = gamma[d] * (x[b, t, d] - mu[d]) / sqrt(v[d] + eps)
    return y
""",
    ),
    "max_two_axes": Blind(
        "a maximum and a minimum over two axes",
        3,
        13,
        """
def max_two_axes(x: "B N M"):
    y[b] = max(x[b, n, m] for n in N for m in M) - min(x[b, n, m] for m in M for n in N)
    return y
""",
    ),
    "maxout": Blind(
        "a maximum of a contraction",
        8,
        14,
        """
def maxout(x: "N D", w: "H P D"):
    y[n, h] = max(sum(w[h, p, d] * x[n, d] for d in D) for p in P)
    return y
""",
    ),
    "minimax": Blind(
        "a maximum of a minimum",
        4,
        8,
        """
def minimax(x: "N M"):
    y = max(min(x[i, j] for j in M) for i in N)
    return y
""",
    ),
    "mish": Blind(
        "tanh of log1p of exp",
        0,
        11,
        """
def mish(x: "N"):
    y[i] = x[i] * tanh(log1p(exp(x[i])))
    return y
""",
    ),
    "moments": Blind(
        "two outputs that both carry cotangents, and one is in the other",
        0,
        5,
        """
def moments(x: "N"):
    m = mean(x[i] for i in N)
    v = mean((x[i] - m) ** 2 for i in N)
    return m, v
""",
    ),
    "names_cotangent": Blind(
        "an input called dy0, another named as its axis in lower case",
        2,
        7,
        """
def names_cotangent(dy0: "N", n: "N", theta):
    phi[i] = dy0[i] * n[i]
    y[i] = phi[i] * theta - mean(phi[j] for j in N)
    return y
""",
    ),
    "names_greek": Blind(
        "Greek names, capital and small omega",
        3,
        22,
        """
def names_greek(xi: "N", lamda, omega, *, Omega: "N"):
    psi[n] = sin(omega * xi[n] + lamda) * Omega[n]
    zeta = sum(psi[n] ** 2 for n in N)
    eta[n] = psi[n] * zeta
    return eta
""",
    ),
    "nested_norm": Blind(
        "a normalization by means of means",
        2,
        5,
        """
def nested_norm(x: "N C S", *, eps=1e-5):
    assert eps > 0
    a[n, c] = mean(x[n, c, s] for s in S)
    m[n] = mean(a[n, c] for c in C)
    v[n] = mean((a[n, c] - m[n]) ** 2 for c in C)
    y[n, c, s] = (x[n, c, s] - m[n]) / sqrt(v[n] + eps)
    return y
""",
    ),
    "p_normalize": Blind(
        "a norm whose exponent is a constant",
        2,
        16,
        """
def p_normalize(x: "N D", *, p=3, eps=1e-6):
    assert p > 1
    assert eps > 0
    s[n] = (sum(abs(x[n, d]) ** p for d in D) + eps) ** (1 / p)
    y[n, d] = x[n, d] / s[n]
    return y
""",
    ),
    "pairwise_dist": Blind(
        "one array at two indices, summed",
        2,
        2,
        """
def pairwise_dist(x: "N D"):
    sq[i] = sum(x[i, d] ** 2 for d in D)
    y[i, j] = sq[i] + sq[j] - 2 * sum(x[i, d] * x[j, d] for d in D)
    return y
""",
    ),
    "pearson": Blind(
        "a correlation of two inputs",
        0,
        14,
        """
def pearson(a: "N", b: "N"):
    ma = mean(a[i] for i in N)
    mb = mean(b[i] for i in N)
    va = mean((a[i] - ma) ** 2 for i in N)
    vb = mean((b[i] - mb) ** 2 for i in N)
    c = mean((a[i] - ma) * (b[i] - mb) for i in N)
    rho = c / sqrt(va * vb)
    return rho
""",
    ),
    "perplexity": Blind(
        "exp of an entropy, softmax in one line",
        1,
        8,
        """
def perplexity(x: "K"):
    p[k] = exp(x[k]) / sum(exp(x[j]) for j in K)
    y = exp(-sum(p[k] * log(p[k]) for k in K))
    return y
""",
    ),
    "poincare": Blind(
        "hyperbolic distance: log(s + sqrt(s**2 - 1))",
        0,
        12,
        """
def poincare(u: "D", v: "D"):
    a = 1 - sum(u[d] ** 2 for d in D)
    b = 1 - sum(v[d] ** 2 for d in D)
    s = 1 + 2 * sum((u[d] - v[d]) ** 2 for d in D) / (a * b)
    dist = log(s + sqrt(s ** 2 - 1))
    return dist
""",
    ),
    "power_mean": Blind(
        "generalized mean pooling, by its exponent too",
        2,
        12,
        """
def power_mean(x: "N", p):
    assert x[i] > 0
    assert p > 0
    y = mean(x[i] ** p for i in N) ** (1 / p)
    return y
""",
    ),
    "quaternion": Blind(
        "four scalar outputs that share a root",
        0,
        19,
        """
def quaternion(a, b, c, d):
    n = sqrt(a ** 2 + b ** 2 + c ** 2 + d ** 2)
    p = a / n
    q = b / n
    r = c / n
    s = d / n
    return p, q, r, s
""",
    ),
    "scalar_only": Blind(
        "scalars alone: a root of a quadratic",
        0,
        7,
        """
def scalar_only(a, b, c):
    disc = b ** 2 - 4 * a * c
    root = (-b + sqrt(disc)) / (2 * a)
    return root
""",
    ),
    "scale_norm": Blind(
        "an extent under a root",
        2,
        10,
        """
def scale_norm(x: "N D", g):
    n2[i] = sqrt(sum(x[i, d] ** 2 for d in D))
    y[i, d] = g * sqrt(D) * x[i, d] / n2[i]
    return y
""",
    ),
    "sharpe": Blind(
        "an extent less 1 that is not defined at 1; 252 under a root",
        2,
        3,
        """
def sharpe(r: "T A", w: "A", *, rf=0):
    p[t] = sum(r[t, a] * w[a] for a in A)
    mu = mean(p[t] for t in T)
    s = sqrt(sum((p[t] - mu) ** 2 for t in T) / (T - 1))
    l = -(mu - rf) / s * sqrt(252)
    return l
""",
    ),
    "signed_sqrt": Blind(
        "sign times a root of abs",
        0,
        8,
        """
def signed_sqrt(x: "N", *, eps=1e-8):
    assert eps > 0
    y[i] = sign(x[i]) * (sqrt(abs(x[i]) + eps) - sqrt(eps))
    return y
""",
    ),
    "sinkhorn": Blind(
        "rows, then columns normalized",
        2,
        8,
        """
def sinkhorn(x: "N M"):
    e[i, j] = exp(x[i, j])
    r[i] = sum(e[i, j] for j in M)
    a[i, j] = e[i, j] / r[i]
    c[j] = sum(a[i, j] for i in N)
    p[i, j] = a[i, j] / c[j]
    return p
""",
    ),
    "siren": Blind(
        "a sine of a contraction",
        5,
        10,
        """
def siren(x: "N D", w: "H D", b: "H", *, omega0=30):
    y[n, h] = sin(omega0 * (sum(w[h, d] * x[n, d] for d in D) + b[h]))
    return y
""",
    ),
    "skewness": Blind(
        "the third moment",
        0,
        9,
        """
def skewness(x: "N", *, eps=1e-8):
    assert eps > 0
    mu = mean(x[i] for i in N)
    m2 = mean((x[i] - mu) ** 2 for i in N)
    g = mean(((x[i] - mu) / sqrt(m2 + eps)) ** 3 for i in N)
    return g
""",
    ),
    "smooth_threshold": Blind(
        "soft thresholding: where inside where",
        1,
        13,
        """
def smooth_threshold(x: "N", tau):
    y[i] = where(x[i] > tau, x[i] - tau, where(x[i] < -tau, x[i] + tau, 0))
    return y
""",
    ),
    "soft_argmax": Blind(
        "softmax in one line, then a contraction with a constant",
        0,
        3,
        """
def soft_argmax(x: "K", *, pos: "K"):
    p[k] = exp(x[k]) / sum(exp(x[l]) for l in K)
    y = sum(pos[k] * p[k] for k in K)
    return y
""",
    ),
    "softplus": Blind(
        "log1p(exp(u)), which gives exp back",
        1,
        11,
        """
def softplus(x: "N", beta):
    y[i] = log1p(exp(beta * x[i])) / beta
    return y
""",
    ),
    "softsign": Blind(
        "abs in a denominator",
        0,
        4,
        """
def softsign(x: "N"):
    y[i] = x[i] / (1 + abs(x[i]))
    return y
""",
    ),
    "straight_through": Blind(
        "a straight-through estimator",
        0,
        0,
        """
def straight_through(x: "N"):
    y[i] = x[i] + stop_gradient(sign(x[i]) - x[i])
    return y
""",
    ),
    "temperature": Blind(
        "softmax by its temperature too",
        3,
        10,
        """
def temperature(x: "K", tau):
    assert tau > 0
    m = max(x[k] for k in K)
    e[k] = exp((x[k] - m) / tau)
    Z = sum(e[k] for k in K)
    p[k] = e[k] / Z
    return p
""",
    ),
    "trimmed": Blind(
        "an indicator as a weight",
        2,
        5,
        """
def trimmed(x: "N", *, c=2.5):
    assert c > 0
    mu = mean(x[i] for i in N)
    s = sqrt(mean((x[i] - mu) ** 2 for i in N))
    w[i] = where(abs(x[i] - mu) <= c * s, 1, 0)
    m = sum(w[i] * x[i] for i in N) / sum(w[i] for i in N)
    y[i] = x[i] - m
    return y
""",
    ),
    "triplet": Blind(
        "two distances under a hinge; inputs p and n",
        0,
        16,
        """
def triplet(a: "N D", p: "N D", n: "N D", *, margin=1):
    dp0[i] = sqrt(sum((a[i, d] - p[i, d]) ** 2 for d in D))
    dn0[i] = sqrt(sum((a[i, d] - n[i, d]) ** 2 for d in D))
    l = mean(relu(dp0[i] - dn0[i] + margin) for i in N)
    return l
""",
    ),
    "two_outputs_norm": Blind(
        "three outputs: a normalized array and its two statistics",
        2,
        9,
        """
def two_outputs_norm(x: "N", gamma, *, eps=1e-5):
    assert eps > 0
    m = mean(x[i] for i in N)
    v = mean((x[i] - m) ** 2 for i in N)
    z[i] = (x[i] - m) / sqrt(v + eps)
    y[i] = gamma * z[i]
    return y, v, m
""",
    ),
    "unbiased_norm": Blind(
        "division by N - 1",
        2,
        10,
        """
def unbiased_norm(x: "N D", gamma: "D", *, eps=1e-5):
    assert eps > 0
    mu[d] = mean(x[n, d] for n in N)
    var[d] = sum((x[n, d] - mu[d]) ** 2 for n in N) / (N - 1)
    y[n, d] = gamma[d] * (x[n, d] - mu[d]) / sqrt(var[d] + eps)
    return y
""",
    ),
    "unused_input": Blind(
        "inputs and an axis that no output reads",
        0,
        2,
        """
def unused_input(x: "N", b: "M", c):
    y[i] = x[i] ** 2
    return y
""",
    ),
    "vae_kl": Blind(
        "two inputs in separate terms",
        0,
        6,
        """
def vae_kl(mu: "N D", logvar: "N D"):
    l = -0.5 * mean(sum(1 + logvar[n, d] - mu[n, d] ** 2 - exp(logvar[n, d]) for d in D) for n in N)
    return l
""",
    ),
    "weight_norm_rows": Blind(
        "a normalized weight in a contraction",
        3,
        4,
        """
def weight_norm_rows(v: "O I", g: "O", x: "N I"):
    n[o] = sqrt(sum(v[o, i] ** 2 for i in I))
    w[o, i] = g[o] * v[o, i] / n[o]
    y[b, o] = sum(w[o, i] * x[b, i] for i in I)
    return y
""",
    ),
    "weighted_center": Blind(
        "a weighted mean, by the weights too",
        1,
        6,
        """
def weighted_center(x: "N", w: "N"):
    W = sum(w[i] for i in N)
    m = sum(w[i] * x[i] for i in N) / W
    y[i] = x[i] - m
    return y
""",
    ),
    "winsor": Blind(
        "a clip with both limits as inputs",
        2,
        32,
        """
def winsor(x: "N", lo, hi):
    y[i] = minimum(maximum(x[i], lo), hi)
    m = mean(y[i] for i in N)
    return m
""",
    ),
}
