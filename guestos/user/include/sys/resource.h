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

int getrusage(int who, struct rusage *usage);

#endif
