#!/bin/sh
# Gradescope runs this once, as root, when the autograder is uploaded.
set -eu
cd "${AUTOGRADER:-/autograder}/source"
apt-get update
apt-get install -y python3-venv
apt-get install -y bubblewrap || true # then Landlock keeps submissions apart
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    apt-get install -y python3.11-venv # Ubuntu 22.04's own Python is 3.10
sh requirements/install.sh student
sh requirements/install.sh marking
