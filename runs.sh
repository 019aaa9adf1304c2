#!/usr/bin/env bash
# bash runs.sh                  set up, then reproduce the paper: train seeds 100-119 of every run, draw figures/, judge the claims,
#                               make the page docs/lab.html
# bash runs.sh --quick          the same with 3 seeds, into figures-quick/
# bash runs.sh --first-seed S   the same with seeds S…S+19, from runs-S/ into figures-S/
# bash runs.sh conti           set up with Gymnasium; the second paper (Conti 2022): runs, figures and claims into figures/conti/
# bash runs.sh conti --quadruped   set up with MetaGym too; the paper's four-legged robot, into figures/conti-quadruped/: hours
# bash runs.sh wang            set up; bandits of Wang et al. 2016: runs, figures and claims into figures/wang/
# bash runs.sh worlds           set up with Gymnasium; worlds without a table: runs, figures and claims into figures/worlds/
# bash runs.sh test             set up; lint, format and types; tests
# bash runs.sh docs             set up; build the documentation site into docs/_build/html; warnings are errors, links and reference checked
# Finished runs are skipped and interrupted ones resumed, so the same command goes on where it stopped.
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '\n== %s\n' "$*"; }

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

# part NAME COMMAND…: run a command and say how long it took.
part() {
    local name=$1 began=$SECONDS
    shift
    say "$name"
    "$@"
    echo "$name took $((SECONDS - began)) s"
}

# baselines ENV: the trained agents beside the exact values, as a table in the output folder.
baselines() {
    local agents=() agent
    for agent in rl2 rl1 memoryless informed; do agents+=("$runs/$1-$agent"); done
    python -m tinymeta.baselines "$1" --runs "${agents[@]}" | tee "$out/baselines-$1.txt"
}

reproduce() {
    local options=(--runs "$runs" "$@")
    part "set-up" setup ""
    part "training ($runs/)" python -m tinymeta.reproduction "${options[@]}"
    part "figures ($out/)" python -m tinymeta.figures --out "$out" "${options[@]}"
    part "baselines of the bandit" baselines bandit
    part "baselines of the corridor" baselines corridor
    part "looking inside ($out/inside.md)" python -m tinymeta.inside --out "$out" "${options[@]}"
    part "claims ($out/claims.md)" python -m tinymeta.claims --out "$out" "${options[@]}"
    part "page ($page)" python -m tinymeta.page --runs "$runs" --first-seed "$seed" --out "$page"
    say "all done in $SECONDS s; pictures and claims are in $(pwd)/$out"
}

# The site is built anew each time, so that what is gone from the sources is gone from it.
build_docs() {
    rm -rf docs/_build docs/api/generated
    python -m sphinx --fail-on-warning --keep-going --quiet --jobs auto --builder html docs docs/_build/html
    python docs/check_site.py docs/_build/html
}

# study NAME EXTRA: the runs, figures and claims of a paper whose environments need what the extra installs.
study() {
    local options=(--paper "$1" --runs "runs-$1")
    part "set-up" setup "$2"
    part "training (runs-$1/)" python -m tinymeta.reproduction "${options[@]}"
    part "figures (figures/$1/)" python -m tinymeta.figures "${options[@]}"
    part "claims (figures/$1/claims.md)" python -m tinymeta.claims "${options[@]}"
}

docs() {
    part "set-up" setup "[docs]"
    part "the site" build_docs
    say "the site is in $(pwd)/docs/_build/html, beginning with index.html"
}

usage() {
    echo "runs.sh: unknown argument '$1', expected nothing, --quick, --first-seed S, conti, conti --quadruped, wang, worlds, test or docs" >&2
    exit 2
}

runs=runs out=figures page=docs/lab.html seed=100
case "${1:-}" in
"") reproduce ;;
--quick)
    [ $# -eq 1 ] || usage "$2"
    out=figures-quick page=figures-quick/lab.html
    reproduce --quick
    ;;
--first-seed)
    [[ "${2:-}" =~ ^[0-9]+$ && $# -eq 2 ]] || usage "$*"
    [ "$2" = 100 ] || { runs="runs-$2" && out="figures-$2" && page="figures-$2/lab.html" && seed="$2"; }
    reproduce --first-seed "$2"
    ;;
test)
    [ $# -eq 1 ] || usage "$2"
    setup "[test]"
    say "lint, format, types"
    ruff check .
    ruff format --check .
    mypy
    say "tests"
    exec python -m pytest --numprocesses auto
    ;;
wang)
    [ $# -eq 1 ] || usage "$2"
    study wang ""
    ;;
conti | worlds)
    if [ "$*" = "conti --quadruped" ]; then
        say "some hours on two cores, the more the longer the robot stays on its feet; Ctrl-C at any time, the same command goes on"
        study conti-quadruped "[gym,quadruped]"
    else
        [ $# -eq 1 ] || usage "$2"
        study "$1" "[gym]"
    fi
    ;;
docs)
    [ $# -eq 1 ] || usage "$2"
    docs
    ;;
*) usage "$1" ;;
esac
