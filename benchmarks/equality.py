"""Who can tell that a textbook gradient is right: symbn, and tensorgrad beside it.

    python benchmarks/equality.py [--tensorgrad PYTHON]

PYTHON is an interpreter with tensorgrad 0.3.0 and NumPy: `python -m venv tg && tg/bin/pip install tensorgrad==0.3.0`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from time import perf_counter

import symbn

NORM = "({g}dy[{i}] - mean({gk}dy[{k}] for {b} in {axis}) - xhat[{i}]*mean({gk}dy[{k}]*xhat[{k}] for {b} in {axis}))/sqrt(sigma2{at} + eps)"
TEXTBOOK = {
    "batchnorm": "dx[i] = " + NORM.format(g="gamma*", gk="gamma*", i="i", k="k", b="k", axis="N", at=""),
    "batchnorm1d": "dx[i, c] = " + NORM.format(g="gamma[c]*", gk="gamma[c]*", i="i, c", k="k, c", b="k", axis="N", at="[c]"),
    "layernorm": "dx[n, d] = " + NORM.format(g="gamma[d]*", gk="gamma[k]*", i="n, d", k="n, k", b="k", axis="D", at="[n]"),
    "rmsnorm": "dx[n, d] = (gamma[d]*dy[n, d] - xhat[n, d]*mean(gamma[k]*dy[n, k]*xhat[n, k] for k in D))/sqrt(ms[n] + eps)",
    "softmax": "dx[n, k] = y[n, k]*(dy[n, k] - sum(dy[n, l]*y[n, l] for l in K))",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tensorgrad", metavar="PYTHON")
    python = parser.parse_args().tensorgrad
    theirs = {}
    if python is not None:
        script = Path(__file__).with_name("tensorgrad_equality.py")
        theirs = json.loads(subprocess.run([python, str(script)], capture_output=True, text=True, check=True).stdout)
    print("| layer | symbn | s | tensorgrad: same form | s | tensorgrad: difference is 0 | s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for layer, equation in TEXTBOOK.items():
        start = perf_counter()
        verdict = symbn.check(layer, equation)
        cells = [layer, verdict.headline, f"{perf_counter() - start:.2f}"]
        for question in ("same form", "difference is 0"):
            asked = theirs.get(layer, {}).get(question)
            cells += [asked["answer"], f"{asked['seconds']:.2f}"] if asked else ["", ""]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
