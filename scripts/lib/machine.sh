# shellcheck shell=bash
# What the scripts need of the machine. Whatever is installed is told before.
# Sourced; its functions take everything as arguments.

# A line about what the script does, apart from what the programs say that it runs.
tell() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
}

give_up() {
  tell "$*"
  exit 1
}

is_root() {
  [[ $(id -u) == 0 ]]
}

# The testbed lives in namespaces. In a container that is not privileged even root cannot make them.
can_make_namespaces() {
  is_root && unshare --mount --net --pid --fork true 2>/dev/null
}

# Installs Debian packages for commands that are missing: need_commands COMMAND=PACKAGE…
need_commands() {
  local pair
  local -a missing=()
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || missing+=("${pair#*=}")
  done
  [[ ${#missing[@]} == 0 ]] || install_packages_of_debian "${missing[@]}"
}

# Debian keeps a part of Python's standard library apart.
need_python_environments() {
  /usr/bin/python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || install_packages_of_debian python3-venv
}

install_packages_of_debian() {
  is_root || give_up "these packages are missing, and only root can install them: $*"
  command -v apt-get >/dev/null || give_up "install these, by Debian's names: $*"
  tell "installing with apt-get: $*"
  # On a new machine the lists are empty; they may also name versions that are gone.
  apt_get_install "$@" || { apt-get update -qq && apt_get_install "$@"; }
}

apt_get_install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

need_rust() {
  command -v cargo >/dev/null || give_up "cargo is missing; install Rust first"
}

# Installs a tool of cargo's: need_cargo_tool NAME VERSION
need_cargo_tool() {
  cargo "$1" --version >/dev/null 2>&1 && return
  tell "installing with cargo: cargo-$1 $2 (takes some minutes, once)"
  # Not optimized, it is there in a third of the time, and quick enough.
  cargo install --locked --debug --quiet "cargo-$1@$2"
}
