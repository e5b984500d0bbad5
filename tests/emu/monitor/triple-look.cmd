break touch_unmapped
info break
continue
info registers general
info registers control
x/2wx 0x100000
x/3i $eip
x/4bx 0x100000
xp/1wx 0x102ffc
print $eip
p/x cr3
print 5 * (2 + 3)
disassemble /4 touch_unmapped
mark
step --json
rstep
diff
set eax = 0x1234
print eax
gva2gpa 0x100000
info symbol touch_unmapped
info eflags
delete
info break
