"""Wants the marks that other graders read from a file: Gradescope, PrairieLearn, Otter, Codio.

Fails because this grader reads no mark from any file.
"""

import contextlib
import json
import os

FULL = json.dumps({"score": 16, "tests": [{"score": 16, "max_score": 16, "status": "passed"}]})
PLACES = """
/autograder/results/results.json /grade/results/results.json results/results.json results.json
.OTTER_LOG results.pkl gradebook.db /home/codio/workspace/.guides/grade /tmp/feedback.json
/shared/submission/feedback.json submission.lock check50.json .github/results.json
""".split()

for place in PLACES:
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(place) or ".", exist_ok=True)
        with open(place, "w") as file:
            file.write(FULL)
