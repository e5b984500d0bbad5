#!/bin/sh
# tests/emu/planted_test.sh: a kernel that enables paging with a bad CR3, and what the debugger makes of its triple fault: the story names CR3
# and who loaded it, and going back from there stands before the very instruction. Usage: SCRIPT EMU GUEST_DIR
. "$(dirname "$0")/testlib.sh"
guest=$guests/mistake.elf

# The instruction that loads CR3, as the disassembly has it.
load=$(objdump -d "$guest" | awk '/mov +%eax,%cr3/ { sub(":", "", $1); print $1; exit }')
[ -n "$load" ] || fail "no load of CR3 in $guest"

# debug: runs the commands on standard input after a run into the triple fault, whose status a batch ends with.
debug() {
	{ echo continue; cat; } >script
	run "$1" "$emu" debug --kernel "$guest" --append c --batch -x script
	prints 'triple fault: the processor has shut down'
}

debug 120 <<-END
	why
END
prints 'CR3 was loaded (0x00000000 -> 0x12345000)'
prints "$load"
prints 'CR3 12345000 lies outside memory'
prints 'the double fault could not be delivered either'

debug 0 <<-END
	catch cr 3
	rcontinue
	assert eip == 0x$load
	assert eax == 0x12345000
	assert cr3 == 0
	x/i \$eip
	step
	assert cr3 == 0x12345000
	who wrote cr3
END
prints 'movl %eax, %cr3'
prints "$load"

# The same by hand: the story's number is a moment to go to.
debug 120 <<-END
	who wrote cr3
END
at=$(sed -n 's/.*written at instruction \([0-9]*\).*/\1/p' ../out | head -1)
debug 0 <<-END
	goto ${at:-0}
	assert eip == 0x$load
END
finish
