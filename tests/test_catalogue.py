"""The catalogue and the loading door."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from symbn import catalogue
from symbn.errors import LayerError
from symbn.language import load_layer, parse_layers

EXPECTED = (
    "batchnorm", "batchnorm1d", "batchnorm2d", "batchnorm_inference", "cosine_similarity", "cross_entropy", "groupnorm", "instancenorm",
    "l2norm", "layernorm", "linear", "log_softmax", "logsumexp", "mse", "rmsnorm", "softmax", "weight_norm", "weight_standardization",
)  # fmt: skip


def test_the_catalogue_has_the_layers_people_ask_for() -> None:
    assert set(EXPECTED) <= set(catalogue.names())
    assert list(catalogue.names()) == sorted(catalogue.names())


@pytest.mark.parametrize("name", catalogue.names())
def test_a_layer_has_its_files_name_a_citation_and_no_derivative(name: str) -> None:
    (layer,) = parse_layers(catalogue.source(name), f"{name}.py")
    assert layer.name == name
    assert layer == parse_layers(catalogue.source(name), f"{name}.py")[0]
    assert catalogue.summary(name) == layer.doc.splitlines()[0]
    assert any(character.isdigit() for character in catalogue.summary(name)), "a citation has a number or a year"
    assert catalogue.source(name).isascii()
    assert max(map(len, catalogue.source(name).splitlines())) <= 140


def test_an_unknown_name_is_told_the_close_one_and_all() -> None:
    with pytest.raises(LayerError) as caught:
        load_layer("batchnrom")
    first, second, third = str(caught.value).splitlines()
    assert (first, second) == ("unknown layer 'batchnrom'", "did you mean 'batchnorm'?")
    assert third == f"the layers are {', '.join(catalogue.names())}; a layer of your own is a file: mine.py"


def test_a_layer_comes_from_a_file_one_of_its_functions_or_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = catalogue.source("batchnorm")
    file = tmp_path / "mine.py"
    file.write_text(text + text[text.index("def") :].replace("def batchnorm", "def other"), encoding="utf-8")
    assert load_layer(f"{file}:other").name == "other"
    assert load_layer(f"{file}:batchnorm").definitions == load_layer("batchnorm").definitions
    assert load_layer("-", stdin=text).file == "<stdin>"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    assert load_layer("-").name == "batchnorm"
    with pytest.raises(LayerError, match="there are 2 layers here"):
        load_layer(str(file))


def test_a_file_that_cannot_be_read_is_told_why(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"# caf\xe9\n")
    (tmp_path / "big.py").write_bytes(b"#" * 10_000_000)
    (tmp_path / "softmax_mine.py").write_text("")
    said = {
        "latin.py": "not UTF-8: byte 0xe9 on line 1\nsave it as UTF-8 text",
        "big.py": "too large: at most 256 KiB\na layer is a few lines",
        "softmax_min.py": "no such file\ndid you mean 'softmax_mine.py'?",
        "softmax.py": "no such file\nthe catalogue has 'softmax': write softmax",
        "nul\0.py": "cannot be read: embedded null byte",
        "softmax_mine.py": 'no layer in this text\na layer is a function: def layer(x: "N"): ... return y',
    }
    for name, message in said.items():
        with pytest.raises(LayerError) as caught:
            load_layer(str(tmp_path / name))
        assert str(caught.value) == f"{tmp_path / name}: {message}"
    with pytest.raises(LayerError, match="is a directory"):
        load_layer(f"{tmp_path}/")


def test_listing_needs_no_parser() -> None:
    """`symbn list` answers at once: no syntax tree, no algebra is imported for it."""
    code = "import sys; from symbn import catalogue; catalogue.summary('batchnorm'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    assert not {"ast", "tokenize", "sympy", "numpy"} & set(done.stdout.split())
