"""Softmax over the last axis, shifted by the maximum. Blanchard, Higham and Higham, arXiv:1909.03469."""

def softmax(x: "N K"):
    m[n] = max(x[n, j] for j in K)
    e[n, k] = exp(x[n, k] - m[n])
    Z[n] = sum(e[n, j] for j in K)
    y[n, k] = e[n, k] / Z[n]
    return y
