"""The commands: each file parses, calls and prints those of one kind; it decides nothing."""
