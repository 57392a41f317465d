"""Batch Normalization of images, one statistic a channel; S is height times width. Ioffe and Szegedy, arXiv:1502.03167, section 3.2."""

def batchnorm2d(x: "N C S", gamma: "C", beta: "C", *, eps=1e-5):
    assert eps > 0
    mu[c] = mean(x[m, c, t] for m in N for t in S)
    sigma2[c] = mean((x[m, c, t] - mu[c]) ** 2 for m in N for t in S)  # latex: \sigma^2
    xhat[n, c, s] = (x[n, c, s] - mu[c]) / sqrt(sigma2[c] + eps)
    y[n, c, s] = gamma[c] * xhat[n, c, s] + beta[c]
    return y
