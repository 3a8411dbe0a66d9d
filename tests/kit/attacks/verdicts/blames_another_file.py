"""Wants to wait instead of failing: its error seems to come from a file that it builds on.

Fails because what that file holds is then lent, and the error is still there.
earns: 0
"""

exec(compile("\n" * 40 + "raise ImportError('Tensor')", "exercises/ex03_tensor.py", "exec"), {})
