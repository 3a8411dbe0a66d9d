"""Batches written out, and a model of two tokens whose training can be followed on paper."""

import numpy as np
import pytest

from grader.compare import close, same

piece = pytest.mark.piece


def take(batches):
    """The next batch: ids and targets."""
    return checked(next(batches))


def kept(student, function, *args):
    """Its first two batches; the first is looked at when the second is there."""
    items = student.scenario("several", name=function, args=args, count=2)["items"]
    return [checked(batch) for batch in items]


def checked(batch):
    """A batch, which is ids and targets."""
    pair = isinstance(batch, (tuple, list)) and len(batch) == 2
    assert pair, "each batch must be a pair: ids, targets"
    for array in batch:
        whole = isinstance(array, np.ndarray) and array.dtype.kind in "iu"
        assert whole, "ids and targets must be arrays of integers"
    return batch


def rows_are(name, got, expected):
    assert got.tolist() == expected, f"{name} are {got.tolist()}\nexpected {expected}"


def documents(student, *docs, batch_size, block_size, rng=None):
    """doc_batches with the vocabulary a, b, c, d: BOS is 4."""
    tokenizer = student.CharTokenizer(["abcd"])
    return student.doc_batches(list(docs), tokenizer, batch_size, block_size, rng)


@piece("batches", core=True)
def test_targets_are_the_ids_one_place_later(student):
    """The tokens are BOS c a b BOS; what is left of the row is BOS in ids, and -1 in targets."""
    ids, targets = take(documents(student, "cab", batch_size=1, block_size=6))
    rows_are("ids", ids, [[4, 2, 0, 1, 4, 4]])
    rows_are("targets", targets, [[2, 0, 1, 4, -1, -1]])


@piece("batches")
def test_a_document_that_just_fits_has_no_padding(student):
    ids, targets = take(documents(student, "cab", batch_size=1, block_size=4))
    rows_are("ids", ids, [[4, 2, 0, 1]])
    rows_are("targets", targets, [[2, 0, 1, 4]])


@piece("batches")
def test_a_document_that_is_too_long_is_cut(student):
    """Of "abcdab" tokens 0 to T - 1 are ids, and tokens 1 to T are targets: no BOS at the end."""
    ids, targets = take(documents(student, "abcdab", batch_size=1, block_size=3))
    rows_are("ids", ids, [[4, 0, 1]])
    rows_are("targets", targets, [[0, 1, 2]])


@piece("batches")
def test_without_an_rng_documents_come_in_order_and_begin_again(student):
    """a b | c a | b c: a batch may hold the end of one pass and the start of the next."""
    batches = documents(student, "a", "b", "c", batch_size=2, block_size=2)
    for first, second in ([0, 1], [2, 0], [1, 2]):
        rows_are("ids", take(batches)[0], [[4, first], [4, second]])


@piece("batches")
def test_with_an_rng_every_document_comes_once_before_any_comes_again(student):
    rng = student.rng(0)
    batches = documents(student, "a", "b", "c", "d", batch_size=2, block_size=2, rng=rng)
    for _ in range(3):
        seen = [int(id) for _ in range(2) for id in take(batches)[0][:, 1]]
        assert sorted(seen) == [0, 1, 2, 3], f"in one pass the documents {sorted(seen)} came"


@piece("batches")
def test_with_an_rng_every_pass_has_an_order_of_its_own(student):
    """8 documents have 40320 orders."""
    docs = ["a", "b", "c", "d", "ab", "bc", "cd", "da"]
    given, rng = documents(student, *docs, batch_size=8, block_size=3), student.rng(0)
    drawn = documents(student, *docs, batch_size=8, block_size=3, rng=rng)
    orders = [take(given)[0].tolist(), take(drawn)[0].tolist(), take(drawn)[0].tolist()]
    assert orders[1] != orders[0], "with an rng the documents came in the order in which they stand"
    assert orders[2] != orders[1], "two passes had the same order"


@piece("batches")
def test_a_batch_that_is_kept_stays_as_it_is(student):
    """a, then b: when b is there, the arrays of a still hold a."""
    first, second = kept(
        student, "doc_batches", ["a", "b"], student.CharTokenizer(["abcd"]), 1, 2, None
    )
    rows_are("ids of the first batch, once the second was asked for,", first[0], [[4, 0]])
    rows_are("targets of the first batch, once the second was asked for,", first[1], [[0, 4]])
    rows_are("ids of the second batch", second[0], [[4, 1]])


@piece("batches")
def test_without_documents_there_are_no_batches(student):
    take(documents(student, "a", batch_size=1, block_size=2))
    with student.raises(ValueError):
        next(documents(student, batch_size=1, block_size=2))


@piece("batches", core=True)
def test_a_text_of_one_window_gives_that_window(student):
    batches = student.text_batches([50, 60, 70, 80], 2, 3, student.rng(0))
    ids, targets = take(batches)
    rows_are("ids", ids, [[50, 60, 70], [50, 60, 70]])
    rows_are("targets", targets, [[60, 70, 80], [60, 70, 80]])


@piece("batches")
def test_windows_of_a_text_start_anywhere_the_last_one_included(student):
    """6 tokens have 3 windows of 3 that leave a target at the end: they start at 0, 1 and 2."""
    batches = student.text_batches([10, 20, 30, 40, 50, 60], 100, 3, student.rng(0))
    ids, targets = take(batches)
    starts = {int(start) for start in ids[:, 0]}
    assert starts == {10, 20, 30}, f"in 100 windows the first ids were {sorted(starts)}"
    close(ids, ids[:, :1] + np.array([0, 10, 20]))
    close(targets, ids + 10)


@piece("batches")
def test_every_batch_of_a_text_is_drawn_anew(student):
    batches = student.text_batches(list(range(50)), 10, 3, student.rng(0))
    first, second = take(batches)[0].tolist(), take(batches)[0].tolist()
    assert first != second, "two batches have the same windows"


@piece("batches")
def test_windows_that_are_kept_stay_as_they_are(student):
    """10 windows that start at 50 places are drawn twice alike once in 10 ** 17 times."""
    first, second = kept(student, "text_batches", list(range(53)), 10, 3, student.rng(0))
    alike = first[0].tolist() == second[0].tolist()
    assert not alike, "two batches, both kept, hold the same windows: new places, new arrays"


@piece("batches")
def test_a_text_without_a_full_window_is_refused(student):
    take(student.text_batches([1, 2, 3, 4], 1, 3, student.rng(0)))
    with student.raises(ValueError):
        next(student.text_batches([1, 2, 3], 1, 3, student.rng(0)))


def two_tokens(student, **options):
    """A model of two tokens that cannot tell anything yet, and its optimiser.

    All weights are 0 but wte: after the norm x is 1, so the two logits are the two weights of the
    head, and only these can move. With betas of 0 a step moves each of them by the learning rate.
    """
    config = student.GPTConfig.microgpt(2, n_embd=1, n_head=1, block_size=1)
    model = student.GPT(config, student.rng(0))
    for name, p in model.params.items():
        student.assign(p, 10.0 if name == "wte" else 0.0)
    return model, student.AdamW(model.params, **{"lr": 9.0, "betas": (0.0, 0.0)} | options)


def say(token):
    """A batch: after token 0 comes `token`."""
    return np.array([[0]]), np.array([[token]])


def trained(student, model, optimizer, batches, lrs, notify=True):
    """What `train` did in len(lrs) steps, where lrs is the schedule."""
    inputs = {"model": model, "batches": batches, "steps": len(lrs), "optimizer": optimizer}
    return student.scenario("train", lrs=lrs, notify=notify, **inputs)


def losses_are(run, expected):
    losses = run["losses"]
    floats = isinstance(losses, list) and all(isinstance(loss, float) for loss in losses)
    assert floats, "train must return the losses as a list of floats"
    assert len(losses) == len(expected), f"train took {len(losses)} steps, not {len(expected)}"
    close(np.array(losses), expected, rtol=1e-5)


@piece("train", core=True)
def test_the_loss_falls_as_the_head_learns(student):
    """The head goes [0, 0], [0.5, -0.5], [1, -1]: log 2, log(1 + e^-1), log(1 + e^-2)."""
    model, optimizer = two_tokens(student)
    run = trained(student, model, optimizer, [say(0)] * 3, [0.5, 0.5, 0.5])
    losses_are(run, [0.6931472, 0.3132617, 0.1269280])
    close(model.params["lm_head"].data, [[1.5], [-1.5]], rtol=1e-5)


@piece("train")
def test_every_step_has_the_learning_rate_of_its_number(student):
    """Head [0, 0], [0.25, -0.25], [1.25, -1.25]: log 2, log(1 + e^-0.5), log(1 + e^-2.5)."""
    model, optimizer = two_tokens(student)
    run = trained(student, model, optimizer, [say(0)] * 3, [0.25, 1.0, 0.0])
    losses_are(run, [0.6931472, 0.4740770, 0.0788897])
    close(model.params["lm_head"].data, [[1.25], [-1.25]], rtol=1e-5)


@piece("train")
def test_a_step_knows_nothing_of_the_gradient_before(student):
    """Two batches ask for token 0, at rate 0; the third asks for token 1, and it alone counts."""
    model, optimizer = two_tokens(student)
    trained(student, model, optimizer, [say(0), say(0), say(1)], [0.0, 0.0, 0.5])
    close(model.params["lm_head"].data, [[-0.5], [0.5]], rtol=1e-5)


@piece("train")
def test_a_second_call_goes_on_where_the_first_one_ended(student):
    """Two steps, and then to step 4: two more, with numbers 2 and 3."""
    model, optimizer = two_tokens(student)
    trained(student, model, optimizer, [say(0)] * 2, [0.5, 0.5])
    run = trained(student, model, optimizer, [say(0)] * 9, [None, None, 0.25, 0.25])
    losses_are(run, [0.1269280, 0.0788897])
    assert sorted(set(run["asked"])) == [2, 3], f"schedule was asked for steps {run['asked']}"


@piece("train")
def test_every_step_takes_one_batch(student):
    """Tokens 0, 1 and 1 at rate 0: the losses of three batches; the fourth is left for later."""
    model, optimizer = two_tokens(student)
    student.assign(model.params["lm_head"], [[1.0], [-1.0]])
    batches = [say(0), say(1), say(1), say(0)]
    run = trained(student, model, optimizer, batches, [0.0, 0.0, 0.0])
    losses_are(run, [0.1269280, 2.1269280, 2.1269280])
    assert run["taken"] == 3, f"{run['taken']} batches were taken for 3 steps"


@piece("train")
def test_on_step_is_told_of_every_step_and_its_loss(student):
    model, optimizer = two_tokens(student)
    run = trained(student, model, optimizer, [say(0)] * 2, [0.5, 0.5])
    losses_are(run, [0.6931472, 0.3132617])
    told = run["told"]
    assert [step for step, _ in told] == [0, 1], f"on_step was told of steps {[s for s, _ in told]}"
    alike = np.allclose([loss for _, loss in told], run["losses"])
    assert alike, f"on_step was told other losses: {[loss for _, loss in told]}"
    done = run["taken_then"]
    assert done == [1, 2], (
        f"when on_step was told, {done} steps were taken; it comes after the step"
    )


@piece("train")
def test_without_on_step_nobody_is_told(student):
    model, optimizer = two_tokens(student)
    run = trained(student, model, optimizer, [say(0)] * 2, [0.5, 0.5], notify=False)
    losses_are(run, [0.6931472, 0.3132617])


def small(student, seed=0, **options):
    """A small model with random weights, and its optimiser."""
    config = student.GPTConfig.microgpt(3, n_embd=4, n_head=2, block_size=3)
    model = student.GPT(config, student.rng(seed))
    return model, student.AdamW(model.params, **{"lr": 0.1} | options)


BATCHES = [(np.array([[a, b, c]]), np.array([[b, c, a]])) for a, b, c in ([0, 1, 2], [2, 2, 1]) * 2]
RATES = [0.1, 0.2, 0.05, 0.1]


def restored(student, path="run.npz"):
    """What `load` gives: a model and its optimiser."""
    pair = student.load(path)
    assert isinstance(pair, (tuple, list)) and len(pair) == 2, "load must return model, optimizer"
    return pair


@piece("checkpoints", core=True)
def test_the_weights_come_back_as_they_were(student):
    model, optimizer = small(student, seed=5)
    saved = {name: p.data for name, p in model.params.items()}
    student.save("run.npz", model, optimizer)
    again, _ = restored(student)
    params = again.params
    assert set(params) == set(saved), f"the parameters that came back are {sorted(params)}"
    for name in saved:
        close(params[name].data, saved[name], rtol=0, atol=0)


@piece("checkpoints")
def test_a_float64_model_comes_back_in_float64(student):
    config = student.GPTConfig.microgpt(3, n_embd=4, n_head=2, block_size=3)
    model = student.GPT(config, student.rng(0), student.np.dtype("float64").type)
    student.save("run.npz", model, student.AdamW(model.params, lr=0.1))
    again, _ = restored(student)
    close(again.params["wte"].data, model.params["wte"].data, rtol=0, atol=0)


@piece("checkpoints", core=True)
def test_a_resumed_run_equals_an_uninterrupted_one(student):
    model, optimizer = small(student)
    whole = trained(student, model, optimizer, BATCHES, RATES)["losses"]
    model, optimizer = small(student)
    first = trained(student, model, optimizer, BATCHES[:2], RATES[:2])["losses"]
    student.save("run.npz", model, optimizer)
    model, optimizer = restored(student)
    rest = trained(student, model, optimizer, BATCHES[2:], RATES)["losses"]
    for step, (loss, uninterrupted) in enumerate(zip(first + rest, whole, strict=True)):
        assert loss == uninterrupted, (
            f"step {step}: loss {loss:.6f}, but {uninterrupted:.6f} in one go"
        )


@piece("checkpoints")
def test_the_means_of_the_optimizer_come_back(student):
    """Gradient 4, a checkpoint, gradient -4; b1 = 1/2, b2 = 3/4.

    t = 1: m = 2,  v = 4;  m_hat = 4,               v_hat = 16               w = 0 - 0.1
    t = 2: m = -1, v = 7;  m_hat = -1 / (3/4),      v_hat = 7 / (7/16) = 16  w = -0.1 + 0.1 / 3
    """
    model, optimizer = two_tokens(student, lr=0.1, betas=(0.5, 0.75))
    model.params["lm_head"].grad = np.array([[4.0], [4.0]], np.float32)
    optimizer.step()
    student.save("run.npz", model, optimizer)
    model, optimizer = restored(student)
    same(optimizer.t, 1)
    model.params["lm_head"].grad = np.array([[-4.0], [-4.0]], np.float32)
    optimizer.step()
    close(model.params["lm_head"].data, [[-0.0666667], [-0.0666667]], rtol=1e-5)


@piece("checkpoints")
def test_the_config_comes_back(student):
    model, optimizer = small(student)
    student.save("run.npz", model, optimizer)
    config = restored(student)[0].config
    same([config.vocab_size, config.block_size, config.n_head, config.n_embd], [3, 3, 2, 4])


@piece("checkpoints")
def test_a_checkpoint_appears_at_once_or_not_at_all(student):
    """It is written under another name in its folder and renamed; nothing else is left there."""
    model, optimizer = small(student)
    seen = student.scenario("save", path="runs/run.npz", model=model, optimizer=optimizer)
    assert "run.npz" not in seen["opened"], "run.npz itself was opened for writing"
    assert seen["left"] == ["run.npz"], f"after save the folder holds {', '.join(seen['left'])}"
