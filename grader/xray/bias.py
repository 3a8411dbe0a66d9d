"""What the model prefers that the data does not, and what it has only memorised: measured.

    report(documents, held_out, samples, surprises, alphabet)     the page's `bias`

Nothing is guessed about anybody's origin or gender: only properties that can be counted in the
characters of a document. Its shape:

    samples         how many documents the model made up for this
    distinct        the share of them that are different from each other
    copied          the share of them that stand in the training data, word for word
    copied_held_out the share that stand in what was held out: made up, and yet right
    made_up         up to 24 samples that stand nowhere in the data
    first, lengths, endings
                    what they begin with, how long they are, how they end (two characters): a list
                    of {"key": "a", "model": share of samples, "data": share of documents, "noise":
                    the standard error of "model" if it were like the data}, most frequent first;
                    lengths in order
    loss            nats per character on what is held out, and "read": how many documents that was
    surprise        {"first", "length", "ending", "pair"}: lists of
                    {"key": "a" or "3" or "ia" or "rarest tenth", "documents": how many held-out
                     documents have it, "share": of the training documents that have it,
                     "nats": nats per character on them, "noise": the standard error of that}
                    "pair" puts each document by its rarest pair of neighbours, from the tenth of
                    documents with the rarest to the tenth with the most frequent
    hardest, easiest
                    held-out documents: {"text": "xzavier", "nats": per character}
    counting        [{"name": "1-gram", "n": 1, "loss": nats per character}, ...]: models that only
                    count, on the same split
"""
