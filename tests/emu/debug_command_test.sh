#!/bin/sh
# tests/emu/debug_command_test.sh: emu debug from outside: what it opens, what it refuses, how it ends.
. "$(dirname "$0")/testlib.sh"

# refused STATUS TEXT ARGUMENTS...
refused() {
	want=$1
	text=$2
	shift 2
	run "$want" "$emu" debug "$@"
	one_line
	says "$text"
}

# typed STATUS COMMANDS ARGUMENTS...: commands on standard input of the line monitor.
typed() {
	want=$1
	commands=$2
	shift 2
	printf '%b' "$commands" >../commands
	"$emu" debug --monitor "$@" >../out 2>../err <../commands
	got=$?
	[ "$got" = "$want" ] || fail "'$commands' to $* gave status $got instead of $want: $(head -c 500 ../err)"
}

run 0 "$emu" debug --help
prints '--gdb'
prints '--memory'
refused 2 "unknown option '--moniter'; did you mean '--monitor'?" --moniter
refused 2 '--tui and --monitor exclude each other' --tui --monitor
refused 2 '--gdb needs a value' --gdb
refused 1 "'nowhere.elf'" --monitor nowhere.elf
refused 1 '--record belongs to emu run' --record x --monitor
refused 1 'standard input belongs to the debugger' --serial stdio --monitor "$guests/echo.elf"
refused 1 '--batch and --tui exclude each other' --tui --batch
refused 1 "cannot read script 'nowhere.txt'" --batch -x nowhere.txt "$guests/halt.elf"
refused 1 "'nowhere.view'" --monitor --view nowhere.view "$guests/halt.elf"
refused 1 "'nowhere.so'" --monitor --symbols nowhere.so "$guests/halt.elf"

# The machine waits at its first instruction, and its end is the program's.
typed 0 'print icount\n' "$guests/poweroff.elf"
prints 0
typed 0 'continue\n' "$guests/poweroff.elf"
prints 'the guest powered off'
typed 118 'continue\n' "$guests/halt.elf"
typed 120 'continue\n' "$guests/triple.elf"
typed 0 'continue\nrstep\n' "$guests/triple.elf"           # not its end any more: the debugger stands before it
typed 124 'continue\nstep\n' --timeout 0.3 "$guests/spin.elf"
says 'timeout'

# A script, and what fails in it.
printf 'break touch\ncontinue\nprint icount\n' >good.txt
run 0 "$emu" debug --batch -x good.txt "$guests/stepping.elf"
prints 'touch'
printf 'print icount\nnonsense\nprint icount\n' >bad.txt
run 1 "$emu" debug --batch -x bad.txt "$guests/stepping.elf"
says 'line 2'
printf 'continue\n' >go.txt
printf 'xyz\n' | "$emu" debug --batch -x go.txt --serial stdio --max-instructions 3000000 "$guests/echo.elf" >../out 2>../err || true
prints xyz

# A snapshot is opened where it was saved, a recording at its end with all that was before.
run 124 "$emu" run --max-instructions 100000 --save snapshot "$guests/stepping.elf"
typed 0 'print icount\nrstep\nstep\nprint icount\n' snapshot
prints 100000
typed 0 'print icount\n' --load snapshot
prints 100000
refused 1 'both whole machines' --monitor --load snapshot snapshot
run 124 "$emu" run --max-instructions 90000 --record recording "$guests/stepping.elf"
typed 0 'print icount\nbreak touch\nrcontinue\ngoto 5000\nprint icount\ngoto present\nprint icount\n' recording
prints 90000
prints 5000
prints touch

# The same state as without a debugger, whatever was looked at.
run 124 "$emu" run --max-instructions 200000 --save plain "$guests/stepping.elf"
typed 124 'break touch ignore 20\ncontinue\nrcontinue\nwatch 0x300008\nstep\nnext\nrnext\ninfo registers\ninfo tlb\ndelete 1\ndelete 2\ncontinue\ncontinue\n' \
	--max-instructions 200000 --save debugged "$guests/stepping.elf"
cmp -s plain debugged || fail 'the debugged machine was saved in another state'

finish
