# shellcheck shell=bash
# Starting, stopping and entering the testbed.
# Sourced by scripts/testbed, which sets `home` and `repository`.
: "${home:?}" "${repository:?}"

# Below this group are all containers, and nobody else's.
cgroup=shipspec-testbed-$(printf '%s' "$home" | sha256sum | cut -c 1-12)
state=$home/state
# Which engine `up` starts, and none if it does not matter which one runs.
engine=
# Seconds that a start may take at most, on a busy machine.
patience=90

up() {
  if is_inside; then
    return
  fi
  lock
  if is_up; then
    if [[ -n $engine && $engine != "$(cat "$state/engine")" ]]; then
      fail "is up with engine $(cat "$state/engine"); scripts/testbed down first"
    fi
    say "is up"
    tell_if_old
  else
    engine=${engine:-20.10}
    clean_up
    install_all
    say "building the front"
    build
    start
  fi
  unlock
}

down() {
  if is_inside; then
    fail "a command inside cannot stop it"
  fi
  lock
  local outer init
  if read_processes; then
    kill -TERM "$init" 2>/dev/null || true
    all_gone 30 || true
  fi
  clean_up
  unlock
  say "is down"
}

status() {
  local outer init
  if is_inside; then
    exec "$home/bin/testbed" --home "$home" status
  fi
  if ! is_up || ! read_processes; then
    say "is not up"
    exit 1
  fi
  exec "$home/bin/testbed" --home "$home" enter --process "$init" -- "$home/bin/testbed" --home "$home" status
}

run() {
  local outer init
  if is_inside; then
    exec "$@"
  fi
  if ! is_up; then
    up
  fi
  read_processes || fail "went down again; see $state/log"
  exec "$home/bin/testbed" --home "$home" enter --process "$init" -- "$@"
}

# Whether this is a command that `run` started. Processes have other numbers in here.
is_inside() {
  [[ ${SHIPSPEC_TESTBED-} == "$home" && -S /run/shipspec-testbed/docker.sock ]]
}

# One at a time, and until this process ends.
lock() {
  mkdir -p "$home"
  exec 9>"$home/lock"
  flock 9
}

unlock() {
  exec 9>&-
}

# Builds the program and keeps a copy, which a later build leaves alone.
build() {
  local target
  (cd "$repository" && cargo build --quiet --workspace --bin testbed) 9>&-
  target=$(cd "$repository" && cargo metadata --format-version 1 --no-deps --offline 9>&- \
    | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
  mkdir -p "$home/bin"
  rm -f "$home/bin/testbed"
  cp "$target/debug/testbed" "$home/bin/testbed"
}

tell_if_old() {
  if [[ -n $(find "$repository/crates/testbed/src" -newer "$home/bin/testbed" -print -quit) ]]; then
    say "it was built before its sources were changed; scripts/testbed down, then up, makes it new"
  fi
}

start() {
  mkdir -p "$state/log"
  printf '%s\n' "$engine" >"$state/engine"
  # Every process inside holds this file, so its lock tells when the last one has ended.
  exec 8>"$home/alive"
  flock --shared 8
  setsid unshare --mount --propagation private --net --pid --fork --kill-child --mount-proc \
    "$home/bin/testbed" --home "$home" init --cgroup "$cgroup" --engine "$engine" \
    >"$state/log/testbed.log" 2>&1 </dev/null 9>&- &
  exec 8>&-
  local outer=$! init='' deadline=$((SECONDS + patience))
  until [[ -n $init ]]; do
    [[ -d /proc/$outer && $SECONDS -lt $deadline ]] || did_not_start
    init=$(child_of "$outer")
  done
  printf '%s %s %s\n' "$outer" "$init" "$(life_of "$outer")" >"$state/processes"
  until [[ -f $state/ready ]]; do
    [[ -d /proc/$outer && $SECONDS -lt $deadline ]] || did_not_start
    sleep 0.05
  done
  say "is up"
}

did_not_start() {
  cat "$state/log/testbed.log" >&2 || true
  fail "did not start; the logs are in $state/log"
}

# The only child of a process, once there is one.
child_of() {
  local child
  child=$(cat "/proc/$1/task/$1/children" 2>/dev/null || ps -o pid= --ppid "$1" || true)
  child=${child%% *}
  # Before it becomes the program it is not yet in its namespaces.
  if [[ -n $child && $(readlink "/proc/$child/exe" 2>/dev/null) == "$home/bin/testbed" ]]; then
    printf '%s' "$child"
  fi
}

# Tells a process from a later one with the same number: when it began, since which boot.
life_of() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # Behind the name, which may hold anything, come the state and, as the twentieth field, the start.
  stat=${stat##*) }
  [[ $stat != [ZX]* ]] || return 1
  printf '%s-%s' "$(awk '{ print $20 }' <<<"$stat")" "$(cat /proc/sys/kernel/random/boot_id)"
}

# Sets `outer` and `init`, if they are processes of this testbed and alive.
read_processes() {
  local life
  [[ -f $state/processes ]] && read -r outer init life <"$state/processes" || return 1
  [[ $(life_of "$outer") == "$life" ]] && life_of "$init" >/dev/null
}

is_up() {
  local outer init
  [[ -f $state/ready ]] && read_processes
}

# Whether the last process inside has ended, within so many seconds.
all_gone() {
  (flock --exclusive --timeout "$1" 8) 8>"$home/alive"
}

# Takes away what a life has left, however it ended. Mounts go with the namespaces.
clean_up() {
  local outer init
  if read_processes; then
    kill -KILL "$init" "$outer" 2>/dev/null || true
  fi
  all_gone 15 || fail "processes of an earlier life are still there; they hold $home/alive"
  find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null || true
  local tries=50
  until rm -rf "$state" 2>/dev/null; do
    # The kernel takes the mounts away a moment after the last process.
    tries=$((tries - 1))
    [[ $tries -gt 0 ]] || fail "$state cannot be removed"
    sleep 0.1
  done
}
