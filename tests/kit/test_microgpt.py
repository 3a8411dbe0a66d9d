"""The reference is MicroGPT, twice: both models give its losses and its samples.

data/microgpt_reference.json holds what the published program prints, and says how it draws:
Python's generator shuffles the documents, then fills each weight matrix row by row.
"""

import json
import random
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from grader.course import ROOT
from solutions import microgpt
from solutions.ex01_tokenizer import CharTokenizer
from solutions.ex02_value import Value
from solutions.ex07_gpt import GPT, GPTConfig
from solutions.ex08_optim import AdamW, linear_decay
from solutions.ex09_train import doc_batches, train
from solutions.ex10_sampling import generate

REFERENCE = json.loads((ROOT / "data" / "microgpt_reference.json").read_text("utf-8"))
LOSSES, SAMPLES, CONFIG = REFERENCE["losses"], REFERENCE["samples"], REFERENCE["config"]
SCALAR_STEPS = 6  # a third of a second each
NAMES = 4  # of the 20 samples that the scalar model draws, a tenth of a second a letter


def begin():
    """The shuffled documents, their tokenizer, and the generator that the weights come from."""
    rng = random.Random(42)
    docs = (ROOT / "data" / "first_names.txt").read_text("utf-8").split()
    rng.shuffle(docs)
    return docs, CharTokenizer(docs), rng


@pytest.fixture(scope="module")
def trained():
    """The array model after all steps: its losses, and what is needed to sample from it."""
    docs, tokenizer, rng = begin()
    config = GPTConfig.microgpt(tokenizer.vocab_size)
    model = GPT(config, np.random.default_rng(0), np.float64)
    for weights in model.params.values():
        weights.data[...] = [[rng.gauss(0, config.init_std) for _ in row] for row in weights.data]
    betas = CONFIG["beta1"], CONFIG["beta2"]
    optimizer = AdamW(model.params, CONFIG["learning_rate"], betas, CONFIG["eps_adam"])
    schedule = partial(linear_decay, total=CONFIG["steps"], peak=CONFIG["learning_rate"])
    batches = doc_batches(docs, tokenizer, 1, config.block_size)
    losses = train(model, batches, CONFIG["steps"], optimizer, schedule)
    return SimpleNamespace(model=model, losses=losses, tokenizer=tokenizer, state=rng.getstate())


def generator(state):
    """A generator that goes on where another one was."""
    rng = random.Random()
    rng.setstate(state)
    return rng


class Enough(Exception):
    """The scalar model has taken as many steps as there is time for."""


def test_the_scalar_model_starts_with_the_losses_of_microgpt():
    docs, tokenizer, rng = begin()
    losses = []

    def note(step, loss):
        losses.append(loss)
        if len(losses) == SCALAR_STEPS:
            raise Enough

    params = microgpt.init_params(tokenizer.vocab_size, rng)
    with pytest.raises(Enough):
        microgpt.train(docs, tokenizer, params, CONFIG["steps"], on_step=note)
    np.testing.assert_allclose(losses, LOSSES[:SCALAR_STEPS], rtol=0, atol=1e-9)


def test_the_scalar_model_has_as_many_weights_as_microgpt():
    _, tokenizer, rng = begin()
    params = microgpt.init_params(tokenizer.vocab_size, rng)
    assert sum(len(row) for matrix in params.values() for row in matrix) == CONFIG["parameters"]


def test_the_scalar_model_samples_what_microgpt_samples(trained):
    """With the weights that the array model ends on."""
    params = {
        name: [[Value(weight) for weight in row] for row in weights.data.tolist()]
        for name, weights in trained.model.params.items()
    }
    rng = generator(trained.state)
    names = [microgpt.sample(trained.tokenizer, params, rng) for _ in range(NAMES)]
    assert names == SAMPLES[:NAMES]


def test_the_array_model_has_all_losses_of_microgpt(trained):
    np.testing.assert_allclose(trained.losses, LOSSES, rtol=0, atol=1e-9)


def test_the_array_model_has_the_parameters_of_microgpt(trained):
    assert sum(p.data.size for p in trained.model.params.values()) == CONFIG["parameters"]


def test_the_array_model_draws_all_samples_of_microgpt(trained):
    rng, tokenizer = generator(trained.state), trained.tokenizer
    names = []
    for _ in SAMPLES:
        new = generate(trained.model, [tokenizer.bos], 16, rng, t=0.5, stop=tokenizer.bos)
        names.append(tokenizer.decode(new))
    assert names == SAMPLES


def test_both_models_have_the_same_gradients():
    """One document, small random weights: every derivative of the loss, number by number."""
    rng = random.Random(1)
    tokenizer = CharTokenizer(["anna"])
    scalar = microgpt.init_params(tokenizer.vocab_size, rng)
    model = GPT(GPTConfig.microgpt(tokenizer.vocab_size), np.random.default_rng(0), np.float64)
    for name, weights in model.params.items():
        weights.data[...] = [[w.data for w in row] for row in scalar[name]]
    ids = tokenizer.encode("anna")
    microgpt.loss_of(ids, scalar).backward()
    model.loss(np.array([ids[:-1]]), np.array([ids[1:]])).backward()
    for name, weights in model.params.items():
        expected = [[w.grad for w in row] for row in scalar[name]]
        np.testing.assert_allclose(weights.grad, expected, rtol=1e-9, atol=1e-12, err_msg=name)
