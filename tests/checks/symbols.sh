#!/usr/bin/env bash
# symbols.sh ISA NM OBJECT...: of a weak function the linker keeps one copy for the whole program. If it is one
# that was compiled for a better instruction set, an old CPU crashes far from any kernel. So the objects of
# one instruction set may define a weak function only if that set's namespace is part of its name. (Weak data,
# nm's V and u, is the same whoever compiled it.)
set -euo pipefail
isa=$1 nm=$2
shift 2
"$nm" --demangle --defined-only "$@" | awk -v inside="gptj::${isa//-/_}::" '
  $2 ~ /^[A-Za-z]$/ { n++ }
  $2 ~ /^[Ww]$/ && !index($0, inside) { print "weak, but not of " inside "  " $0; bad = 1 }
  END {
    if (!n) print "no symbols: nothing was checked"
    exit bad || !n
  }'
