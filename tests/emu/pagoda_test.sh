#!/bin/sh
# tests/emu/pagoda_test.sh: the bundled system from outside: it boots from no arguments, takes a script on standard input, ends with
# status 0, and does the same thing, to the instruction, each time.
. "$(dirname "$0")/testlib.sh"

# pagoda INPUT ARGUMENTS...: runs it on a throw-away copy of its disk.
pagoda() {
	input=$1
	shift
	printf "$input" | "$emu" run --snapshot --timeout 100 "$@" >../out 2>../err
	got=$?
	[ "$got" = 0 ] || fail "$* gave status $got: $(tail -c 500 ../err) $(tail -c 500 ../out)"
}

pagoda 'echo first words\npoweroff\n' --status-json one.json
prints 'first words'
mv ../out ../first
pagoda 'echo first words\npoweroff\n' --status-json two.json
cmp -s ../first ../out || fail "two runs printed different things"
for counter in instructions ticks walks; do
	[ "$(grep "\"$counter\"" one.json)" = "$(grep "\"$counter\"" two.json)" ] ||
		fail "two runs differ: $(grep "\"$counter\"" one.json) and $(grep "\"$counter\"" two.json)"
done
# The writer's pace makes no difference either.
{ sleep 0.4; echo 'echo first words'; sleep 0.4; echo poweroff; } | "$emu" run --snapshot --status-json three.json >../out 2>../err
[ "$(grep '"instructions"' one.json)" = "$(grep '"instructions"' three.json)" ] || fail "a slow writer changed the run"
pagoda 'ls /bin\npoweroff\n' --memory 4M --tlb entries=64,ways=4 --status-json tlb.json
prints demo-cow
# A program that keeps talking to it, on a pipe that stays open.
mkfifo keys
"$emu" run --snapshot --timeout 60 <keys >../out 2>../err &
pid=$!
exec 3>keys
sleep 2
echo 'echo still there' >&3
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	grep -q '^still there' ../out && break
	sleep 0.5
done
grep -q '^still there' ../out || fail "a late line was not answered: $(tail -c 300 ../out)"
echo poweroff >&3
exec 3>&-
wait $pid || fail "the conversation ended with status $?"
finish
