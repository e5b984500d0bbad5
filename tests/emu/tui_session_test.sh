#!/bin/sh
# tests/emu/tui_session_test.sh: a page fault from end to end in the full-screen debugger, at two sizes. Usage: see tuilib.sh.
#
# demo-stack's stack grows: its store to a page that is not there faults, the walk that fails is seen entry by entry, the handler runs, the PTE
# appears, the same store runs again. Then back to before the fault, and forwards again: to the same state.
. "$(dirname "$0")/tuilib.sh"

# The name of a screen is its moment and the size of the window.
see() { screen "$1-$size"; }

# w until the walk's view tells what matches.
walk_until() {
	steps=$(screen_now | sed -nE 's/^> ([0-9]+)\/.*/\1/p')
	until screen_now | grep -qE -- "$1"; do
		steps=$((steps + 1))
		[ $steps -gt 100 ] && fail "a hundred walk steps, and never '$1'" && finish
		press w "^> $steps/"
	done
}

# The state's hash, from the message line.
state_hash() {
	command_line hash '^[0-9a-f]{16}$'
	screen_now | grep -E '^[0-9a-f]{16}$'
}

session() {
	size=$1
	terminal "$size"
	type_text "exec $emu debug --snapshot"
	keys Enter
	wait_for '^stopped before the first instruction'
	see 1-start

	# To the shell's prompt, and a breakpoint for page faults of a growing stack.
	keys i
	wait_for '^\$ *(│|$)'
	press C-] '\? help'
	command_line 'catch pf user write not-present if cr2 > 0xb0000000' '^breakpoint 1: '
	press i 'back to the debugger'
	type_text demo-stack
	keys Enter
	wait_for '^breakpoint 1: page fault, error 0x6'
	press 1 '<- stops here: P=0 not present'
	see 2-fault
	before=$(state_hash)

	# Into the instruction: the walk that fails, the frame on the kernel's stack.
	press w '^> 1/'
	walk_until 'PTE .*P=0 not present'
	see 3-walk-fails
	walk_until '#PF, page fault'
	see 4-fault-raised
	walk_until 'push'
	see 5-push
	press W '^> '
	move s
	see 6-handler

	# The PTE appears.
	command_line 'catch mapping cr2' '^breakpoint 2: mapping'
	press c '^breakpoint 2: .*entry'
	see 7-pte-appears

	# The same store again, which nothing stops now.
	command_line 'catch resume' '^breakpoint 3: '
	press c '^breakpoint 3: resumed after page fault'
	see 8-again
	move s
	see 9-done
	after=$(state_hash)

	# Back to before the fault ...
	move S
	press C '^breakpoint 2: '
	press C '^breakpoint 1: '
	[ "$(state_hash)" = "$before" ] || fail "$size: going back to the fault gives another state"
	move S
	see 10-before

	# ... and forwards again.
	press c '^breakpoint 1: '
	press c '^breakpoint 2: '
	press c '^breakpoint 3: '
	move s
	[ "$(state_hash)" = "$after" ] || fail "$size: the way forwards again ends in another state"
	see 11-forward
	keys q
	wait_for '^q again'
	keys q
}

session 80x24
session 160x50
finish
