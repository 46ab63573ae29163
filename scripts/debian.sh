# For demo.sh and test.sh, which source it: the Debian 12 packages that the project needs, and how to get them.

build_packages=(
  g++ cmake ninja-build ccache pkgconf
  libcli11-dev libedit-dev libfmt-dev libutf8proc-dev nlohmann-json3-dev zlib1g-dev
  libcurl4-openssl-dev libssl-dev
  ca-certificates  # whom 'gpt-j pull' trusts: libcurl only recommends it
)
test_packages=(
  "${build_packages[@]}"
  libgtest-dev libbenchmark-dev clang-14 clang-format-14
  libclang-rt-14-dev                          # libFuzzer and the sanitizers of clang
  python3-jsonschema                          # a validator, beside which grammars of schemas are tested
  libsimde-dev                                # AVX-512 kernels on machines that lack it
  zsh groff-base                              # read what the programs write for shells and man
  g++-aarch64-linux-gnu qemu-user googletest  # NEON kernels: built with the cross compiler, run by emulation
)

lint_packages=("${build_packages[@]}" libgtest-dev libbenchmark-dev clang-tidy-14 cppcheck)  # scripts/lint.sh

say() { printf '\n== %s\n' "$*"; }

# Installs those of the packages that are missing; without the right to do so, names them and fails.
install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    echo "$0: this is not Debian. Needed here is what these packages of Debian 12 hold: $*" >&2
    return 1
  fi
  local package missing=() as_root=()
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "All packages are installed"
    return
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      echo "$0: packages are missing; as root: apt-get install ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo -n)
  fi
  say "Installing ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  "${apt[@]}" update
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null
}
