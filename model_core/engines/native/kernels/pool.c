/* Threads that wait for the next call: they spin a little, then sleep.
 *
 * Changes with how threads are woken. One call runs at a time.
 */
#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>

#define MOST_THREADS 64
#define SPINS_BEFORE_YIELD 4000
#define SPINS_BEFORE_SLEEP 20000

static pthread_mutex_t one_call = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t sleeping = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static int num_started = 0; /* besides the caller's */
static int first_call[MOST_THREADS]; /* what a thread has not to answer any more */

static mp_task current_task;
static void *current_context;
static int current_threads;
static atomic_int call_number, num_asleep, num_busy;
static atomic_int num_arrived, barrier_round, num_claimed;

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void mp_barrier(int num_threads) {
    if (num_threads == 1) {
        atomic_store_explicit(&num_claimed, 0, memory_order_relaxed);
        return;
    }
    int round = atomic_load_explicit(&barrier_round, memory_order_relaxed);
    if (atomic_fetch_add(&num_arrived, 1) == num_threads - 1) {
        atomic_store_explicit(&num_arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&num_claimed, 0, memory_order_relaxed);
        atomic_store(&barrier_round, round + 1);
        return;
    }
    for (int spins = 0; atomic_load(&barrier_round) == round; spins++) {
        if (spins < SPINS_BEFORE_YIELD)
            pause_briefly();
        else
            sched_yield();
    }
}

int mp_claim(void) { return atomic_fetch_add(&num_claimed, 1); }

static void wait_for_call(int last) {
    for (int spins = 0; spins < SPINS_BEFORE_SLEEP; spins++) {
        if (atomic_load(&call_number) != last) return;
        pause_briefly();
    }
    pthread_mutex_lock(&sleeping);
    atomic_fetch_add(&num_asleep, 1);
    while (atomic_load(&call_number) == last) pthread_cond_wait(&woken, &sleeping);
    atomic_fetch_sub(&num_asleep, 1);
    pthread_mutex_unlock(&sleeping);
}

static void *work(void *argument) {
    int thread = (int)(size_t)argument;
    int last = first_call[thread];
    for (;;) {
        wait_for_call(last);
        last = atomic_load(&call_number);
        if (thread < current_threads)
            current_task(current_context, thread, current_threads);
        atomic_fetch_sub(&num_busy, 1);
    }
    return NULL;
}

/* A forked process has the caller's thread alone. */
static void forget_threads(void) { num_started = 0; }

static void start(int num_threads) {
    static int is_told = 0;
    if (!is_told) pthread_atfork(NULL, NULL, forget_threads);
    is_told = 1;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    while (num_started < num_threads - 1) {
        pthread_t made;
        void *number = (void *)(size_t)(num_started + 1);
        first_call[num_started + 1] = atomic_load(&call_number);
        if (pthread_create(&made, &attributes, work, number)) break;
        num_started++;
    }
    pthread_attr_destroy(&attributes);
}

void mp_parallel(mp_task task, void *context, int num_threads) {
    pthread_mutex_lock(&one_call);
    if (num_threads > MOST_THREADS) num_threads = MOST_THREADS;
    if (num_started < num_threads - 1) {
        start(num_threads);
        if (num_threads > num_started + 1) num_threads = num_started + 1;
    }
    atomic_store(&num_claimed, 0);
    if (num_threads > 1) {
        current_task = task;
        current_context = context;
        current_threads = num_threads;
        atomic_store(&num_busy, num_started);
        pthread_mutex_lock(&sleeping);
        atomic_fetch_add(&call_number, 1);
        if (atomic_load(&num_asleep)) pthread_cond_broadcast(&woken);
        pthread_mutex_unlock(&sleeping);
    }
    task(context, 0, num_threads > 1 ? num_threads : 1);
    if (num_threads > 1)
        for (int spins = 0; atomic_load(&num_busy); spins++) {
            if (spins < SPINS_BEFORE_YIELD)
                pause_briefly();
            else
                sched_yield();
        }
    pthread_mutex_unlock(&one_call);
}
