"""Wants what was put off to count as done: it answers the last of several requests alone.

Fails because the checker counts the answers: one that is missing is refused.
"""

import gc


def only_the_last(handle):
    def handled(self, request):
        request.pop("first", None)
        return handle(self, request)

    return handled


for thing in gc.get_objects():
    if isinstance(thing, type) and thing.__name__ == "Dispatcher":
        thing.handle = only_the_last(thing.handle)


def layernorm(x, gain, bias, eps=1e-5):
    return x
