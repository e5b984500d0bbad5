#!/bin/sh
# Pagoda on another PC emulator: qemu_test.sh KERNEL DISK PFS-CHECK MEMORY COMMANDS...
# vmtest and each of COMMANDS succeed, and what the machine leaves on the disk is consistent. Exit status 77: no qemu here.
kernel=$1 disk=$2 check=$3 memory=$4
shift 4
command -v qemu-system-i386 >/dev/null || exit 77
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cp --sparse=always "$disk" "$dir/disk.img" || exit 1
# shellcheck source=session.sh
. "$(dirname "$0")/session.sh"
typed "$@" | timeout 500 qemu-system-i386 -kernel "$kernel" -drive "file=$dir/disk.img,format=raw,if=ide" -m "$memory" -display none \
	-monitor none -serial stdio -no-reboot >"$dir/out" 2>&1
judged
