"""Expressions in NumPy's and PyTorch's spellings, for tests/test_numpy_reader.py: what each is read as is held against what NumPy computes.

Names: x and v are (N, C), w is (C,), z is (N,), p and q are (N, N), u is (N, C, S), a and b are scalars. All values are positive.
"""

EXACT = """
x + w
w + x
x - z[:, None]
z[:, None] - x
x*w - 2*x/3 + 0.5
-x
+x
a*x + b
x/w
1/x
1./x**2
x**3
x**-2
2**3*x
(x + w)**2
x*(v + 1)*(w - 1)
x - (v - w)
x/(v/w)
x*3*4/8
1e-3*x
x.T + v.T
z + x.T
p + p.T
p - z
p - z[:, None]
p*p.T
p.T @ q
x[None] + u[..., 0:1, None][..., 0].sum() if False else x[None]
x[:, None, :]
x[..., None]
x[None, ..., None]
w[np.newaxis, :] * x
z[:, np.newaxis] * x
u + x[:, :, None]
u * w[None, :, None]
u - z[:, None, None]
np.sum(x)
x.sum()
np.sum(x, axis=0)
np.sum(x, 0)
np.sum(x, axis=1)
np.sum(x, axis=-1)
np.sum(x, axis=(0, 1))
np.sum(u, axis=(0, 2))
np.sum(u, axis=(0, -1), keepdims=True)
np.sum(u, axis=tuple(range(1, u.ndim)))
np.sum(x, axis=1, keepdims=True)
x.sum(axis=0, keepdims=True)
x.sum(1)
x.sum(axis=None)
np.sum(x, axis=1, keepdims=False)
np.sum(np.sum(u, axis=2), axis=0)
x.mean()
x.mean(0)
np.mean(x, axis=1)
np.mean(u, axis=(0, 2), keepdims=True)
u - u.mean(axis=(0, 2), keepdims=True)
x - x.mean(0)
x - x.mean(1, keepdims=True)
x - x.mean(1)[:, None]
(x - x.mean(0)) * (v - v.mean(0))
x.var(0)
np.var(x, axis=1)
np.var(x, axis=1, keepdims=True)
np.var(x, axis=0, ddof=1)
x.var(axis=1, ddof=1, keepdims=True)
np.var(x)
np.var(u, axis=(0, 2))
np.max(x, axis=0)
x.max()
np.amax(x, axis=1, keepdims=True)
np.min(x, axis=0)
np.amin(x, axis=(0, 1))
x - x.max(axis=1, keepdims=True)
np.square(x)
np.abs(x - w)
np.absolute(x - 1)
np.fabs(x - 1)
abs(x - w)
np.sign(x - w)
np.maximum(x, w)
np.maximum(x - 1, 0)
np.minimum(x, z[:, None])
np.fmax(x, v)
np.where(x > 1, x, 0)
np.where(x > w, v, -x)
np.where(z[:, None] >= x, x, w)
np.where((x > 1) & (v > 1), x, v)
np.where((x > 1) | (v > 1), x, v)
np.where(~(x > 1), x, v)
(x > 1) * v
(x != v) + 0
(x < 1).sum(0)
(x <= 1).mean()
(x > 1).astype(int) * x
np.clip(x, 0.5, 1.5)
np.clip(x, a, 2)
np.clip(x, None, w)
x.clip(0.5, 1.5)
np.power(x, 2)
pow(x, 2)
np.reciprocal(x)
np.negative(x)
np.add(x, w)
np.subtract(x, w)
np.multiply(x, w)
np.divide(x, w)
np.true_divide(x, w)
np.positive(x)
np.einsum("nc,nc->n", x, v)
np.einsum("nc,nc->c", x, v)
np.einsum("nc,nc", x, v)
np.einsum("nc,c", x, w)
np.einsum("nc,c->nc", x, w)
np.einsum("nc->cn", x)
np.einsum("nc->", x)
np.einsum("ba", x)
np.einsum("ii", p)
np.einsum("ii->i", p)
np.einsum("ij,jk->ik", p, q)
np.einsum("ij,kj->ki", p, q)
np.einsum("ncs,nc,c->ns", u, x, w)
np.einsum("...c,...c->...", x, v)
np.einsum("...c,c", x, w)
np.einsum("n...,n->...", u, z)
np.einsum("...,...", x, v)
np.einsum("...s,...->...", u, x)
np.einsum("...,c...->c...", a, x)
np.greater(x, 1) * v
np.where(np.less_equal(x, w), x, v)
np.einsum("i,j->ij", z, w)
np.einsum("i , j -> ij", z, w)
np.dot(x, w)
np.dot(z, x)
np.dot(z, z)
np.dot(a, x)
np.dot(p, q)
np.dot(u.transpose(0, 2, 1), w)
x.dot(w)
x.T.dot(z)
x @ w
z @ x
z @ z
p @ q
p @ q @ p
x.T @ v
x @ v.T
x.T @ x
p @ p
p @ p.T
u.transpose(0, 2, 1) @ x[:, :, None]
x[:, None, :] @ u
u.swapaxes(1, 2) @ u
w @ u
u.transpose(0, 2, 1) @ w
np.matmul(x, w)
np.matmul(p, x)
np.outer(z, w)
np.outer(z, z)
np.inner(x, w)
np.inner(x, v)
np.inner(z, z)
np.vdot(z, z)
np.ones_like(x) * w
np.zeros_like(x) + w
np.ones(x.shape) * w
np.ones((len(x), x.shape[1])) * z[:, None]
np.zeros((x.shape[0], 1)) + x
np.ones(len(z)) * z
np.full(x.shape, 3) * v
np.full_like(x, a) * v
np.full_like(x, a)
np.ones_like(x)
np.eye(len(z)) * p
np.eye(x.shape[0])
np.eye(len(z)) - np.outer(z, z)
np.identity(len(z)) @ x
np.diag(z)
np.diag(z) @ x
np.diag(z) - np.outer(z, z)
np.diag(p)
np.diagonal(p)
np.trace(p)
np.trace(p @ q.T)
np.transpose(x)
np.transpose(u, (2, 0, 1))
u.transpose(2, 0, 1)
u.transpose((2, 0, 1)).sum(1)
u.T
x.transpose()
x.swapaxes(0, 1)
np.swapaxes(u, 0, 2)
np.moveaxis(u, 0, -1)
np.moveaxis(u, 2, 0)
z.reshape(-1, 1) * x
z.reshape((-1, 1)) * x
w.reshape(1, -1) * x
w.reshape(1, -1, 1) * u
z.reshape(-1)
z.reshape(1, -1, 1)
z.reshape(len(z), 1) * x
z.reshape(x.shape[0], -1) * x
x.reshape(x.shape) + v
np.reshape(z, (-1, 1)) * x
x.sum(0, keepdims=True).reshape(-1)
x.sum(0, keepdims=True).ravel()
z.ravel()
z.flatten()
x.sum(1, keepdims=True).squeeze()
x.sum(1, keepdims=True).squeeze(1)
x.sum(1, keepdims=True).squeeze(-1)
np.squeeze(x.sum(0, keepdims=True), axis=0)
x.sum(1, keepdims=True)[:, 0]
x.sum(0, keepdims=True)[0]
np.expand_dims(z, 1) * x
np.expand_dims(z, -1) * x
np.expand_dims(z, axis=(0, 2))
np.broadcast_to(w, x.shape)
np.broadcast_to(z[:, None], x.shape).sum(1)
np.broadcast_to(a, x.shape)
np.tile(w, (len(x), 1))
np.tile(z[:, None], (1, x.shape[1]))
x / x.shape[0]
x / len(x)
x / x.size
x.shape[-1] * x
x / (x.shape[0] - 1)
x / np.prod(x.shape)
u / np.prod(u.shape[1:])
u.size / u.shape[0]
x * u.ndim
x.astype(np.float64) * 2
x.astype("float64")
np.asarray(x) * w
np.array(x)
x.copy()
float(2) * x
x * np.float64(0.5)
np.sum(x * v, axis=0) / x.shape[0]
sum(z)
max(z)
max(a, b)
min(a, 2)
sum(z * z) ** 2
np.sum(x, axis=0, dtype=np.float64)
np.average(x, axis=0)
x[:, :] * v[:]
x[...] * v
x[:] @ w[:]
""".strip().splitlines()
EXACT = [text for text in EXACT if " if False" not in text]

FLOAT = """
np.sqrt(x)
x**0.5
x**-0.5
x**(-3/2)
x**(1/2)
x**a
2**x
np.power(x, w)
np.float_power(x, 2)
1/np.sqrt(x.var(0) + 1e-5)
np.exp(x)
np.log(x)
np.log1p(x)
np.log2(x)
np.log10(x)
np.exp2(x)
np.sinh(x)
np.cosh(x)
np.expm1(x)
np.tanh(x)
np.sin(x)
np.cos(x)
np.std(x, axis=0)
x.std(1, keepdims=True)
x.std(ddof=1)
np.linalg.norm(x, axis=1)
np.linalg.norm(x, axis=1, keepdims=True)
np.linalg.norm(z)
np.linalg.norm(z, 2)
np.sqrt(np.sum(x**2, axis=1, keepdims=True))
np.exp(x - x.max(axis=1, keepdims=True)) / np.exp(x - x.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True)
np.log(np.sum(np.exp(x), axis=-1))
1/(1 + np.exp(-x))
np.pi * x
math.pi * x
np.e * x
math.sqrt(2) * x
np.einsum("nc,c->n", np.exp(x), np.sqrt(w))
np.exp(x) @ np.log(w)
""".strip().splitlines()

# A text in PyTorch's or JAX's spelling, and the same in NumPy's.
PAIRS = {
    "torch.sum(x, dim=-1)": "np.sum(x, axis=-1)",
    "torch.sum(x, -1, True)": "np.sum(x, axis=-1, keepdims=True)",
    "x.sum(0, keepdim=True)": "x.sum(0, keepdims=True)",
    "u.sum((0, 2))": "u.sum((0, 2))",
    "u.sum([0, 2])": "u.sum((0, 2))",
    "x.mean(dim=1, keepdim=True)": "x.mean(1, keepdims=True)",
    "x.mean(-1, keepdim=True)": "x.mean(1, keepdims=True)",
    "torch.mean(x)": "x.mean()",
    "x.var(dim=0)": "x.var(0, ddof=1)",
    "x.var(dim=0, unbiased=False)": "x.var(0)",
    "x.var(-1, False)*torch.ones(1)": "x.var(-1)",
    "x.var(-1, unbiased=False, keepdim=True)": "x.var(-1, keepdims=True)",
    "torch.var(x, dim=1, correction=0)": "x.var(1)",
    "torch.var(x, 1)": "x.var(1, ddof=1)",
    "x.std(dim=1)": "x.std(1, ddof=1)",
    "torch.std(x, dim=1, unbiased=False)": "x.std(1)",
    "(x.var(dim=1, unbiased=False) + 1e-5).rsqrt()": "1/np.sqrt(x.var(1) + 1e-5)",
    "torch.rsqrt(x)": "1/np.sqrt(x)",
    "jax.lax.rsqrt(x)": "1/np.sqrt(x)",
    "x.pow(2).mean(-1, keepdim=True)": "(x**2).mean(-1, keepdims=True)",
    "torch.pow(x, 3)": "x**3",
    "x.square().sum(dim=0)": "(x**2).sum(0)",
    "x.exp() * x.log() + x.sqrt() - x.tanh()": "np.exp(x)*np.log(x) + np.sqrt(x) - np.tanh(x)",
    "x.sub(v).mul(w).div(2).add(1)": "(x - v)*w/2 + 1",
    "torch.add(x, v, alpha=2)": "x + 2*v",
    "x.neg().abs()": "np.abs(-x)",
    "x.reciprocal()": "1/x",
    "torch.sigmoid(x)": "1/(1 + np.exp(-x))",
    "x.sigmoid()": "1/(1 + np.exp(-x))",
    "jax.nn.sigmoid(x)": "1/(1 + np.exp(-x))",
    "scipy.special.expit(x)": "1/(1 + np.exp(-x))",
    "F.relu(x - 1)": "np.maximum(x - 1, 0)",
    "torch.relu(x - 1)": "np.maximum(x - 1, 0)",
    "F.silu(x)": "x/(1 + np.exp(-x))",
    "F.softplus(x)": "np.log1p(np.exp(x))",
    "F.gelu(z)": "z/2*(1 + np.array([math.erf(e/math.sqrt(2)) for e in z]))",
    "torch.einsum('...c,...c->...', x, v)": "np.sum(x*v, axis=1)",
    "torch.where(x.gt(1), x, v)": "np.where(x > 1, x, v)",
    "torch.where(torch.le(x, 1), x, v)": "np.where(x <= 1, x, v)",
    "tf.reduce_sum(x, axis=0, keepdims=True)": "np.sum(x, axis=0, keepdims=True)",
    "tf.reduce_mean(tf.square(x), axis=[0, 1])": "np.mean(x**2)",
    "tf.reduce_max(x, 1) - tf.reduce_logsumexp(x, 1)": "np.max(x, 1) - np.log(np.exp(x).sum(1))",
    "tf.nn.moments(x, [0])[1]": "np.var(x, axis=0)",
    "tf.nn.moments(x, axes=[0], keepdims=True)[0]": "np.mean(x, axis=0, keepdims=True)",
    "tf.transpose(u, perm=[2, 0, 1])": "np.transpose(u, (2, 0, 1))",
    "tf.math.rsqrt(tf.cast(x, tf.float64))": "1/np.sqrt(x)",
    "F.softmax(x, dim=-1)": "np.exp(x)/np.exp(x).sum(-1, keepdims=True)",
    "x.softmax(-1)": "np.exp(x)/np.exp(x).sum(-1, keepdims=True)",
    "torch.softmax(x, 0)": "np.exp(x)/np.exp(x).sum(0)",
    "jax.nn.softmax(x, axis=1)": "np.exp(x)/np.exp(x).sum(1, keepdims=True)",
    "F.log_softmax(x, dim=1)": "x - np.log(np.exp(x).sum(1, keepdims=True))",
    "torch.logsumexp(x, dim=1)": "np.log(np.exp(x).sum(1))",
    "scipy.special.logsumexp(x, axis=1, keepdims=True)": "np.log(np.exp(x).sum(1, keepdims=True))",
    "torch.clamp(x, min=0.5)": "np.maximum(x, 0.5)",
    "x.clamp(0.5, 1.5)": "np.clip(x, 0.5, 1.5)",
    "x.clamp(max=1.5)": "np.minimum(x, 1.5)",
    "jnp.clip(x, 0.5, 1.5)": "np.clip(x, 0.5, 1.5)",
    "torch.where(x > 1, x, torch.zeros_like(x))": "np.where(x > 1, x, 0)",
    "torch.max(x, v)": "np.maximum(x, v)",
    "torch.maximum(x, v)": "np.maximum(x, v)",
    "torch.amax(x, dim=1, keepdim=True)": "x.max(1, keepdims=True)",
    "x.max(dim=1, keepdim=True)[0]": "x.max(1, keepdims=True)",
    "x.max(dim=1, keepdim=True).values": "x.max(1, keepdims=True)",
    "torch.min(x, dim=0)[0]": "x.min(0)",
    "torch.max(x)": "x.max()",
    "z.unsqueeze(1) * x": "z[:, None]*x",
    "z.unsqueeze(-1) * x": "z[:, None]*x",
    "w.unsqueeze(0) * x": "w*x",
    "x.sum(dim=1, keepdim=True).squeeze(-1)": "x.sum(1)",
    "w.view(1, -1, 1) * u": "w[None, :, None]*u",
    "w.view(1, -1).expand(x.shape[0], -1)": "np.broadcast_to(w, x.shape)",
    "w.expand_as(x)": "np.broadcast_to(w, x.shape)",
    "w.expand(x.size(0), x.size(1))": "np.broadcast_to(w, x.shape)",
    "z.unsqueeze(1).repeat(1, x.size(1))*torch.ones(1)": "np.broadcast_to(z[:, None], x.shape)",
    "x.t() @ v": "x.T @ v",
    "torch.mm(x.t(), v)": "x.T @ v",
    "torch.mv(x, w)": "x @ w",
    "torch.matmul(x, w)": "x @ w",
    "torch.dot(z, z)": "z @ z",
    "torch.outer(z, w)": "np.outer(z, w)",
    "u.mT @ u": "u.swapaxes(1, 2) @ u",
    "torch.bmm(u.transpose(1, 2), u)": "u.swapaxes(1, 2) @ u",
    "torch.transpose(x, 0, 1)": "x.T",
    "u.transpose(0, 2)*torch.ones(1)": "u.transpose(2, 1, 0)",
    "u.permute(2, 0, 1)": "u.transpose(2, 0, 1)",
    "torch.einsum('nc,nc->n', x, v)": "np.sum(x*v, axis=1)",
    "jnp.einsum('nc,nc->n', x, v)": "np.sum(x*v, axis=1)",
    "torch.eye(x.shape[0]) * p": "np.eye(3)*p",
    "torch.diag(z)": "np.diag(z)",
    "torch.ones(x.size(0), x.size(1))*z.unsqueeze(1)": "np.ones((3, 4))*z[:, None]",
    "x.norm(dim=1, keepdim=True)": "np.linalg.norm(x, axis=1, keepdims=True)",
    "x.norm(2, dim=1)": "np.linalg.norm(x, axis=1)",
    "torch.linalg.norm(x, dim=1)": "np.linalg.norm(x, axis=1)",
    "x / x.numel()": "x/12",
    "x / x.size(1)": "x/4",
    "x * x.dim()": "2*x",
    "x.float().detach() * w.double()": "x*w",
    "torch.tensor(2.0) * x": "2*x",
    "x.to(torch.float32) + 0": "x",
    "a.item() * x": "a*x" ,
    "torch.erf(z)": "np.array([math.erf(e) for e in z])",
    "jnp.sum(x, axis=0, keepdims=True)": "np.sum(x, axis=0, keepdims=True)",
    "jax.numpy.mean(x)": "np.mean(x)",
    "jnp.var(x, axis=0)": "np.var(x, axis=0)",
}
