"""Group Normalization; G groups of K channels, S is height times width. Wu and He, arXiv:1803.08494, section 3."""

def groupnorm(x: "N G K S", gamma: "G K", beta: "G K", *, eps=1e-5):
    assert eps > 0
    mu[n, g] = mean(x[n, g, l, t] for l in K for t in S)
    sigma2[n, g] = mean((x[n, g, l, t] - mu[n, g]) ** 2 for l in K for t in S)  # latex: \sigma^2
    xhat[n, g, k, s] = (x[n, g, k, s] - mu[n, g]) / sqrt(sigma2[n, g] + eps)
    y[n, g, k, s] = gamma[g, k] * xhat[n, g, k, s] + beta[g, k]
    return y
