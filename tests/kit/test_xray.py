"""The glass box's numbers: what was seen is what the model computed, right or wrong.

`plain` computes both presets once more, in numpy alone, from the parameters and the papers.
"""

import json
from itertools import count

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import corpus, finale
from grader import course as courses
from grader.xray import data as datas
from grader.xray import look as looks
from grader.xray import notebook
from grader.xray.data import packed, page_data, unpacked
from grader.xray.observe import observe, watching

V, T = 11, 6
IDS = [10, 3, 7, 7, 0, 3]
NEXT = [3, 7, 7, 0, 3, 10]
EXERCISES = [exercise.id for exercise in courses.load().exercises]
NAMES = corpus.read(finale.NAMES)
SIZES = {
    "microgpt": {"n_head": 2, "n_embd": 8, "block_size": 9},
    "gpt2": {"n_layer": 2, "n_head": 2, "n_embd": 8, "block_size": 9},
}
numbers = count()


@pytest.fixture
def built(request):
    """Makes a model of the solutions, in which `changes` {exercise: [(old, new)]} are made."""
    from grader.course import ROOT
    from grader.worker import Package

    def build(preset="microgpt", changes=None, dtype=np.float64, **sizes):
        modules = {}
        for id in EXERCISES:
            text = (ROOT / "solutions" / f"{id}.py").read_text("utf-8")
            for old, new in (changes or {}).get(id, ()):
                assert old in text, f"{old!r} is not in {id}"
                text = text.replace(old, new)
            modules[id] = {"file": f"exercises/{id}.py", "source": text, "borrowed": None}
        package = Package(f"course{next(numbers)}", modules)
        request.addfinalizer(package.close)
        ex07 = package.module("ex07_gpt")
        config = getattr(ex07.GPTConfig, preset)(V, **(SIZES[preset] | sizes))
        model = ex07.GPT(config, np.random.default_rng(3), dtype)
        rng = np.random.default_rng(4)
        for p in model.params.values():  # as if it had learnt: no gain is 1, no bias 0
            p.data[...] += rng.normal(0, 0.4, p.data.shape)
        return model

    return build


def plain(params, config, ids, embedded=None, scale=None):
    """The model in numpy: logits, attention, stream, and what each head and mlp adds."""

    def norm(x, name):
        if config.norm == "rmsnorm":
            return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5)
        centred = x - x.mean(-1, keepdims=True)
        unit = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        return unit * params[f"{name}_gain"] + params[f"{name}_bias"]

    def softmax(z):
        return np.exp(z) / np.exp(z).sum(-1, keepdims=True)

    C, H = config.n_embd, config.n_head
    D, T = C // H, len(ids)
    scale = scale or 1 / np.sqrt(D)
    x = (params["wte"][ids] if embedded is None else embedded) + params["wpe"][:T]
    x = norm(x, "norm") if config.embedding_norm else x
    stream, weights = [x], []
    for i in range(config.n_layer):
        p = {k.split(".", 1)[1]: v for k, v in params.items() if k.startswith(f"layer{i}.")}
        y = norm(x, f"layer{i}.norm1")
        q, k, v = (y @ p[f"attn_w{n}"].T + p.get(f"attn_b{n}", 0) for n in "qkv")
        added = p.get("attn_bo", 0)
        for h in range(H):
            part = slice(h * D, (h + 1) * D)
            scores = q[:, part] @ k[:, part].T * scale
            scores[np.triu_indices(T, 1)] = -np.inf
            weights.append(softmax(scores))
            added = added + weights[-1] @ v[:, part] @ p["attn_wo"][:, part].T
        x = x + added
        y = norm(x, f"layer{i}.norm2") @ p["mlp_fc1"].T + p.get("mlp_b1", 0)
        if config.activation == "relu":
            y = np.maximum(y, 0)
        else:
            y = y * 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3)))
        x = x + y @ p["mlp_fc2"].T + p.get("mlp_b2", 0)
        stream.append(x)
    head = params["wte" if config.tied_head else "lm_head"]
    ends = [norm(s, "norm") if config.final_norm else s for s in stream]
    lens = np.stack(ends) @ head.T
    return {
        "logits": lens[-1],
        "lens": lens,
        "attention": np.stack(weights).reshape(config.n_layer, H, T, T),
        "probabilities": softmax(lens[-1]),
    }


def numpy_params(model):
    return {name: p.data.astype(np.float64) for name, p in model.params.items()}


def seen_of(model, following=NEXT):
    seen = observe(model, IDS, following)
    return seen, looks.look(seen)


# what is shown is what was computed


@pytest.mark.parametrize("preset", SIZES)
def test_logits_attention_and_lens_are_those_of_an_independent_computation(built, preset):
    model = built(preset)
    seen, found = seen_of(model)
    right = plain(numpy_params(model), model.config, IDS)
    for name in ("logits", "probabilities", "attention"):
        np.testing.assert_allclose(found[name], right[name], atol=1e-9, err_msg=name)
    np.testing.assert_allclose(seen["lens"], right["lens"], atol=1e-9)
    assert found["lens_error"] < 1e-12
    assert found["not_observable"] == []


@pytest.mark.parametrize("preset", SIZES)
def test_what_moved_a_prediction_is_its_slope_by_differences(built, preset):
    model = built(preset)
    seen, found = seen_of(model)
    params = numpy_params(model)
    e, h = params["wte"][IDS], 1e-5
    expected = np.zeros((T, T))
    for s in range(T):
        for c in range(e.shape[1]):
            up, down = e.copy(), e.copy()
            up[s, c] += h
            down[s, c] -= h
            slope = sum(
                sign * plain(params, model.config, IDS, embedded)["logits"]
                for sign, embedded in ((1, up), (-1, down))
            ) / (2 * h)
            expected[:, s] += slope[range(T), seen["targets"]] * e[s, c]
    np.testing.assert_allclose(found["moved"], expected, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("preset", SIZES)
def test_the_parts_add_up_to_every_logit(built, preset, dtype):
    model = built(preset, dtype=dtype)
    _seen, found = seen_of(model)
    parts = found["contributions"]
    assert parts["error"] < 1e-5
    np.testing.assert_allclose(parts["values"].sum(1), found["logits"], atol=1e-5)
    heads = [part["id"] for part in parts["parts"] if part["kind"] == "head"]
    assert heads == [f"layer{i}.head{h}" for i in range(model.config.n_layer) for h in range(2)]


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    preset=st.sampled_from(sorted(SIZES)),
    sizes=st.fixed_dictionaries(
        {"n_layer": st.integers(1, 3), "n_head": st.integers(1, 3), "D": st.integers(1, 3)}
    ),
    ids=st.lists(st.integers(0, V - 1), min_size=1, max_size=9),
)
def test_so_it_is_for_every_size_and_text(built, preset, sizes, ids):
    size = {"n_layer": sizes["n_layer"], "n_head": sizes["n_head"]}
    model = built(preset, **size, n_embd=sizes["n_head"] * sizes["D"])
    found = looks.look(observe(model, ids, [*ids[1:], -1]))
    right = plain(numpy_params(model), model.config, ids)
    np.testing.assert_allclose(found["attention"], right["attention"], atol=1e-9)
    np.testing.assert_allclose(found["logits"], right["logits"], rtol=1e-9, atol=1e-9)
    assert found["contributions"]["error"] < 1e-9
    assert found["not_observable"] == []


def test_a_heads_part_is_what_is_missing_without_it(built):
    """In a model of one layer without a final norm, and with an mlp that does nothing."""
    model = built()
    model.params["layer0.mlp_fc2"].data[...] = 0
    _seen, found = seen_of(model)
    before = plain(numpy_params(model), model.config, IDS)["logits"]
    D = model.config.n_embd // model.config.n_head
    model.params["layer0.attn_wo"].data[:, D:] = 0
    without = plain(numpy_params(model), model.config, IDS)["logits"]
    names = [part["id"] for part in found["contributions"]["parts"]]
    part = found["contributions"]["values"][:, names.index("layer0.head1")]
    np.testing.assert_allclose(part, before - without, atol=1e-9)


def test_gradients_are_those_of_the_loss(built):
    model = built()
    seen, found = seen_of(model)
    logits = next(c for c in seen["calls"] if c["name"] == "GPT.__call__")["outputs"][0]
    expected = found["probabilities"].copy()
    expected[range(T), NEXT] -= 1
    np.testing.assert_allclose(seen["values"][logits]["grad"][0], expected / T, atol=1e-12)
    assert seen["loss"] == pytest.approx(-np.log(found["probabilities"][range(T), NEXT]).mean())
    assert all(p["grad"].shape == p["data"].shape for p in seen["parameters"].values())


def test_backward_comes_by_the_values_the_other_way_round(built):
    seen, _found = seen_of(built())
    assert seen["backward"] == sorted(seen["backward"], reverse=True)
    assert len(seen["backward"]) > 15


def test_a_last_token_without_a_successor_counts_nowhere(built):
    seen, found = seen_of(built(), [*NEXT[:-1], -1])
    assert seen["targets"][-1] == found["logits"][-1].argmax()
    of_the_first = found["probabilities"][range(T - 1), NEXT[:-1]]
    assert seen["loss"] == pytest.approx(-np.log(of_the_first).mean())


# the lines of the student's own code


def test_every_call_names_the_line_that_made_it(built):
    seen, _found = seen_of(built("gpt2"))
    for call in (call for call in seen["calls"] if call["at"]):
        around = seen["definitions"][call["at"]["inside"]]
        line = around["source"].splitlines()[call["at"]["line"] - around["line"]]
        assert line.strip() == call["at"]["code"]
        if call["name"].isidentifier() and call["name"] != "gelu":  # which `act` stands for
            assert f"{call['name']}(" in line
    inside = [call for call in seen["calls"] if call["name"] == "attention_weights"]
    assert [call["at"]["inside"] for call in inside] == ["causal_attention"] * 2
    assert [call["layer"] for call in inside] == [0, 1]
    parents = {seen["calls"][call["parent"]]["name"] for call in inside}
    assert parents == {"causal_attention"}


def test_a_value_names_the_line_that_made_its_node(built):
    seen, _found = seen_of(built())
    weights = next(c for c in seen["calls"] if c["name"] == "softmax")["outputs"][0]
    place = seen["values"][weights]["made_at"]
    assert place["inside"] == "softmax"
    assert place["code"].startswith("return Tensor.op(")


# models that are wrong in a known way


def test_attention_without_a_mask_shows_the_future(built):
    wrong = {"ex06_attention": [("-np.inf", "0.0")]}
    _seen, found = seen_of(built(changes=wrong))
    assert (found["attention"][0][:, 0, 1:] > 0.01).all()
    assert np.abs(np.triu(found["moved"], 1)).max() > 1e-3


def test_a_right_model_shows_no_future(built):
    _seen, found = seen_of(built())
    assert not np.triu(found["attention"][0], 1).any()
    assert not np.triu(found["moved"], 1).any()


def test_attention_without_its_scale_is_shown_as_it_is(built):
    wrong = {"ex06_attention": [("q.shape[3] ** -0.5", "1.0")]}
    model = built(changes=wrong)
    _seen, found = seen_of(model)
    as_it_is = plain(numpy_params(model), model.config, IDS, scale=1.0)["attention"]
    np.testing.assert_allclose(found["attention"], as_it_is, atol=1e-9)


def test_a_norm_that_leaves_the_mean_in_does_not_add_up(built):
    wrong = {
        "ex05_norm": [("n = centred * r", "n = x.data * r")],
    }
    _seen, found = seen_of(built("gpt2", wrong))
    assert found["contributions"]["error"] > 0.01


def test_a_block_that_loses_its_stream_does_not_add_up(built):
    wrong = {"ex07_gpt": [("return x + mlp(", "return mlp(")]}
    _seen, found = seen_of(built(changes=wrong))
    assert found["contributions"]["error"] > 0.1


def test_a_wrong_gradient_moves_the_prediction_otherwise(built):
    wrong = {"ex05_norm": [("r * (g - n * mean_product(g, n))", "r * g")]}
    right, other = (seen_of(built(changes=changes))[1]["moved"] for changes in (None, wrong))
    assert np.abs(right - other).max() > 0.01


# what is not called is not seen, and not guessed


def test_attention_written_in_one_place_is_said_not_to_be_seen(built):
    scores = "q @ k.transpose(0, 1, 3, 2) * q.shape[3] ** -0.5"
    mask = "Tensor(np.triu(np.full((q.shape[2], k.shape[2]), -np.inf), 1))"
    inlined = [("return attention_weights(q, k) @ v", f"return softmax({scores} + {mask}) @ v")]
    _seen, found = seen_of(built(changes={"ex06_attention": inlined}))
    assert found["attention"] is None
    assert found["not_observable"] == [
        {
            "part": "attention",
            "what": "attention",
            "why": "`attention_weights` was called 0 times, where 1 would do",
        }
    ]
    assert found["contributions"]["error"] < 1e-9


def test_a_model_without_blocks_says_what_that_costs(built):
    renamed = {"ex07_gpt": [("def block(", "def my_block("), ("x = block(", "x = my_block(")]}
    seen, found = seen_of(built(changes=renamed))
    assert seen["lens"] is None and found["contributions"] is None
    assert {m["what"] for m in found["not_observable"]} == {"the logit lens", "what each part adds"}
    assert found["attention"].shape == (1, 2, T, T)


def test_heads_that_are_projected_elsewhere_are_one_part(built):
    inlined = {
        "ex06_attention": [
            (
                'linear(merge_heads(causal_attention(q, k, v)), weights["wo"], weights.get("bo"))',
                'merge_heads(causal_attention(q, k, v)) @ weights["wo"].transpose(1, 0)',
            )
        ]
    }
    _seen, found = seen_of(built(changes=inlined))
    assert [part["id"] for part in found["contributions"]["parts"]] == [
        *("wte", "wpe", "layer0.attention", "layer0.mlp")
    ]
    assert found["contributions"]["error"] < 1e-9


def test_heads_that_attend_one_by_one_are_put_side_by_side(built):
    one_by_one = """
    if q.shape[1] > 1:
        parts = [slice(h, h + 1) for h in range(q.shape[1])]
        heads = [causal_attention(q[:, h], k[:, h], v[:, h]) for h in parts]
        stacked = np.concatenate([head.data for head in heads], axis=1)
        return Tensor.op(stacked, tuple(heads), lambda g: tuple(g[:, h] for h in parts))
    return attention_weights(q, k) @ v"""
    changes = {"ex06_attention": [("    return attention_weights(q, k) @ v", one_by_one)]}
    model = built(changes=changes)
    _seen, found = seen_of(model)
    right = plain(numpy_params(model), model.config, IDS)["attention"]
    np.testing.assert_allclose(found["attention"], right, atol=1e-9)


def test_a_norm_written_in_place_is_seen_as_the_norm(built):
    composed = "return x * ((x * x).mean(-1, keepdims=True) + 1e-5) ** -0.5"
    _seen, found = seen_of(built(changes={"ex07_gpt": [("return rmsnorm(x)", composed)]}))
    assert found["contributions"]["error"] < 1e-9


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("return cross_entropy(self(ids), targets)", "return 1.5", "`GPT.loss` gave float"),
        ("return cross_entropy(self(ids), targets)", "return None", "`GPT.loss` gave NoneType"),
    ],
)
def test_what_is_no_tensor_is_named(built, old, new, said):
    model = built(changes={"ex07_gpt": [(old, new)]})
    with pytest.raises(TypeError, match=said):
        observe(model, IDS, NEXT)


# watching leaves everything as it was


def test_afterwards_every_function_is_the_students_own(built):
    model = built()
    ex07 = type(model).__call__.__globals__
    before = (
        ex07["block"],
        ex07["Tensor"].__dict__["op"],
        ex07["Tensor"].__add__,
        type(model).__call__,
    )
    with pytest.raises(ZeroDivisionError), watching(model):
        assert ex07["block"] is not before[0]
        raise ZeroDivisionError
    after = (
        ex07["block"],
        ex07["Tensor"].__dict__["op"],
        ex07["Tensor"].__add__,
        type(model).__call__,
    )
    assert after == before


def test_the_models_own_gradients_are_left_as_they_were(built):
    model = built()
    model.params["wte"].grad = np.ones((V, 8))
    observe(model, IDS, NEXT)
    assert (model.params["wte"].grad == 1).all()
    assert model.params["wpe"].grad is None


# the page's data


def told(seen):
    return {
        "seen": seen | {"ids": IDS, "next": NEXT, "tokens": [], "vocab": [], "cut": 0, "steps": 0}
    }


def test_the_data_is_json_and_its_arrays_come_back(built):
    seen, found = seen_of(built())
    data = page_data("x", told(seen), NAMES, {"target": "exercises"})
    again = json.loads(json.dumps(data, allow_nan=False))
    np.testing.assert_allclose(unpacked(again["logits"]), found["logits"], rtol=1e-6)
    grad = unpacked(again["parameters"]["wte"]["grad"])
    kept = seen["parameters"]["wte"]["grad"]
    np.testing.assert_allclose(grad, kept, rtol=0, atol=np.abs(kept).max() / 60_000)
    assert again["model"]["parameters"] == sum(p["data"].size for p in seen["parameters"].values())
    documented = datas.__doc__
    assert [
        key for key in data if f"    {key}" not in documented and f", {key}" not in documented
    ] == []


def test_what_does_not_fit_the_page_is_left_out_from_within_and_said(built, monkeypatch):
    seen, _found = seen_of(built("gpt2"))
    whole = page_data("x", told(seen), NAMES, {})
    size = len(json.dumps(whole))
    monkeypatch.setattr(datas, "BUDGET", size // 3)  # of what is beside the words
    part = page_data("x", told(seen), NAMES, {})
    assert len(json.dumps(part)) < size
    kept = [v["data"] is not None for v in part["values"] if v["parameter"] is None]
    assert any(kept) and not all(kept)
    assert "would be too large" in part["not_observable"][-1]["why"]
    assert part["values"][-1]["data"]  # the loss: nothing is further out


def test_numbers_that_are_none_are_told_as_null():
    assert datas.finite(float("nan")) is None
    assert np.isnan(unpacked(packed([np.nan]))).all()


# in a notebook


def test_in_a_notebook_the_page_shows_the_model_at_hand(monkeypatch):
    import grader
    from solutions.ex07_gpt import GPT, GPTConfig

    monkeypatch.setattr(notebook, "SAMPLES", 5)
    monkeypatch.setattr(notebook, "SECONDS", 0.1)
    model = GPT(GPTConfig.microgpt(27), np.random.default_rng(0))
    page = grader.xray(model, "emma")
    assert page.data["tokens"] == ["BOS", "e", "m", "m", "a"]
    assert page.data["bias"]["samples"] > 0
    logits = model(np.array([[26, 4, 12, 12, 0]])).data[0]
    np.testing.assert_allclose(unpacked(page.data["logits"]), logits, rtol=1e-6)
    shown = page._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and "<script" not in shown


def test_in_a_notebook_a_strange_text_is_refused_in_words():
    from solutions.ex07_gpt import GPT, GPTConfig

    model = GPT(GPTConfig.microgpt(27), np.random.default_rng(0))
    with pytest.raises(ValueError, match="'ë', which the model has never seen"):
        notebook.xray(model, "zoë")
    with pytest.raises(ValueError, match="the model has 5 tokens, and the tokenizer 27"):
        notebook.xray(GPT(GPTConfig.microgpt(5), np.random.default_rng(0)), "emma")


# the command


@pytest.fixture
def course_copy(copy):
    """A copy with the data, which the model is trained on."""
    import shutil

    from grader.course import ROOT

    (copy.root / "data").mkdir()
    for name in ("first_names.txt", "microgpt_reference.json"):
        shutil.copy(ROOT / "data" / name, copy.root / "data" / name)
    return copy


def test_a_course_half_done_is_looked_into_and_says_what_is_borrowed(course_copy):
    course_copy.solve("ex04_ops", "y = np.maximum(x.data, 0)", "y = np.maximum(x.data, -1)")
    ran = course_copy.grader("xray", "emma", "--untrained", "--json", "out.json")
    assert ran.returncode == 0, ran.stderr
    assert "32 pieces are not begun, and borrowed from the reference: ex01.vocabulary" in ran.stdout
    data = json.loads((course_copy.root / "out.json").read_text("utf-8"))
    assert "ex05.layernorm" in data["model"]["borrowed"]
    assert not [id for id in data["model"]["borrowed"] if id.startswith("ex04")]
    hidden = unpacked(data["values"][call_of(data, "relu")["outputs"][0]]["data"])
    assert hidden.min() < 0  # the student's own relu, wrong as it is
    lines = [call["at"]["code"] for call in data["calls"] if call["at"]]
    assert {bool(line) for line in lines} == {False}  # all calls stand in what is borrowed
    assert data["definitions"]["block"] | {"line": 0} == {
        "file": "solutions/ex07_gpt.py",
        "line": 0,
        "source": None,
        "borrowed": True,
    }
    assert data["definitions"]["relu"]["source"].startswith("def relu(x):")


def call_of(data, name):
    return next(call for call in data["calls"] if call["name"] == name)


def test_a_bundle_without_solutions_says_which_pieces_are_missing(course_copy):
    import shutil

    shutil.rmtree(course_copy.root / "solutions")
    ran = course_copy.grader("xray", "emma", "--untrained")
    assert ran.returncode == 2
    assert "Still to do: ex01.vocabulary, ex01.encode" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["zoë", "--untrained"], "'ë', which the model has never seen"),
        (["emma", "--checkpoint", "no.npz"], "there is no checkpoint"),
        (["emma", "--preset", "gpt9"], "there is no preset 'gpt9': microgpt or gpt2"),
        (["emma", "--untrained", "--preset", "gpt9"], "there is no preset 'gpt9'"),
    ],
)
def test_what_cannot_be_looked_at_is_said_in_words(course_copy, arguments, message):
    ran = course_copy.grader("xray", *arguments, "--target", "solutions")
    assert ran.returncode == 2
    assert message in ran.stderr


def test_a_file_that_is_no_python_is_named_with_its_line(course_copy):
    (course_copy.exercises / "ex05_norm.py").write_text("x = 1\ndef (", "utf-8")
    ran = course_copy.grader("xray", "emma", "--untrained")
    assert ran.returncode == 2
    assert "exercises/ex05_norm.py:2: this is no Python yet: invalid syntax" in ran.stderr


def test_an_error_in_the_students_code_names_their_line(course_copy):
    path = course_copy.solve("ex05_norm", "n = x.data * r", "n = x.data * r / nothing")
    line = path.read_text("utf-8").split("r / nothing")[0].count("\n") + 1
    ran = course_copy.grader("xray", "emma", "--untrained")
    assert ran.returncode == 2
    assert f"exercises/ex05_norm.py:{line}: NameError: name 'nothing' is not defined" in ran.stderr
    way = "on the way GPT.loss > GPT.__call__ > norm > rmsnorm, which was given x (1, 5, 16)"
    assert way in ran.stderr


@pytest.mark.slow  # it trains for half a minute
def test_without_a_trained_model_one_is_trained_and_its_record_shown(course_copy):
    ran = course_copy.grader("xray", "emma", "--target", "solutions", "--json", "out.json")
    assert ran.returncode == 0, ran.stderr
    assert "There is no trained model to look into yet, so it is trained now" in ran.stdout
    data = json.loads((course_copy.root / "out.json").read_text("utf-8"))
    assert data["model"]["checkpoint"] == ".glassbox/checkpoints/solutions/microgpt.npz"
    assert data["model"]["loss"] < 3.0
    assert data["record"]["steps"][-1] == data["model"]["steps"] > 50
    assert data["record"]["losses"][-1] == pytest.approx(data["model"]["loss"], abs=1e-4)
    assert data["curves"]["step"][-1] == data["model"]["steps"]
    last = unpacked(data["record"]["probabilities"])[-1]
    np.testing.assert_allclose(last, unpacked(data["probabilities"]), atol=1e-5)
    assert data["bias"]["loss"] < 2.8  # better than counting letters
    again = course_copy.grader("xray", "anna", "--target", "solutions", "--json", "out.json")
    assert "trained now" not in again.stdout
