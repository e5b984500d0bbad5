#!/bin/sh
# tests/emu/tui_test.sh: the terminal around the full-screen debugger: sizes, colours, ways out. Usage: see tuilib.sh.
. "$(dirname "$0")/tuilib.sh"

debug="$emu debug --snapshot"

# What the shell's terminal is like must be the same after each way out.
type_and_leave() {
	how=$1
	size=$2
	terminal "$size"
	type_text "stty -a >before; clear; sh -c 'echo \$\$ >pid; exec $debug'; echo status \$?; stty -a >after; cmp before after && echo same as before"
	keys Enter
	wait_for '\? help|S back'
	case $how in
	q) keys q ;;
	quit) press : '^:'; type_text quit; keys Enter ;;
	running) press c 'running'; keys q ;;
	*)
		kill -"$how" "$(cat "$work/pid")" ;;
	esac
	if [ "$how" = INT ]; then          # a shell gives up the rest of a line whose command was interrupted
		wait_for '^shell: *$'
		type_text 'echo status 130; stty -a >after; cmp before after && echo same as before'
		keys Enter
	fi
	wait_for '^status '
	wait_for 'same as before'
	state=$(t display -p -t emu 'alternate #{alternate_on} cursor #{cursor_flag} mouse #{mouse_any_flag}')
	[ "$state" = "alternate 0 cursor 1 mouse 0" ] || fail "after $how the terminal has: $state"
	screen_now | grep -q "^status $3" || fail "after $how: $(screen_now | grep '^status')"
}

type_and_leave q 80x24 0
type_and_leave quit 80x24 0
type_and_leave running 80x24 0
type_and_leave TERM 80x24 143
type_and_leave HUP 80x24 129
type_and_leave INT 80x24 130
type_and_leave ABRT 80x24 134
type_and_leave SEGV 80x24 139

# Ctrl-Z gives the shell its terminal, fg takes it back with everything on the screen.
terminal 80x24
type_text "stty -a >before; $debug"
keys Enter
wait_for '\? help'
move s
press C-z '^shell:'
type_text 'clear; stty -a | cmp - before && echo same as before'
keys Enter
wait_for '^same as before'
type_text 'fg'
keys Enter
wait_for 'instruction 1 '
move s
press q '^shell:'

# Any size, at any time.
wait_keys_in_row() {
	deadline=$(($(date +%s) + patience))
	until screen_now | sed -n "$1p" | grep -q '^ s step'; do
		[ "$(date +%s)" -ge "$deadline" ] && fail "no keys in row $1: $(screen_now)" && finish
		sleep 0.05
	done
}
terminal 80x24
type_text "$debug"
keys Enter
wait_for '\? help'
for size in 160x50 40x10 80x24 39x10 20x5 80x9 1x1 200x60 100x40 79x23 80x24; do
	t resize-window -t emu -x "${size%x*}" -y "${size#*x}"
	case $size in
	39x10 | 80x9) wait_for '^too small' ;;
	20x5) wait_for "^too" ;;
	1x1) ;;                            # nothing to be seen; the next size shows that it lives
	*) wait_keys_in_row "${size#*x}" ;;
	esac
done
move s
press '?' '^━ Keys'
screen help
press Escape 'Page walk'
press q '^shell:'

# Without colours, and with few: letters say what colours say.
terminal 80x24
type_text "NO_COLOR=1 $debug"
keys Enter
wait_for '\? help'
move s
t capture-pane -p -e -t emu | grep -qE "$(printf '\033')\\[[0-9;]*(3[0-7]|4[0-7]|38;5;[0-9]+)m" && fail "NO_COLOR, and yet there are colours"
press q '^shell:'
type_text "$debug"
keys Enter
wait_for '\? help'
t capture-pane -p -e -t emu | grep -q "$(printf '\033')\\[.*38;5;" || fail "a terminal of 256 colours, and none are used"
press q '^shell:'
type_text "clear; TERM=xterm LC_ALL=C $debug"
keys Enter
wait_for '\? help'
screen_now | grep -q '^- Code ----.*+- Registers' || fail "no ASCII borders: $(screen_now | head -3)"
screen_now | LC_ALL=C grep -q '[^ -~]' && fail "a terminal without UTF-8 was sent some"
press q '^shell:'

# Terminals that cannot: one line that says what can.
for term in dumb no-such-terminal ''; do
	type_text "clear; TERM=$term $debug; echo status \$? of '<$term>'"
	keys Enter
	wait_for "^status 2 of <$term>"
	screen_now | tr -d '\n' | grep -q 'emu: .*--monitor' || fail "TERM=$term: $(screen_now)"
done
finish
