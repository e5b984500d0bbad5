/* sys/time.h: the interval timer: SIGALRM after it_value, then every it_interval. */
#ifndef SYS_TIME_H
#define SYS_TIME_H

#include <time.h>

struct itimerval { struct timeval it_interval, it_value; };

#define ITIMER_REAL 0

int setitimer(int which, const struct itimerval *timer, struct itimerval *old);
int getitimer(int which, struct itimerval *timer);

#endif
