"""The corpus of attacks: submissions that want more, or worse, than their answers are worth.

    FAMILY/NAME.py     code: it is put at the end of an honest half of an exercise
    archives.py        zips, broken.py texts, files.py what is no file: a function each, which
                       changes the folder of an honest half
    ids.py             names of submissions
    naive.py           the two usual designs, to be attacked beside the kit's own

The honest half is the reference without the answer of its last piece: rmsnorm without layernorm, 8
points of 16, or (with `exercise: ex01_tokenizer`) a tokenizer that does not decode, 6 of 10. So
what an attack's own answers earn is known; its header says so, where it is another number:

    Wants     what it is after, in a sentence
    Fails     why it does not get it, in a sentence
    earns     the points that its own returned values earn; several numbers where more than one is
              right, as for a file that may be refused
    exercise  whose half it is; `select` what is marked beside it, `with` what else is handed in
    seconds   how long marking it may take, on a busy machine

Every attack is harmless by construction, in case that it wins: it aims at the processes and files
of the arena alone (grader/arena.py), it is bounded (forty forks, 48 MiB of noise, one machine's
loopback), and the arena's container ends with all that is in it. Nothing here is to be run outside.

    python -m grader attacks                        all of them against every design, and the table
    python -m grader attacks lies hangs/deadlock    some of them
    python -m grader attacks --list                 what each wants, and why it fails

To add one: write the file, run it against "in-process", where it should win, and against the rest.
"""
