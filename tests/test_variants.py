"""Every derivative as code: names that never collide, commands that reproduce the files, and methods that say what they compute."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import symbn
from symbn.cli import cli
from symbn.codegen import targets
from symbn.codegen.generate import render
from symbn.codegen.variant import Variant, variant_named, variant_of
from symbn.errors import LayerError, SymbnError, UnsupportedError
from symbn.language import names
from symbn.tools import compiler
from symbn.tools.verify import verify

REQUESTS: dict[str, dict[str, Any]] = {
    "rescale": {},
    "rescale_jvp": {"mode": "jvp"},
    "rescale_jacobian": {"mode": "jacobian"},
    "rescale_double_backward": {"order": 2},
    "rescale_from_power_z": {"save": ["z", "power"]},
    "rescale_wrt_u": {"wrt": "u"},
    "rescale_wrt_u_jvp": {"mode": "jvp", "wrt": "u"},
    "rescale_wrt_u_double_backward": {"order": 2, "wrt": ["u"]},
}
SOURCE = '''
def rescale(u: "M", scale, *, tiny=1e-6):
    assert tiny > 0
    power = mean(u[j] ** 2 for j in M)
    z[i] = scale * u[i] / sqrt(power + tiny)
    return z
'''
needs_compiler = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler")


@cache
def derivation(stem: str) -> Any:
    return symbn.derive(symbn.loads(SOURCE), **REQUESTS[stem], steps=False).derivation


@pytest.mark.parametrize("stem", REQUESTS)
def test_the_files_are_named_by_what_is_asked(stem: str) -> None:
    made = derivation(stem)
    assert list(render(made, "c", dtypes=["f64"])) == [f"{stem}.h", f"{stem}.c"]
    assert list(render(made, "numpy")) == [f"{stem}.py"]
    assert list(render(made, "latex")) == [f"{stem}.tex", f"{stem}-standalone.tex"]
    assert variant_named(symbn.loads(SOURCE), **{**REQUESTS[stem], "wrt": list(REQUESTS[stem].get("wrt", ())) or None}).stem == stem


def test_what_is_asked_in_another_order_or_in_full_is_the_same_variant() -> None:
    layer = symbn.loads(SOURCE)
    assert variant_named(layer, save=["z", "power"]) == variant_named(layer, save=["power", "z"])
    assert variant_of(symbn.derive(layer, wrt=["scale", "u"], steps=False).derivation) == Variant("rescale")


def test_a_name_that_a_target_keeps_for_itself_is_the_author_s_in_the_files() -> None:
    layer = symbn.loads('def plus(extents: "N", a):\n    y[i] = extents[i]*a\n    return y\n')
    (text,) = render(symbn.derive(layer, wrt="extents", steps=False).derivation, "numpy").values()
    assert re.findall(r"^def (plus\w+)\(", text, flags=re.MULTILINE) == ["plus_wrt_extents_forward", "plus_wrt_extents_backward"]


def test_the_words_that_a_cotangent_could_be_are_kept_free() -> None:
    assert set(targets.C_WORDS) == {word for word in names._C_WORDS if word.startswith("d")}


@pytest.mark.parametrize("name", ["el", "ef", "elta"])
def test_a_name_whose_cotangent_could_not_be_read_back_is_refused(name: str) -> None:
    with pytest.raises(LayerError, match=rf"name '{name}' cannot be used: the gradient of '{name}' would be named 'd{name}', which is a "):
        symbn.loads(f'def gate(x: "N"):\n    {name}[i] = x[i]**2\n    return {name}\n')


@needs_compiler
@pytest.mark.parametrize("asked", [{}, {"order": 2}, {"mode": "jacobian"}], ids=str)
def test_a_cotangent_that_is_a_word_of_c_is_given_an_underscore(asked: dict[str, Any], tmp_path: Path) -> None:
    layer = symbn.loads('def gate(x: "N", a):\n    o[i] = a*x[i]**2\n    return o\n')
    made = symbn.derive(layer, **asked, steps=False).derivation
    assert [row.line for row in verify(made) if not row.ok] == []
    for name, text in render(made, "c").items():
        (tmp_path / name).write_text(text, encoding="ascii")
        if name.endswith(".c"):
            subprocess.run([compiler.find().command[0], "-x", "c++", "-c", name], cwd=tmp_path, check=True)


def test_a_name_that_the_layer_lacks_names_no_file() -> None:
    with pytest.raises(LayerError, match="'nobody' is no value of 'rescale'"):
        variant_named(symbn.loads(SOURCE), save=["nobody"])


def test_a_variant_without_a_kernel_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="no code is generated for mode 'jvp' of order 2"):
        _ = Variant("rescale", "jvp", 2).passes


@needs_compiler
@pytest.mark.parametrize("language", ["c", "c++"])
def test_all_variants_are_linked_into_one_program(language: str, tmp_path: Path) -> None:
    compile_ = shutil.which("gcc" if language == "c" else "g++")
    if compile_ is None:
        pytest.skip(f"no compiler for {language}")
    headers = []
    for stem in REQUESTS:
        for name, text in render(derivation(stem), "c").items():
            (tmp_path / name).write_text(text, encoding="ascii")
        headers.append(f'#include "{stem}.h"')
    calls = re.findall(r"^int (symbn_\w+)\(", "\n".join(path.read_text() for path in sorted(tmp_path.glob("*.h"))), flags=re.MULTILINE)
    assert len(calls) == len(set(calls)) == 4 * len(REQUESTS)
    main = [*headers, "int main(void) {", *(f"    if (!{name}) return 1;" for name in calls), "    return 0;", "}"]
    (tmp_path / "main.c").write_text("\n".join(main) + "\n", encoding="ascii")
    sources = sorted(path.name for path in tmp_path.glob("*.c"))
    command = [compile_, "-x", language, "-Wno-address", *sources, "-o", "all", "-lm"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "error" in done.stderr) == (0, False), done.stderr
    assert subprocess.run([tmp_path / "all"], check=False).returncode == 0


def test_no_two_modules_define_the_same_public_name() -> None:
    names = [
        name
        for stem in REQUESTS
        for text in render(derivation(stem), "numpy").values()
        for name in re.findall(r'^    "(\w+)",$', text, flags=re.MULTILINE)
    ]
    results = [name for name in names if not name[0].isupper() or name.endswith("Saved")]
    assert len(results) == len(set(results)) == 3 * len(REQUESTS)


@pytest.mark.parametrize("target", ["numpy", "c", "latex"])
@pytest.mark.parametrize("stem", REQUESTS)
def test_the_command_in_the_header_reproduces_the_file(stem: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rescale.py").write_text(SOURCE, encoding="ascii")
    layer = symbn.load("rescale.py")
    for name, text in render(symbn.derive(layer, **REQUESTS[stem], steps=False).derivation, target).items():
        (command,) = re.findall(r"Reproduce: symbn (.*)", text)
        done = generate(*shlex.split(command)[1:])
        assert done.exit_code == 0, done.output
        assert Path("generated", target, name).read_text(encoding="ascii") == text


def generate(*arguments: str) -> Result:
    """`symbn generate`, in this process."""
    return CliRunner().invoke(cli, ["generate", *arguments])


def test_list_names_the_files_of_a_variant_without_deriving_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbn.api, "derive", lambda *_, **__: pytest.fail("derived"))
    done = generate("softmax", "layernorm", "--order", "2", "-t", "c", "--list", "-o", "out")
    assert done.output.split() == [f"out/c/{name}_double_backward.{kind}" for name in ("softmax", "layernorm") for kind in "hc"]


def test_check_holds_a_variant_against_its_file_and_says_how_to_mend_it(tmp_path: Path) -> None:
    asked = ["softmax", "--mode", "jvp", "--wrt", "x", "-t", "numpy", "-o", str(tmp_path)]
    done = generate(*asked, "--check")
    assert (done.exit_code, "missing: " in done.output) == (1, True)
    (mend,) = re.findall(r"mend: symbn (.*)", done.output)
    assert "--wrt x --mode jvp" in mend
    assert generate(*shlex.split(mend)[1:]).exit_code == 0
    assert generate(*asked, "--check").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["softmax", "--save", "m"], ["the backward pass of 'softmax' cannot be computed from m alone: it also needs y", "save m,y"]),
        (["linear", "--save", ""], ["cannot be computed from nothing: it also needs w, x"]),
        (["softmax", "--save", "nobody"], ["'nobody' is no value of 'softmax'"]),
        (["softmax", "--save", "y", "--mode", "jvp"], ["save goes with mode vjp"]),
        (["softmax", "--mode", "jvp", "--order", "2"], ["order 2 goes with mode vjp"]),
        (["batchnorm", "--wrt", "eps"], ["'eps' is a constant of 'batchnorm'"]),
    ],
)
def test_an_impossible_choice_is_refused_with_the_reason(arguments: list[str], words: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["generate", *arguments, "-o", str(tmp_path)])
    assert done.exit_code == 1  # the exception reaches the runner; `main` makes 2 of it
    assert isinstance(done.exception, SymbnError)
    assert all(word in str(done.exception) for word in words)
    assert list(tmp_path.iterdir()) == []


# Kernels ----------------------------------------------------------------------------------------------------------------------------

RNG = np.random.default_rng(5)
X, GAMMA, BETA = RNG.standard_normal((5, 3)), RNG.standard_normal(3), RNG.standard_normal(3)
DY, X_DOT = RNG.standard_normal((5, 3)), RNG.standard_normal((5, 3))


@needs_compiler
@pytest.mark.parametrize("target", ["c", "numpy"])
class TestKernels:
    def build(self, target: str, **asked: Any) -> Any:
        return symbn.build("layernorm", target=target, dtype="float64", **asked)

    def test_jvp_and_backward_are_each_other_s_transpose(self, target: str) -> None:
        forward, backward = self.build(target, mode="jvp"), self.build(target)
        y, saved = forward.forward(X, GAMMA, BETA, eps=1e-3)
        y_dot = forward.jvp(X_DOT, GAMMA, BETA, saved).y_dot
        y_again, kept = backward.forward(X, GAMMA, BETA, eps=1e-3)
        grads = backward.backward(DY, kept)
        assert np.array_equal(y, y_again)
        assert np.sum(DY * y_dot) == pytest.approx(np.sum(grads.dx * X_DOT) + np.sum(grads.dgamma * GAMMA) + np.sum(grads.dbeta * BETA))

    def test_the_jacobian_s_rows_are_directional_derivatives(self, target: str) -> None:
        kernel, tangents = (symbn.build("softmax", target=target, dtype="float64", mode=mode) for mode in ("jacobian", "jvp"))
        y, saved = kernel.forward(X)
        (dy_dx,) = kernel.jacobian(saved)
        assert dy_dx.shape == (*y.shape, *X.shape)
        assert np.allclose(np.einsum("lpnk,nk->lp", dy_dx, X_DOT), tangents.jvp(X_DOT, tangents.forward(X)[1]).y_dot)

    def test_order_2_is_backward_and_double_backward(self, target: str) -> None:
        kernel = self.build(target, order=2)
        dx, _, _, saved = kernel.backward(DY, X, GAMMA, BETA)
        zero = np.zeros(3)
        found = kernel.double_backward(X_DOT, zero, zero, saved)
        assert found._fields == ("grad_dy", "grad_x", "grad_gamma", "grad_beta")
        # dx is linear in dy, so the gradient of sum(ddx*dx) by dy, against dy, is sum(ddx*dx) again.
        assert np.sum(found.grad_dy * DY) == pytest.approx(np.sum(X_DOT * dx))
        assert np.array_equal(found.grad_beta, zero)

    def test_save_restricts_what_is_kept(self, target: str) -> None:
        kernel = symbn.build("softmax", target=target, dtype="float64", save=["y"])
        y, saved = kernel.forward(X)
        assert saved._fields == ("y",)
        assert np.allclose(kernel.backward(DY, saved).dx, y * (DY - np.sum(y * DY, axis=1, keepdims=True)))

    def test_a_value_that_is_computed_again_is_not_saved_too(self, target: str) -> None:
        kernel = symbn.build("batchnorm1d", target=target, dtype="float64", save=["y", "sigma2"])
        _, saved = kernel.forward(X, GAMMA, BETA)
        assert set(saved._fields) == {"gamma", "beta", "eps", "sigma2", "y"}
        plain = symbn.build("batchnorm1d", target=target, dtype="float64")
        _, kept = plain.forward(X, GAMMA, BETA)
        assert np.allclose(kernel.backward(DY, saved).dx, plain.backward(DY, kept).dx)

    def test_a_kernel_has_the_methods_of_its_mode_alone(self, target: str) -> None:
        kernel = self.build(target, mode="jvp")
        assert {"forward", "jvp"} <= set(dir(kernel))
        with pytest.raises(AttributeError, match="this kernel has forward and jvp, not 'backward'"):
            kernel.backward  # noqa: B018
