"""Batches beside their documents; training beside the same steps taken one by one."""

from itertools import permutations

import numpy as np
import pytest

from grader import chance
from grader.compare import close, same

piece = pytest.mark.piece

DOCS = ["emma", "olivia", "ava", "", "isabella", "mia", "jo", "al"]
CHARS = sorted(set("".join(DOCS)))
BOS = len(CHARS)


def generator(student, salt=0):
    """Chance beside the student's code."""
    return student.rng(chance.seed(salt))


def take(batches, shape):
    """The next batch, two arrays of integers of this shape."""
    batch = next(batches)
    assert isinstance(batch, (tuple, list)) and len(batch) == 2, "not a pair"
    for array in batch:
        assert isinstance(array, np.ndarray) and array.dtype.kind in "iu", "not integers"
        assert array.shape == shape, f"shape {array.shape}, not {shape}"
    return batch


def row(doc, T):
    """Its ids and targets as they should be."""
    tokens = [BOS, *(CHARS.index(char) for char in doc), BOS]
    ids, targets = tokens[:-1][:T], tokens[1:][:T]
    return ids + [BOS] * (T - len(ids)), targets + [-1] * (T - len(targets))


def passes(student, docs, batch_size, block_size, n, rng=None):
    """The rows of ids of n passes, and of targets, in the order in which they come."""
    tokenizer = student.CharTokenizer(DOCS)
    batches = student.doc_batches(docs, tokenizer, batch_size, block_size, rng)
    taken = [take(batches, (batch_size, block_size)) for _ in range(n * len(docs) // batch_size)]
    return [[tuple(map(int, r)) for half in taken for r in half[side]] for side in (0, 1)]


@piece("batches", core=True)
def test_every_row_is_its_document(student):
    """Documents shorter and longer than T, and just as long, in order, with B no divisor of N."""
    ids, targets = passes(student, DOCS, 3, 5, n=3)
    rows = [row(doc, 5) for doc in DOCS * 3]
    close(np.array(ids), np.array([r[0] for r in rows]))
    close(np.array(targets), np.array([r[1] for r in rows]))


@piece("batches")
def test_one_position_is_enough_for_the_first_character(student):
    """T = 1: ids are BOS alone, and targets the first character, or BOS for an empty document."""
    ids, targets = passes(student, DOCS, 2, 1, n=1)
    close(np.array(ids), np.full((8, 1), BOS))
    close(np.array(targets), np.array([row(doc, 1)[1] for doc in DOCS]))


@piece("batches")
def test_a_vocabulary_may_be_large(student):
    """Ids beyond 255 are integers like any other."""
    chars = [chr(1000 + i) for i in range(300)]
    batches = student.doc_batches(chars[::-99], student.CharTokenizer(chars), 4, 2, None)
    ids, targets = take(batches, (4, 2))
    close(ids, [[300, 299], [300, 200], [300, 101], [300, 2]])
    close(targets, [[299, 300], [200, 300], [101, 300], [2, 300]])


@piece("batches")
def test_a_batch_may_be_larger_than_all_documents_together(student):
    """The stream of documents goes on: a batch can hold several passes."""
    for batch_size in (5, 20):
        ids, _ = passes(student, DOCS[:2], batch_size, 7, n=10)
        close(np.array(ids), np.array([row(doc, 7)[0] for doc in DOCS[:2] * 10]))


@piece("batches")
def test_a_pass_with_an_rng_holds_every_document_once(student):
    """A pass is a new order of all documents; batches run over its end without losing any."""
    n = len(DOCS)
    ids, targets = passes(student, DOCS, 3, 6, n=6, rng=generator(student))
    whole = sorted(map(repr, (row(doc, 6) for doc in DOCS)))
    for start in range(0, 6 * n, n):
        pairs = zip(ids[start : start + n], targets[start : start + n])
        seen = sorted(repr((list(i), list(t))) for i, t in pairs)
        assert seen == whole, "a pass is not made of every document once"


@piece("batches")
def test_every_pass_with_an_rng_has_its_own_order(student):
    """The order is drawn anew for each pass; two alike are too rare ever to be seen."""
    docs = ["".join(pair) for pair in permutations("aeim", 2)]  # 16 documents have 2e13 orders
    docs += ["aa", "ee", "ii", "mm"]
    n = len(docs)
    ids, _ = passes(student, docs, 4, 3, n=4, rng=generator(student))
    orders = [ids[start : start + n] for start in range(0, 4 * n, n)]
    given = [tuple(row(doc, 3)[0]) for doc in docs]
    different = all(a != b for i, a in enumerate(orders) for b in [given, *orders[:i]])
    assert different, "two passes have the same order"


@piece("batches")
def test_every_batch_is_there_to_be_kept(student):
    """Batches that were collected first and looked at later are all different arrays."""
    args = [DOCS, student.CharTokenizer(DOCS), 2, 5, None]
    items = student.scenario("several", name="doc_batches", args=args, count=4)["items"]
    close(np.concatenate([ids for ids, _ in items]), np.array([row(d, 5)[0] for d in DOCS]))
    close(np.concatenate([targets for _, targets in items]), np.array([row(d, 5)[1] for d in DOCS]))
    args = [np.arange(500), 3, 4, generator(student)]
    items = student.scenario("several", name="text_batches", args=args, count=4)["items"]
    assert len({int(ids[0, 0]) for ids, _ in items}) > 1, "the same batch again and again"
    for ids, targets in items:
        close(targets, ids + 1)


@piece("batches")
def test_the_documents_stay_in_their_order(student):
    """A new order is the stream's own business: the list that was given is left alone."""
    args = [list(DOCS), student.CharTokenizer(DOCS), 3, 5, generator(student)]
    done = student.scenario("several", name="doc_batches", args=args, count=8)
    assert len(done["items"]) == 8
    same(done["args"][0], DOCS)


@piece("batches")
def test_the_same_seed_gives_the_same_batches(student):
    """All chance comes from the rng that is given."""
    text = list(range(100, 150))
    for seed in (7, chance.seed()):
        docs = [passes(student, DOCS, 4, 9, n=2, rng=student.rng(seed)) for _ in range(2)]
        same(docs[0], docs[1])
        batches = [student.text_batches(text, 4, 3, student.rng(seed)) for _ in range(2)]
        windows = [take(each, (4, 3)) for each in batches]
        close(windows[0][0], windows[1][0])


@piece("batches")
def test_no_documents_are_an_error_and_one_is_enough(student):
    """ValueError for nothing at all; a single document comes again and again."""
    ids, _ = passes(student, ["ava"], 2, 4, n=4)
    close(np.array(ids), np.array([row("ava", 4)[0]] * 4))
    with student.raises(ValueError):
        next(student.doc_batches([], student.CharTokenizer(DOCS), 2, 4, None))
    with student.raises(ValueError):
        next(student.doc_batches([], student.CharTokenizer(DOCS), 2, 4, student.rng(0)))


@piece("batches", core=True)
def test_windows_are_cut_from_the_text_as_it_stands(student):
    """A row is T ids as they stand, its targets the same one place later; from a list too."""
    text = chance.rng().permutation(1000)[:60]
    place = {int(id): i for i, id in enumerate(text)}
    for given in (text[:6], text, [int(id) for id in text]):
        ids, targets = take(student.text_batches(given, 7, 5, generator(student)), (7, 5))
        starts = [place.get(int(id), -99) for id in ids[:, 0]]
        inside = all(0 <= start < len(given) - 5 for start in starts)
        assert inside, "a row does not start in the text"
        close(ids, np.array([text[start : start + 5] for start in starts]))
        close(targets, np.array([text[start + 1 : start + 6] for start in starts]))


@piece("batches")
def test_every_full_window_is_as_likely_as_any_other(student):
    """A start is any place that leaves T ids and one more as the last target, equally often."""
    batches = student.text_batches(np.arange(12), 200, 7, generator(student))
    starts = np.concatenate([take(batches, (200, 7))[0][:, 0] for _ in range(5)])
    counts = np.bincount(starts, minlength=5)
    assert len(counts) == 5, "a window that is not full was taken"
    alike = counts.min() > 115 and counts.max() < 295  # but for one seed in 10^10
    assert alike, "some windows come more often than others"


@piece("batches")
def test_windows_of_one_batch_and_of_the_next_are_drawn_anew(student):
    """The B starts of a batch are drawn one by one, and again for the next batch."""
    batches = student.text_batches(np.arange(5000), 6, 4, generator(student))
    starts = [take(batches, (6, 4))[0][:, 0] for _ in range(3)]
    different = len(np.unique(starts))
    assert different > 12, "rows of a batch, or whole batches, start at the same place"
    assert all(len(set(np.diff(s))) > 1 for s in starts), "the rows are not drawn, but spaced"


@piece("batches")
def test_a_window_needs_one_more_id_for_its_last_target(student):
    """N = T + 1 is just enough; N = T is a ValueError, and so is a shorter text."""
    ids, targets = take(student.text_batches(np.array([4, 5, 6]), 1, 2, student.rng(0)), (1, 2))
    close(ids, [[4, 5]])
    close(targets, [[5, 6]])
    for short in ([4, 5], [4], []):
        with student.raises(ValueError):
            next(student.text_batches(short, 1, 2, student.rng(0)))


V, T = 6, 4


def new_model(student, preset="microgpt", dtype="float64", seed=None, **changes):
    sizes = {"n_embd": 8, "n_head": 2, "block_size": T, "n_layer": 1} | changes
    config = getattr(student.GPTConfig, preset)(V, **sizes)
    rng = student.rng(chance.seed("model") if seed is None else seed)
    return student.GPT(config, rng, student.np.dtype(dtype).type)


def new_run(student, preset="microgpt", dtype="float64", seed=None, **options):
    model = new_model(student, preset, dtype, seed)
    options = {"lr": 0.03, "betas": (0.8, 0.97), "eps": 1e-6, "weight_decay": 0.1} | options
    return model, student.AdamW(model.params, **options)


def some_batches(n):
    rng = chance.rng("batches")
    tokens = [rng.integers(V, size=(2, T + 1)) for _ in range(n)]
    batches = [(t[:, :-1], t[:, 1:].copy()) for t in tokens]
    for _, targets in batches:
        targets[0, -1] = -1
    return batches


def run(student, model, optimizer, batches, steps, lrs, notify=True):
    inputs = {"model": model, "batches": batches, "steps": steps, "optimizer": optimizer}
    return student.scenario("train", lrs=lrs, notify=notify, **inputs)


def weights(model):
    return {name: p.data for name, p in model.params.items()}


def equal(got, expected, rtol=0.0):
    assert sorted(got) == sorted(expected), "other parameters than before"
    for name, array in expected.items():
        close(got[name], array, rtol=rtol, atol=0.0)


RATES = [0.02, 0.05, 0.0, 0.03, 0.01]


@piece("train", core=True)
def test_training_is_its_steps_one_after_the_other(student):
    """Forget, loss, backward, step: losses and weights are those of the same steps done singly."""
    model, optimizer = new_run(student)
    losses = []
    for (ids, targets), rate in zip(some_batches(5), RATES):
        optimizer.zero_grad()
        loss = model.loss(ids, targets)
        loss.backward()
        optimizer.step(rate)
        losses.append(float(student.array(loss)))
    expected = weights(model)
    model, optimizer = new_run(student)
    done = run(student, model, optimizer, some_batches(5), 5, RATES)
    assert isinstance(done["losses"], list), "not a list"
    assert all(isinstance(loss, float) for loss in done["losses"]), "not floats"
    close(np.array(done["losses"]), np.array(losses))
    equal(weights(model), expected, rtol=1e-6)


@piece("train")
def test_a_learnable_text_is_learnt(student):
    """After 0 always comes 1, after 1 always 2: the loss ends near 0."""
    model, optimizer = new_run(student, seed=2, betas=(0.9, 0.95), weight_decay=0.0)
    tokens = np.array([[0, 1, 2, 3, 4], [3, 4, 5, 0, 1]])
    batch = (tokens[:, :-1], tokens[:, 1:])
    done = run(student, model, optimizer, [batch] * 30, 30, [0.1] * 30)
    assert done["losses"][0] > 1.0 and done["losses"][-1] < 0.1, "the loss does not fall"


@piece("train")
def test_steps_are_numbered_from_optimizer_t(student):
    """A second call goes on: with the numbers, rates and batches that come next."""
    model, optimizer = new_run(student)
    whole = run(student, model, optimizer, some_batches(5), 5, RATES)
    model, optimizer = new_run(student)
    batches, parts = some_batches(5), []
    for start, stop in ((0, 1), (1, 3), (3, 5)):
        rates = [float("nan")] * start + RATES[start:stop]
        part = run(student, model, optimizer, batches[start:], stop, rates)
        assert sorted(set(part["asked"])) == list(range(start, stop)), "rates of other steps"
        assert [step for step, _ in part["told"]] == list(range(start, stop)), "other numbers"
        assert part["taken"] == stop - start, "not one batch for each step"
        parts += part["losses"]
    close(np.array(parts), np.array(whole["losses"]))
    same(optimizer.t, 5)


@piece("train")
def test_with_nothing_left_to_do_it_does_nothing(student):
    """If the optimiser has taken all the steps, no batch is taken, and there are no losses."""
    model, optimizer = new_run(student)
    run(student, model, optimizer, some_batches(2), 2, RATES)
    before = weights(model)
    done = run(student, model, optimizer, some_batches(2), 2, RATES)
    same(done["losses"], [])
    assert done["taken"] == 0 and done["told"] == [], "a batch was taken, or on_step told"
    equal(weights(model), before)


@piece("train")
def test_what_on_step_is_told_is_what_comes_back(student):
    """on_step(step, loss) after each step, with the loss of the list, a float; it may be None."""
    model, optimizer = new_run(student, dtype="float32")
    told = run(student, model, optimizer, some_batches(3), 3, RATES)
    assert [step for step, _ in told["told"]] == [0, 1, 2], "other steps"
    assert all(isinstance(loss, float) for _, loss in told["told"]), "not floats"
    close(np.array([loss for _, loss in told["told"]]), np.array(told["losses"]))
    model, optimizer = new_run(student, dtype="float32")
    untold = run(student, model, optimizer, some_batches(3), 3, RATES, notify=False)
    same(untold["losses"], told["losses"])


@piece("train")
def test_on_step_is_told_after_the_step(student):
    """When it is told of step 0 the optimiser has taken one step, and so on."""
    model, optimizer = new_run(student)
    same(run(student, model, optimizer, some_batches(3), 3, RATES)["taken_then"], [1, 2, 3])


@piece("train")
def test_a_loss_that_rises_is_no_reason_to_stop(student):
    """Rates far too large throw the weights about: all steps are taken all the same."""
    model, optimizer = new_run(student)
    done = run(student, model, optimizer, some_batches(8), 8, [10.0] * 8)
    assert len(done["losses"]) == 8 and done["taken"] == 8, "not all steps were taken"


@piece("train")
def test_a_rate_of_zero_leaves_the_weights_alone(student):
    """The rate of the schedule goes to every step, 0 included."""
    model, optimizer = new_run(student, lr=0.5)
    before = weights(model)
    run(student, model, optimizer, some_batches(3), 3, [0.0] * 3)
    equal(weights(model), before)


def restored(student, path):
    pair = student.load(path)
    assert isinstance(pair, (tuple, list)) and len(pair) == 2, "not a model and an optimizer"
    return pair


def resume_after(student, n, preset="microgpt", dtype="float64"):
    """Losses and weights of a run of 5 steps, whole and with a checkpoint after n steps."""
    model, optimizer = new_run(student, preset, dtype)
    whole = run(student, model, optimizer, some_batches(5), 5, RATES)["losses"]
    expected = weights(model)
    model, optimizer = new_run(student, preset, dtype)
    losses = run(student, model, optimizer, some_batches(5), n, RATES)["losses"]
    student.save(f"{preset}_{dtype}.npz", model, optimizer)
    model, optimizer = restored(student, f"{preset}_{dtype}.npz")
    losses += run(student, model, optimizer, some_batches(5)[n:], 5, RATES)["losses"]
    same(losses, whole)
    equal(weights(model), expected)


@piece("checkpoints", core=True)
def test_a_resumed_run_equals_an_uninterrupted_one_to_the_last_bit(student):
    """Weights, m, v, t and the optimiser's settings: everything that the next step depends on."""
    resume_after(student, 2)


@piece("checkpoints")
def test_a_float32_run_resumes_as_float32(student):
    """The type of the weights is part of what comes back."""
    resume_after(student, 3, dtype="float32")
    model, _ = restored(student, "microgpt_float32.npz")
    types = {str(array.dtype) for array in weights(model).values()}
    assert types == {"float32"}, "other types than were saved"


@piece("checkpoints")
def test_a_float64_run_resumes_as_float64(student):
    """The type of the weights is part of what comes back."""
    resume_after(student, 1)
    model, _ = restored(student, "microgpt_float64.npz")
    types = {str(array.dtype) for array in weights(model).values()}
    assert types == {"float64"}, "other types than were saved"


@piece("checkpoints", needs=["ex07.variants"])
def test_a_gpt2_resumes_with_its_biases_and_its_tied_head(student):
    """The config says which model it is; every parameter comes back under its name."""
    resume_after(student, 2, preset="gpt2")


@piece("checkpoints")
def test_the_optimizer_comes_back_with_all_its_numbers(student):
    """lr, betas, eps and weight_decay: steps on gradients written by hand are as before."""
    moved = []
    for through_a_file in (False, True):
        model, optimizer = new_run(student, lr=0.07, betas=(0.6, 0.9), eps=0.5, weight_decay=0.4)
        rng = chance.rng()
        for i in range(3):
            if through_a_file:
                student.save(f"numbers{i}.npz", model, optimizer)
                model, optimizer = restored(student, f"numbers{i}.npz")
            same(optimizer.t, i)
            params = [p for _, p in sorted(model.params.items())]
            shapes = [student.array(p).shape for p in params]
            for p, shape in zip(params, shapes):
                p.grad = rng.normal(size=shape)
            optimizer.step()
        moved.append(weights(model))
    equal(moved[1], moved[0])


@piece("checkpoints")
def test_numbers_come_back_to_the_last_digit(student):
    """A rate of 1 / 3 is no rate of 0.333333, and a small eps is not 0."""
    numbers = {"lr": 1 / 3, "betas": (0.7 + 1e-12, 0.9 + 1e-13), "eps": 1.2345678e-9}
    numbers |= {"weight_decay": 2 / 7}
    model, optimizer = new_run(student, **numbers)
    student.save("digits.npz", model, optimizer)
    _, again = restored(student, "digits.npz")
    for name, number in numbers.items():
        assert tuple(np.ravel(getattr(again, name))) == tuple(np.ravel(number)), f"{name} differs"


@piece("checkpoints")
def test_the_file_itself_holds_the_checkpoint(student):
    """It may get another name, and another checkpoint its old one: load reads what is in it."""
    model, optimizer = new_run(student)
    first = weights(model)
    student.save("here.npz", model, optimizer)
    student.scenario("rename", old="here.npz", new="there.npz")
    run(student, model, optimizer, some_batches(1), 1, RATES)
    student.save("here.npz", model, optimizer)
    again, its_optimizer = restored(student, "there.npz")
    equal(weights(again), first)
    same(its_optimizer.t, 0)
    equal(weights(restored(student, "here.npz")[0]), weights(model))


@piece("checkpoints")
def test_weights_from_elsewhere_are_saved_too(student):
    """What p.data holds at that moment is saved, whoever wrote it, and comes back."""
    model, optimizer = new_run(student)
    rng = chance.rng()
    params = model.params
    written = {name: rng.normal(size=student.array(p).shape) for name, p in params.items()}
    for name, p in params.items():
        student.assign(p, written[name])
    student.save("written.npz", model, optimizer)
    equal(weights(restored(student, "written.npz")[0]), written)


@piece("checkpoints")
def test_the_optimizer_that_comes_back_moves_the_model_that_comes_back(student):
    """load makes an optimiser for the parameters of its model, not for others."""
    model, optimizer = new_run(student)
    student.save("pair.npz", model, optimizer)
    again, its_optimizer = restored(student, "pair.npz")
    before = weights(again)
    run(student, again, its_optimizer, some_batches(1), 1, RATES)
    after = weights(again)
    assert any((after[name] != before[name]).any() for name in before), "no weight moves"
    equal(weights(model), before)


@piece("checkpoints")
def test_saving_changes_nothing(student):
    """The run goes on after a checkpoint as if there had been none."""
    model, optimizer = new_run(student)
    whole = run(student, model, optimizer, some_batches(4), 4, RATES)["losses"]
    model, optimizer = new_run(student)
    losses = run(student, model, optimizer, some_batches(4), 2, RATES)["losses"]
    student.save("aside.npz", model, optimizer)
    losses += run(student, model, optimizer, some_batches(4)[2:], 4, RATES)["losses"]
    same(losses, whole)


@piece("checkpoints")
def test_a_checkpoint_keeps_the_moment_of_saving(student):
    """Training on does not change it; saving again under its name replaces it."""
    model, optimizer = new_run(student)
    first = weights(model)
    student.save("moment.npz", model, optimizer)
    run(student, model, optimizer, some_batches(2), 2, RATES)
    equal(weights(restored(student, "moment.npz")[0]), first)
    second = weights(model)
    student.save("moment.npz", model, optimizer)
    again, its_optimizer = restored(student, "moment.npz")
    equal(weights(again), second)
    same(its_optimizer.t, 2)


@piece("checkpoints")
def test_a_crash_while_saving_would_leave_the_old_checkpoint_whole(student):
    """It is written under another name and renamed; the file itself is never opened for writing."""
    model, optimizer = new_run(student)
    for _ in range(2):
        seen = student.scenario("save", path="deep/er/x.npz", model=model, optimizer=optimizer)
        assert "x.npz" not in seen["opened"], "the checkpoint itself was opened for writing"
        assert "x.npz" not in seen["removed"], "the checkpoint was removed before the new one came"
        assert [to for _, to in seen["renamed"]][-1:] == ["x.npz"], "it was not renamed into place"
        assert "/" not in seen["renamed"][-1][0], "it was written to another folder"
        assert seen["left"] == ["x.npz"], "something else is left in the folder"
    equal(weights(restored(student, "deep/er/x.npz")[0]), weights(model))
