"""Wants odd names of arguments in the sentences that describe a call.

Fails because names are cleaned where they are shown.
"""


def layernorm(x, gain, bias, eps=1e-5):
    return x


names = ("\x1b[31mx", "<script>", "[bold]", "e" * 5000)
layernorm.__code__ = layernorm.__code__.replace(co_varnames=names)
