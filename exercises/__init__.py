"""The course: one file for each piece of the model. Start with ex01_tokenizer.py."""
