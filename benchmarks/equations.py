"""`symbn check` on random slips and random rewritings of true formulas over the catalogue.

    python benchmarks/equations.py [--slips 1000] [--rewritings 500] [--seed 0]

A slip that changes nothing is told by the exact oracle and left out; none of the others may be EQUAL. Every rewriting has to be EQUAL.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from rewritings import REWRITINGS, SLIPS, Site, changed

import symbn
from symbn import catalogue, proof
from symbn.expr import free_indices
from symbn.language import Equation, expr_text
from symbn.oracle import check_identity
from symbn.proof import Question
from symbn.vocabulary import vocabulary

# Facts about named layers besides what is derived, so that not only gradients are asked for.
FACTS = {
    "batchnorm": ("sum(xhat[j]**2 for j in N) == N*sigma2/(sigma2 + eps)", "dsigma2_dx[i] = 2*(x[i] - mu)/N"),
    "softmax": ("sum(y[n, k] for k in K) == 1",),
    "layernorm": ("sigma2[n] = mean(x[n, j]**2 for j in D) - mu[n]**2",),
}


def truths() -> Iterator[Question]:
    """Every derived formula of the catalogue, in all first-order modes, and the facts."""
    for name in catalogue.names():
        layer = symbn.load(name)
        for mode in ("vjp", "jvp", "jacobian"):
            yield from proof.results_of(symbn.derive(layer, mode=mode, steps=False).derivation)
        for fact in FACTS.get(name, ()):
            yield from proof.questions(layer, fact)


def variants(rng: Random, questions: list[Question], changes: dict, most: int) -> Iterator[tuple[str, Question]]:
    """Random changes of the right side, up to `most` at once, without end."""
    while True:
        question = rng.choice(questions)
        kinds, right = [], question.equation.right
        names = {name: q.axes for name, q in vocabulary(question.layer).items() if q.kind == "cotangent"}
        for _ in range(rng.randint(1, most)):
            found = changed(right, changes, Site(question.layer, free_indices(question.equation.left), names, rng))
            if found is None:
                break
            kinds.append(found[0])
            right = found[1]
        if kinds and right != question.equation.right and set(free_indices(right)) <= set(question.equation.indices):
            text = f"{expr_text(question.equation.left)} == {expr_text(right)}"
            yield " + ".join(kinds), replace(question, equation=Equation(question.equation.left, right, text))


def changes_nothing(question: Question) -> bool:
    report = check_identity(question.layer, question.equation.left, question.equation.right)
    return report.witness is None


def run(title: str, wanted: str, count: int, stream: Iterator[tuple[str, Question]], *, skip_equal: bool) -> bool:
    statuses: dict[str, int] = {}
    times, wrong, skipped = [], [], 0
    while len(times) < count:
        kind, question = next(stream)
        if skip_equal and changes_nothing(question):
            skipped += 1
            continue
        start = perf_counter()
        verdict = proof.decide(question)
        times.append(perf_counter() - start)
        statuses[verdict.status] = statuses.get(verdict.status, 0) + 1
        if (verdict.status == "EQUAL") != (wanted == "EQUAL"):
            wrong.append(f"{question.layer.name}: {kind}: {question.equation.text}\n    {verdict.headline} {verdict.reason}")
        if sys.stderr.isatty():
            print(f"\r{title}: {len(times)}/{count}", end="", file=sys.stderr)
    found = ", ".join(f"{status} {number}" for status, number in sorted(statuses.items()))
    print(f"{title}: {found}; left out as true: {skipped}; median {median(times):.2f} s, worst {max(times):.2f} s")
    for line in wrong[:20]:
        print(f"  WRONG {line}")
    return not wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slips", type=int, default=1000)
    parser.add_argument("--rewritings", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    questions = list(truths())
    print(f"{len(questions)} true formulas over {len(catalogue.names())} layers")
    slips = variants(Random(options.seed), questions, SLIPS, 1)
    rewritings = variants(Random(options.seed + 1), questions, REWRITINGS, 4)
    sound = run("slips", "NOT EQUAL", options.slips, slips, skip_equal=True)
    complete = run("rewritings", "EQUAL", options.rewritings, rewritings, skip_equal=False)
    return 0 if sound and complete else 1


if __name__ == "__main__":
    sys.exit(main())
