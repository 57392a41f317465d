"""Weight Standardization of a layer's weights, one statistic an output. Qiao et al., arXiv:1903.10520."""

def weight_standardization(w: "O I", *, eps=1e-5):
    assert eps > 0
    mu[o] = mean(w[o, j] for j in I)
    sigma2[o] = mean((w[o, j] - mu[o]) ** 2 for j in I)  # latex: \sigma^2
    what[o, i] = (w[o, i] - mu[o]) / sqrt(sigma2[o] + eps)
    return what
