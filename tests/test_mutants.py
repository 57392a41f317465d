"""Mutants: wrong rules in the engine and wrong formulas, seeded on purpose. The oracle must catch each one.

An engine mutant replaces one rule by a wrong one, derives small layers with it, and counts as caught when a result fails the verification
or the engine stops with an exception. A formula mutant changes one node of a right result.
"""

from __future__ import annotations

import pkgutil
import sys
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from importlib import import_module

import pytest

import symbn.calculus
from symbn.calculus import adjoint, convert, engine, powers, rewrite, rules, sums, sweeps, terms, trees
from symbn.calculus.terms import ONE, ZERO, Kind, Poly, of_atom
from symbn.expr import Add, Call, Expr, Extent, Index, Mul, Num, Pow, Read, Reduce, add, neg, num, walk
from symbn.language import definition_text, load_layer, parse_layer
from symbn.oracle import verify_derivation

for part in pkgutil.iter_modules(symbn.calculus.__path__):
    import_module(f"symbn.calculus.{part.name}")
MODULES = [module for name, module in sorted(sys.modules.items()) if name.startswith("symbn.calculus.")]


def clear_caches():
    """Nothing that one engine remembers may reach another."""
    terms.clear_pool()
    for module in MODULES:
        for value in vars(module).values():
            if callable(getattr(value, "cache_clear", None)):
                value.cache_clear()


@contextmanager
def engine_with(mutate):
    """The engine with a wrong rule, and nothing remembered; afterwards the atoms of before, which other tests hold, are the atoms again."""
    atoms = dict(terms.Atom._pool)
    clear_caches()
    try:
        with pytest.MonkeyPatch.context() as patch:
            mutate(patch)
            yield
    finally:
        clear_caches()
        terms.Atom._pool.update(atoms)


def everywhere(patch, old, new):
    """Puts `new` for the function `old` in every module of the calculus that has it."""
    for module in MODULES:
        for name, value in list(vars(module).items()):
            if value is old:
                patch.setattr(module, name, new)


# Small layers, each with what some rule is for.
LAYERS = {
    "batchnorm": """
def batchnorm(x: "N", gamma, beta, *, eps=1e-5):
    assert eps > 0
    mu = mean(x[j] for j in N)
    sigma2 = mean((x[j] - mu)**2 for j in N)
    xhat[i] = (x[i] - mu)/sqrt(sigma2 + eps)
    y[i] = gamma*xhat[i] + beta
    return y
""",
    "rms": """
def rms(x: "N", *, eps=1e-5):
    assert eps > 0
    y[i] = x[i]*rsqrt(mean(x[j]**2 for j in N) + eps)
    return y
""",
    "softmax": """
def softmax(x: "N K"):
    e[n, k] = exp(x[n, k])
    Z[n] = sum(e[n, j] for j in K)
    y[n, k] = e[n, k]/Z[n]
    return y
""",
    "kinks": """
def kinks(x: "N", a):
    y[i] = abs(x[i]) + a*relu(x[i]) + maximum(x[i], a) + where(x[i] < a, 3*x[i], x[i])
    return y
""",
    "largest": """
def largest(x: "N"):
    y = max(x[i] for i in N)
    return y
""",
    "detached": """
def detached(x: "N"):
    y[i] = x[i]*stop_gradient(x[i])
    return y
""",
    "smooth": """
def smooth(x: "N", a):
    y[i] = tanh(a*x[i]) + sin(x[i])*cos(x[i]) + log1p(exp(x[i])) + erf(x[i]) + sigmoid(x[i])
    return y
""",
    "square_of_a_sum": """
def square_of_a_sum(x: "N", w: "M N"):
    y = sum(sum(w[m, n]*x[n] for n in N)**2 for m in M)
    return y
""",
    "diagonal": """
def diagonal(p: "N N"):
    y[i] = sum(delta(i, j)*p[i, j]**2 for j in N) + sum(p[j, i]*p[i, j] for j in N)
    return y
""",
    "root_of_a_square": """
def root_of_a_square(x: "N"):
    y[i] = sqrt(x[i]**2)*x[i]
    return y
""",
    "shared": """
def shared(x: "N", b):
    s = sum(b*x[i] + b**3 for i in N)
    y[i] = s*x[i] + b
    return y
""",
    "trace": """
def trace(p: "N N"):
    t[i] = sum(p[i, j] for j in N)
    y[i] = t[i]*sum(p[k, k] for k in N)
    return y
""",
    "powers": """
def powers(x: "N"):
    y[i] = exp(x[i])**3*tanh(x[i])**2
    return y
""",
    "attention": """
def attention(p: "T S", v: "S D"):
    o[t, d] = sum(p[t, s]*v[s, d] for s in S)
    u[t, d] = o[t, d]/sqrt(sum(o[t, e]**2 for e in D) + 1)
    return u
""",
}


def caught(names):
    """The first layer on which something goes wrong, and what."""
    for name in names:
        for mode in ("vjp", "jvp"):
            try:
                found = engine.derive(parse_layer(LAYERS[name]), mode=mode, steps=False)
                verification = verify_derivation(found)
            except Exception as error:
                return f"{name}: {type(error).__name__}: {error}"
            if not verification.ok:
                return f"{name}: {verification.line}"
    return None


def test_the_right_engine_passes_on_every_layer_used_here():
    with engine_with(lambda patch: None):
        assert caught(LAYERS) is None


def smooth_rule(name, wrong):
    """A wrong derivative of one smooth function; `wrong(argument, value, right)`."""

    def mutate(patch):
        right = rules.partial

        def partial(function, args, place):
            found = right(function, args, place)
            return wrong(args[0], terms.func(function, *args), found) if function == name else found

        everywhere(patch, right, partial)

    return mutate


def kink_rule(name, wrong):
    return lambda patch: patch.setitem(rules._KINKED, name, wrong)


def product_rule_without_its_second_term(patch):
    def derivative(poly, seed):
        result = ZERO
        for monomial, coefficient in poly.terms.items():
            for atom, exponent in monomial:
                inner = adjoint._of_atom(atom, seed)
                if inner:
                    rest = Poly({tuple(p for p in monomial if p[0] is not atom): coefficient})
                    result = result + rest * adjoint._lowered(atom, exponent) * inner
                    break
        return result

    everywhere(patch, adjoint.derivative, derivative)


def sum_of_one_is_one(patch):
    patch.setattr(sums, "extent", lambda axis: ONE)


def binders_that_are_not_fresh(patch):
    def open_sum(atom):
        return atom.parts[0], Poly({atom.parts[1]: 1})

    everywhere(patch, sums.open_sum, open_sum)


def delta_sifted_to_the_wrong_index(patch):
    right = sums._sift_delta

    def sift(bound, factors):
        for atom, exponent in factors:
            if atom.kind is Kind.DELTA and exponent > 0 and any(i in bound for i in atom.parts):
                gone = next(i for i in atom.parts if i in bound)
                other = next((i for a, _ in factors for i in a.free if i.axis == gone.axis and i not in atom.parts), None)
                if other is not None:
                    rest = Poly({tuple(p for p in factors if p[0] is not atom): 1})
                    return sums.sum_over(tuple(i for i in bound if i != gone), sums.rename(rest, {gone: other}))
        return right(bound, factors)

    patch.setattr(sums, "_sift_delta", sift)


def delta_dropped_without_sifting(patch):
    def sift(bound, factors):
        for atom, _ in factors:
            if atom.kind is Kind.DELTA and any(i in bound for i in atom.parts):
                return sums.sum_over(bound, Poly({tuple(p for p in factors if p[0] is not atom): 1}))
        return None

    patch.setattr(sums, "_sift_delta", sift)


def moment_rule_without_a_look_at_other_factors(patch):
    """sum(x) = N*mu applied to sum(dy*x) as well."""
    right = rewrite._unify_monomials

    def unify(pattern, target, binding):
        for size in range(len(target) - len(pattern) + 1):
            yield from right(pattern, target[size : size + len(pattern)], binding)

    patch.setattr(rewrite, "_unify_monomials", unify)


def free_index_of_a_rule_bound_by_its_sum(patch):
    patch.setattr(rewrite, "_escapes", lambda binding, bound, images: False)


def root_of_another_degree(patch):
    patch.setitem(convert._REWRITES, "sqrt", lambda u: powers.power(u, Fraction(1, 3)))


def rsqrt_without_its_minus(patch):
    patch.setitem(convert._REWRITES, "rsqrt", lambda u: powers.power(u, Fraction(1, 2)))


def mean_taken_as_sum(patch):
    right = convert._reduction
    patch.setattr(convert, "_reduction", lambda expr: right(Reduce("sum", expr.body, expr.indices) if expr.kind == "mean" else expr))


def power_rule_without_its_factor(patch):
    right = adjoint._lowered

    def lowered(atom, exponent):
        found = right(atom, exponent)
        return found if exponent == 1 else found.scale(1 / Fraction(exponent))

    patch.setattr(adjoint, "_lowered", lowered)


def power_rule_without_lowering(patch):
    patch.setattr(adjoint, "_lowered", lambda atom, exponent: ONE if exponent == 1 else of_atom(atom, exponent).scale(exponent))


def ties_not_divided(patch):
    def extremum(atom, seed):
        _, bound, poly = atom.parts
        fresh = tuple(terms.temporary(index.axis) for index in bound)
        body = sums.rename(poly, dict(zip(bound, fresh, strict=True)))
        return sums.sum_over(fresh, convert.indicator("==", body, of_atom(atom)) * adjoint.derivative(body, seed))

    patch.setattr(adjoint, "_extremum", extremum)


def sign_lost_when_a_definition_is_solved(patch):
    right = rewrite.solve

    def solve(name, value, atom, nonzero):
        with_atom = {m: c for m, c in value.terms.items() if any(a is atom for a, _ in m)}
        flipped = Poly({m: c if m in with_atom else -c for m, c in value.terms.items()})
        return right(name, flipped, atom, nonzero)

    everywhere(patch, right, solve)


def root_of_a_square_without_its_absolute_value(patch):
    everywhere(patch, powers.is_positive, lambda atom: True)


def branches_exchanged(patch):
    right = convert._call

    def call(function, args):
        return right(function, (args[0], args[2], args[1]) if function == "where" else args)

    patch.setattr(convert, "_call", call)


def comparison_turned_round(patch):
    right = convert.indicator
    everywhere(patch, right, lambda operator, left, right_side: right({"<": ">", ">": "<"}.get(operator, operator), left, right_side))


def path_of_the_chain_rule_lost(patch):
    """A second reader of a name counts no more."""
    right = sweeps.Reverse.run

    def run(self, reduce, decide):
        seen = set()
        share = type(self)._share

        def once(definition, name, adjoint_, reduce_):
            found = share(self, definition, name, adjoint_, reduce_)
            if name in seen:
                return ZERO
            seen.add(name)
            return found

        self._share = once
        try:
            return right(self, reduce, decide)
        finally:
            del self._share

    patch.setattr(sweeps.Reverse, "run", run)


def function_taken_for_its_own_square(patch):
    everywhere(patch, terms.is_idempotent, lambda atom: atom.kind in (Kind.DELTA, Kind.FUNC))


def sign_lost_in_writing(patch):
    patch.setattr(trees, "neg", lambda expr: expr)


def every_sum_written_as_a_mean(patch):
    patch.setattr(trees, "_mean_of", lambda axes, monomial: ("mean", monomial))


def binders_that_take_a_letter_in_use(patch):
    def binders(self, axes, taken):
        return tuple(self.letters(axis, ()) for axis in axes)

    patch.setattr(trees.TreeBuilder, "_binders", binders)


def nested_power_of_a_sum_opened_once(patch):
    right = sums._open_nested

    def opened(bound, monomial):
        lowered = tuple((a, 1 if a.kind is Kind.SUM and isinstance(e, int) and e > 1 else e) for a, e in monomial)
        return right(bound, lowered)

    patch.setattr(sums, "_open_nested", opened)


def sums_of_products_always_separated(patch):
    """sum(a*b) taken as sum(a)*sum(b)."""

    def components(bound, factors):
        if len(bound) != 1 or len(factors) != 2:
            return right(bound, factors)
        return [(bound, (pair,)) for pair in factors if sums._touches(pair[0], bound)]

    right = sums._components
    patch.setattr(sums, "_components", components)


MUTANTS = {
    "tanh' = 1 - tanh": (smooth_rule("tanh", lambda u, v, right: ONE - v), ["smooth"]),
    "cos' = sin": (smooth_rule("cos", lambda u, v, right: -right), ["smooth"]),
    "exp' = 1": (smooth_rule("exp", lambda u, v, right: ONE), ["softmax"]),
    "erf' without 2/sqrt(pi)": (smooth_rule("erf", lambda u, v, right: terms.func("exp", -(u * u))), ["smooth"]),
    "log' = log": (smooth_rule("log", lambda u, v, right: v), ["smooth"]),
    "abs' = 1": (kink_rule("abs", lambda u: (ONE,)), ["kinks"]),
    "stop_gradient leaks": (kink_rule("stop_gradient", lambda u: (ONE,)), ["detached"]),
    "maximum gives a tie to the left": (
        kink_rule("maximum", lambda u, v: (convert.indicator(">=", u, v), convert.indicator(">", v, u))),
        ["kinks"],
    ),
    "product rule drops a term": (product_rule_without_its_second_term, ["smooth"]),
    "sum(1) = 1": (sum_of_one_is_one, ["shared", "batchnorm"]),
    "binders not fresh": (binders_that_are_not_fresh, ["square_of_a_sum", "attention"]),
    "delta sifted to the wrong index": (delta_sifted_to_the_wrong_index, ["diagonal", "batchnorm", "attention", "square_of_a_sum"]),
    "delta dropped": (delta_dropped_without_sifting, ["batchnorm"]),
    "moment rule ignores other factors": (moment_rule_without_a_look_at_other_factors, ["batchnorm"]),
    "rule's free index escapes its binder": (free_index_of_a_rule_bound_by_its_sum, ["trace"]),
    "sqrt is a cube root": (root_of_another_degree, ["batchnorm"]),
    "rsqrt is sqrt": (rsqrt_without_its_minus, ["rms"]),
    "mean is sum": (mean_taken_as_sum, ["batchnorm"]),
    "power rule without its factor": (power_rule_without_its_factor, ["batchnorm"]),
    "power rule without lowering": (power_rule_without_lowering, ["batchnorm"]),
    "ties not divided": (ties_not_divided, ["largest"]),
    "sign lost in solving": (sign_lost_when_a_definition_is_solved, ["batchnorm"]),
    "sqrt(x**2) = x": (root_of_a_square_without_its_absolute_value, ["root_of_a_square"]),
    "where's branches exchanged": (branches_exchanged, ["kinks"]),
    "< for >": (comparison_turned_round, ["kinks"]),
    "one path of the chain rule": (path_of_the_chain_rule_lost, ["batchnorm", "shared"]),
    "exp(x)**2 = exp(x)": (function_taken_for_its_own_square, ["powers"]),
    "minus not written": (sign_lost_in_writing, ["batchnorm"]),
    "sums written as means": (every_sum_written_as_a_mean, ["batchnorm"]),
    "a bound letter taken twice": (binders_that_take_a_letter_in_use, ["diagonal", "square_of_a_sum", "softmax", "attention"]),
    "sum(...)**2 opened once": (nested_power_of_a_sum_opened_once, ["square_of_a_sum"]),
    "sum(a*b) = sum(a)*sum(b)": (sums_of_products_always_separated, ["batchnorm"]),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_rule_in_the_engine_is_caught(name):
    mutate, layers = MUTANTS[name]
    with engine_with(mutate):
        assert caught(layers) is not None


def test_after_a_mutant_the_engine_is_right_again():
    with engine_with(mean_taken_as_sum):
        pass
    assert caught(["batchnorm"]) is None


# Formulas.


def variants(expr: Expr):
    """(what was done, the expression with one node changed), over all nodes."""
    yield from at_node(expr)
    for place, child in enumerate(expr.children):
        for what, changed in variants(child):
            yield what, expr.rebuild((*expr.children[:place], changed, *expr.children[place + 1 :]))


def at_node(expr: Expr):
    match expr:
        case Add(terms_):
            for place in range(len(terms_)):
                yield "a term dropped", add(*terms_[:place], *terms_[place + 1 :])
                yield "a sign flipped", add(*terms_[:place], neg(terms_[place]), *terms_[place + 1 :])
        case Mul(factors):
            for place, factor in enumerate(factors):
                if factor != num(-1):
                    yield "a factor dropped", Mul((num(1), *factors[:place], *factors[place + 1 :]))
                else:
                    yield "a minus dropped", Mul((num(1), *factors[:place], *factors[place + 1 :]))
        case Reduce("mean", body, (index,)):
            below = Pow(add(Extent(index.axis), num(-1)), num(-1))
            yield "N - 1 for N", Mul((Reduce("sum", body, (index,)), below))
            yield "sum for mean", Reduce("sum", body, (index,))
        case Reduce("sum", body, (index,)):
            yield "mean for sum", Reduce("mean", body, (index,))
        case Extent():
            yield "N + 1 for N", add(expr, num(1))
        case Call("sqrt", (inner,)):
            yield "the variance for its root", inner
        case Pow(base, Num(value)) if value.denominator == 1 and value > 1:
            yield "a power too low", Pow(base, num(value - 1))
        case Num(value) if value not in (-1, 1):
            yield "another number", num(value + 1)


CATALOGUE = ("batchnorm", "layernorm", "rmsnorm", "softmax", "cosine_similarity", "weight_norm", "cross_entropy", "linear")


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_mutant_of_a_derived_formula_is_refuted(name):
    found = engine.derive(load_layer(name), steps=False)
    count = 0
    for of, gradient in found.gradients.items():
        for what, changed in variants(gradient.definition.expr):
            mutant = replace(gradient, definition=replace(gradient.definition, expr=changed))
            verification = verify_derivation(replace(found, gradients={of: mutant}))
            assert not verification.ok, f"{what}: {definition_text(mutant.definition)}"
            assert verification.failure is not None
            count += 1
    assert count >= 2


def test_a_neighboring_index_is_refuted():
    layer = parse_layer('def f(w: "N N", x: "N"):\n    y[i] = sum(w[i, j]*x[j] for j in N)\n    return y\n')
    found = engine.derive(layer, steps=False)
    gradient = found.gradients["w"]
    assert gradient.definition.expr in (Mul((Read("dy", (Index("i", "N"),)), Read("x", (Index("j", "N"),)))),)
    swapped = Mul((Read("dy", (Index("j", "N"),)), Read("x", (Index("i", "N"),))))
    mutant = replace(gradient, definition=replace(gradient.definition, expr=swapped))
    assert not verify_derivation(replace(found, gradients={"w": mutant})).ok


def test_every_kind_of_formula_mutant_occurs():
    kinds = set()
    for name in (*CATALOGUE, "mse"):
        for gradient in engine.derive(load_layer(name), steps=False).gradients.values():
            kinds |= {what for what, _ in variants(gradient.definition.expr)}
            assert len(list(walk(gradient.definition.expr))) >= 1
    assert {"a term dropped", "a sign flipped", "a factor dropped", "N - 1 for N", "sum for mean", "the variance for its root"} <= kinds
