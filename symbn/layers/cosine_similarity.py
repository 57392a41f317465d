"""Cosine of the angle between two rows, with a floor under the squared lengths. Luo et al., arXiv:1702.05870.

PyTorch takes max(|u|, eps) instead, which has no derivative where the length is eps, and none at 0.
"""

def cosine_similarity(u: "N D", v: "N D", *, eps=1e-8):
    assert eps > 0
    norm_u[n] = sqrt(sum(u[n, j] ** 2 for j in D) + eps)  # latex: \lVert u \rVert
    norm_v[n] = sqrt(sum(v[n, j] ** 2 for j in D) + eps)  # latex: \lVert v \rVert
    y[n] = sum(u[n, d] * v[n, d] for d in D) / (norm_u[n] * norm_v[n])
    return y
