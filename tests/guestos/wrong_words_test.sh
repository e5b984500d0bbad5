#!/bin/sh
# Kernel options, names and arguments that mean nothing are said in one clear line, and change nothing; and help, which tells what means
# something, fits into 80 columns: wrong_words_test.sh EMU KERNEL DISK
emu=$1 kernel=$2 disk=$3
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

# boot OPTIONS COMMANDS: the console is in $dir/out
boot() { printf '%s\n' "$2" | "$emu" run --memory 4M --kernel "$kernel" --snapshot --append "$1" "$disk" 2>&1 | tr -d '\r' >"$dir/out"; }

said() { grep -Fqx -- "$1" "$dir/out" || { echo "FAIL: the console does not say '$1'"; cat "$dir/out"; failed=1; }; }

boot 'pagoda.elf root=hda7 journal=odd prefetch=maybe loadcontrol=1 check=x seed=-1 policy=foo' 'grep -c hda1 /proc/mounts
vmtest nosuch cow-simple; echo no such test: $?
vmtest -h; echo no such option: $?
vmtest cow-s*e cow-cou*
policy foo; echo no such policy: $?
loadcontrol 1; echo neither on nor off: $?
policy
poweroff'
for option in root=hda7 journal=odd prefetch=maybe loadcontrol=1 check=x seed=-1; do
	said "$option: not a value this option has"
done
said 'policy=foo: there is no such replacement policy'
said 1
said 'vmtest: there is no test nosuch; vmtest -l lists them'
said 'no such test: 2'
said 'usage: vmtest [NAME... | -e N | -l]'
said 'no such option: 2'
said '2 passed, 0 failed'
said 'usage: policy [fifo | clock | second-chance | aging | random[:SEED] | wsclock]'
said 'no such policy: 2'
said 'neither on nor off: 2'
grep -q '^clock .*now$' "$dir/out" || { echo 'FAIL: another policy is in force'; failed=1; }

boot root=/dev/hda1 'cat /proc/mounts
poweroff'
said '/dev/hda1 / pfs rw 0 0'

boot quiet 'help
poweroff'
grep -q '^  demo-cow ' "$dir/out" || { echo 'FAIL: no help'; failed=1; }
awk 'length > 79 { print "FAIL: too long for 80 columns: " $0; wide = 1 } END { exit wide }' "$dir/out" || failed=1

boot root=hda2 ''
said 'hda2: no PFS partition'
exit $failed
