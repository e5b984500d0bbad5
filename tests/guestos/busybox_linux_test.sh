#!/bin/sh
# Where busybox_expected comes from: busybox_linux_test.sh EMU BUSYBOX EXPECTED [write]
# Debian's installer kernel, on this project's emulator, runs the same busybox and the same script from an initrd made for it.
# With "write" what it prints becomes EXPECTED; otherwise the two are compared.
emu=$1 busybox=$2 expected=$3
here=$(dirname "$0")
linux=/usr/lib/debian-installer/images/12/i386/text/debian-installer/i386/linux
[ -x "$busybox" ] || { echo "skipped: no $busybox; tools/busybox fetches it"; exit 77; }
[ -f "$linux" ] || { echo "skipped: $linux comes with the package debian-installer-12-netboot-i386"; exit 77; }
"$busybox" true 2>/dev/null || { echo "skipped: this machine runs no 32-bit programs, and busybox packs the initrd"; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

mkdir -p "$dir/root/bin" "$dir/root/proc" "$dir/root/dev"
cp "$busybox" "$dir/root/bin/busybox"
ln "$dir/root/bin/busybox" "$dir/root/bin/sh"
cp "$here/busybox_script" "$dir/root/script"
cat >"$dir/root/init" <<'end'
#!/bin/busybox sh
busybox mount -t proc proc /proc
busybox mknod /dev/null c 1 3
busybox mknod /dev/zero c 1 5
PATH=/bin
busybox sh /script 2>&1 </dev/null | busybox cat
busybox reboot -f
end
chmod +x "$dir/root/init"
(cd "$dir/root" && find . | "$dir/root/bin/busybox" cpio -o -H newc 2>/dev/null) >"$dir/initrd" || exit 1

"$emu" run --memory 256M --history 0 --no-reboot --timeout 1200 "$linux" --initrd "$dir/initrd" \
	--append 'console=ttyS0,115200 panic=-1 quiet' </dev/null >"$dir/out" 2>"$dir/err" ||
	{ cat "$dir/out" "$dir/err"; exit 1; }
tr -d '\r' <"$dir/out" | sed -n '/^== 1 /,/^clean$/p' >"$dir/printed"
if [ "$4" = write ]; then
	cp "$dir/printed" "$expected"
else
	diff -u "$expected" "$dir/printed" && echo "Linux prints what is expected: $(wc -l <"$dir/printed") lines"
fi
