"""The reference model. `exercises/` holds the same files without the answers."""
