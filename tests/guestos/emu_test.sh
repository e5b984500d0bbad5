#!/bin/sh
# Pagoda on this project's emulator: emu_test.sh EMU KERNEL DISK PFS-CHECK MEMORY COMMANDS...
# vmtest and each of COMMANDS succeed, the machine powers itself off, and what it leaves on the disk is consistent.
emu=$1 kernel=$2 disk=$3 check=$4 memory=$5
shift 5
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cp --sparse=always "$disk" "$dir/disk.img" || exit 1
# shellcheck source=session.sh
. "$(dirname "$0")/session.sh"
typed "$@" | "$emu" run --kernel "$kernel" --disk "$dir/disk.img" --memory "$memory" >"$dir/out" 2>&1
status=$?
judged || exit 1
[ $status -eq 0 ] || { echo "exit status $status"; exit 1; }
