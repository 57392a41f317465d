"""`symbn bench`: what it counts, what it refuses to time, and what it says. No time is asserted: the machines that run this are shared."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner, Result

import symbn
from symbn import catalogue
from symbn.cli import cli
from symbn.codegen.schedule import schedule
from symbn.codegen.work import longest_sum, work_of
from symbn.language import layer_text
from symbn.tools import compiler
from symbn.tools.bench import cases, measure, onednn, peers, plan, roofline, run, table, task, worker
from symbn.tools.bench.contenders import NUMPY, PUBLISHED, C, own
from symbn.tools.bench.floor import aligned, floors
from symbn.tools.bench.setting import Contender, allowed, kernel_of, setting_of, wrong

pytestmark = pytest.mark.skipif(not tuple(compiler.available()), reason="no C compiler: nothing is timed")

MINE = '''"""A layer that is in no catalogue."""

def spread(u: "R M", *, weight: "M"):
    assert sum(weight[j] for j in M) == 1
    center[r] = sum(weight[j]*u[r, j] for j in M)
    z[r, i] = weight[i]*(u[r, i] - center[r])**2
    return z
'''


@pytest.fixture
def mine(tmp_path: Path) -> str:
    path = tmp_path / "mine.py"
    path.write_text(MINE, encoding="utf-8")
    return str(path)


def task_for(text: str, known: str, extents: dict[str, int], **options) -> task.Task:
    layer = symbn.loads(text)
    return task.Task(layer.name, layer_text(layer), known, extents, **{"repeat": 1, **options})


def known_task(name: str, extent: int = 4, **options) -> task.Task:
    text = catalogue.source(name)
    return task_for(text, name, dict.fromkeys(symbn.loads(text).axes, extent), **options)


def bench(*words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["bench", *words], input=stdin)


@pytest.mark.parametrize("sizes", [(1, 1), (3, 1000), (70_001, 200_003), (0, 64)])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_floor_reads_every_word_and_writes_every_word(sizes: tuple[int, int], threads: int) -> None:
    read, written = sizes
    first, second = np.arange(read, dtype=np.uint64), np.arange(3 * read, dtype=np.uint64) ** 2
    for call in floors([first, second], [target := aligned(8 * written)], threads).values():
        target[...] = 255
        assert call() == int(first.sum() + second.sum())
        words = target.view(np.uint64)
        assert (words != 2**64 - 1).all()


def test_bytes_and_operations_are_those_of_the_program() -> None:
    asked = known_task("batchnorm1d", 1)
    program = kernel_of(asked, "numpy", "float32").passes[1].program
    n, c = 30, 7
    work = work_of(program, {"N": n, "C": c})
    # dy and xhat, gamma and sigma2, eps; dx, dgamma and dbeta.
    assert (work.read, work.written) == (2 * n * c + 2 * c + 1, n * c + 2 * c)
    assert longest_sum(program, {"N": n, "C": c}) == n
    # For an element: dy*xhat, two sums, and scale*(dy - first - xhat*second); the rest is done once for each c.
    assert work.operations - work_of(program, {"N": n - 1, "C": c}).operations == 7 * c


def test_every_case_names_a_layer_of_the_catalogue_with_all_its_axes() -> None:
    for case in cases.ALL:
        assert tuple(case.extents) == symbn.load(case.layer).axes
    for rows in (cases.TORCH, cases.JAX, cases.POST):
        assert set(rows) <= set(catalogue.names())


@pytest.mark.parametrize("name", sorted({*cases.TORCH, *cases.JAX}))
def test_each_library_runs_the_layer_that_the_table_says(name: str) -> None:
    for direction in task.DIRECTIONS:
        setting = setting_of(known_task(name, direction=direction, dtype="float64"))
        makers = peers.peers(setting)
        for peer in (peers.EAGER, peers.XLA):
            if peer in makers:
                contender = makers[peer](setting)
                found = contender.results(contender.call())
                assert found
                assert wrong(found, setting, 1e-12) == ""


def test_libraries_run_the_second_order_too() -> None:
    for direction in task.DIRECTIONS:
        setting = setting_of(known_task("batchnorm1d", direction=direction, order=2, dtype="float64"))
        makers = peers.peers(setting)
        for peer in (peers.EAGER, peers.XLA):
            if peer in makers:
                contender = makers[peer](setting)
                found = contender.results(contender.call())
                assert set(found) == ({"grad_dy", "grad_x", "grad_gamma", "grad_beta"} if setting.second else {"dx", "dgamma", "dbeta"})
                assert wrong(found, setting, 1e-12) == ""


@pytest.mark.parametrize("name", cases.POST)
def test_the_published_line_computes_the_backward_pass(name: str) -> None:
    setting = setting_of(known_task(name, dtype="float64"))
    contender = own(setting)[PUBLISHED](setting)
    assert wrong(contender.results(contender.call()), setting, 1e-13) == ""


def test_a_layer_of_ones_own_has_no_peers_and_its_sum_is_met() -> None:
    setting = setting_of(task_for(MINE, "", {"R": 3, "M": 5}))
    assert list(own(setting)) == [C, NUMPY]
    assert peers.peers(setting) == {}
    assert float(setting.values["weight"].sum()) == pytest.approx(1)


def broken(change) -> str | Contender:
    """What becomes of C when its results are changed."""
    setting = setting_of(task_for(MINE, "", {"R": 3, "M": 50}))
    program = kernel_of(setting.task, "c", "float32").passes[1].program
    contender = own(setting)[C](setting)
    changed = Contender(C, contender.call, lambda made: {name: change(value) for name, value in contender.results(made).items()})
    return worker._prepared(lambda _: changed, setting, allowed(program, setting.task))


def test_what_finds_something_else_is_not_timed() -> None:
    assert isinstance(broken(lambda value: value), Contender)
    assert "wrong: du is off by 2" in str(broken(lambda value: -value))
    assert "wrong: du is off by nan" in str(broken(lambda value: np.where(np.arange(50) == 49, np.nan, value)))
    assert "wrong: du is off by" in str(broken(lambda value: value * np.float32(1 + 1e-3)))


def test_what_raises_is_reported_without_paths() -> None:
    def fails(_):
        raise RuntimeError("cannot open /somewhere/deep/in/a/home.so: no\nmore")

    setting = setting_of(task_for(MINE, "", {"R": 2, "M": 2}))
    assert worker._prepared(fails, setting, 1.0) == "RuntimeError: cannot open ...: no"


def test_each_runs_once_a_round_and_slow_ones_in_fewer_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "BUDGET", 0.02)
    monkeypatch.setattr(measure, "LEAST", 0)
    order: list[str] = []
    slow, quick = (lambda: (order.append("slow"), measure.sleep(0.01))), (lambda: order.append("quick"))
    found = measure.side_by_side({"slow": slow, "quick": quick}, 5)
    assert (found["slow"].runs, found["quick"].runs) == (3, 5)
    assert order == ["slow", "quick", *("slow", "quick", "quick", "slow", "slow", "quick"), "quick", "quick"]
    assert found["slow"].lower <= found["slow"].median <= found["slow"].upper


def test_quartiles_are_in_milliseconds() -> None:
    assert measure.timing("a", [0.001, 0.002, 0.003, 0.004, 0.005]) == task.Timing("a", 3.0, 2.0, 4.0, 5)
    assert measure.timing("a", [0.002]).lower == 2.0


def test_the_command_times_a_layer_of_ones_own_in_both_regimes(mine: str, tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    words = ("--direction", "both", "--regime", "both", "--repeat", "2", "--dtype", "f32", "--dtype", "f64", "--threads", "1")
    done = bench(mine, "--shape", "R=3,M=40", *words, "--json", "-o", str(output))
    assert done.exit_code == 0, done.output
    text = output.read_text(encoding="utf-8")
    found = json.loads(text)
    assert found["schema"] == 1
    assert found["command"] == (
        "symbn bench mine.py --shape R=3,M=40 --dtype f32 --dtype f64 --threads 1 --direction both --regime both --repeat 2"
    )
    assert {"processor", "cores", "compiler", "system", "Python", "NumPy"} <= set(found["machine"]) | {"processor"}
    assert str(tmp_path) not in text
    keys = ("dtype", "pass", "regime")
    assert [tuple(row[key] for key in keys) for row in found["results"]] == [
        (dtype, direction, regime)
        for direction in ("forward", "backward")
        for dtype in ("float32", "float64")
        for regime in ("reuse", "default")
    ]
    for row in found["results"]:
        size = {"float32": 4, "float64": 8}[row["dtype"]]
        assert (row["extents"], row["problem"], row["threads"]) == ({"R": 3, "M": 40}, "", 1)
        assert row["bytes_written"] >= 120 * size
        assert row["operations"] > 120
        assert row["floor"]["median_ms"] > 0
        assert [rival["name"] for rival in row["contenders"]] == [C, NUMPY]
        for rival in row["contenders"]:
            assert rival["lower_quartile_ms"] <= rival["median_ms"] <= rival["upper_quartile_ms"]
            assert rival["fraction_of_floor"] > 0
            assert (rival["runs"], rival["problem"]) == (2, "")


def test_the_best_library_is_named_in_the_table_and_in_the_data() -> None:
    times = {C: 2.0, NUMPY: 1.0, peers.EAGER: 4.0, peers.XLA: 2.5}
    made = result([task.Timing(name, time, time, time, 5) for name, time in times.items()])
    found = task.Bench({"processor": "Some CPU", "symbn": "1.0"}, {}, (made,), "symbn bench softmax")
    row = next(line for line in table.table(found).splitlines() if line.startswith("| softmax"))
    assert row.split("|")[-2].strip() == "0.80, JAX"
    assert table.table(found).startswith("Some CPU, symbn 1.0\n")
    data = table.data(found)
    assert data["command"] == "symbn bench softmax"
    (only,) = data["results"]
    assert (only["best_peer"], only["best_peer_ratio"]) == (peers.XLA, 0.8)
    assert [rival["c_ratio"] for rival in only["contenders"]] == [1.0, 2.0, 0.5, 0.8]


@pytest.mark.parametrize("name", onednn.KINDS)
def test_onednn_runs_the_layer_that_the_table_says(name: str) -> None:
    for direction in task.DIRECTIONS:
        setting = setting_of(known_task(name, 24, direction=direction))
        makers = peers.peers(setting)
        if onednn.ONEDNN in makers:
            made = makers[onednn.ONEDNN](setting)
            found = made.results(made.call())
            assert set(found) == (set(setting.derivation.layer.outputs) if direction == "forward" else set(setting.truth))
            assert wrong(found, setting, 1e-5) == ""


def test_onednn_has_no_double_and_no_second_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "installed", lambda name: name == onednn.ONEDNN)
    assert list(peers.peers(setting_of(known_task("softmax")))) == [onednn.ONEDNN]
    for options in ({"dtype": "float64"}, {"order": 2}):
        assert peers.peers(setting_of(known_task("softmax", **options))) == {}


TWO = MINE + '''
def gated(x: "N D", w: "D"):
    """A gate by a column's mean."""
    m[d] = mean(x[n, d] for n in N)
    y[n, d] = x[n, d] * sigmoid(w[d] * m[d])
    return y
'''


def test_two_layers_of_one_file_are_timed_and_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: no roofline is drawn")
    (tmp_path / "two.py").write_text(TWO, encoding="utf-8")
    picture = tmp_path / "two.svg"
    done = bench(f"{tmp_path}/two.py:spread", f"{tmp_path}/two.py:gated", "--repeat", "1", "--threads", "1", "--svg", str(picture))
    assert done.exit_code == 0, done.output
    assert [line.split()[1] for line in done.stdout.splitlines() if " backward, f32" in line] == ["spread", "gated"]
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("name", "extents", "streams"), [("batchnorm", {"N": 10**7}, [2, 3]), ("layernorm", {"N": 64, "D": 64}, [3]), ("mse", {"N": 9}, [2])]
)
def test_a_loop_takes_each_array_from_memory_once(name: str, extents: dict[str, int], streams: list[int]) -> None:
    place = Path(__file__).parents[1] / "benchmarks" / "limits.py"
    spec = importlib.util.spec_from_file_location("limits", place)
    limits = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(limits)
    asked = replace(known_task(name), extents=extents)
    direction = "forward" if name == "mse" else "backward"
    program = kernel_of(asked, "numpy", "float32").passes[direction == "backward"].program
    found = limits.taken(asked, schedule(program).body)
    large = max(len(axes) for reads, writes in found for axes in (*reads.values(), *writes.values()))
    assert [sum(len(axes) == large for axes in (*reads.values(), *writes.values())) for reads, writes in found] == streams


def test_the_table_says_what_is_absent_and_what_failed() -> None:
    made = result([task.Timing(C, 2.0, 1.9, 2.1, 5), task.Timing(NUMPY, 30.0, 20.0, 40.0, 5), task.Timing(peers.XLA, problem="Oops: no")])
    text = table.table(task.Bench({"processor": "Some CPU", "cores": "2"}, {peers.EAGER: "pip install torch"}, (made,)))
    row = next(line for line in text.splitlines() if line.startswith("| softmax"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "softmax backward, f32, 1 thread", "N=4, K=4", "reuse", "1.00", "2.00", "30.0 ±10.0", "", "0.50", "", "",
    ]  # fmt: skip
    assert text.startswith("Some CPU, 2 cores\n")
    assert "not timed: JAX: softmax backward, f32, 1 thread, N=4, K=4, reuse: Oops: no" in text
    assert text.endswith("not installed: PyTorch (pip install torch)")


def result(timings: list[task.Timing]) -> task.Result:
    floor = task.Timing("floor, plain", 1.0, 0.99, 1.01, 5)
    return task.Result(known_task("softmax"), "reuse", "backward", 128, 64, 80, floor, tuple(timings))


def test_what_is_not_installed_is_found_without_an_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(onednn, "found", lambda: False)
    assert list(peers.absent()) == ["PyTorch", "inductor", "JAX", "oneDNN"]
    assert peers.peers(setting_of(known_task("softmax"))) == {}


def test_records_survive_the_way_between_processes() -> None:
    made = result([task.Timing(C, 2.0, 1.9, 2.1, 5)])
    made = replace(made, task=replace(made.task, wrt=("x",), save=("y",)))
    assert run.result_of(json.loads(json.dumps(asdict(made)))) == made


def test_a_process_that_dies_costs_its_own_task_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [task_for(MINE, "", {"R": 2, "M": extent}) for extent in (2, 3)]
    real, started = run._process, []

    def process(*words):
        started.append(words)
        if len(started) > 1:
            return real(*words)
        code = "import sys; sys.stdin.readline(); sys.exit(7)"
        return subprocess.Popen([sys.executable, "-c", code], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    monkeypatch.setattr(run, "_process", process)
    lost, timed = run.run(tasks, ["reuse"])
    assert (lost.task, lost.problem) == (tasks[0], "its process ended with status 7")
    assert timed.task == tasks[1]
    assert timed.timing(C)


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def process(*_):
        code = "import time; time.sleep(60)"
        return subprocess.Popen([sys.executable, "-c", code], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    monkeypatch.setattr(run, "_process", process)
    monkeypatch.setattr(run, "PATIENCE", 0.3)
    (lost,) = run.run([task_for(MINE, "", {"R": 2, "M": 2})], ["reuse"])
    assert "it ran for more than 0.3 s" in lost.problem


def test_a_layer_that_is_defined_nowhere_is_said() -> None:
    text = "def never(x: 'N'):\n    y[i] = sqrt(-1 - x[i]**2)\n    return y\n"
    assert "no values found" in worker.timed(task_for(text, "", {"N": 3}), "reuse").problem


def test_other_derivatives_are_timed_without_peers() -> None:
    for mode in ("jvp", "jacobian"):
        found = worker.timed(known_task("softmax", mode=mode), "reuse")
        assert (found.called, found.problem) == (mode, "")
        assert [(row.name, row.problem) for row in found.timings] == [(C, ""), (NUMPY, "")]


def test_without_a_shape_an_unknown_layer_gets_one_of_moderate_size() -> None:
    layer = symbn.loads("def outer(a: 'N D', b: 'M D'):\n    y[n, m] = sum(a[n, d]*b[m, d] for d in D)\n    return y\n")
    extents = plan.default_extents(symbn.derive(layer, steps=False).derivation)
    assert set(extents) == {"N", "D", "M"}
    assert 64 <= extents["N"] == extents["D"] == extents["M"] <= 512


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["layernorm", "--shape", "N=3"], "--shape N=3 does not fit 'layernorm'\nits axes are N, D: --shape N=64,D=128"),
        (["layernorm", "--shape", "N=3,D=4,K=2"], "does not fit 'layernorm'"),
        (["layernorm", "--shape", "N=3,D=0"], "with an extent of at least 1, such as N=8192,C=1024"),
        (["layernorm", "--shape", "N=3,N=4"], "should name each axis once"),
        (["layernorm", "--shape", "N=99999999,D=99999999"], "'layernorm' would read and write "),
        (["layernorm", "--threads", "4000"], "--threads 4000: there are"),
        (["layernorm", "--threads", "0"], "should be numbers of threads, such as 1,2"),
        (["layernrm"], "did you mean 'layernorm'?"),
        (["--all", "--order", "2"], "--all knows its layers, shapes and passes"),
        (["layernorm", "--all"], "name a LAYER, or --all"),
        ([], "name a LAYER, or --all"),
    ],
)
def test_a_wrong_use_is_refused_before_anything_is_timed(words: list[str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_process", None)
    done = bench(*words)
    assert done.exit_code == 2 or isinstance(done.exception, symbn.errors.SymbnError)
    assert said in f"{done.output}{done.exception}"


def test_a_picture_without_matplotlib_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roofline.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(symbn.errors.TargetError, match=r"needs matplotlib, which is not installed\npip install 'symbn\[bench\]'"):
        roofline.check_available()


def test_the_roofline_is_an_svg_and_the_same_each_time() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: no roofline is drawn")
    timings = [task.Timing(C, 2.0, 1.9, 2.1, 5), task.Timing(peers.EAGER, 3.0, 2.9, 3.1, 5)]
    drawn = roofline.roofline(task.Bench({}, {}, (result(timings),)))
    assert ElementTree.fromstring(drawn).tag.endswith("svg")
    assert drawn == roofline.roofline(task.Bench({}, {}, (result(timings),)))
    assert "<dc:date>" not in drawn


# Numbers of 16 bits -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("short", "direction"), [("bf16", "backward"), ("f16", "forward")])
def test_arrays_of_16_bits_are_timed_in_c_and_counted_as_they_are_stored(mine: str, short: str, direction: str) -> None:
    words = ("--shape", "R=3,M=40", "--dtype", short, "--threads", "1", "--repeat", "1", "--direction", direction, "--json")
    done = bench(mine, *words)
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)["results"]
    assert [found["name"] for found in row["contenders"] if found["name"] in (C, NUMPY)] == [C]
    # u, z, dz and du have 16 bits, weight and center are float.
    read, written = {"backward": (2 * 120 * 2 + (40 + 3) * 4, 120 * 2), "forward": (120 * 2 + 40 * 4, 120 * 2 + 3 * 4)}[direction]
    assert (row["bytes_read"], row["bytes_written"]) == (read, written)
