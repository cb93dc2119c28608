/* SPDX-License-Identifier: MIT */
/*
 * threads.h - threads: their names, their stacks, their ends.
 *
 * A thread is met at its first hooked call.  threading is not patched: the calls
 * of three of its functions (a thread's start, its end, a rename) are noticed by
 * the hook itself, which sees every call anyway.  Names go to the kernel's comm
 * (15 bytes, never the main thread's, which is the process name) and in full to
 * the side file.
 */
#ifndef PYFRAMES_THREADS_H
#define PYFRAMES_THREADS_H

#include "cpython.h"

enum thread_event {
	THREAD_EVENT_NONE,
	THREAD_EVENT_START,  /* threading.Thread._bootstrap(self) */
	THREAD_EVENT_END,    /* threading.Thread._delete(self), up to 3.10 _stop(self) */
	THREAD_EVENT_RENAME, /* threading.Thread.name = value */
};

/**
 * struct thread_state - what belongs to the calling thread
 * @generation: session in which it is registered
 * @task:       id of the task whose step it runs, 0: none
 * @tid:        native id
 * @busy:       pyframes itself runs: its own calls are not hooked
 */
struct thread_state {
	uint32_t generation;
	uint32_t task;
	uint32_t tid;
	bool busy;
};

extern __thread struct thread_state thread_state __attribute__((tls_model("initial-exec")));

/** threads__event_of() - whether a call of @code must be noticed */
enum thread_event threads__event_of(const PyCodeObject *code);

/**
 * threads__register() - the calling thread's first hooked call in this session
 * @thread: its threading.Thread where the caller knows it, or NULL
 *
 * Touches its stack, finds its name, writes it down.  No exception may be set on
 * entry, and none is left.
 */
void threads__register(PyObject *thread);

/** threads__register_all() - threads that run at activation, by threading's own list */
void threads__register_all(void);

/** threads__notice() - a function with an event is about to run in @frame */
void threads__notice(enum thread_event event, const struct cpython_frame *frame);

/** threads__tid_of() - native id of the thread with a threading ident; 0: not known */
uint32_t threads__tid_of(unsigned long ident);

/** threads__forget() - drops the table, at the start of a session */
void threads__forget(void);

#endif
