"""Cross entropy of softmax with target distributions, mean over the batch. Bishop, Pattern Recognition (2006), section 4.3.4."""

def cross_entropy(x: "N K", *, t: "N K"):
    assert t[n, k] >= 0
    assert sum(t[n, k] for k in K) == 1
    m[n] = max(x[n, j] for j in K)
    e[n, k] = exp(x[n, k] - m[n])
    Z[n] = sum(e[n, j] for j in K)
    p[n, k] = e[n, k] / Z[n]
    logp[n, k] = x[n, k] - m[n] - log(Z[n])  # latex: \ell
    loss = -mean(sum(t[n, k] * logp[n, k] for k in K) for n in N)
    return loss
