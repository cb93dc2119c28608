/* SPDX-License-Identifier: MIT */
/*
 * tasks.h - asyncio tasks: which one runs, under which name, and its steps.
 *
 * A step begins when the event loop resumes a task's outermost Python coroutine.
 * Names are bounded in number: a default name (Task-12) is replaced by the
 * coroutine's qualname, and when too many distinct names were seen, every further
 * one is.  All calls need the GIL; but where a function says otherwise, no exception
 * may be set on entry, and none is left.
 */
#ifndef PYFRAMES_TASKS_H
#define PYFRAMES_TASKS_H

#include "cpython.h"

/**
 * struct task
 * @weakref:   tells a dead task from a new one at the same address
 * @coroutine: identity of what its get_coro() returns
 * @id:        pyframes_task.id
 * @entry:     trampoline named after the task
 */
struct task {
	PyObject *object;
	PyObject *weakref;
	const void *coroutine;
	uint32_t id;
	void *entry;
};

/**
 * tasks__current() - the asyncio task that the calling thread is running
 * @coroutine: the one about to run; when it is the task's own, tasks__recall() knows it next time
 *
 * Return: valid until the next call of tasks__current(); NULL when there is none,
 * or asyncio is not loaded, or memory or trampolines are used up.
 */
const struct task *tasks__current(const void *coroutine);

/**
 * tasks__recall() - the task whose outermost coroutine is about to run again
 *
 * Asks nobody, so that an exception may be set.
 *
 * Return: like tasks__current(); NULL when it must be asked.
 */
const struct task *tasks__recall(const void *coroutine);

/** tasks__step() - writes one entry into the ring: @task begins or ends a step */
void tasks__step(uint32_t task, bool end);

/** tasks__forget() - drops the table, at the start of a session */
void tasks__forget(void);

#endif
