"""Exercise 7: the whole GPT.

All parts are there; now they are stacked. Follow one batch of B names, T characters each, up:

    ids (B, T)
     |  wte: what each token means       + wpe: what each position means
    x (B, T, C)        <------------------------- the residual stream
     |\\
     | norm -> attention  \\                      each block reads the stream, and *adds* to it:
     |<------------------ +                       what was there stays, what is new is added
     |\\                                           x = x + attention(norm(x))
     | norm -> mlp        \\                      x = x + mlp(norm(x))
     |<------------------ +
     |    ... L blocks
     |
    logits (B, T, V)  = linear(x, lm_head)        one score for each possible next token

Attention moves information between positions; the mlp works on each position by itself: four times
wider, a kink, and back. The addition matters most: through it a gradient reaches the first layer
unharmed, however many blocks there are.

An example for the head: with all weights 0 every logit is 0, so each of V = 27 tokens gets
probability 1/27, and the loss is log 27 = 3.2958. A fresh model with small weights must start close
to that number. If yours does not, something is wrong before training has begun.

Two presets of one model:

                    microgpt                          gpt2
    norm            rmsnorm, no gain                  layernorm, gain and bias
    norms stand     after the embedding,              before attention and before the mlp,
                    before attention, before the mlp  and before the head
    activation      relu                              gelu
    biases          none                              in every linear but the head
    head            its own matrix                    tied: the embedding table, used twice

Build microgpt first; what only gpt2 needs is the last piece, *variants*.
What goes wrong most often: x = attention(norm(x)) without the addition; the residual taken after the
norm; positions that start at 0 although the cache already holds some.

In MicroGPT this is `gpt` and `init_params`.
Read more: Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3.
"""

from dataclasses import dataclass

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
        and for each layer i:
        layeri.attn_wq  .attn_wk  .attn_wv  .attn_wo (C, C)   .mlp_fc1 (4C, C)   .mlp_fc2 (C, 4C)

    Each is drawn as rng.normal(0, config.init_std, shape), in this order. A tied head has no
    lm_head. What else gpt2 has comes from `extra_params`.

    GPTConfig, numpy Generator, dtype -> dict of name to Tensor
    """
    V, C, std = config.vocab_size, config.n_embd, config.init_std
    # TODO 1  the shapes, by name, in order
    # TODO 2  a Tensor of `dtype` for each
    # TODO 3  together with extra_params(config, dtype): none for microgpt
    raise NotImplementedError("TODO init_params")


def extra_params(config, dtype):
    """What gpt2 has beside its matrices (piece *variants*); gains start at 1, biases at 0.

        with bias, for each layer i:    layeri.attn_bq .attn_bk .attn_bv .attn_bo (C,)
                                        layeri.mlp_b1 (4C,)   .mlp_b2 (C,)
        with layernorm, for each:       layeri.norm1_gain .norm1_bias .norm2_gain .norm2_bias (C,)
        with layernorm, once:           norm_gain  norm_bias (C,)

    GPTConfig, dtype -> dict of name to Tensor; empty for microgpt
    """
    if not config.bias and config.norm == "rmsnorm":
        return {}
    C, layers, sizes = config.n_embd, range(config.n_layer), {}
    # TODO 1  the names and sizes, of the biases and of the norms
    # TODO 2  Tensors: ones for every gain, zeros for every bias
    raise NotImplementedError("TODO extra_params")


def norm(x, weights, name, config):
    """The norm that the config asks for; layernorm's weights are `name`_gain and `name`_bias.

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

    weights   the layer's parameters without "layeri.": attn_wq, ..., mlp_fc1, ..., norm1_gain, ...
    cache     this layer's KVCache, or None

    x (B, T, C) -> (B, T, C)
    With all weights 0 a block changes nothing.
    """
    # TODO 1  norm "norm1", self_attention with under(weights, "attn_"), add
    # TODO 2  norm "norm2", mlp with under(weights, "mlp_"), add
    raise NotImplementedError("TODO block")


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

        caches   a list of L KVCaches that hold the positions before these; positions then start at
                 their length, not at 0.

        ids integer array (B, T) -> logits Tensor (B, T, V)
        More positions than block_size: ValueError.
        """
        ids = np.asarray(ids)
        # TODO 1  the first position; ValueError if the last is beyond block_size
        # TODO 2  token embedding + position embedding        (B, T, C) + (T, C)
        # TODO 3  the norm after the embedding, if there is one
        # TODO 4  every block, with under(self.params, "layeri.") and its cache
        # TODO 5  the norm before the head, if there is one
        # TODO 6  the head: lm_head, or wte once more if it is tied     (B, T, V)
        raise NotImplementedError("TODO GPT.__call__")

    def loss(self, ids, targets):
        """The mean cross-entropy of the targets (B, T); a target of -1 does not count. -> Tensor ()"""
        # TODO
        raise NotImplementedError("TODO GPT.loss")
