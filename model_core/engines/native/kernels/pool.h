/* Threads that wait for the next call. Changes with how threads are woken. */
#ifndef POOL_H
#define POOL_H

typedef void (*mp_task)(void *context, int thread, int num_threads);

/* Run a task on every thread of the pool, the caller's among them; calls queue up. */
void mp_parallel(mp_task task, void *context, int num_threads);

/* Wait, inside a task, until every thread of it has come here. */
void mp_barrier(int num_threads);

/* Take the next number, 0 for the first since the last barrier: whoever is free takes
 * the next piece of a work that all threads share. */
int mp_claim(void);

#endif
