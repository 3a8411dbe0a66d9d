"""Exercise 7: the whole GPT.

All parts are there; now they are stacked. Follow one batch of B names, T tokens each, from top to
bottom:

    ids (B, T)
     |      wte: what each token means   +   wpe: what each position means
    x (B, T, C)                               the residual stream
     |
     |---> norm ---> attention ---.           each block reads the stream, and *adds* to it:
     + <--------------------------'           x = x + attention(norm(x))
     |
     |---> norm ---> mlp ---------.           what was there stays, what is new is added:
     + <--------------------------'           x = x + mlp(norm(x))
     |
     |      ... L blocks in all
     |
    logits (B, T, V) = linear(x, lm_head)     the head: one score for each possible next token

*Attention* moves information between positions. *The mlp* works on each position by itself: out to
four times the width, a kink, and back; without the kink, two matrices in a row would be one. *The
norm* stands before each of them and changes only what they read. The stream itself goes on as it
is, and that matters most: the gradient of x + f(x) is 1 + f', so whatever f does, the 1 carries the
gradient to the first layer unharmed, however many blocks there are.

One position of two channels through one block, by hand. Say that attention doubles what it reads,
and that the mlp answers [1, -1] with [3, 5]:

    x = [10, -10]                             its norm is [1, -1], so attention writes [2, -2]
    x = [10, -10] + [2, -2] = [12, -12]       its norm is [1, -1], so the mlp writes [3, 5]
    x = [12, -12] + [3,  5] = [15,  -7]

Then an example that tells whether a whole model is right. With all weights 0 every logit is 0, so
each of V = 27 tokens gets probability 1/27, and the loss is log 27 = 3.2958. A fresh model with
small weights must start close to that number. If yours does not, something is wrong before training
has begun.

Every weight has a name, in one flat dict:  wte  wpe  lm_head  layer0.attn_wq  ...  layer1.mlp_fc2.
Those who need a part get a smaller dict with shorter names, made by `under` (given):

    params                 under(params, "layer0.")       under(..., "attn_")
    layer0.attn_wq         attn_wq                        wq          for self_attention
    layer0.mlp_fc1         mlp_fc1                        (and fc1 by under(..., "mlp_"), for mlp)

Two presets of one model:

                    microgpt                          gpt2
    norm            rmsnorm, no gain                  layernorm, gain and bias
    norms stand     after the embedding,              before attention and before the mlp,
                    before attention, before the mlp  and before the head
    activation      relu                              gelu
    biases          none                              in every linear but the head
    head            its own matrix                    tied: the embedding table, used twice

Build microgpt first. What only gpt2 needs is the last piece, *variants*: the two functions
extra_params and norm, and in GPT.__call__ the norm before the head and the tied head.

    microgpt.py, one position                              here, B * T positions at once
    rng.gauss(0, std), name by name                        init_params
    add(params["wte"][token], params["wpe"][position])     token + position embedding, (B, T, C)
    x = rmsnorm(x)                                         the norm after the embedding
    x = add(x, attention(rmsnorm(x), i, ...))              the first half of block
    x = add(x, mlp(rmsnorm(x), i, params))                 the second half of block
    hidden = [h.relu() for h in linear(...)]               mlp, up to its activation
    linear(x, params["lm_head"])                           the head, (B, T, V)
    loss_of                                                GPT.loss, without its loop over positions

*Writing* is reading one token at a time: the first call reads the prompt (the prefill), and each
later one takes a single token (a decode step). A decode step has no batch, no T and no gradient to
keep: x (1, 1, C) is one vector, and what is left of the model is microgpt.py's gpt, line by line.
At these sizes a call of numpy costs more than the numbers in it, so who writes those lines without
Tensors, as decode_step, has texts in half the time. That is a challenge: no points depend on it.

As before, inputs stay as they were, float32 stays float32, and every weight gets its gradient.
What goes wrong most often: x = attention(norm(x)) without the addition; x = norm(x) first, so that
the stream itself is normed; positions that start at 0 although the cache already holds some.
Read more: Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3.
"""

from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from .ex03_tensor import Tensor
from .ex04_ops import cross_entropy, embedding, gelu, linear, relu
from .ex05_norm import layernorm, rmsnorm
from .ex06_attention import self_attention


@dataclass(frozen=True)
class GPTConfig:
    """The numbers and choices that make one GPT. Given.

    vocab_size V, block_size the largest T, n_layer L, n_head H, n_embd C, init_std of the weights;
    norm "rmsnorm" or "layernorm"; embedding_norm and final_norm: a norm after the embedding and
    before the head; activation "relu" or "gelu"; bias in every linear but the head; tied_head: the
    head is the embedding table.
    """

    vocab_size: int
    block_size: int = 16
    n_layer: int = 1
    n_head: int = 4
    n_embd: int = 16
    init_std: float = 0.08
    norm: str = "rmsnorm"
    embedding_norm: bool = True
    final_norm: bool = False
    activation: str = "relu"
    bias: bool = False
    tied_head: bool = False

    @classmethod
    def microgpt(cls, vocab_size, **changes):
        """MicroGPT's 4,192 parameters (at V = 27), unless changed."""
        return cls(vocab_size, **changes)

    @classmethod
    def gpt2(cls, vocab_size, **changes):
        """GPT-2's design, small."""
        gpt2 = dict(
            block_size=16,
            n_layer=4,
            n_head=4,
            n_embd=64,
            init_std=0.02,
            norm="layernorm",
            embedding_norm=False,
            final_norm=True,
            activation="gelu",
            bias=True,
            tied_head=True,
        )
        return cls(vocab_size, **(gpt2 | changes))


def init_params(config, rng, dtype=np.float32):
    """Every weight of the model, in this order:

        wte (V, C)   wpe (block_size, C)   lm_head (V, C)
        and for each layer i = 0, 1, ...:
        layeri.attn_wq  .attn_wk  .attn_wv  .attn_wo (C, C)   .mlp_fc1 (4C, C)   .mlp_fc2 (C, 4C)

    With one layer the fourth name is layer0.attn_wq, and the last is layer0.mlp_fc2.

    Each is drawn as rng.normal(0, config.init_std, shape), in this order and nothing between, so
    that a seed means one model; then it becomes a Tensor of `dtype`. Matrices stand (out, in). A
    tied head has no lm_head: nothing is drawn for it. What else gpt2 has comes from `extra_params`.

    GPTConfig, numpy Generator, dtype -> dict of name to Tensor
    microgpt at V = 27: 432 + 256 + 432 + 4 * 256 + 2 * 1024 = 4192 numbers.
    """
    V, C, std = config.vocab_size, config.n_embd, config.init_std
    # TODO 1  {name: shape}, in order; a dict keeps the order in which it was filled
    # TODO 2  {name: Tensor}: draw each, make it `dtype`, wrap it
    # TODO 3  together with what extra_params(config, dtype) gives, which is {} for microgpt
    raise NotImplementedError("TODO init_params")


def extra_params(config, dtype):
    """What gpt2 has beside its matrices (piece *variants*); gains start at 1, biases at 0.

        with bias, for each layer i:    layeri.attn_bq .attn_bk .attn_bv .attn_bo (C,)
                                        layeri.mlp_b1 (4C,)   .mlp_b2 (C,)
        with layernorm, for each:       layeri.norm1_gain .norm1_bias .norm2_gain .norm2_bias (C,)
        with layernorm, once:           norm_gain  norm_bias (C,)

    Either may stand without the other: config.bias and config.norm are asked separately. Gains of 1
    and biases of 0 change nothing, so a fresh model starts as if they were not there.

    GPTConfig, dtype -> dict of name to Tensor of `dtype`, in any order; empty for microgpt
    """
    if not config.bias and config.norm == "rmsnorm":
        return {}
    C, layers, sizes = config.n_embd, range(config.n_layer), {}
    # TODO 1  the names and sizes, of the biases and of the norms
    # TODO 2  Tensors: ones for every gain, zeros for every bias
    raise NotImplementedError("TODO extra_params")


def norm(x, weights, name, config):
    """The norm that the config asks for; layernorm's weights are `name`_gain and `name`_bias.

    weights   a dict; for name "norm2" it holds "norm2_gain" and "norm2_bias" (C,)

    x (..., C) -> (..., C)
    """
    if config.norm == "rmsnorm":
        return rmsnorm(x)
    # TODO  layernorm, with the two weights (piece *variants*)
    raise NotImplementedError("TODO norm")


def mlp(x, weights, activation):
    """Work on each position by itself: out to 4C, a kink, back to C.

        y = fc2 act(fc1 x + b1) + b2

    weights   a dict: fc1 (4C, C), fc2 (C, 4C), and, if the model has them, b1 (4C,), b2 (C,)
    activation   "relu" or "gelu"

    x (..., C) -> (..., C)
    C = 1, x = [3], fc1 [[1], [-1], [2], [0]], fc2 [[1, 1, 1, 1]], relu: [3, -3, 6, 0] in the middle
    becomes [3, 0, 6, 0], and the result is [9].
    """
    # TODO 1  out            (..., C) -> (..., 4C)     weights.get("b1") is None where there is none
    # TODO 2  the activation
    # TODO 3  back           (..., 4C) -> (..., C)
    raise NotImplementedError("TODO mlp")


def under(weights, prefix):
    """The weights whose name starts with `prefix`, named by the rest. Given.

    under({"attn_wq": a, "mlp_fc1": b}, "attn_") gives {"wq": a}.
    """
    return {name[len(prefix) :]: w for name, w in weights.items() if name.startswith(prefix)}


def block(x, weights, config, cache=None):
    """One block: read the stream, attend, add; read it again, think, add.

        x = x + self_attention(norm1(x)),     x = x + mlp(norm2(x))

    The norm is only for reading: what is added to is x itself. The mlp reads the new x, with what
    attention has added. n_head and the activation are the config's.

    weights   the layer's parameters without "layeri.": attn_wq, ..., mlp_fc1, ..., norm1_gain, ...
    cache     this layer's KVCache for self_attention, or None

    x (B, T, C) -> (B, T, C)
    With all weights 0 a block changes nothing.
    """
    # TODO 1  read x with the norm "norm1"; attend with the weights under "attn_"; add     (B, T, C)
    # TODO 2  read the new x with "norm2"; the mlp with the weights under "mlp_"; add      (B, T, C)
    raise NotImplementedError("TODO block")


# The choices that make a design, all but the sizes. GPTConfig's own are MicroGPT's. Given.
design = attrgetter("norm", "activation", "bias", "embedding_norm", "final_norm", "tied_head")


def decode_step(w, n_head, id, start, caches):
    """The logits after one token more, for MicroGPT's design: vectors alone, and no Tensor.

    A challenge without points. GPT may call it for a single id with caches; whoever leaves it out
    has the same logits, in twice the time.

    w        the model's params
    id       the token at position `start`
    caches   each layer's KVCache, with the positions before; it takes Tensors, and gives them

    microgpt.py, gpt, is the model for it; linear(x, weight) becomes weight.data.dot(x).

    dict, int, int, int, list -> array (V,)
    All weights 0: V zeros.
    """
    # TODO 1  both embeddings, added, and their norm                                  (C,)
    # TODO 2  each layer: the norm; q, k, v in heads; k and v into the cache          (1, H, T, D)
    # TODO 3  the scores of the one query, their softmax, the mean of the values      (1, H, 1, D)
    # TODO 4  wo, and add; the norm and the mlp, and add                              (C,)
    # TODO 5  the head                                                                (V,)
    raise NotImplementedError("TODO decode_step")


class GPT:
    """A GPT: ids in, logits of the next token out.

    config   its GPTConfig
    params   its weights by name, from init_params
    """

    def __init__(self, config, rng, dtype=np.float32):
        self.config, self.params = config, init_params(config, rng, dtype)

    def __call__(self, ids, caches=None):
        """The logits of the token after each position.

            x = wte[ids] + wpe[positions],  norm if embedding_norm,  L blocks,  norm "norm" if
            final_norm,  head

        caches   a list of L KVCaches, one for each block, that hold the positions before these; the
                 positions then start at their length, not at 0. Shown a text piece by piece with
                 the same caches, the model gives the logits that it gives for all of it at once.

        ids (B, T), integers, an array or lists -> logits, a Tensor (B, T, V) of scores, no softmax
        More than block_size positions, those in the caches counted: ValueError.
        """
        ids = np.asarray(ids)
        # TODO 1  the first position: 0, or what the caches hold; too many: ValueError
        #         (the challenge: with caches, one id and design(config) == design(GPTConfig), the
        #         logits are those of decode_step, as a Tensor (1, 1, V))
        # TODO 2  token embedding + position embedding                     (B, T, C) + (T, C)
        # TODO 3  the norm "norm" after the embedding, if the config wants it          (B, T, C)
        # TODO 4  every block, with its weights under "layeri." and its own cache      (B, T, C)
        # TODO 5  the norm "norm" before the head, if the config wants it (variants)   (B, T, C)
        # TODO 6  the head: lm_head, or the same Tensor wte if it is tied (variants)   (B, T, V)
        raise NotImplementedError("TODO GPT.__call__")

    def loss(self, ids, targets):
        """How wrong it is: the mean cross-entropy of the logits of `ids` and the targets.

        targets[b, t] is the token that follows ids[b, t]: they are shifted already. A target of -1
        does not count, not in the mean either.

        ids and targets (B, T), integers, arrays or lists -> Tensor ()
        All weights 0: log V.
        """
        # TODO  logits, then exercise 4's cross_entropy       (B, T, V) -> ()
        raise NotImplementedError("TODO GPT.loss")
