#!/usr/bin/env bash
# bash runs.sh         set up, train both agents on both environments, evaluate them
# bash runs.sh test    set up, lint, test
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# One virtual environment, the active one or our own .venv; installed again only when the dependencies changed.
setup() {
    if [ -z "${VIRTUAL_ENV:-}" ]; then
        [ -x .venv/bin/python ] || { say "making .venv"; "${PYTHON:-python3}" -m venv .venv; }
        # shellcheck disable=SC1091
        . .venv/bin/activate
    fi
    local stamp="$VIRTUAL_ENV/.tinymeta$1" wanted
    wanted="$(pwd) $(cat setup.cfg pyproject.toml | cksum)"
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        say "installing tinymeta$1 into $VIRTUAL_ENV"
        python -m pip install --quiet --disable-pip-version-check --editable ".$1"
        printf '%s\n' "$wanted" > "$stamp"
    fi
}

case "${1:-}" in
test)
    setup "[test]"
    say "lint"
    ruff check .
    ruff format --check .
    say "tests"
    exec python -m pytest
    ;;
"")
    setup ""
    for env in bandit corridor; do
        for agent in rl2 rl1; do
            say "$env $agent"
            python -m tinymeta.train "$env" "$agent" --resume
        done
    done
    ;;
*)
    echo "runs.sh: unknown argument '$1', expected nothing or: test" >&2
    exit 2
    ;;
esac
