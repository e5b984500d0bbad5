#!/bin/sh
# tests/emu/stale_test.sh: the paging checker finds each of the mistakes of guests/stale.S, names the entry, its writer and both moments,
# and says nothing of the same done properly. Usage: SCRIPT EMU GUEST_DIR
. "$(dirname "$0")/testlib.sh"
guest=$guests/stale.elf

# address SYMBOL [OFFSET]: as the checker prints it.
address() { nm "$guest" | awk -v name="$1" '$3 == name { print $1 }' | { read -r a; printf '0x%08x' $((0x$a + ${2:-0})); }; }

# check STATUS LETTERS: runs the guest so that the checker may stop it.
check() { run "$1" "$emu" run --kernel "$guest" --append "$2" --check paging=stop --timeout 20 --serial none; }

# silent LETTERS: there is nothing to find.
silent() {
	check 0 "$1"
	says 'paging checker: 0 errors, 0 warnings'
	[ "$(wc -l <../err)" = 1 ] || fail "$1 is not silent: $(cat ../err)"
}

# found LETTERS SEVERITY WHAT ENTRY: the first of the findings, and the entry it names. Its twin is silent.
found() {
	check 122 "$1"
	says "check: $2: $3"
	says "its $4"
	first=$(cat ../err)
	silent "$1i"
	printf '%s\n' "$first" >../err
}

found s error 'stale translation: 0x00400000 was read in supervisor mode' "PTE at $(address high)"
says "P=0 not present), written at instruction"
says "by $(address unmap) (unmap)"
# The moments are those before the two instructions: the debugger can go there.
written=$(sed -n 's/.*written at instruction \([0-9]*\) by.*/\1/p' ../err)
used=$(sed -n 's/.*was read in supervisor mode at instruction \([0-9]*\) by.*/\1/p' ../err)
reader=$(sed -n 's/.*was read in supervisor mode at instruction [0-9]* by \(0x[0-9a-f]*\).*/\1/p' ../err)
found m error 'stale translation: 0x00400000 was read' "PTE at $(address high)"
says "by $(address remap) (remap)"
found w error 'stale translation: 0x00400000 was written' "PTE at $(address high)"
says "by $(address protect) (protect)"
found d warning 'lost Dirty: 0x00400000 was written' "PTE at $(address high)"
says "by $(address clean_page) (clean_page)"
found g error 'global translation outlived its address space: 0x00400000 was read' "PTE at $(address other_high)"
says "by $(address switch_space 5) (switch_space+0x5)"
found 4 error 'stale translation: 0x00805000 was read' "PDE at $(address directory 8)"
says "by $(address unmap_large) (unmap_large)"
found p error 'stale translation: 0x00400000 was read' "PTE at $(address pae_high)"
says "by $(address unmap_pae) (unmap_pae)"
found r error 'reserved bit: 0x00800000 was read' "PDE at $(address directory 8)"
found t error 'page table open to user writes: 0x00401000' "PTE at $(address high 4)"
found k warning "kernel code open to users: $(address fault)" "PTE at $(address low $(($(address fault) / 1024)))"
found o warning 'kernel code open to users: 0x00100000' "PTE at $(address low 1024)"
silent l

# With warn the run goes on; the same mistake at two places is two findings, and in a loop one that is counted.
run 0 "$emu" run --kernel "$guest" --append b --check paging --timeout 20 --serial none
says 'paging checker: 2 errors, 0 warnings'
[ "$(grep -c 'stale translation' ../err)" = 1 ] || fail "the same was told twice: $(cat ../err)"

# The checker changes nothing: as many instructions and walks.
for letters in s m w d l g 4 p r t k o; do
	run 0 "$emu" run --kernel "$guest" --append $letters --timeout 20 --serial none --status-json plain.json
	run 0 "$emu" run --kernel "$guest" --append $letters --timeout 20 --serial none --status-json checked.json --check paging=warn
	for counter in instructions ticks walks; do
		[ "$(grep "\"$counter\"" plain.json)" = "$(grep "\"$counter\"" checked.json)" ] || fail "$letters: --check changed $counter"
	done
done

# In the debugger: it stops there, and the writer's moment can be gone to.
cat >script <<END
continue
info checks
goto $written
assert eip == $(address unmap)
goto $used
assert eip == $reader
END
run 0 "$emu" debug --kernel "$guest" --append s --check paging=stop --batch -x script
prints 'stale translation: 0x00400000 was read'
printf 'info checks\n' >script
run 1 "$emu" debug --kernel "$guest" --append s --batch -x script
printf 'check stop\ncontinue\ncheck\n' >script
run 0 "$emu" debug --kernel "$guest" --append s --batch -x script
prints 'paging checker: 1 error, 0 warnings'

run 2 "$emu" run --check segments
one_line
finish
