# tools/setup.sh: sourced by the other scripts in tools/: installs what is missing, configures, builds.
#
#   packages build|test     installs the packages of tools/packages that are not there yet
#   guest_programs          fetches the foreign program that the tests run on Pagoda
#   build PRESET            configures when needed and builds; quiet when nothing changed
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

missing_packages() {
	for package in "$@"; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || printf '%s ' "$package"
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		say "cannot install packages: not root, and there is no sudo. Install these and run again: $missing"
		exit 1
	fi
}

packages() {
	command -v dpkg-query >/dev/null || { say "this set-up script knows Debian 12 only; tools/packages lists what is needed"; return; }
	missing=$(missing_packages $(awk -v kinds="$*" '!/^#/ && NF == 2 && index(" " kinds " ", " " $1 " ") { print $2 }' tools/packages))
	[ -z "$missing" ] && return
	say "installing: $missing"
	if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null; then
		sudo -v                        # asks now, if it must ask at all, and not behind the progress line
	fi
	quietly "apt could not install: $missing" install_packages $missing
}

install_packages() {
	as_root apt-get update &&
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# Without it everything else still works, and the tests that want it say that they are skipped.
guest_programs() {
	tools/busybox build/busybox >/dev/null || say "the tests that run busybox on Pagoda will be skipped"
}

# Shows the last line of a log, again and again.
ticker() {
	while sleep 0.2; do
		printf '\r\033[K  %.70s' "$(tail -n 1 "$1" | tr -d '\r')" >&2
	done
}

# quietly MESSAGE COMMAND...: runs it with its output in a log; on a terminal the log's last line is shown while it works.
# When it fails, the end of the log, then the message, and the script ends. The command is in the foreground, so that Ctrl-C
# reaches it.
quietly() {
	message=$1
	shift
	log=$(mktemp)
	ticker=
	if [ -t 2 ]; then
		ticker "$log" &
		ticker=$!
		trap 'kill $ticker 2>/dev/null || :; echo >&2; exit 130' INT TERM
	fi
	status=0
	"$@" >"$log" 2>&1 </dev/null || status=$?
	if [ "$ticker" ]; then
		kill "$ticker" 2>/dev/null || :
		wait "$ticker" 2>/dev/null || :
		trap - INT TERM
		printf '\r\033[K' >&2
	fi
	if [ "$status" != 0 ]; then
		tail -n 40 "$log" >&2
		say "$message (the whole log: $log)"
		exit 1
	fi
	rm -f "$log"
}

build() {
	dir=$(build_dir "$1")
	[ -f "$dir/build.ninja" ] || { say "configuring ($1)"; quietly "configuring failed" cmake --preset "$1"; }
	quietly "building failed" cmake --build --preset "$1"
}

build_dir() {
	[ "$1" = release ] && echo build || echo "build-$1"
}
