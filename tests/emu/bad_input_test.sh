#!/bin/sh
# tests/emu/bad_input_test.sh: whatever is wrong with what the user gives, it is one line that names the thing, exit status 1 or 2,
# and nothing is written.
. "$(dirname "$0")/testlib.sh"

good=$guests/poweroff.elf

everything() { find . -exec stat -c '%n %F %s %a %Y' {} + | sort; find . -type f -readable -exec cksum {} + | sort; }

# refused STATUS NAME ARGUMENTS...: with one line on standard error that contains NAME; no file is new or different.
refused() {
	want=$1
	name=$2
	shift 2
	everything >../before
	run "$want" "$emu" run "$@"
	one_line
	says "$name"
	everything >../after
	cmp -s ../before ../after || fail "files changed: $(diff ../before ../after)"
}

# Files of every wrong kind.
mkdir folder
: >empty
head -c 100 "$good" >short.elf
head -c 40 "$good" >header.elf
head -c 150 "$good" >cut.elf
printf 'abc' >three
head -c 65536 /dev/zero >zeroes.img
cp "$good" arm.elf && printf '\050' | dd of=arm.elf bs=1 seek=18 conv=notrunc 2>/dev/null
cp "$good" wide.elf && printf '\002' | dd of=wide.elf bs=1 seek=4 conv=notrunc 2>/dev/null
cp "$good" far.elf && printf '\000\000\000\100' | dd of=far.elf bs=1 seek=64 conv=notrunc 2>/dev/null     # p_paddr of the first segment
printf 'just some text\n' >text
# Linux: the magic number alone, and with a header that wants more than there is. Bytes at 0x1f1, 0x1fe, 0x202, 0x206, 0x211, 0x238, 0x260.
head -c 512 /dev/zero >hdrs && printf '\125\252' | dd of=hdrs bs=1 seek=510 conv=notrunc 2>/dev/null
printf '\353\152HdrS\017\002' >>hdrs
{ cat hdrs; head -c 4096 /dev/zero; } >vmlinuz
printf '\001' | dd of=vmlinuz bs=1 seek=529 conv=notrunc 2>/dev/null
printf '\377\007' | dd of=vmlinuz bs=1 seek=568 conv=notrunc 2>/dev/null
cp vmlinuz low.bz && printf '\377\377\177\000' | dd of=low.bz bs=1 seek=556 conv=notrunc 2>/dev/null
printf '\377\377\377\067' | dd of=vmlinuz bs=1 seek=556 conv=notrunc 2>/dev/null
cp vmlinuz zimage && printf '\000' | dd of=zimage bs=1 seek=529 conv=notrunc 2>/dev/null
cp vmlinuz wide.bz && printf '\001' | dd of=wide.bz bs=1 seek=566 conv=notrunc 2>/dev/null
cp vmlinuz short.bz && printf '\377\377' | dd of=short.bz bs=1 seek=500 conv=notrunc 2>/dev/null
cp vmlinuz huge.bz && printf '\000\000\000\100' | dd of=huge.bz bs=1 seek=608 conv=notrunc 2>/dev/null
mkfifo fifo

for option in '' --kernel; do
	refused 1 "'nowhere.elf'" $option nowhere.elf
	refused 1 "'folder'" $option folder
	refused 1 "'empty'" $option empty
	refused 1 "'short.elf'" $option short.elf
	refused 1 "'header.elf'" $option header.elf
	says truncated
	refused 1 "'cut.elf'" $option cut.elf
	says truncated
	refused 1 "'arm.elf'" $option arm.elf
	says 'another machine'
	refused 1 "'wide.elf'" $option wide.elf
	refused 1 "'far.elf'" $option far.elf
	refused 1 "'hdrs'" $option hdrs
	says 'truncated: its Linux setup header'
	refused 1 "'zimage'" $option zimage
	says 'bzImage only'
	refused 1 "'wide.bz'" $option wide.bz
	says '64-bit Linux'
	refused 1 "'short.bz'" $option short.bz
	says syssize
	refused 1 "'huge.bz'" $option huge.bz
	says 'outside memory (64M)'
	refused 1 "'fifo'" $option fifo
	refused 1 "'a/b/c'" $option a/b/c
done
refused 1 "'two?lines?[31m'" "$(printf 'two\nlines\033[31m')"
refused 1 three three
refused 1 "'zeroes.img'" zeroes.img
says --kernel
refused 1 "'text'" --kernel text

for option in '' --snapshot; do
	refused 1 nowhere.img $option --disk nowhere.img "$good"
	refused 1 folder $option --disk folder "$good"
	refused 1 empty $option --disk empty "$good"
	refused 1 three $option --disk three "$good"
done
if [ "$(id -u)" != 0 ]; then
	head -c 65536 /dev/zero >secret.img && chmod 000 secret.img
	refused 1 secret.img --disk secret.img "$good"
	refused 1 secret.img secret.img
elif command -v setpriv >/dev/null; then
	# root can read everything: become nobody for this one
	head -c 65536 /dev/zero >secret.img && chmod 000 secret.img && chmod 711 "$work" "$work/files"
	if setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$emu" 2>/dev/null; then
		plain=$emu
		emu_as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$plain" "$@"; }
		emu=emu_as_nobody
		refused 1 secret.img --disk secret.img "$good"
		refused 1 secret.img secret.img
		emu=$plain
	fi
	rm -f secret.img
fi

for memory in 0 5G abc -4M 4X 1025K ''; do
	refused 2 "'$memory'" --memory "$memory" "$good"
done
refused 2 "'--memory'" --memroy 4M "$good"
refused 2 "'--snapshot'" --snapshots "$good"
refused 2 "'--xyzzy'" --xyzzy
refused 2 --memory --memory
refused 2 "'tape'" --serial tape "$good"
refused 2 "'jit'" --engine jit "$good"
refused 2 "'b.elf'" a.elf b.elf
refused 1 "'folder'" --serial file:folder "$good"
refused 1 nodir/out --serial file:nodir/out "$good"
refused 1 nodir/trace --trace int:nodir/trace "$good"
refused 1 nodir/status --status-json nodir/status "$good"
refused 1 "'folder'" --status-json folder "$good"
# One wrong option, and the files that others name are not made either.
refused 1 nodir/out --trace int:trace.log --serial file:nodir/out "$good"
refused 1 nodir/status --trace int:trace.log --serial file:serial.log --status-json nodir/status "$good"
# What is to be written must be none of the files in use, by whatever name.
cp "$good" mine.elf
cp zeroes.img disk.img
ln disk.img link.img
refused 1 "'mine.elf'" --serial file:mine.elf mine.elf
refused 1 "'disk.img'" --disk disk.img --trace int:disk.img "$good"
refused 1 "'link.img'" --disk disk.img --status-json link.img "$good"
refused 1 "'./three'" --initrd three --serial file:./three "$good"
refused 1 "'same.log'" --serial file:same.log --trace int:same.log "$good"
refused 1 "'nowhere'" --initrd nowhere "$good"
truncate -s 8M big.bin
refused 1 "'big.bin'" --memory 4M --initrd big.bin "$good"
refused 2 "'five'" --disk zeroes.img --disk zeroes.img --disk zeroes.img --disk zeroes.img --disk five

refused 1 "'big.bin'" --memory 4M -initrd big.bin -kernel vmlinuz
says 'does not fit in memory (4M) beside the kernel'
refused 1 "'big.bin'" --memory 64M -initrd big.bin -kernel low.bz
says "does not fit in memory (8M, the kernel's initrd_addr_max) beside the kernel"
refused 1 'longer than 2047 bytes' --append "$(head -c 2048 /dev/zero | tr '\0' x)" -kernel vmlinuz

# Other commands.
run 2 "$emu" rnu
one_line
says "'run'"
run 2 "$emu"
run 2 "$emu" demo nothing
one_line
run 2 "$emu" demo fault-resumptoin
says "did you mean 'fault-resumption'"
run 2 "$emu" demo fault-resumption --esp 12
one_line
finish
