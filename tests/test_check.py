"""`symbn check`: verdicts on equations about layers."""

from __future__ import annotations

from pathlib import Path

import pytest

import symbn
from symbn import catalogue, proof
from symbn.calculus.work import limited
from symbn.cli import main

FORM = "dx[i] = gamma/sqrt(sigma2 + eps)*(dy[i] - mean(dy[k] for k in N) - xhat[i]*{})"
TRUE = FORM.format("mean(dy[k]*xhat[k] for k in N)")

ACTIVATIONS = """
def act(x: "N"):
    y[i] = x[i]*sigmoid(x[i])
    z[i] = tanh(x[i])
    w[i] = abs(x[i]) + relu(x[i])
    s = sum(1/(exp(x[j])*(1 + exp(x[j]))) for j in N)
    return y, z, w
"""
CORRELATION = """
def corr(x: "N", y: "N"):
    mx = mean(x[j] for j in N)
    my = mean(y[j] for j in N)
    sxx = sum((x[j] - mx)**2 for j in N)
    syy = sum((y[j] - my)**2 for j in N)
    sxy = sum((x[j] - mx)*(y[j] - my) for j in N)
    r = sxy/sqrt(sxx*syy)
    return r
"""


@pytest.mark.parametrize("name", catalogue.names())
def test_every_result_of_the_catalogue_is_proved_from_the_definitions(name: str) -> None:
    for question in proof.derived(symbn.load(name)):
        assert proof.decide(question).status == proof.EQUAL, question.equation.text


@pytest.mark.parametrize("name", catalogue.names())
@pytest.mark.parametrize("options", [{"mode": "jvp"}, {"mode": "jacobian"}, {"order": 2}], ids=str)
def test_the_prover_proves_every_mode_of_the_catalogue(name: str, options: dict[str, object]) -> None:
    derivation = symbn.derive(name, steps=False, **options).derivation  # type: ignore[arg-type]
    for question in proof.results_of(derivation):
        prover = proof.Prover(question.layer)
        assert prover.proves(question.equation.left, question.equation.right), question.equation.text


@pytest.mark.parametrize(
    ("layer", "equation"),
    [
        ("batchnorm", TRUE),
        ("batchnorm", "mean(xhat[j] for j in N) == 0"),
        ("batchnorm", "sum(xhat[j]**2 for j in N) == N*sigma2/(sigma2 + eps)"),
        ("batchnorm", "dsigma2_dx[i] = 2*(x[i] - mu)/N"),
        ("batchnorm", "dmu = 0 - sum(dxhat[i] for i in N)/sqrt(sigma2 + eps)"),
        ("batchnorm", "y_dot[i] = gamma_dot*xhat[i] + gamma*xhat_dot[i] + beta_dot"),
        ("batchnorm", "sigma2 = mean(x[j]**2 for j in N) - mu**2"),
        ("softmax", "sum(y[n, k] for k in K) == 1"),
        ("softmax", "dy_dx[n, k, p, l] = delta(n, p)*y[n, k]*(delta(k, l) - y[n, l])"),
        ("cross_entropy", "dx[n, k] = dloss*(p[n, k] - t[n, k])/N"),
        ("layernorm", "dgamma[d] = sum(dy[n, d]*xhat[n, d] for n in N)"),
        (CORRELATION, "r == sxy/(sqrt(sxx)*sqrt(syy))"),
        (CORRELATION, "dx[i] = dr*((y[i] - my)/sqrt(sxx*syy) - r*(x[i] - mx)/sxx)"),
        (ACTIVATIONS, "z[i] == 2*sigmoid(2*x[i]) - 1"),
        (ACTIVATIONS, "w[i] == 3*maximum(x[i], 0) - x[i]"),
        (ACTIVATIONS, "s == sum(exp(-x[j]) for j in N) - sum(1/(1 + exp(x[j])) for j in N)"),
        (ACTIVATIONS, "log1p(exp(x[i])) == x[i] + log1p(exp(-x[i]))"),
        (ACTIVATIONS, "sin(x[i])**2 + cos(x[i])**2 == 1"),
        (ACTIVATIONS, "sqrt(x[i]**2) == abs(x[i])"),
    ],
)
def test_true_equations_are_proved(layer: str, equation: str) -> None:
    source = symbn.loads(layer) if "\n" in layer else symbn.load(layer)
    verdict = symbn.check(source, equation)
    assert verdict.status == "EQUAL", str(verdict)


@pytest.mark.parametrize(
    ("equation", "hint"),
    [
        (FORM.format("sum(dy[k]*xhat[k] for k in N)"), "equal if sum(dy[k]*xhat[k] for k in N) is a mean"),
        (FORM.format("mean(xhat[k] for k in N)"), "equal if dy[k] is a factor inside mean(xhat[k] for k in N), where it is missing"),
        (TRUE.replace("= gamma", "= 2*gamma"), "the left side is 1/2 times the right side"),
        ("dsigma2_dx[i] = 2*(x[i] - mu)/(N - 1)", "equal if N - 1 is replaced by N"),
        (TRUE.replace("- xhat", "+ xhat"), "equal if the sign of xhat[i]*mean(dy[k]*xhat[k] for k in N) is turned"),
        ("dx[i] = gamma/sqrt(sigma2 + eps)*(dy[i] - mean(dy[k] for k in N))", "lacks the term"),
    ],
)
def test_a_slip_is_refuted_and_named(equation: str, hint: str) -> None:
    verdict = symbn.check("batchnorm", equation)
    assert verdict.status == "NOT EQUAL"
    assert verdict.witness is not None
    assert any(hint in found for found in verdict.hints), verdict.hints


@pytest.mark.parametrize(
    ("equation", "condition"),
    [
        (TRUE.replace("gamma/", "1/"), "gamma = 1"),
        ("xhat[i] = (x[i] - mu)/(sqrt(sigma2) + eps)", "eps = 0"),
        ("dbeta = mean(dy[k] for k in N)", "N = 1"),
    ],
)
def test_a_condition_that_makes_it_true_is_found(equation: str, condition: str) -> None:
    verdict = symbn.check("batchnorm", equation)
    assert (verdict.status, verdict.condition) == ("EQUAL WHEN", condition)
    assert verdict.witness is not None
    assert symbn.check("batchnorm", equation, assume=condition).status == "EQUAL"


def test_nothing_is_proved_where_the_assumptions_contradict_each_other() -> None:
    verdict = symbn.check("batchnorm", "dx[i] = dx[i]", assume=("gamma > 1", "gamma < 0"))
    assert verdict.status == "UNDECIDED"
    assert "meet the assumptions" in verdict.reason


def test_a_claim_about_one_extent_is_decided_by_its_components() -> None:
    assert symbn.check("batchnorm", "(x[i] - mu)**2 == sigma2", assume="N == 2").status == "EQUAL"
    assert symbn.check("batchnorm", "dx[i] == 0", assume="N == 1").status == "EQUAL"
    assert symbn.check("batchnorm", "(x[i] - mu)**2 == sigma2", assume="N == 3").status == "NOT EQUAL"


def test_what_is_outside_the_fragment_is_undecided() -> None:
    layer = symbn.loads('def f(x: "N"):\n    s = sum(sin(2*x[j]) for j in N)\n    return s\n')
    verdict = symbn.check(layer, "s == sum(2*sin(x[j])*cos(x[j]) for j in N)")
    assert verdict.status == "UNDECIDED"
    assert verdict.reason


CHAIN = """
def chain(h0: "N D", g: "D", *, eps=1e-5):
    assert eps > 0
    m1[n] = mean(h0[n, j] for j in D)
    v1[n] = mean((h0[n, j] - m1[n])**2 for j in D)
    h1[n, d] = g[d]*(h0[n, d] - m1[n])/sqrt(v1[n] + eps)
    m2[n] = mean(h1[n, j] for j in D)
    v2[n] = mean((h1[n, j] - m2[n])**2 for j in D)
    h2[n, d] = tanh((h1[n, d] - m2[n])/sqrt(v2[n] + eps))
    return h2
"""


def test_a_stack_of_layers_is_proved_stage_by_stage() -> None:
    for question in proof.derived(symbn.loads(CHAIN)):
        prover = proof.Prover(question.layer)
        with limited(60_000):
            assert prover.proves(question.equation.left, question.equation.right), question.equation.text


def test_what_takes_too_many_steps_is_refuted_or_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbn.proof.decision.PROOF", 200)
    monkeypatch.setattr("symbn.proof.decision.HELP", 200)
    layer = symbn.loads(CHAIN)
    assert symbn.check(layer, "dh0[n, d] = dh2[n, d]*g[d]").status == "NOT EQUAL"
    verdict = symbn.check(layer, "sum(dh0[n, d] for d in D) == 0")
    assert verdict.status == "UNDECIDED"
    assert "more steps than are allowed" in verdict.reason


def test_hints_speak_of_no_value_that_the_derivation_names_for_itself() -> None:
    verdict = symbn.check("weight_norm", "dv[o, i] = dw[o, i]*g[o]")
    assert verdict.status == "NOT EQUAL"


@pytest.mark.parametrize(
    "arguments",
    [
        ("dx[i] = dy[i]", "--numpy", "--latex"),
        ("dx[i] = dy[i]", "--let", "a=b"),
        ("dx[i] = dy[i]", "--let", "a"),
        (),
        ("dx[i]",),
        ("dx[i] = gama",),
        ("dx[i] = dy[i]", "--assume", "N == 0"),
        ("-f", "missing.txt"),
        ("--same-as", "layernorm"),
    ],
)
def test_wrong_use_exits_with_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["check", "batchnorm", *arguments])
    assert left.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_several_equations_exit_with_the_worst(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claims = tmp_path / "claims.txt"
    claims.write_text("# two facts and a slip\nmean(xhat[j] for j in N) == 0\n\ndbeta = sum(dy[i] for i in N)  # true\ndgamma = dbeta\n")
    with pytest.raises(SystemExit) as left:
        main(["check", "batchnorm", "-f", str(claims)])
    assert left.value.code == 1
    verdicts = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert verdicts == ["EQUAL", "EQUAL", "NOT EQUAL"]


def test_two_layers_are_the_same_or_it_says_where_they_part(tmp_path: Path) -> None:
    text = 'def {name}({x}: "{n}", *, {e}=1e-5):\n    assert {e} > 0\n    m = mean({x}[j] for j in {n})\n    v = {v}\n'
    text += "    y[i] = ({x}[i] - m)/sqrt(v + {e})\n    return y\n"
    first = symbn.loads(text.format(name="one", x="x", n="N", e="eps", v="mean(x[j]**2 for j in N) - m**2"))
    same = symbn.loads(text.format(name="two", x="u", n="M", e="tiny", v="mean((u[j] - m)**2 for j in M)"))
    other = symbn.loads(text.format(name="two", x="u", n="M", e="tiny", v="sum((u[j] - m)**2 for j in M)/(M - 1)"))
    assert [proof.decide(question).status for question in proof.same_outputs(first, same)] == ["EQUAL"]
    (verdict,) = (proof.decide(question) for question in proof.same_outputs(first, other))
    assert verdict.status == "NOT EQUAL"
    assert "they part at v = " in verdict.hint
