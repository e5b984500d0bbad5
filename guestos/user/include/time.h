/* time.h: the clock. */
#ifndef TIME_H
#define TIME_H

typedef long time_t;

struct timeval { long tv_sec, tv_usec; };
struct timespec { long tv_sec, tv_nsec; };

#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1

time_t time(time_t *t);
int gettimeofday(struct timeval *tv, void *zone);
int clock_gettime(int clock, struct timespec *ts);
int nanosleep(const struct timespec *wanted, struct timespec *left);

#endif
