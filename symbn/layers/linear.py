"""Affine map of rows, y = x w^T + b. Rumelhart, Hinton and Williams, Nature 323 (1986), 533-536, equation 1."""

def linear(x: "N I", w: "O I", b: "O"):
    y[n, o] = sum(w[o, i] * x[n, i] for i in I) + b[o]
    return y
