/* guestos/include/syscalls.h: one row per system call: Linux i386 number, function. Several numbers may lead to one.
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

/* sys_file.c, sys_path.c: descriptors and paths of the current process */
struct file;
struct file *file_from_fd(uint32_t fd);                        /* or NULL */
int new_fd(struct file *f, uint32_t from);                     /* the lowest free descriptor from there, or -EMFILE */
int user_path_at(int dirfd, uaddr_t from, bool follow, char **out);    /* to be kfree'd; may sleep */

#define SYSCALLS(X) \
	X(0, restart_syscall) \
	X(1, exit) \
	X(2, fork) \
	X(3, read) \
	X(4, write) \
	X(5, open) \
	X(6, close) \
	X(7, waitpid) \
	X(8, creat) \
	X(9, link) \
	X(10, unlink) \
	X(11, execve) \
	X(12, chdir) \
	X(13, time) \
	X(15, chmod) \
	X(19, lseek) \
	X(20, getpid) \
	X(23, setuid) \
	X(24, getuid) \
	X(27, alarm) \
	X(29, pause) \
	X(30, utime) \
	X(33, access) \
	X(34, nice) \
	X(36, sync) \
	X(37, kill) \
	X(38, rename) \
	X(39, mkdir) \
	X(40, rmdir) \
	X(41, dup) \
	X(42, pipe) \
	X(43, times) \
	X(45, brk) \
	X(46, setuid) \
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
	X(67, sigaction) \
	X(72, sigsuspend) \
	X(73, sigpending) \
	X(75, setrlimit) \
	X(76, old_getrlimit) \
	X(77, getrusage) \
	X(78, gettimeofday) \
	X(80, getgroups) \
	X(81, setgroups) \
	X(83, symlink) \
	X(85, readlink) \
	X(88, reboot) \
	X(90, old_mmap) \
	X(91, munmap) \
	X(92, truncate) \
	X(93, ftruncate) \
	X(94, fchmod) \
	X(96, getpriority) \
	X(97, setpriority) \
	X(99, statfs) \
	X(100, fstatfs) \
	X(104, setitimer) \
	X(105, getitimer) \
	X(106, stat) \
	X(107, lstat) \
	X(108, fstat) \
	X(114, wait4) \
	X(116, sysinfo) \
	X(118, fsync) \
	X(119, sigreturn) \
	X(120, clone) \
	X(122, uname) \
	X(123, modify_ldt) \
	X(125, mprotect) \
	X(126, sigprocmask) \
	X(132, getpgid) \
	X(133, fchdir) \
	X(140, llseek) \
	X(141, getdents) \
	X(142, _newselect) \
	X(144, msync) \
	X(145, readv) \
	X(146, writev) \
	X(148, fsync) \
	X(150, mlock) \
	X(151, munlock) \
	X(152, mlockall) \
	X(153, munlockall) \
	X(158, sched_yield) \
	X(162, nanosleep) \
	X(163, mremap) \
	X(164, setresuid) \
	X(168, poll) \
	X(170, setresuid) \
	X(172, prctl) \
	X(173, rt_sigreturn) \
	X(174, rt_sigaction) \
	X(175, rt_sigprocmask) \
	X(176, rt_sigpending) \
	X(179, rt_sigsuspend) \
	X(180, pread64) \
	X(181, pwrite64) \
	X(183, getcwd) \
	X(186, sigaltstack) \
	X(190, vfork) \
	X(191, getrlimit) \
	X(192, mmap2) \
	X(193, truncate64) \
	X(194, ftruncate64) \
	X(195, stat64) \
	X(196, lstat64) \
	X(197, fstat64) \
	X(198, chown) \
	X(199, getuid) \
	X(200, getuid) \
	X(201, getuid) \
	X(202, getuid) \
	X(205, getgroups) \
	X(206, setgroups) \
	X(207, fchown) \
	X(208, setresuid) \
	X(210, setresuid) \
	X(212, chown) \
	X(213, setuid) \
	X(214, setuid) \
	X(218, mincore) \
	X(219, madvise) \
	X(220, getdents64) \
	X(221, fcntl) \
	X(224, gettid) \
	X(238, tkill) \
	X(240, futex) \
	X(243, set_thread_area) \
	X(244, get_thread_area) \
	X(252, exit) \
	X(258, set_tid_address) \
	X(265, clock_gettime) \
	X(266, clock_getres) \
	X(267, clock_nanosleep) \
	X(268, statfs64) \
	X(269, fstatfs64) \
	X(270, tgkill) \
	X(271, utimes) \
	X(295, openat) \
	X(296, mkdirat) \
	X(298, fchownat) \
	X(300, fstatat64) \
	X(301, unlinkat) \
	X(302, renameat) \
	X(303, linkat) \
	X(304, symlinkat) \
	X(305, readlinkat) \
	X(306, fchmodat) \
	X(307, faccessat) \
	X(308, pselect6) \
	X(309, ppoll) \
	X(311, set_robust_list) \
	X(320, utimensat) \
	X(330, dup3) \
	X(331, pipe2) \
	X(340, prlimit64) \
	X(353, renameat2) \
	X(355, getrandom) \
	X(376, mlock2) \
	X(383, statx) \
	X(403, clock_gettime64) \
	X(406, clock_getres_time64) \
	X(407, clock_nanosleep_time64) \
	X(412, utimensat_time64) \
	X(413, pselect6_time64) \
	X(414, ppoll_time64)

#define X(number, name) int sys_##name(struct trapframe *tf);
SYSCALLS(X)
#undef X

#endif
