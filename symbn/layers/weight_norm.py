"""Weight Normalization, w = g v/|v| for each output. Salimans and Kingma, arXiv:1602.07868, equation 2."""

def weight_norm(v: "O I", g: "O"):
    assert sum(v[o, j] ** 2 for j in I) > 0
    norm[o] = sqrt(sum(v[o, j] ** 2 for j in I))
    vhat[o, i] = v[o, i] / norm[o]
    w[o, i] = g[o] * vhat[o, i]
    return w
