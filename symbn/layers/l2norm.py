"""Scaling to unit length with a floor under the root. Wang et al., NormFace, arXiv:1704.06369."""

def l2norm(x: "N D", *, eps=1e-12):
    assert eps > 0
    norm[n] = sqrt(sum(x[n, j] ** 2 for j in D) + eps)
    y[n, d] = x[n, d] / norm[n]
    return y
