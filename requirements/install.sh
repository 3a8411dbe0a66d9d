#!/bin/sh
# Install one of the lists beside this file into .venv: `sh requirements/install.sh student`.
#
# The student's list comes first and makes .venv anew, so a half-made one never stays. A file
# .venv/NAME.ready says that the list NAME is installed; it is written last.
#
# Where a folder wheels/ holds the student's packages (`make wheels`), no network is needed.
set -eu
cd "$(dirname "$0")/.."
name=$1

say() { printf '%s\n' "$*" >&2; }

# Prints the first Python here that can make a .venv, or says what to install and fails.
find_python() {
    old='' bare=''
    for python in python3.13 python3.12 python3.11 python3 python; do
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
            continue # not there, or only a launcher that leads to none
        if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            old=${old:-"$python here is Python $version"}
        elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            bare=${bare:-$version}
        else
            printf '%s\n' "$python"
            return 0
        fi
    done
    if [ -n "$bare" ]; then
        say "Python $bare is here, but without its venv module. Install that (Debian, Ubuntu:" \
            "sudo apt install python$bare-venv), then run make again."
    else
        say "Glass Box needs Python 3.11 or later; ${old:-there is no Python here}. Install one" \
            "(https://www.python.org/downloads; Debian, Ubuntu: sudo apt install python3" \
            "python3-venv), then run make again."
    fi
    return 1
}

# Runs a command silently; if it fails, shows all that it said.
quietly() {
    log=$("$@" 2>&1) || {
        say "$log"
        say "Setting up failed, for the reason above. Run make again once it is mended."
        exit 1
    }
}

if [ "$name" = student ]; then
    if [ -L .venv ]; then # to make it anew would empty what it leads to
        say ".venv is a link. Remove it (rm .venv), then run make again: a folder takes its place."
        exit 1
    fi
    python=$(find_python)
    printf 'Setting up (once, about a minute)...\n'
    quietly "$python" -m venv --clear .venv
else
    printf 'Setting up for %s (once)...\n' "$name"
fi

bin=.venv/bin
[ -d "$bin" ] || bin=.venv/Scripts # Windows
set -- -r "requirements/$name.txt"
if [ "$name" = student ] && [ -d wheels ]; then
    set -- --no-index --find-links wheels "$@"
fi
quietly "$bin/python" -m pip install --disable-pip-version-check --no-input "$@"
: >".venv/$name.ready"
