/* guestos/include/syscalls.h: one row per system call: Linux i386 number, name, number of arguments used.
 * sys_NAME(tf) reads its arguments with ARG0(tf)..ARG5(tf) and returns a result or a negative error number. All may sleep. */
#ifndef SYSCALLS_H
#define SYSCALLS_H

#include "proc.h"

#define ARG0(tf) ((tf)->ebx)
#define ARG1(tf) ((tf)->ecx)
#define ARG2(tf) ((tf)->edx)
#define ARG3(tf) ((tf)->esi)
#define ARG4(tf) ((tf)->edi)
#define ARG5(tf) ((tf)->ebp)

#define SYSCALLS(X) \
	X(1, exit) \
	X(2, fork) \
	X(3, read) \
	X(4, write) \
	X(5, open) \
	X(6, close) \
	X(7, waitpid) \
	X(10, unlink) \
	X(11, execve) \
	X(12, chdir) \
	X(13, time) \
	X(19, lseek) \
	X(20, getpid) \
	X(24, getuid) \
	X(33, access) \
	X(36, sync) \
	X(37, kill) \
	X(38, rename) \
	X(39, mkdir) \
	X(40, rmdir) \
	X(41, dup) \
	X(42, pipe) \
	X(45, brk) \
	X(47, getuid) \
	X(49, getuid) \
	X(50, getuid) \
	X(54, ioctl) \
	X(55, fcntl) \
	X(57, setpgid) \
	X(60, umask) \
	X(63, dup2) \
	X(64, getppid) \
	X(65, getpgrp) \
	X(66, setsid) \
	X(75, setrlimit) \
	X(76, old_getrlimit) \
	X(77, getrusage) \
	X(78, gettimeofday) \
	X(88, reboot) \
	X(90, old_mmap) \
	X(91, munmap) \
	X(93, ftruncate) \
	X(106, stat) \
	X(107, stat) \
	X(108, fstat) \
	X(114, wait4) \
	X(116, sysinfo) \
	X(118, fsync) \
	X(122, uname) \
	X(125, mprotect) \
	X(123, modify_ldt) \
	X(132, getpgid) \
	X(140, llseek) \
	X(141, getdents) \
	X(144, msync) \
	X(146, writev) \
	X(150, mlock) \
	X(151, munlock) \
	X(152, mlockall) \
	X(153, munlockall) \
	X(158, sched_yield) \
	X(162, nanosleep) \
	X(163, mremap) \
	X(180, pread64) \
	X(183, getcwd) \
	X(192, mmap2) \
	X(191, getrlimit) \
	X(195, stat64) \
	X(196, stat64) \
	X(197, fstat64) \
	X(199, getuid) \
	X(200, getuid) \
	X(201, getuid) \
	X(202, getuid) \
	X(218, mincore) \
	X(219, madvise) \
	X(220, getdents64) \
	X(221, fcntl) \
	X(252, exit) \
	X(265, clock_gettime) \
	X(340, prlimit64)

#define X(number, name) int sys_##name(struct trapframe *tf);
SYSCALLS(X)
#undef X

#endif
