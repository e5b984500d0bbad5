#!/bin/sh
# tests/emu/tui_keys_test.sh: what the keys of the full-screen debugger do. Usage: see tuilib.sh.
. "$(dirname "$0")/tuilib.sh"

terminal 80x24
type_text "$emu debug --snapshot --source /nowhere"
keys Enter
wait_for '^stopped before the first instruction'

# The command line: editing, completion, history, errors; a view goes into the pane, a long answer over everything.
press : '^:$'
type_text 'helpp'
wait_for '^:helpp'
press BSpace '^:help$'
press C-a '^:help'
keys C-k
wait_for '^:$'
type_text 'info tl'
press Tab '^:info tlb *$'
press Escape '\? help'
command_line 'no such thing' "^unknown command 'no'"
press : '^:$'
press Up '^:no such thing'
press Escape '\? help'
command_line 'view stack' '^━ Stack'
command_line 'help break' '^━ help break'
press Escape '^━ Stack'
press BSpace '^━ Page walk'

# Menu and digits choose the view of the pane with the focus.
press 2 '^━ Page tables'
press 3 '^━ TLB'
press 6 '^━ Memory'
press 8 '^━ Console'
press v '^━ Views'
press Enter '^━ Registers'
press v '^━ Views'
last=$(screen_now | sed -nE 's/^  ([a-z]+) .*/\1/p' | tail -1)
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	keys Down
done
keys Enter
wait_gone '^━ Views'
screen_now | grep -qi "^━ $last" || fail "the last view of the menu is '$last', but: $(screen_now)"
press 1 '^━ Page walk'
press Tab '^─ Page walk'                   # the time bar has it now
press Tab '^━ Code'
press Tab '━ Registers'
press Tab '^━ Page walk'
press BTab '━ Registers'
press BTab '^━ Code'

# A breakpoint at the cursor, on and off; until the cursor.
keys Down Down
press b '^breakpoint 1: '
wait_for '^ B'
keys b
wait_gone '^ B'
move u
press S 'PAST|stopped'

# Run, stop by a key, back and forwards through time.
press c 'running'
press Escape '^interrupted'
wait_for 'stopped'
press t '├'
move Left
wait_for 'PAST'
move Home
wait_for 'instruction 0 '
move End
wait_for 'stopped'
press Escape '\? help'
press i 'GUEST HAS THE KEYS'
wait_for '^\$'
type_text 'echo pago''da'
keys Enter
wait_for '^pagoda'
press C-] '^interrupted'
command_line 'goto 1000' 'instruction 1,000 '
press i 'in the past the guest'
wait_for 'PAST'
command_line 'goto present' 'stopped'

# Search, mark, zoom, projector, export.
press Tab '━ Registers'
press Tab '^━ Console'
press / '^/$'
type_text 'ECHO'
keys Enter
press / '^/$'
type_text 'not in there'
keys Enter
wait_for "'not in there' is not in this view"
press m '^marked'
press M '\? help'
press z '^━ Console'
wait_gone '─ Code'
press z '─ Code'
press p '─ Code'
wait_gone 'Registers'
press p 'Registers'
press e 'export to'
keys C-u
type_text 'view.txt'
keys Enter
wait_for '^written: view.txt'
grep -q '^pagoda$' "$work/view.txt" || fail "the exported view: $(cat "$work/view.txt")"
press e 'export to'
keys C-u
type_text 'view.txt'
keys Enter
wait_for "cannot write 'view.txt': File exists"
press e 'export to'
keys Enter
wait_for '^written: console.svg'
grep -q '<svg' "$work/console.svg" || fail "the exported SVG: $(head -3 "$work/console.svg")"

# Into things and back: process, its regions, a table, a walk.
press 5 '^━ Processes'
keys Down Down
press Enter '^━ Regions [0-9]'
keys Down Down
press Enter '^━ Page tables 0x'
keys Down Down
press Enter '^━ Page walk 0x'
press BSpace '^━ Page tables 0x'
press BSpace '^━ Regions [0-9]'
press BSpace '^━ Processes'

# A sequence that no key sends does nothing, a long way back can be given up.
before=$(screen_now | head -1)
t send-keys -t emu -l "$(printf '\033[99;7~\033[<0;3;3Q')"
press '?' '^━ Keys'
press Escape '^━ Processes'
[ "$(screen_now | head -1)" = "$before" ] || fail "an unknown sequence did something: $(screen_now | head -1)"

# It asks before what was typed is lost; what was typed to the debugger is there the next time.
press q '^q again quits'
press q '^shell:'
type_text "clear; $emu debug --snapshot"
keys Enter
wait_for '^stopped before the first instruction'
press : '^:$'
press Up '^:goto present'
press Escape '\? help'
press q '^shell:'
finish
