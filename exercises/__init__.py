"""The course's files, in order: ex01_tokenizer.py to ex10_sampling.py, and microgpt.py."""
