# tests/emu/tuilib.sh: sourced by the scripts that drive the full-screen debugger in tmux. Usage: SCRIPT EMU EXPECTATIONS [--update]
#
# Nothing sleeps for a fixed time: each key is followed by waiting for what it must bring to the screen, as long as a slow (sanitized) build
# may need. --update writes the screens seen as the new expectations; read the difference before you believe it. With TUI_SCREENS=DIRECTORY the
# screens are kept there as they are, for a README.
#
# Screens are compared after masking, since addresses, instruction counts and the compiled code change with Pagoda's sources and compiler:
#   - the digits of hexadecimal numbers of 5 digits and more, of numbers after 0x, and of numbers with commas become #, and so does the
#     number of the process in the first line, and which part of a longer list is shown
#   - what lies between the ends of the time bar becomes ...
#   - of the code pane only the number of its > counts, the panes at the right the names of registers
# What the diagram of a walk says in words and letters, messages, titles, the console, the layout: all of it counts.
emu=$1
expected=$2
update=$3
work=$(mktemp -d)
tmux_socket=emu-tui-$$
# The debugger may still be writing its history when its terminal goes.
trap 'tmux -L $tmux_socket kill-server 2>/dev/null; rm -rf "$work" 2>/dev/null || { sleep 1; rm -rf "$work"; }' EXIT
export LC_ALL=C.UTF-8 XDG_STATE_HOME="$work/state" XDG_CONFIG_HOME="$work/config"
unset NO_COLOR TMUX COLUMNS LINES
failures=0
patience=${TUI_PATIENCE:-120}              # seconds

t() { tmux -L "$tmux_socket" -f /dev/null "$@"; }
fail() { echo "FAILED: $*"; failures=$((failures + 1)); }
screen_now() { t capture-pane -p -t emu 2>/dev/null; }

# terminal COLSxROWS [TERM]: a new one with a shell in it.
terminal() {
	t kill-server 2>/dev/null
	while t has-session 2>/dev/null; do sleep 0.05; done
	t new-session -d -s emu -x "${1%x*}" -y "${1#*x}" "cd $work && exec env PS1='shell: ' TERM=${2:-tmux-256color} sh -i"
	t set-option -g default-terminal tmux-256color >/dev/null
	wait_for '^shell:'
}

keys() { t send-keys -t emu "$@"; }
# type TEXT: the characters themselves, even if they are the name of a key.
type_text() { t send-keys -t emu -l "$1"; }

# wait_for REGEX [SECONDS]: until a line of the screen matches.
wait_for() {
	deadline=$(($(date +%s) + ${2:-$patience}))
	until screen_now | grep -qE -- "$1"; do
		if [ "$(date +%s)" -ge "$deadline" ]; then
			fail "waited in vain for '$1'; the screen:"
			screen_now
			finish
		fi
		sleep 0.05
	done
}

# wait_gone REGEX: until no line matches.
wait_gone() {
	deadline=$(($(date +%s) + patience))
	while screen_now | grep -qE -- "$1"; do
		[ "$(date +%s)" -ge "$deadline" ] && fail "'$1' does not go away: $(screen_now)" && finish
		sleep 0.05
	done
}

# press KEY REGEX: and wait for what it brings.
press() {
	keys "$1"
	wait_for "$2"
}

# move KEY: and wait for the instruction count in the title to change.
move() {
	title=$(screen_now | head -1)
	deadline=$(($(date +%s) + patience))
	keys "$1"
	while [ "$(screen_now | head -1)" = "$title" ]; do
		[ "$(date +%s)" -ge "$deadline" ] && fail "'$1' moved nothing: $title" && finish
		sleep 0.05
	done
}

# command LINE REGEX: on the debugger's command line.
command_line() {
	press : '^:'
	type_text "$1"
	keys Enter
	wait_for "$2"
}

mask() {
	perl -CSD -Mutf8 -ne '
		sub like { my $s = shift; $s =~ s/[0-9a-zA-Z]/#/g; $s }
		chomp;
		s/ +instruction [\d,]+/ instruction #/, s/\(\d+\)/(#)/ if $. == 1;
		if (/^[─━] .*[┬┼]─ /) { $split = 1; $code = /^[─━] Code/ } elsif (/^[─━]/) { $split = 0 }
		s/(0x)([0-9a-f]+)/$1 . like($2)/ge;
		s/\b([0-9a-f]{5,16}|[01]{17,})\b/like($1)/ge;
		s/\b(\d{1,3}(,\d{3})+)\b/like($1)/ge;
		s/├.*┤ .*/├...┤/;
		if ($split && /^([^─━].*)│(.*)$/) {
			my ($left, $right) = ($1, $2);
			$here += $left =~ /^>/ if $code;
			$left = "" if $code;
			$right = $right =~ /^(\w{2,4}) +#/ ? $1 : "";
			$_ = "$left│$right";
		}
		s/ (?:[#\d]+-[#\d]+|[#\d]+) of [#\d]+ / # of # /;
		s/ +$//;
		print "$_\n";
		END { print "> in the code pane: ", $here // 0, "\n" }'
}

# screen NAME: what is seen now is what is expected.
screen() {
	screen_now >"$work/$1.raw"
	while sleep 0.1; ! screen_now | cmp -s - "$work/$1.raw"; do    # still being painted
		screen_now >"$work/$1.raw"
	done
	mask <"$work/$1.raw" >"$work/$1.seen"
	[ -n "$TUI_SCREENS" ] && cp "$work/$1.raw" "$TUI_SCREENS/$1.txt"
	if [ "$update" = --update ]; then
		cp "$work/$1.seen" "$expected/$1.screen"
	elif ! diff -u "$expected/$1.screen" "$work/$1.seen" >"$work/diff"; then
		fail "the screen '$1' is not what is expected (- expected, + seen):"
		cat "$work/diff"
		echo "--- unmasked:"
		cat "$work/$1.raw"
	fi
}

finish() {
	[ "$failures" = 0 ] && echo "all passed"
	exit $((failures > 0))
}
