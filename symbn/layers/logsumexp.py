"""Logarithm of a sum of exponentials, shifted by the maximum. Blanchard, Higham and Higham, arXiv:1909.03469."""

def logsumexp(x: "N K"):
    m[n] = max(x[n, j] for j in K)
    Z[n] = sum(exp(x[n, j] - m[n]) for j in K)
    y[n] = m[n] + log(Z[n])
    return y
