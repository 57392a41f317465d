"""Instance Normalization, one statistic an image and channel; S is height times width. Ulyanov, Vedaldi and Lempitsky, arXiv:1607.08022."""

def instancenorm(x: "N C S", gamma: "C", beta: "C", *, eps=1e-5):
    assert eps > 0
    mu[n, c] = mean(x[n, c, t] for t in S)
    sigma2[n, c] = mean((x[n, c, t] - mu[n, c]) ** 2 for t in S)  # latex: \sigma^2
    xhat[n, c, s] = (x[n, c, s] - mu[n, c]) / sqrt(sigma2[n, c] + eps)
    y[n, c, s] = gamma[c] * xhat[n, c, s] + beta[c]
    return y
