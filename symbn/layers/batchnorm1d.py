"""Batch Normalization over a batch of feature vectors, one statistic a feature. Ioffe and Szegedy, arXiv:1502.03167, Algorithm 1."""

def batchnorm1d(x: "N C", gamma: "C", beta: "C", *, eps=1e-5):
    assert eps > 0
    mu[c] = mean(x[j, c] for j in N)
    sigma2[c] = mean((x[j, c] - mu[c]) ** 2 for j in N)  # latex: \sigma^2
    xhat[i, c] = (x[i, c] - mu[c]) / sqrt(sigma2[c] + eps)
    y[i, c] = gamma[c] * xhat[i, c] + beta[c]
    return y
