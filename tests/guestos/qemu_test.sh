#!/bin/sh
# Pagoda on another PC emulator: qemu_test.sh KERNEL DISK PFS-CHECK MEMORY
# vmtest passes, and what the machine leaves on the disk is consistent. Exit status 77: no qemu here.
kernel=$1 disk=$2 check=$3 memory=$4
command -v qemu-system-i386 >/dev/null || exit 77
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cp --sparse=always "$disk" "$dir/disk.img" || exit 1
printf 'echo kept > /kept\nvmtest\ndemo-demand && demo-stack && demo-cow && demo-swap && echo demos passed\npoweroff\n' |
	timeout 500 qemu-system-i386 -kernel "$kernel" -drive "file=$dir/disk.img,format=raw,if=ide" -m "$memory" -display none \
		-monitor none -serial stdio -no-reboot >"$dir/out" 2>&1
tr -d '\r' <"$dir/out" >"$dir/text"
cat "$dir/text"
"$check" "$dir/disk.img" || exit 1
grep -q '^[1-9][0-9]* passed, 0 failed$' "$dir/text" && grep -q '^demos passed$' "$dir/text"
