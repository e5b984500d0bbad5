# tools/setup.sh: sourced by tools/start and tools/test: installs what is missing, configures, builds.
#
#   packages build|test     installs the packages of tools/packages that are not there yet
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
	log=$(mktemp)
	export DEBIAN_FRONTEND=noninteractive
	if ! { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
		tail -n 15 "$log" >&2
		say "apt could not install: $missing"
		exit 1
	fi
	rm -f "$log"
}

build() {
	dir=$(build_dir "$1")
	[ -f "$dir/build.ninja" ] || { say "configuring ($1)"; cmake --preset "$1" >/dev/null; }
	if [ -t 2 ]; then
		NINJA_STATUS='building %f/%t ' cmake --build --preset "$1" >&2
	else
		log=$(mktemp)
		cmake --build --preset "$1" >"$log" 2>&1 || { tail -n 60 "$log" >&2; exit 1; }
		rm -f "$log"
	fi
}

build_dir() {
	[ "$1" = release ] && echo build || echo "build-$1"
}
