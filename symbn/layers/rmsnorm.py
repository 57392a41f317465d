"""Root Mean Square Layer Normalization. Zhang and Sennrich, arXiv:1910.07467, section 4."""

def rmsnorm(x: "N D", gamma: "D", *, eps=1e-5):
    assert eps > 0
    ms[n] = mean(x[n, j] ** 2 for j in D)
    xhat[n, d] = x[n, d] / sqrt(ms[n] + eps)
    y[n, d] = gamma[d] * xhat[n, d]
    return y
