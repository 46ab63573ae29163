#!/usr/bin/env bash
# From a bare Debian 12 to the result of every test: installs what is missing, builds each configuration of
# CMakePresets.json that is tested, runs the tests of all of them as one. Ends with ctest's summary.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source scripts/debian.sh

install_packages "${test_packages[@]}"

# Address randomisation of newer kernels can be more than the thread sanitizer of gcc 12 knows about.
fixed_addresses=()
if setarch -R true 2>/dev/null; then fixed_addresses=(setarch -R); fi

all=build-all/CTestTestfile.cmake  # a test directory whose subdirectories are the configurations
mkdir -p build-all
: >$all
# gcc compiles release and neon, clang the others: so both warn of everything. The fuzz targets are part of asan-ubsan.
for preset in release asan-ubsan tsan neon; do
  say "Building the configuration $preset"
  cmake --preset $preset -DCMAKE_CXX_COMPILER_LAUNCHER=ccache
  "${fixed_addresses[@]}" cmake --build --preset $preset
  directory=build-$preset
  echo "subdirs([==[$PWD/${directory%-release}]==])" >>$all
done

say "Running the tests of every configuration"
"${fixed_addresses[@]}" ctest --test-dir build-all --output-on-failure --timeout 600 -j "$(nproc)"
