/* sys/resource.h: what a process has used. */
#ifndef SYS_RESOURCE_H
#define SYS_RESOURCE_H

#include <time.h>

#define RUSAGE_SELF 0
#define RUSAGE_CHILDREN (-1)

struct rusage {
	struct timeval ru_utime, ru_stime;
	long ru_maxrss, ru_ixrss, ru_idrss, ru_isrss;
	long ru_minflt;                /* page faults settled without waiting for a disk */
	long ru_majflt;                /* page faults that read a disk */
	long ru_nswap, ru_inblock, ru_oublock, ru_msgsnd, ru_msgrcv, ru_nsignals, ru_nvcsw, ru_nivcsw;
};

/* Limits. RLIMIT_RSS is what Pagoda makes of it: with that many bytes resident a process replaces its own pages. */
#define RLIMIT_DATA 2
#define RLIMIT_STACK 3
#define RLIMIT_RSS 5
#define RLIMIT_AS 9
#define RLIM_INFINITY 0xffffffffu

struct rlimit { unsigned rlim_cur, rlim_max; };

int getrlimit(int which, struct rlimit *limit);
int setrlimit(int which, const struct rlimit *limit);
int getrusage(int who, struct rusage *usage);

#endif
