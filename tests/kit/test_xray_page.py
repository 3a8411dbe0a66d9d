"""The page of the glass box, opened in a real browser: what it shows is what Python computed."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from browser import browser  # noqa: F401
from reference import reference

import grader
from grader import corpus, finale, training
from grader.course import ROOT
from grader.xray import record
from grader.xray.data import packed, page_data, unpacked
from grader.xray.gather import gather
from grader.xray.notebook import Page
from grader.xray.page import PROGRAM, SENTENCE, page, read, words
from solutions import ex03_tensor, ex07_gpt, ex09_train, ex10_sampling

COURSE = reference()
NAMES = corpus.read(finale.NAMES)
FEW = replace(NAMES, held_out=NAMES.held_out[:64])
TEXT = "emma"
CURVES = {"step": [0, 40, 80], "seconds": [0.0, 1.0, 2.0], "loss": [None, 2.9, 2.5]}
CURVES |= {"held_out": [3.3, None, 2.6], "learning_rate": [None, 0.01, 0.0]}
CURVES |= {"gradient_norm": [None, 1.0, 0.5], "tokens_a_second": [None, 1000.0, 1000.0]}
HOSTILE = "</script><script>window.hacked = true</script><img src=x onerror='window.hacked = true'>"


def glass(folder, preset, steps, kept, text=TEXT):
    """(the page's data, the checkpoint) of a model that has learnt for a moment."""
    checkpoint = folder / f"{preset}.npz"
    plan = finale.Plan(preset=preset, steps=steps, record=kept).message(FEW)
    plan |= {"checkpoint": str(checkpoint)}
    training.train(COURSE, plan, FEW, lambda event: True)
    told = {}
    looking = {"text": text, "record": str(record.beside(checkpoint)), "samples": 20, "seconds": 1}
    gather(COURSE, plan | looking, FEW, lambda event: told.update({event["event"]: event}))
    model = {"target": "solutions", "preset": preset, "checkpoint": f"{preset}.npz"}
    model |= {"data": "first_names.txt", "borrowed": []}
    data = page_data(text, told, FEW, model, CURVES)
    return json.loads(json.dumps(data)), checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def small(folder):
    """The data and the checkpoint of the preset microgpt."""
    return glass(folder, "microgpt", steps=16, kept=True)


@pytest.fixture(scope="module")
def both(folder, small):
    return {"microgpt": small, "gpt2": glass(folder, "gpt2", steps=16, kept=False)}


@pytest.fixture
def shown_file(browser):  # noqa: F811
    """Open a page; at the end nothing may have complained or asked the network."""

    def show(path, **screen):
        browser.look(**screen)
        browser.open(path)
        return browser

    yield show
    assert browser.complaints() == []
    assert browser.requests() == []


@pytest.fixture
def shown(shown_file, folder):
    """Open the page of some data, on the same condition."""

    def show(data, **screen):
        path = folder / "page.html"
        path.write_text(page(data), "utf-8")
        return shown_file(path, **screen)

    return show


@pytest.fixture(scope="module")
def path_of_emma(folder, small):
    path = folder / "emma.html"
    path.write_text(page(small[0]), "utf-8")
    return path


@pytest.fixture
def emma(browser, path_of_emma):  # noqa: F811
    """The page of the small model, as it opened: the tests that only use it share one."""
    if browser.driver.current_url != path_of_emma.as_uri():
        browser.look()
        browser.open(path_of_emma)
        browser.run("window.fresh = {...glass.state}")
    browser.run("glass.set(fresh); document.activeElement.blur(); scrollTo(0, 0)")
    yield browser
    assert browser.complaints() == []
    assert browser.requests() == []


def as_python(text):
    """The number that the page wrote."""
    return float(text.replace("−", "-").replace("\u00a0", "").strip("%() "))


def model_of(checkpoint):
    """The trained model in float64, the independent word on what the page should compute."""
    model, _ = ex09_train.load(checkpoint)
    for p in model.params.values():
        p.data = p.data.astype(np.float64)
    return model


def logits_of(checkpoint, ids):
    with ex03_tensor.no_grad():
        return model_of(checkpoint)(np.array([ids])).data[0]


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


# the file


def test_the_page_is_one_file_that_asks_for_no_other(small):
    html = page(small[0])
    tags = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert "default-src 'none'" in html
    assert not re.search(r"\b(src|href)\s*=|@import|url\(", tags)


@pytest.mark.parametrize("preset", ["microgpt", "gpt2"])
def test_the_page_stays_below_three_megabytes(both, preset):
    assert len(page(both[preset][0]).encode("utf-8")) < 3e6


@pytest.mark.slow  # a model fifty times as large as microgpt
def test_a_page_of_200_000_weights_holds_their_gradients_and_stays_below_three_megabytes():
    model = ex07_gpt.GPT(ex07_gpt.GPTConfig.gpt2(27), np.random.default_rng(1))
    shown = grader.xray(model, "clementinemaria")
    assert all(entry["grad"] for entry in shown.data["parameters"].values())
    assert 2e6 < len(shown.html().encode("utf-8")) < 3e6


def test_every_sentence_of_the_page_can_be_translated(small, monkeypatch):
    monkeypatch.setattr("grader.xray.page._", str.upper)
    sentences = words('_("Where does it look?") + _(\n  "layer {layer}", { layer }) + _("OK")')
    assert sentences == {
        "Where does it look?": "WHERE DOES IT LOOK?",
        "layer {layer}": "LAYER {LAYER}",
    }


def test_every_sentence_stands_whole_where_it_is_said():
    for name in PROGRAM:
        program = read(f"{name}.js").replace("function _(", "")
        said = re.findall(r"\b_\(\s*.", program)
        assert len(said) == len(SENTENCE.findall(program)), f"{name}.js: a sentence in pieces"


def test_numbers_that_json_does_not_know_are_words(small):
    data = small[0] | {"lens_error": float("nan")}
    assert '"lens_error":"nan"' in page(data)


# what it shows


def test_the_best_guesses_are_the_models(emma, small):
    data, checkpoint = small
    p = softmax(logits_of(checkpoint, data["ids"]))
    for t in range(len(data["ids"])):
        emma.run("glass.set({position: arguments[0]})", t)
        best = int(p[t].argmax())
        assert emma.texts("#guess .bars th button")[0] == data["vocab"][best]
        first = as_python(emma.texts("#guess .bars td.share")[0])
        assert first == pytest.approx(100 * p[t, best], abs=0.51)
        assert emma.text("#guess .bars tr.true th") == data["vocab"][data["next"][t]]


def test_arrow_keys_step_through_the_text(emma, small):
    emma.run("glass.set({position: 0})")
    emma.press("arrow_right", "arrow_right", "arrow_left")
    assert emma.run("return glass.state.position") == 1
    assert emma.text(".token[aria-checked=true]") == "e1"
    assert "BOS e" in emma.text(".here")


def test_attention_is_shown_for_the_row_that_the_mouse_is_on(emma, small):
    weights = unpacked(small[0]["attention"])
    emma.run("glass.set({position: 4, layer: 0, head: 2})")
    emma.hover("#attention .heat tbody tr:nth-child(3) th")
    assert emma.run("return glass.state.position") == 2
    row = emma.texts("#attention .heat tbody tr:nth-child(3) td")[:3]
    shares = [0.0 if text == "<0.1" else as_python(text) for text in row]
    assert shares == pytest.approx(list(100 * weights[0, 2, 2, :3]), abs=0.51)


def test_every_head_can_be_chosen_with_the_keyboard(emma, small):
    emma.focus("#attention .heads button:nth-child(4)")
    emma.press("enter")
    assert emma.run("return glass.state.head") == 3
    assert "head 3" in emma.text("#attention .answer")
    focused = "return document.activeElement.closest('.heads') !== null"
    assert emma.run(focused), "the focus stays where it was"


def test_the_lens_ends_with_the_models_own_answer(emma, small):
    data, checkpoint = small
    p = softmax(logits_of(checkpoint, data["ids"]))
    last_row = emma.texts("#lens .heat tbody tr:last-child td")
    for text, row in zip(last_row, p):
        best = data["vocab"][int(row.argmax())]
        assert text.startswith(best)
        assert as_python(text[len(best) :]) == pytest.approx(100 * row.max(), abs=0.51)


def test_what_moved_the_prediction_is_gradient_times_input(emma, small):
    moved = unpacked(small[0]["moved"])
    emma.run("glass.set({position: 3})")
    shown = [as_python(text) for text in emma.texts("#moved .letters small")]
    assert shown == pytest.approx(list(moved[3, :4]), rel=0.01, abs=1e-6)


def test_the_contributions_add_up_to_the_logit_and_the_page_shows_that(emma, small):
    data, checkpoint = small
    token = data["vocab"].index("k")
    emma.run("glass.set({position: 2, token: arguments[0]})", token)
    check = emma.text("#contributions .answer:has(.soft)")
    total, logit = (as_python(x) for x in re.findall(r"[−\d.e]*\d", check)[:2])
    assert check.startswith("✓")
    assert total == pytest.approx(logits_of(checkpoint, data["ids"])[2, token], abs=2e-5)
    assert logit == pytest.approx(total, abs=1e-5)


def test_the_debugger_steps_forward_and_back(emma, small):
    calls = small[0]["calls"]
    emma.focus(".debugger")
    emma.press("arrow_right", "arrow_right", "arrow_right", "arrow_left")
    assert emma.run("return glass.state.step") == 2
    assert emma.text(".trace [aria-current]").strip() == calls[2]["name"]
    assert emma.text(".step h3").startswith(calls[2]["name"])


def test_the_debugger_steps_over_and_out(emma, small):
    calls = small[0]["calls"]
    block = next(i for i, call in enumerate(calls) if call["name"] == "block")
    emma.run("glass.set({step: arguments[0]})", block)
    emma.focus(".debugger")
    emma.press("arrow_down")
    after = next(
        i for i in range(block + 1, len(calls)) if calls[i]["depth"] <= calls[block]["depth"]
    )
    assert emma.run("return glass.state.step") == after
    emma.press("arrow_up")
    assert emma.run("return glass.state.step") == calls[after]["parent"]


def test_the_debugger_shows_every_number_its_shape_and_the_line(emma, small):
    data = small[0]
    step = next(i for i, c in enumerate(data["calls"]) if c["name"] == "attention_weights")
    emma.run("glass.set({step: arguments[0]})", step)
    value = data["values"][data["calls"][step]["outputs"][0]]
    assert f"({', '.join(map(str, value['shape']))})" in emma.text(".step h4")
    titles = "[...document.querySelector('.step .heat').querySelectorAll('td[title]')]"
    read = emma.run(f"return {titles}.map((td) => td.title.split(' = ')[1])")
    numbers = [as_python(text) for text in read]
    assert numbers == pytest.approx(list(unpacked(value["data"])[0, 0].ravel()), rel=1e-4, abs=1e-6)
    assert emma.text(".step .listing .marked").split(maxsplit=1)[1].startswith("return softmax(")


def test_the_debugger_goes_on_backward(emma, small):
    data = small[0]
    emma.run("glass.set({step: arguments[0]})", len(data["calls"]) + 1)
    value = data["values"][data["backward"][1]]
    assert emma.text(".step h3").startswith("gradient of")
    emma.run("document.querySelector('.step .pixels')?.focus()")
    first = emma.run("return document.querySelector('.step td[title]')?.title") or emma.text(
        ".step .reading"
    )
    expected = unpacked(value["grad"]).ravel()[0]
    assert as_python(first.split(" = ")[1]) == pytest.approx(expected, rel=1e-3, abs=1e-7)


def test_a_picture_is_read_number_by_number_with_the_arrow_keys(emma, small):
    wte = unpacked(small[0]["parameters"]["wte"]["data"])
    emma.run("glass.set({parameter: 'wte', mode: 'data'})")
    emma.focus("#weights .pixels")
    emma.press("arrow_down", "arrow_down", "arrow_right")
    name, number = emma.text("#weights .reading").split(" = ")
    assert name == "wte[c, 1]"
    assert as_python(number) == pytest.approx(wte[2, 1], rel=1e-3)


def test_gradients_are_shown_beside_the_weights(emma, small):
    grad = unpacked(small[0]["parameters"]["wpe"]["grad"])
    emma.run("glass.set({parameter: 'wpe', mode: 'grad'})")
    emma.focus("#weights .pixels")
    emma.press("arrow_right")
    number = as_python(emma.text("#weights .reading").split(" = ")[1])
    assert number == pytest.approx(grad[0, 1], rel=1e-2, abs=float(np.abs(grad).max()) / 16000)


def test_the_time_slider_moves_everything(emma, small):
    kept = small[0]["record"]
    emma.slide("#snapshot", 0)
    assert emma.texts("#learning .samples li") == [name or "·" for name in kept["samples"][0]]
    assert f"step {kept['steps'][0]}:" in emma.text("output[for=snapshot]")
    p = unpacked(kept["probabilities"])[0, emma.run("return glass.state.position")]
    assert small[0]["vocab"][int(p.argmax())] in emma.text("#learning .answer b")
    before = emma.run("return document.querySelector('#learning .side figure svg').innerHTML")
    emma.slide("#snapshot", len(kept["steps"]) - 1)
    after = emma.run("return document.querySelector('#learning .side figure svg').innerHTML")
    assert before != after, "the embeddings drift"


def test_the_slider_stays_within_the_positions_that_were_kept(shown, small):
    kept = small[0]["record"]
    p = unpacked(kept["probabilities"])[:, :2]
    short = kept | {"positions": 2, "probabilities": packed(p), "attention": None}
    window = shown(small[0] | {"record": short})
    window.run("glass.set({position: 4, snapshot: 3})")
    assert "first 2 positions" in window.text("#learning")
    assert window.text("#learning .answer b") == small[0]["vocab"][int(p[3, 1].argmax())]


def test_bias_and_memory_are_told_in_numbers(emma, small):
    bias = small[0]["bias"]
    tiles = [as_python(text) for text in emma.texts("#bias .tiles b")]
    assert tiles[0] == pytest.approx(100 * bias["copied"], abs=0.51)
    assert tiles[-1] == pytest.approx(bias["loss"], abs=0.01)
    emma.run("document.querySelectorAll('#bias details').forEach((d) => { d.open = true })")
    emma.run("return new Promise(requestAnimationFrame)")
    rows = emma.texts("#bias figure:first-of-type .plain tbody tr:first-child > *")
    first = bias["first"][0]
    assert rows[0] == first["key"]
    assert as_python(rows[2]) == pytest.approx(100 * first["data"], abs=0.51)


@pytest.mark.parametrize(
    "section, line",
    [
        ("guess", "return linear(x, params["),
        ("attention", "return softmax("),
        ("moved", "def backward(self"),
        ("weights", "def init_params("),
        ("learning", "def train("),
        ("play", "def top_p(z, p):"),
    ],
)
def test_beside_a_picture_stands_the_students_line(emma, section, line):
    lines = emma.texts(f"#{section} .computed summary code")
    assert any(shown.startswith(line) for shown in lines), lines


# the model in the page


@pytest.mark.parametrize("preset", ["microgpt", "gpt2"])
def test_the_model_in_the_page_computes_what_the_students_python_computes(shown, both, preset):
    data, checkpoint = both[preset]
    window = shown(data)
    for prompt in ("", "e", "emma", "zachariahquinten"[: data["config"]["block_size"] - 1]):
        ids = [26, *(data["vocab"].index(char) for char in prompt)]
        in_page = window.run(
            "const {config} = glass.data, cache = emptyCache(config);"
            "const params = Object.fromEntries(Object.entries(glass.data.parameters)"
            "  .map(([name, p]) => [name, unpack(p.data)]));"
            "return arguments[0].map((id) => gpt(id, params, config, cache).logits)",
            ids,
        )
        np.testing.assert_allclose(in_page, logits_of(checkpoint, ids), rtol=0, atol=1e-5)
    assert window.text("#agrees").startswith("✓")


def test_typing_a_name_shows_what_the_model_expects(emma, small):
    data, checkpoint = small
    prompt = emma.find("#prompt")
    prompt.clear()
    prompt.send_keys("kim")
    p = softmax(logits_of(checkpoint, [26, *(data["vocab"].index(c) for c in "kim")])[-1])
    best = int(p.argmax())
    said = emma.text("#play .answer")
    share = as_python(re.search(rf"expects {data['vocab'][best]} ([\d.]+)", said)[1])
    assert share == pytest.approx(100 * p[best], abs=0.51)
    assert all(name.startswith("kim") for name in emma.texts("#play .samples li"))


def test_what_the_model_has_never_seen_is_named(emma):
    emma.find("#prompt").send_keys("É7")
    assert "É 7" in emma.text("#play .answer")


def test_the_knobs_are_those_of_exercise_10(emma):
    rng = np.random.default_rng(5)
    for _ in range(20):
        z, t, k, p = (
            rng.normal(0, 2, 9),
            rng.uniform(0.2, 2),
            int(rng.integers(1, 10)),
            rng.random(),
        )
        z[3] = z[4]
        u = rng.random()
        script = "const [logits, t, k, p, u] = arguments; const z = chosen(logits, {t, k, p});"
        probabilities = emma.run(script + "return softmax(z)", z.tolist(), t, k, p)
        expected = ex10_sampling.top_p(ex10_sampling.top_k(ex10_sampling.temperature(z, t), k), p)
        np.testing.assert_allclose(probabilities, softmax(expected), atol=1e-12)
        drawn = emma.run(script + "return sample(z, u)", z.tolist(), t, k, p, u)
        assert drawn == ex10_sampling.sample(expected, SimpleNamespace(random=lambda u=u: u))


def test_moving_a_knob_changes_distribution_and_samples(emma):
    emma.slide("#knob-t", 1.9)
    wild = emma.texts("#play .samples li")
    emma.slide("#knob-t", 0.1)
    tame = emma.texts("#play .samples li")
    assert wild != tame
    assert len(set(tame)) < len(set(wild)), "a low temperature says the same again and again"
    emma.slide("#knob-k", 1)
    assert len(set(emma.texts("#play .samples li"))) == 1, "with top-k 1 there is nothing to draw"
    emma.run("const d = document.querySelector('#play figure details'); d.open = true")
    emma.run("return new Promise(requestAnimationFrame)")
    drawn = emma.texts("#play figure .plain tbody td:last-child")
    assert [as_python(text) for text in drawn if as_python(text) > 0] == [100]


# models that are wrong in a known way


def test_a_head_that_looks_ahead_is_seen_and_named(shown, small):
    T = len(small[0]["ids"])
    even = packed(np.full(small[0]["attention"]["shape"], 1 / T))
    window = shown(small[0] | {"attention": even})
    window.run("glass.set({position: 1})")
    assert "look ahead" in window.text("#attention .missing")
    assert len(window.texts("#attention .heat tbody tr:nth-child(2) td:not(.empty)")) == T
    assert window.run("return document.querySelectorAll('#attention svg path').length") >= T - 1


def test_weights_that_do_not_add_up_to_one_are_named(shown, small):
    halves = packed(unpacked(small[0]["attention"]) / 2)
    window = shown(small[0] | {"attention": halves})
    assert "off by up to 0.5" in window.text("#attention .missing")


def test_a_lens_that_misses_the_models_own_answer_is_named(shown, small):
    assert "differs" in shown(small[0] | {"lens_error": 0.25}).text("#lens .missing")


def test_contributions_that_do_not_add_up_are_called_so(shown, small):
    values = unpacked(small[0]["contributions"]["values"]).copy()
    values[:, 0] += 0.5
    wrong = small[0]["contributions"] | {"values": packed(values), "error": 0.5}
    assert (
        shown(small[0] | {"contributions": wrong})
        .text("#contributions .answer:has(.soft)")
        .startswith("✗")
    )


def test_a_model_that_computes_something_else_is_told_apart(shown, small):
    unscaled = packed(unpacked(small[0]["logits"]) * 1.1)
    assert shown(small[0] | {"logits": unscaled}).text("#agrees").startswith("✗")


# the command and the notebook


@pytest.mark.slow  # a worker of its own and 1000 samples: some ten seconds
def test_the_command_writes_a_page_that_opens(folder, shown_file):
    path = folder / "command.html"
    command = [sys.executable, "-m", "grader", "xray", TEXT, "--target", "solutions"]
    command += ["--untrained", "--out", str(path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    window = shown_file(path)
    assert "untrained" in window.text(".facts")
    assert window.text("#agrees").startswith("✓")


def test_a_notebook_shows_the_page_in_a_frame_of_its_own(browser, small, folder):  # noqa: F811
    path = folder / "notebook.html"
    path.write_text(f"<meta charset=utf-8><p>cell</p>{Page(small[0])._repr_html_()}", "utf-8")
    browser.open(path)
    browser.driver.switch_to.frame(0)
    try:
        browser.run("document.querySelector('nav li:nth-child(5) a').click()")
        assert browser.run("return location.href") == "about:srcdoc", "the frame is not left"
        assert browser.run("return document.activeElement.id") == "contributions"
    finally:
        browser.driver.switch_to.default_content()
    assert browser.complaints() == []


# all readers


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_on_colour_can_be_read(shown, small, scheme):
    """WCAG AA: a contrast of 4.5 to 1, in the coloured cells and in the page's own colours."""
    window = shown(small[0], scheme=scheme)
    worst = window.run(CONTRAST)
    assert worst[0] >= 4.5, f"{worst[1]!r}: {worst[0]:.2f}"
    window.screenshot(scheme, whole=scheme == "light")


CONTRAST = """
const rgb = (text) => { const c = d3.rgb(text); return c.opacity === 0 ? null : c };
const part = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const luminance = (c) => 0.2126 * part(c.r) + 0.7152 * part(c.g) + 0.0722 * part(c.b);
const behind = (e) => { for (; e; e = e.parentElement) {
  const c = rgb(getComputedStyle(e).backgroundColor); if (c) return c } return d3.rgb("white") };
let worst = [21, ""];
for (const e of document.querySelectorAll("main *")) {
  const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || e.closest("svg, .later, .unseen") || e.offsetParent === null) continue;
  const [a, b] = [luminance(rgb(getComputedStyle(e).color)), luminance(behind(e))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < worst[0]) worst = [ratio, e.outerHTML.slice(0, 80)];
}
return worst;
"""


def test_the_switch_goes_from_light_to_dark(emma):
    background = "return getComputedStyle(document.body).backgroundColor"
    before = emma.run(background)
    emma.find("button.theme").click()
    assert emma.run(background) != before
    assert emma.run("return getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_a_phone_shows_the_whole_width(shown, both):
    window = shown(both["gpt2"][0], width=390, height=800)
    assert window.run("return document.documentElement.scrollWidth") <= 390
    window.screenshot("phone", whole=False)


def test_every_picture_has_words_and_every_table_a_caption(emma):
    nameless = emma.run(
        "const pictures = 'main svg, main canvas, main table, main input, main select';"
        "return [...document.querySelectorAll(pictures)]"
        ".filter((e) => !(e.getAttribute('aria-label') || e.closest('[aria-hidden=true]')"
        "  || e.querySelector('caption') || e.labels?.length)).map((e) => e.outerHTML.slice(0, 90))"
    )
    assert nameless == []


def test_whatever_has_the_focus_can_be_seen(emma):
    seen = set()
    for _ in range(25):
        emma.press("tab")
        outline = emma.run(
            "const s = getComputedStyle(document.activeElement); return s.outlineStyle"
        )
        assert outline != "none", emma.run("return document.activeElement.outerHTML.slice(0, 90)")
        seen.add(emma.run("return document.activeElement.outerHTML"))
    assert len(seen) == 25


# what came from the student


def test_what_the_student_wrote_stays_text(shown, small):
    data = json.loads(json.dumps(small[0]))
    data["text"] = data["tokens"][1] = data["vocab"][0] = HOSTILE
    data["model"] |= {"data": HOSTILE, "borrowed": [HOSTILE]}
    for definition in data["definitions"].values():
        definition |= {"source": HOSTILE, "file": HOSTILE}
    for call in data["calls"]:
        call |= {
            "name": HOSTILE,
            "at": {"file": HOSTILE, "line": 1, "code": HOSTILE, "inside": HOSTILE},
        }
    data["definitions"][HOSTILE] = {
        "file": HOSTILE,
        "line": 1,
        "source": HOSTILE,
        "borrowed": False,
    }
    data["not_observable"] = [{"part": None, "what": HOSTILE, "why": HOSTILE}]
    data["parameters"][HOSTILE] = data["parameters"]["wte"]
    data["bias"]["made_up"] = data["record"]["samples"][-1] = [HOSTILE]
    window = shown(data)
    for step in range(3):
        window.run("glass.set({step: arguments[0]})", step)
    window.run("glass.set({parameter: arguments[0]})", HOSTILE)
    assert window.run("return window.hacked") is None
    assert window.run("return document.querySelectorAll('img').length") == 0
    assert HOSTILE[:40] in window.text("h1")
    assert HOSTILE in window.text(".step .listing")


# what is missing


def test_what_is_missing_is_said_in_words(shown, small):
    absent = ("attention", "lens", "moved", "contributions", "record", "curves", "bias")
    why = "self_attention is written out in GPT.__call__"
    data = small[0] | dict.fromkeys(absent)
    data["not_observable"] = [{"part": "attention", "what": "attention", "why": why}]
    data["not_observable"] += [{"part": None, "what": "the innermost values", "why": "too large"}]
    window = shown(data)
    assert why in window.text("#attention .missing")
    assert "the innermost values: too large" in window.text("#step .missing")
    assert "--record" in window.text("#learning")
    for section in ("lens", "moved", "contributions", "bias"):
        assert window.text(f"#{section} .missing")
    assert window.texts("#guess .bars th button")[0], "the rest is there"


def test_a_text_of_nothing_has_its_page(shown, tmp_path):
    data, checkpoint = glass(tmp_path, "microgpt", steps=1, kept=False, text="")
    window = shown(data)
    assert window.texts(".token") == ["BOS0"]
    best = int(logits_of(checkpoint, [26])[0].argmax())
    assert window.text("#guess .bars th button") == data["vocab"][best]


def test_an_untrained_model_is_called_untrained(shown, small):
    model = small[0]["model"] | {"checkpoint": None, "steps": 0}
    assert "untrained" in shown(small[0] | {"model": model}).text(".facts")


def test_a_model_that_gives_nan_still_has_its_page(shown, small):
    nans = {}
    for name in ("logits", "probabilities", "attention", "lens", "moved"):
        nans[name] = packed(np.full(small[0][name]["shape"], np.nan))
    window = shown(small[0] | nans | {"lens_error": None})
    assert "nan" in window.text("#moved .letters")


def test_a_model_without_a_weight_of_the_course_is_not_run_in_the_page(shown, small):
    parameters = {n: p for n, p in small[0]["parameters"].items() if n != "lm_head"}
    assert "lm_head" in shown(small[0] | {"parameters": parameters}).text("#play .missing")


def test_the_browser_hears_complaints_and_sees_requests(browser, tmp_path):  # noqa: F811
    path = tmp_path / "wrong.html"
    path.write_text("<img src='nowhere.png'><script>undefined.x</script>", "utf-8")
    browser.open(path)
    assert any("nowhere.png" in address for address in browser.requests())
    assert any("TypeError" in complaint for complaint in browser.complaints())
