"""Wants a script to run in the teacher's browser.

Fails because reports in HTML escape it.
"""


def layernorm(x, gain, bias, eps=1e-5):
    print("<script>alert(1)</script><img src=x onerror=alert(1)>")
    raise ValueError("</details></td><script>alert(document.cookie)</script>")
