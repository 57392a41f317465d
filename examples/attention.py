"""Scaled dot-product attention, one head. Vaswani et al., arXiv:1706.03762, equation 1, with the usual shift by the largest logit."""

def attention(q: "T E", k: "S E", v: "S D"):
    l[t, s] = sum(q[t, e]*k[s, e] for e in E)/sqrt(E)
    m[t] = max(l[t, s] for s in S)
    a[t, s] = exp(l[t, s] - m[t])
    z[t] = sum(a[t, s] for s in S)
    p[t, s] = a[t, s]/z[t]
    o[t, d] = sum(p[t, s]*v[s, d] for s in S)
    return o
