"""How long derivations take and how long their results are: the catalogue, chains of stacked definitions, and tensorgrad beside us.

    python benchmarks/derivation.py [--only catalogue|chains|tensorgrad] [--tensorgrad PYTHON] [--repeat 5] [--json]

Times are processor seconds after SymPy and symbn are imported, the median of `--repeat` runs, each in a process without the caches of
the others. PYTHON is an interpreter with tensorgrad 0.3.0 and NumPy: `python -m venv tg && tg/bin/pip install tensorgrad==0.3.0`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median

import sympy
from isolated import isolated

from symbn import catalogue
from symbn.calculus import engine
from symbn.calculus.cost import cost_of
from symbn.expr import Add, Call, Compare, Mul, Pow, Reduce, walk
from symbn.language import definition_text, load_layer, parse_layer

CHAINS = (1, 2, 4, 8, 16)


def chain(length: int) -> str:
    """`length` definitions on top of each other: normalize, scale, nonlinearity, and again."""
    lines = ['def chain(h0: "N D", g: "D", *, eps=1e-5):', "    assert eps > 0"]
    for k in range(1, length + 1):
        below = f"h{k - 1}[n, d]"
        lines += (
            [
                f"    mu{k}[n] = mean(h{k - 1}[n, j] for j in D)",
                f"    v{k}[n] = mean((h{k - 1}[n, j] - mu{k}[n])**2 for j in D)",
                f"    h{k}[n, d] = ({below} - mu{k}[n])/sqrt(v{k}[n] + eps)",
            ],
            [f"    h{k}[n, d] = g[d]*{below}"],
            [f"    h{k}[n, d] = tanh({below})"],
        )[(k - 1) % 3]
    return "\n".join([*lines, f"    return h{length}"])


def operators(expr) -> int:
    """Sums, products, powers, functions and reductions in the tree as it is written."""
    own = {Add: lambda e: len(e.terms) - 1, Mul: lambda e: len(e.factors) - 1}
    single = (Pow, Call, Compare, Reduce)
    return sum(own[type(e)](e) if type(e) in own else isinstance(e, single) for e in walk(expr))


def derived(layer, order: int = 1):
    """What a derivation gives, as plain data."""
    found = engine.derive(layer, order=order, steps=False)
    formulas = [*found.intermediates, *(gradient.definition for gradient in found.gradients.values())]
    cost = cost_of([formula.expr for formula in formulas])
    texts = [definition_text(formula) for formula in formulas]
    return {
        "forms": texts,
        "reductions": cost.reductions,
        "operations": cost.operations,
        "operators": sum(operators(formula.expr) for formula in formulas),
        "characters": sum(len(text.partition(" = ")[2].replace(" ", "")) for text in texts),
        "definitions": len(layer.definitions),
        "notes": list(found.notes),
    }


def measured(layer, repeat: int, order: int = 1):
    runs = [isolated(lambda: derived(layer, order)) for _ in range(repeat)]
    return {"seconds": median(seconds for seconds, _ in runs), **runs[0][1]}


def measure_catalogue(repeat: int):
    rows = {}
    for name in catalogue.names():
        layer = load_layer(name)
        rows[name] = {f"order {order}": measured(layer, repeat, order) for order in (1, 2)}
        say(f"{name}: {rows[name]['order 1']['seconds']:.2f} s, {rows[name]['order 2']['seconds']:.2f} s")
    return rows


def measure_chains(repeat: int):
    rows = {}
    for length in CHAINS:
        rows[length] = measured(parse_layer(chain(length)), repeat if length < 16 else min(repeat, 3))
        say(f"chain of {length}: {rows[length]['seconds']:.2f} s")
    return {"rows": rows, "exponent": slope([(length, row["seconds"]) for length, row in rows.items()])}


def slope(points) -> float:
    """The exponent p of seconds ~ length**p, by least squares on logarithms from 2 definitions on."""
    logs = [(math.log(length), math.log(seconds)) for length, seconds in points if length > 1]
    x, y = (sum(side) / len(logs) for side in zip(*logs, strict=True))
    return sum((a - x) * (b - y) for a, b in logs) / sum((a - x) ** 2 for a, _ in logs)


def measure_tensorgrad(python: str, repeat: int):
    """Ours and theirs in turn, layer by layer and run by run."""
    script = Path(__file__).with_name("tensorgrad_layers.py")
    with subprocess.Popen([python, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        about = json.loads(worker.stdout.readline())
        rows = {}
        for name in about["layers"]:
            layer, ours, theirs = load_layer(name), [], []
            for _ in range(repeat):
                ours.append(isolated(lambda layer=layer: derived(layer)))
                print(name, file=worker.stdin, flush=True)
                theirs.append(json.loads(worker.stdout.readline()))
            rows[name] = {"symbn": {"seconds": median(s for s, _ in ours), **ours[0][1]}}
            for form in ("expanded", "factored"):
                good = [run[form] for run in theirs if "error" not in run[form]]
                rows[name][form] = {**good[0], "seconds": median(r["seconds"] for r in good)} if good else theirs[0][form]
            say(f"{name}: symbn {rows[name]['symbn']['seconds']:.2f} s, tensorgrad {rows[name]['expanded'].get('seconds', math.nan):.2f} s")
    return {"version": about["version"], "rows": rows}


def say(line: str) -> None:
    """Progress, beside the data."""
    print(line, file=sys.stderr, flush=True)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))


def seconds(row) -> str:
    return f"{row['seconds']:.2f}" if "seconds" in row else "failed"


def show_catalogue(rows) -> str:
    lines = [
        [
            f"`{name}`", str(row["order 1"]["reductions"]), str(row["order 1"]["operations"]), seconds(row["order 1"]),
            str(row["order 2"]["reductions"]), str(row["order 2"]["operations"]), seconds(row["order 2"]),
        ]
        for name, row in rows.items()
    ]  # fmt: skip
    head = ["layer", "reductions", "operations", "seconds", "reductions, order 2", "operations, order 2", "seconds, order 2"]
    forms = [f"# {name}\n" + "\n".join(row["order 1"]["forms"]) for name, row in rows.items()]
    notes = [f"{name}, {order}: {note}" for name, row in rows.items() for order in row for note in row[order]["notes"]]
    return "\n\n".join([table(head, lines), *notes, "```python\n" + "\n\n".join(forms) + "\n```"])


def show_chains(found) -> str:
    rows = [
        [str(length), str(row["definitions"]), seconds(row), str(row["operators"]), "; ".join(row["notes"]) or "-"]
        for length, row in found["rows"].items()
    ]
    shown = table(["stacked", "definitions", "seconds", "operators in the result", "notes"], rows)
    return f"{shown}\n\nSeconds grow as length to the power {found['exponent']:.2f} (least squares on logarithms, from 2 on)."


def show_tensorgrad(found) -> str:
    head = ["layer", "symbn: seconds", "operators", "characters", "tensorgrad: seconds", "operators", "characters",
            "not expanded: seconds", "operators", "characters"]  # fmt: skip
    rows = []
    for name, row in found["rows"].items():
        cells = [f"`{name}`"]
        for side in ("symbn", "expanded", "factored"):
            cells += [seconds(row[side]), str(row[side].get("operators", "-")), str(row[side].get("characters", "-"))]
        rows.append(cells)
    failed = [f"{name}, {side}: {row[side]['error'][:200]}" for name, row in found["rows"].items() for side in row if "error" in row[side]]
    return "\n\n".join([f"tensorgrad {found['version']}", table(head, rows), *failed])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", choices=["catalogue", "chains", "tensorgrad"])
    parser.add_argument("--tensorgrad", metavar="PYTHON", help="an interpreter that has tensorgrad")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not hasattr(os, "fork"):
        parser.error("this needs fork, which Linux and macOS have")
    if options.only == "tensorgrad" and options.tensorgrad is None:
        parser.error("--only tensorgrad needs --tensorgrad PYTHON, an interpreter with tensorgrad 0.3.0")
    wanted = [options.only] if options.only else ["catalogue", "chains", *(["tensorgrad"] if options.tensorgrad else [])]
    found = {"machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, SymPy {sympy.__version__}"}
    if "catalogue" in wanted:
        found["catalogue"] = measure_catalogue(options.repeat)
    if "chains" in wanted:
        found["chains"] = measure_chains(options.repeat)
    if "tensorgrad" in wanted:
        found["tensorgrad"] = measure_tensorgrad(options.tensorgrad, options.repeat)
    if options.json:
        print(json.dumps(found, indent=2, sort_keys=True))
        return
    show = {"catalogue": show_catalogue, "chains": show_chains, "tensorgrad": show_tensorgrad}
    print("\n\n".join([f"Machine: {found['machine']}.", *(f"## {part.capitalize()}\n\n{show[part](found[part])}" for part in wanted)]))


if __name__ == "__main__":
    main()
