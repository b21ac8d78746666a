# shellcheck shell=bash
# What the testbed is made of: downloaded once, unpacked beside, never installed.
# Sourced by scripts/testbed, which sets `home` and `library`.
: "${home:?}" "${library:?}"

# What is wanted of the distribution. What these need and the machine lacks comes along.
wanted_packages=(
  docker.io containerd runc tini iptables docker-registry busybox-static skopeo gettext-base awscli podman conmon
)
# Programs for the PATH of commands inside, each with the libraries that came along.
wrapped_programs=(docker dockerd containerd ctr docker-registry envsubst podman conmon)
# Programs that are started by those, or go into containers, so they must be what they are.
linked_programs=(
  containerd-shim containerd-shim-runc-v1 containerd-shim-runc-v2 docker-init docker-proxy runc tini busybox
)

# Of the distribution's next release. They run with the machine's libraries, which are older than theirs;
# its runc does not, and this release's serves as well, as does its docker-init.
next_packages=(docker.io containerd)
next_programs=(containerd ctr containerd-shim-runc-v2 docker-proxy dockerd)
declare -A next_releases=([bullseye]=bookworm [bookworm]=trixie)

# Where programs are. A link to another testbed's tools saves the download.
tools=$(realpath -m "$home/tools")

install_all() {
  mkdir -p "$tools/stamps" "$tools/bin"
  component packages "${wanted_packages[*]} $(dpkg --print-architecture)" install_packages
  component moto "$(cat "$library/testbed-moto.txt")" install_moto
  component commands "$tools $(cat "$library/testbed-install.sh")" install_commands
  if [[ ${engine-} == 26 ]]; then
    component next "$tools ${next_packages[*]} $(dpkg --print-architecture)" install_next
  fi
}

# Runs an installer unless what it made is there, made from the same description.
component() {
  local name=$1 description=$2 installer=$3
  local stamp=$tools/stamps/$name
  if [[ -f $stamp && $(cat "$stamp") == "$description" ]]; then
    return
  fi
  say "installing $name"
  rm -f "$stamp"
  "$installer"
  printf '%s' "$description" >"$stamp"
}

install_packages() {
  apt-cache show docker.io >/dev/null 2>&1 || apt-get update -qq
  if ! download_packages; then
    # The lists may name versions that are no longer there.
    apt-get update -qq || true
    download_packages || fail "the distribution's packages cannot be downloaded; is there a network?"
  fi
  rm -rf "$tools/packages"
  mkdir -p "$tools/packages"
  local package
  for package in "$tools"/downloads/*.deb; do
    dpkg -x "$package" "$tools/packages"
  done
  rm -rf "$tools/downloads"
}

download_packages() {
  local -a needed
  mapfile -t needed < <(needed_packages | sort -u)
  rm -rf "$tools/downloads"
  mkdir -p "$tools/downloads"
  (cd "$tools/downloads" && apt-get download -qq -o APT::Sandbox::User=root "${needed[@]}")
}

# The wanted packages, and those that an installation of them would bring.
needed_packages() {
  printf '%s\n' "${wanted_packages[@]}"
  apt-get install --print-uris -y --no-install-recommends "${wanted_packages[@]}" 2>/dev/null \
    | sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p"
}

install_moto() {
  local python=/usr/bin/python3
  [[ -x $python ]] || python=python3
  rm -rf "$tools/moto"
  "$python" -m venv "$tools/moto" || fail "python3 cannot make a virtual environment (python3-venv is missing?)"
  "$tools/moto/bin/pip" install -q --disable-pip-version-check -r "$library/testbed-moto.txt" \
    || fail "moto cannot be downloaded; is there a network?"
}

install_commands() {
  local root=$tools/packages program
  local libraries
  libraries=$(find "$root/usr/lib" "$root/lib" -maxdepth 1 -type d -name '*-linux-gnu*' 2>/dev/null | paste -sd:)
  rm -rf "${tools:?}/bin"
  mkdir -p "$tools/bin"
  for program in "${wrapped_programs[@]}"; do
    command_file "$program" "export LD_LIBRARY_PATH='$libraries'" "exec '$(program_path "$program")' \"\$@\""
  done
  for program in "${linked_programs[@]}"; do
    ln -sf "$(program_path "$program")" "$tools/bin/$program"
  done
  # There are no signatures here to verify.
  command_file skopeo "export LD_LIBRARY_PATH='$libraries'" \
    "exec '$(program_path skopeo)' --insecure-policy \"\$@\""
  install_iptables "$root" "$libraries"
  install_aws "$root"
}

# The kernel decides which of the two kinds of rules it takes.
install_iptables() {
  local root=$1 libraries=$2 kind=nft program
  local extensions=$root/usr/lib/${libraries##*/}/xtables
  export XTABLES_LIBDIR=$extensions
  if ! LD_LIBRARY_PATH=$libraries unshare --net "$root/usr/sbin/xtables-nft-multi" iptables -t nat -L -n \
    >/dev/null 2>&1; then
    kind=legacy
  fi
  unset XTABLES_LIBDIR
  for program in iptables ip6tables iptables-save ip6tables-save iptables-restore ip6tables-restore; do
    command_file "$program" "export LD_LIBRARY_PATH='$libraries' XTABLES_LIBDIR='$extensions'" \
      "exec '$root/usr/sbin/xtables-$kind-multi' $program \"\$@\""
  done
}

# The distribution's command line for AWS, if it runs with the machine's Python; else PyPI's.
install_aws() {
  local root=$1
  command_file aws "export PYTHONPATH='$root/usr/lib/python3/dist-packages'" \
    "exec /usr/bin/python3 '$root/usr/bin/aws' \"\$@\""
  if ! "$tools/bin/aws" --version >/dev/null 2>&1; then
    python3 -m venv "$tools/aws"
    "$tools/aws/bin/pip" install -q --disable-pip-version-check awscli
    ln -sf "$tools/aws/bin/aws" "$tools/bin/aws"
  fi
}

# The engine of the next release, from where the machine gets this one's packages: with lists and a cache of
# its own, so that the machine's are not touched.
install_next() {
  local release mirror key apt=$tools/next/apt package program
  # shellcheck source=/dev/null
  release=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME-}")
  [[ -n ${next_releases[${release:-none}]-} ]] || fail "engine 26 is taken from Debian; this is ${release:-something else}"
  # shellcheck disable=SC2016 # these are apt's own variables
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Codename: $release" | head -1)
  [[ -n $mirror ]] || fail "apt knows no mirror of $release"
  key=/usr/share/keyrings/debian-archive-keyring.gpg
  [[ -f $key ]] || fail "$key is missing (debian-archive-keyring)"
  rm -rf "$tools/next"
  mkdir -p "$apt"/{lists/partial,cache/archives/partial,debs} "$tools/next"/{packages,bin}
  printf 'deb [signed-by=%s] %s %s main\n' "$key" "$mirror" "${next_releases[$release]}" >"$apt/sources.list"
  local -a options=(
    -qq -o APT::Sandbox::User=root -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache"
  )
  apt-get "${options[@]}" update || fail "the next release's list of packages cannot be fetched"
  (cd "$apt/debs" && apt-get "${options[@]}" download "${next_packages[@]}") \
    || fail "the next release's packages cannot be downloaded"
  for package in "$apt"/debs/*.deb; do
    dpkg -x "$package" "$tools/next/packages"
  done
  rm -rf "$apt"
  for program in "${next_programs[@]}"; do
    ln -s "$(program_path "$program" "$tools/next/packages")" "$tools/next/bin/$program"
  done
  "$tools/next/bin/dockerd" --version >/dev/null || fail "its dockerd does not run with this machine's libraries"
}

# program_path NAME [FOLDER]: where the unpacked packages have a program.
program_path() {
  local root=${2:-$tools/packages}
  local folder
  for folder in usr/bin usr/sbin bin sbin; do
    if [[ -x $root/$folder/$1 ]]; then
      printf '%s' "$root/$folder/$1"
      return
    fi
  done
  fail "the distribution's packages have no $1"
}

# Writes a command: its name, then its lines.
command_file() {
  local file=$tools/bin/$1
  shift
  rm -f "$file"
  printf '%s\n' '#!/bin/sh' "$@" >"$file"
  chmod +x "$file"
}
