#!/usr/bin/env bash
# lint.sh [FILE.cpp ...]: clang-tidy and cppcheck over these sources, or all of src and apps; fails if they find anything.
# Which checks, and why not others, say .clang-tidy and cppcheck.supp.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/debian.sh
install_packages "${lint_packages[@]}"

files=("$@")
if [ $# -eq 0 ]; then
  # All but one, which is compiled for each instruction set.
  mapfile -t files < <(git ls-files 'src/*.cpp' 'apps/*.cpp' ':!src/kernels/isa.cpp')
fi

say "cppcheck"
cppcheck -j "$(nproc)" --quiet --error-exitcode=1 --std=c++20 --enable=warning,performance,portability \
  --inline-suppr --suppressions-list=cppcheck.supp -I src -I include -I apps "${files[@]}"

say "clang-tidy"
cmake --preset release >/dev/null  # for build/compile_commands.json
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy-14 -p build --quiet
