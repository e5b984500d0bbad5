# tests/emu/testlib.sh: sourced by the scripts that test the program from outside. Usage: SCRIPT EMU GUEST_DIR
emu=$1
guests=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/files"
cd "$work/files" || exit 1                 # the output of commands goes beside it: ../out, ../err
failures=0

fail() { echo "FAILED: $*"; failures=$((failures + 1)); }

# run STATUS COMMAND...: runs it without input, keeps what it prints, and compares the exit status.
run() {
	want=$1
	shift
	"$@" >../out 2>../err </dev/null
	got=$?
	[ "$got" = "$want" ] || fail "$* gave status $got instead of $want: $(head -c 500 ../err)"
}

# says TEXT: it was on standard error. prints TEXT: on standard output.
says() { grep -qF -- "$1" ../err || fail "'$1' is missing from: $(head -c 500 ../err)"; }
prints() { grep -qF -- "$1" ../out || fail "'$1' is missing from the output: $(head -c 500 ../out)"; }

# one_line: nothing on standard output, one line beginning with "emu: " on standard error.
one_line() {
	[ "$(wc -l <../err)" = 1 ] || fail "not one line: $(head -c 500 ../err)"
	grep -q '^emu: ' ../err || fail "no 'emu: ' in: $(head -c 500 ../err)"
	[ -s ../out ] && fail "something was printed: $(head -c 200 ../out)"
}

finish() {
	[ "$failures" = 0 ] && echo "all passed"
	exit $((failures > 0))
}
