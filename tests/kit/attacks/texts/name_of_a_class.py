"""Wants an escape sequence in the name of a class, which stands in sentences about its answer.

Fails because names are cleaned where they are shown.
"""


def layernorm(x, gain, bias, eps=1e-5):
    return type("\x1b[31mTensor\x1b]0;x\x07<script>", (), {})()
