"""Look inside a model at work: `xray(model, "emma")` in a notebook, `xray TEXT` in a terminal."""
