"""What `import symbn` offers.

In: a layer by name, path, or source text.  Out: layers, results that show themselves, and kernels that run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from symbn import language
from symbn.calculus.derivation import Derivation, Gradient, Step
from symbn.layer import SHOWS, Layer

if TYPE_CHECKING:
    from symbn.language import LatexNames
    from symbn.oracle import Verification
    from symbn.proof import Verdict
    from symbn.tools.kernel import Kernel


@dataclass(frozen=True, slots=True)
class Formula:
    """One derivative, `name[indices] = ...`, in the layer's names.

    `reductions` counts the sums that the forward pass has not saved, `operations` the arithmetic per element once everything without an
    index is hoisted.
    """

    gradient: Gradient
    typeset: LatexNames

    @property
    def name(self) -> str:
        """Such as `dx`."""
        return self.gradient.definition.name

    @property
    def indices(self) -> tuple[str, ...]:
        """Such as `("i",)`."""
        return tuple(index.name for index in self.gradient.definition.indices)

    @property
    def reductions(self) -> int:
        """How many sums the formula takes."""
        return self.gradient.reductions

    @property
    def operations(self) -> int:
        """How much arithmetic per element."""
        return self.gradient.operations

    @property
    def expr(self) -> Any:
        """The right side as plain SymPy: `Indexed`, `Sum` over `(k, 1, N)`, `KroneckerDelta`."""
        from symbn.calculus.to_sympy import to_sympy

        return to_sympy(self.gradient.definition.expr)

    @property
    def text(self) -> str:
        """The equation in the layer language."""
        return language.definition_text(self.gradient.definition)

    @property
    def latex(self) -> str:
        """The equation in LaTeX, for use inside math."""
        return language.definition_latex(self.gradient.definition, self.typeset)

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return language.definition_mathml(self.gradient.definition, self.typeset)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"


@dataclass(frozen=True, slots=True)
class Result:
    """The derivatives of a layer. `derivation` is the engine's own record, with expression trees."""

    derivation: Derivation

    @property
    def layer(self) -> Layer:
        """The layer that was differentiated."""
        return self.derivation.layer

    @property
    def gradients(self) -> Mapping[str, Formula]:
        """By input (vjp), output (jvp), or "output/input" (jacobian)."""
        typeset = self.derivation.typeset
        return MappingProxyType({of: Formula(gradient, typeset) for of, gradient in self.derivation.gradients.items()})

    @property
    def steps(self) -> tuple[Step, ...]:
        """The derivation that a reader follows: label, equation, latex, reason."""
        return self.derivation.steps

    @property
    def residuals(self) -> tuple[str, ...]:
        """The forward values that the results read."""
        return self.derivation.residuals

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user of the result should know."""
        return self.derivation.notes

    def verify(self) -> Verification:
        """Holds the result against the oracle, which shares nothing with the engine."""
        from symbn.oracle import verify_derivation

        return verify_derivation(self.derivation)

    def __str__(self) -> str:
        return "\n".join(language.definition_text(definition) for definition in self.derivation.formulas)

    def _repr_html_(self) -> str:
        from symbn.report.notebook import derivation_html

        return derivation_html(self.derivation)

    def _repr_latex_(self) -> str:
        from symbn.report.notebook import equations_latex

        return equations_latex(self.derivation.formulas, self.derivation.typeset)


def _layer_html(layer: Layer) -> str:
    from symbn.report.notebook import layer_html

    return layer_html(layer)


def _layer_latex(layer: Layer) -> str:
    from symbn.report.notebook import equations_latex

    return equations_latex(layer.definitions, layer)


SHOWS.update(html=_layer_html, latex=_layer_latex)


def load(spec: str) -> Layer:
    """The layer that `spec` names: a name in the catalogue, `file.py`, `file.py:function`, or `-` for standard input.

    Raises LayerError, which says where and what to write instead.
    """
    return language.load_layer(spec)


def loads(text: str) -> Layer:
    """The layer that a source text defines. Raises LayerError."""
    return language.parse_layer(text)


def from_sympy(
    name: str,
    definitions: Iterable[Any] | Mapping[Any, Any],
    *,
    inputs: Any = None,
    constants: Any = None,
    outputs: Any = None,
    assumptions: Iterable[Any] = (),
) -> Layer:
    """The layer that SymPy equations define: `Eq(xhat[i], (x[i] - mu)/sqrt(s2 + eps))`, sums as `Sum(..., (j, 1, N))`.

    `inputs` and `constants` are symbols, IndexedBases or names, or a mapping from these to axes, `{"x": "N C"}`, or for a constant to its
    default, `{"eps": 1e-5}`. Without `inputs`, every symbol that is no constant and has no equation is one. `outputs` is the last equation
    when None. Raises LayerError.
    """
    from symbn.language.from_sympy import from_sympy as run

    return run(name, definitions, inputs=inputs, constants=constants, outputs=outputs, assumptions=assumptions)


def derive(
    layer: Layer | str,
    *,
    wrt: str | Iterable[str] | None = None,
    mode: str = "vjp",
    order: int = 1,
    save: Iterable[str] | None = None,
    steps: bool = True,
) -> Result:
    """Derives a layer: its backward pass ("vjp"), its forward derivative ("jvp"), or every partial derivative ("jacobian").

    `layer` may also be what `load` takes. `wrt` restricts the inputs, `save` the forward values that the result may read. Without `steps`
    the explanation is left out, which saves time. Raises LayerError for an input that is not there, UnsupportedError for what has no rule
    yet.
    """
    from symbn.calculus.engine import derive as run

    names = (wrt,) if isinstance(wrt, str) else None if wrt is None else tuple(wrt)
    source = load(layer) if isinstance(layer, str) else layer
    return Result(run(source, wrt=names, mode=mode, order=order, save=None if save is None else tuple(save), steps=steps))


def check(
    layer: Layer | str,
    equation: str,
    *,
    numpy: bool = False,
    latex: bool = False,
    lets: Mapping[str, str] | None = None,
    assume: str | Iterable[str] = (),
) -> Verdict:
    """Decides an equation about a layer for every extent and all values: `dx[i] = ...`, `mean(xhat[j] for j in N) == 0`.

    It may read the layer's names and those of its derivatives. With `numpy` it is a NumPy or PyTorch expression or function body, with
    `latex` a formula as papers print it; `lets` maps their names to the layer's. `assume` are further assumptions. Nothing is run.
    Raises EquationError, with its place, for what cannot be read.
    """
    from symbn.proof import check as run

    if numpy and latex:
        raise ValueError("an equation is NumPy or LaTeX, not both")
    form = "numpy" if numpy else "latex" if latex else "text"
    claims = (assume,) if isinstance(assume, str) else tuple(assume)
    return run(load(layer) if isinstance(layer, str) else layer, equation, form=form, lets=lets, assume=claims)


def build(
    layer: Layer | str,
    *,
    target: str = "c",
    dtype: str = "float32",
    threads: int | None = None,
    wrt: str | Iterable[str] | None = None,
    mode: str = "vjp",
    order: int = 1,
    save: Iterable[str] | None = None,
) -> Kernel:
    """Generates a layer's code, compiles it where the target needs that, and loads it.

    `wrt`, `mode`, `order` and `save` are those of `derive`, and say what the kernel's methods are: `forward` and `backward`, or `jvp` or
    `jacobian` in place of the latter; with order 2 `backward` and `double_backward`. Raises TargetError where there is no such target or
    no compiler, and what `derive` raises.
    """
    from symbn.tools.build import build as run

    derivation = derive(layer, wrt=wrt, mode=mode, order=order, save=save, steps=False).derivation
    return run(derivation, target=target, dtype=dtype, threads=threads)
