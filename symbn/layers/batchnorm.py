"""Batch Normalization over one feature. Ioffe and Szegedy, arXiv:1502.03167, Algorithm 1."""

def batchnorm(x: "N", gamma, beta, *, eps=1e-5):
    assert eps > 0
    mu = mean(x[j] for j in N)
    sigma2 = mean((x[j] - mu) ** 2 for j in N)          # latex: \sigma^2
    xhat[i] = (x[i] - mu) / sqrt(sigma2 + eps)
    y[i] = gamma * xhat[i] + beta
    return y
