catch exception pf kernel write
continue
trace all
goto first
trace
goto present
info status --json
display print icount
step
undisplay
info snapshots
savevm here
goto first
goto here
print icount
info pg
assert cr2 == 1
