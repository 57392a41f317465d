"""Layer Normalization over the last axis. Ba, Kiros and Hinton, arXiv:1607.06450, section 3."""

def layernorm(x: "N D", gamma: "D", beta: "D", *, eps=1e-5):
    assert eps > 0
    mu[n] = mean(x[n, j] for j in D)
    sigma2[n] = mean((x[n, j] - mu[n]) ** 2 for j in D)  # latex: \sigma^2
    xhat[n, d] = (x[n, d] - mu[n]) / sqrt(sigma2[n] + eps)
    y[n, d] = gamma[d] * xhat[n, d] + beta[d]
    return y
