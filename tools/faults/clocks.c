/* Preloaded into the program: its clocks differ from the machine's by the seconds in the file that FAULT_CLOCKS names.
 *
 * Two int64: the wall clock's seconds, and those of every clock that never stops (monotonic, raw, boot time), which jump when a
 * virtual machine is resumed or, on some systems, when the lid is opened. A wait until a moment of a clock ends when that clock
 * is there or when as much time has gone by as was left when the wait began: after a step forward at once, as a kernel does it.
 *
 * libfaketime 0.9.10 cannot do that: its monotonic clock is the wall clock, and waits on semaphores are not shifted with it, so
 * that `threading.Lock().acquire(timeout=0.5)` of bare Python never comes back; with the monotonic clock left alone, its
 * clock_nanosleep fails with EINVAL, and so does every time.sleep.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BILLION 1000000000LL
#define SLICE (50 * 1000000LL)

static volatile int64_t *shared;
static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_nanosleep)(clockid_t, int, const struct timespec *, struct timespec *);
static int (*real_sem_clockwait)(sem_t *, clockid_t, const struct timespec *);
static int (*real_sem_timedwait)(sem_t *, const struct timespec *);
static int (*real_cond_clockwait)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
static int (*real_cond_timedwait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

static void *next(const char *name)
{
    /* The condition variables of old programs have the same names: the newer ones came with 2.3.2. */
    void *found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
    return found ? found : dlsym(RTLD_NEXT, name);
}

static void find(void)
{
    if (real_cond_timedwait)
        return;
    real_gettime = (int (*)(clockid_t, struct timespec *))next("clock_gettime");
    real_nanosleep = (int (*)(clockid_t, int, const struct timespec *, struct timespec *))next("clock_nanosleep");
    real_sem_clockwait = (int (*)(sem_t *, clockid_t, const struct timespec *))next("sem_clockwait");
    real_sem_timedwait = (int (*)(sem_t *, const struct timespec *))next("sem_timedwait");
    real_cond_clockwait =
        (int (*)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *))next("pthread_cond_clockwait");
    real_cond_timedwait = (int (*)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *))next("pthread_cond_timedwait");
}

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("FAULT_CLOCKS");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    find();
    if (file >= 0) {
        void *found = mmap(NULL, 2 * sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
        shared = found == MAP_FAILED ? NULL : found;
        close(file);
    }
}

static int is_wall(clockid_t which)
{
    return which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE;
}

static int is_monotonic(clockid_t which)
{
    return which == CLOCK_MONOTONIC || which == CLOCK_MONOTONIC_COARSE || which == CLOCK_MONOTONIC_RAW ||
           which == CLOCK_BOOTTIME;
}

static int64_t shift(clockid_t which)
{
    return !shared ? 0 : is_wall(which) ? shared[0] : is_monotonic(which) ? shared[1] : 0;
}

static int64_t real_now(clockid_t which)
{
    struct timespec now;
    real_gettime(which, &now);
    return now.tv_sec * BILLION + now.tv_nsec;
}

/* The machine's own moment of a clock at which this part of a wait ends; *last where it is the end of the wait. */
static struct timespec slice(clockid_t which, const struct timespec *end, int64_t shift_at_begin, int *last)
{
    int64_t moment = end->tv_sec * BILLION + end->tv_nsec, now = real_now(which);
    int64_t by_now = moment - shift(which) * BILLION, by_begin = moment - shift_at_begin * BILLION;
    int64_t found = by_now < by_begin ? by_now : by_begin;
    *last = found <= now + SLICE;
    if (!*last)
        found = now + SLICE;
    if (found < 0)
        found = 0;
    return (struct timespec){.tv_sec = found / BILLION, .tv_nsec = found % BILLION};
}

int clock_gettime(clockid_t which, struct timespec *now)
{
    find();
    int failed = real_gettime(which, now);
    if (!failed)
        now->tv_sec += shift(which);
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec found;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &found))
        return -1;
    now->tv_sec = found.tv_sec;
    now->tv_usec = found.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result)
{
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    if (result)
        *result = found.tv_sec;
    return found.tv_sec;
}

int clock_nanosleep(clockid_t which, int flags, const struct timespec *end, struct timespec *left)
{
    int64_t begun = shift(which);
    int last = 0, result = 0;
    find();
    if (!(flags & TIMER_ABSTIME))
        return real_nanosleep(which, flags, end, left);
    while (!last && !result) {
        struct timespec until = slice(which, end, begun, &last);
        result = real_nanosleep(which, flags, &until, NULL);
    }
    return result;
}

int sem_clockwait(sem_t *semaphore, clockid_t which, const struct timespec *end)
{
    int64_t begun = shift(which);
    int last = 0, result;
    find();
    do {
        struct timespec until = slice(which, end, begun, &last);
        result = real_sem_clockwait(semaphore, which, &until);
    } while (result && errno == ETIMEDOUT && !last);
    return result;
}

int sem_timedwait(sem_t *semaphore, const struct timespec *end)
{
    int64_t begun = shift(CLOCK_REALTIME);
    int last = 0, result;
    find();
    do {
        struct timespec until = slice(CLOCK_REALTIME, end, begun, &last);
        result = real_sem_timedwait(semaphore, &until);
    } while (result && errno == ETIMEDOUT && !last);
    return result;
}

int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t which, const struct timespec *end)
{
    int64_t begun = shift(which);
    int last = 0, result;
    find();
    do {
        struct timespec until = slice(which, end, begun, &last);
        result = real_cond_clockwait(cond, mutex, which, &until);
    } while (result == ETIMEDOUT && !last);
    return result;
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *end)
{
    /* Which clock a condition variable follows was said at its making: the wall clock counts from 1970, the other from boot. */
    find();
    int64_t wall = real_now(CLOCK_REALTIME) / BILLION + shift(CLOCK_REALTIME);
    clockid_t which = end->tv_sec > wall / 2 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    int64_t begun = shift(which);
    int last = 0, result;
    do {
        struct timespec until = slice(which, end, begun, &last);
        result = real_cond_timedwait(cond, mutex, &until);
    } while (result == ETIMEDOUT && !last);
    return result;
}
