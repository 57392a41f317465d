"""Mean squared error against a target. Bishop, Pattern Recognition (2006), section 1.1."""

def mse(x: "N D", *, t: "N D"):
    loss = mean((x[n, d] - t[n, d]) ** 2 for n in N for d in D)
    return loss
