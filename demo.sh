#!/usr/bin/env bash
# From a bare Debian 12 to text from the demo model: installs what is missing, builds, runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source scripts/debian.sh

install_packages "${build_packages[@]}"

say "Building gpt-j, gpt-2 and the example in build/: some minutes, of which the kernels take most"
options=(-G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
if [ ! -e build/CMakeCache.txt ]; then  # else it may be test.sh's, which keeps its tests
  options+=(-DBUILD_TESTING=OFF)
fi
cmake -S . -B build "${options[@]}"
cmake --build build --target gpt-j gpt-2 continue_text

say "Writing C with models/demo/gpt-j: 5.3 million parameters, plausible C that means nothing"
build/bin/gpt-j -m models/demo/gpt-j -p 'int main(int argc, char ** argv) {' \
  -n 128 --temp 0.9 --repeat-penalty 1.1 -s 196
