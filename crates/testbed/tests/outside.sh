#!/usr/bin/env bash
# From outside: the machine stays as it was, and no end of the testbed leaves anything behind.
# Run it as root, where scripts/testbed up has been run once; it uses a testbed of its own.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
installed=$(realpath -m "${TESTBED_HOME:-$repository/target/testbed}")
TESTBED_HOME=$(mktemp -d)
export TESTBED_HOME
testbed=$repository/scripts/testbed
passed=0

end() {
  "$testbed" down
  rm -rf "$TESTBED_HOME"
}
trap end EXIT
ln -s "$installed/tools" "$TESTBED_HOME/tools"

# What the testbed must not change, as text.
machine() {
  sha256sum /etc/hosts /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt 2>&1
  ls -d /etc/docker /opt/containerd /var/lib/docker /var/lib/containerd /var/run/docker.sock /run/docker 2>&1
  ip -brief link | cut -d ' ' -f 1
  awk '{ print $5 }' /proc/self/mountinfo
  env -u DOCKER_HOST docker info 2>&1 | grep -E '^ID|Cannot connect' || true
}

groups() {
  find /sys/fs/cgroup -name "shipspec-testbed-$(printf '%s' "$TESTBED_HOME" | sha256sum | cut -c 1-12)*" || true
}

# Processes whose program or arguments name this testbed's folder.
processes() {
  local process
  for process in /proc/[0-9]*; do
    if { tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null | grep -qF "$TESTBED_HOME"; then
      printf '%s\n' "${process#/proc/}"
    fi
  done
}

expect() {
  if [[ $2 != "$3" ]]; then
    printf 'FAILED: %s\n--- expected\n%s\n--- found\n%s\n' "$1" "$3" "$2" >&2
    exit 1
  fi
  printf 'passed: %s\n' "$1"
  passed=$((passed + 1))
}

before=$(machine)
"$testbed" up
expect 'the machine is the same while it is up' "$(machine)" "$before"

"$testbed" run sh -c 'sleep 1; echo first' >"$TESTBED_HOME/first" &
first=$!
"$testbed" run sh -c 'sleep 1; echo second' >"$TESTBED_HOME/second"
wait "$first"
expect 'two commands run at once' "$(cat "$TESTBED_HOME/first" "$TESTBED_HOME/second")" $'first\nsecond'
expect 'standard input goes in' "$(echo text | "$testbed" run cat)" text
expect 'the folder is the caller'\''s' "$(cd /usr && "$testbed" run pwd)" /usr

code=0
"$testbed" run sh -c 'exit 42' || code=$?
expect 'the exit code comes out' "$code" 42

"$testbed" run sleep 1000 &
asleep=$!
sleep 0.5
kill -TERM "$asleep"
code=0
wait "$asleep" || code=$?
expect 'a signal goes in, and its effect comes out' "$code" 143

for victim in outer init server dockerd; do
  "$testbed" up
  read -r outer init _ <"$TESTBED_HOME/state/processes"
  server=$(ps -o pid= --ppid "$init" | tr -d ' ')
  case $victim in
    outer) process=$outer ;;
    init) process=$init ;;
    server) process=$server ;;
    dockerd) process=$(ps -o pid=,comm= --ppid "$server" | awk '$2 == "dockerd" { print $1 }') ;;
  esac
  "$testbed" run sleep 1000 &
  asleep=$!
  sleep 0.5
  kill -9 "$process"
  code=0
  wait "$asleep" || code=$?
  expect "a command ends when $victim is killed" "$code" 137
  # Whoever is killed, the others go too, if a moment later.
  for _ in $(seq 100); do
    [[ -n $(processes) ]] || break
    sleep 0.1
  done
  expect "nobody is left when $victim is killed" "$(processes)" ''
  expect "it comes up again after $victim was killed" "$("$testbed" run echo up)" up
done

"$testbed" down
expect 'no process is left' "$(processes)" ''
expect 'no group is left' "$(groups)" ''
expect 'the machine is the same after it' "$(machine)" "$before"
printf '%s passed, 0 failed\n' "$passed"
