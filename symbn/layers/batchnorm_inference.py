"""Batch Normalization with given statistics, as at inference. Ioffe and Szegedy, arXiv:1502.03167, Algorithm 2."""

def batchnorm_inference(x: "N C S", gamma: "C", beta: "C", *, mu: "C", sigma2: "C", eps=1e-5):
    assert eps > 0
    assert sigma2[c] >= 0
    xhat[n, c, s] = (x[n, c, s] - mu[c]) / sqrt(sigma2[c] + eps)
    y[n, c, s] = gamma[c] * xhat[n, c, s] + beta[c]
    return y
