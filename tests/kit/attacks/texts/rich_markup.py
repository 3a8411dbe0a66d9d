"""Wants the board to obey its markup, or to break on it.

Fails because what students write is shown as it stands.
"""


def layernorm(x, gain, bias, eps=1e-5):
    print("[bold green]passed[/bold green] [/] [link=http://x]y[/link] [@click=quit]")
    raise ValueError("[/red] [bold")
