/* SPDX-License-Identifier: MIT */
/*
 * hook.c - see hook.h.
 *
 * hook__eval() runs on every Python call.  Once a code object and the thread are
 * known it is two comparisons, a counter and a jump: the trampoline is called in
 * tail position, so no frame of ours lies between the interpreter and it:
 *
 *     interpreter -> trampoline of f -> interpreter -> trampoline of g -> ...
 *
 * A task's step alone has a C frame (hook__task_step), because its end is noted:
 *
 *     event loop -> hook__task_step -> trampoline of the task -> trampoline of the
 *     coroutine -> interpreter
 *
 * Everything else is done in hook__prepare(), which is never re-entered: Python
 * code that it causes to run (destructors) goes straight to the next evaluator.
 */
#include "hook.h"

#include <errno.h>

#include "code.h"
#include "snapshot.h"
#include "tasks.h"
#include "threads.h"

#define CALLS_PER_CLOCK 64 /* calls between two looks at the clock, at most */
#define CLOCK_GAP_NS 50000000u

typedef PyObject *(*stub_entry)(PyThreadState *, struct cpython_frame *, int, void *callee,
				void *next);

static cpython_eval next_eval;
static bool active, installed;
static int calls_to_clock = CALLS_PER_CLOCK;
static uint64_t clock_ns;

static PyObject *hook__eval(PyThreadState *thread, struct cpython_frame *frame, int exc);

static inline PyObject *call_stub(void *entry, PyThreadState *thread, struct cpython_frame *frame,
				  int exc)
{
	return ((stub_entry)(uintptr_t)entry)(thread, frame, exc, (void *)(uintptr_t)next_eval,
					      NULL);
}

int hook__renew(void)
{
	int ret = session__renew();

	if (ret > 0) {
		threads__forget();
		tasks__forget();
	}
	return ret < 0 ? ret : 0;
}

/* What a call that is not the common case needs done; no exception is set. */
static void *hook__enter(struct cpython_frame *frame)
{
	struct codeinfo *info;
	PyObject *self = NULL;

	if (hook__renew())
		return NULL;
	info = code__findnew(cpython__frame_code(frame), frame);
	if (info && info->special == THREAD_EVENT_START)
		self = cpython__frame_argument(frame, 0);
	if (thread_state.generation != session.generation)
		threads__register(self);
	if (info && info->special)
		threads__notice((enum thread_event)info->special, frame);
	return info ? info->entry : NULL;
}

/* Runs hook__enter() outside of any exception that is being thrown into the frame. */
static void *hook__prepare(struct cpython_frame *frame)
{
	PyObject *type, *value, *traceback;
	void *entry;

	if (!active || thread_state.busy)
		return NULL;
	thread_state.busy = true;
	PyErr_Fetch(&type, &value, &traceback);
	entry = hook__enter(frame);
	PyErr_Restore(type, value, traceback);
	thread_state.busy = false;
	return entry;
}

__attribute__((noinline)) static PyObject *hook__task_step(PyThreadState *thread,
							   struct cpython_frame *frame, int exc,
							   void *entry, const struct task *task)
{
	uint32_t generation = session.generation;
	uint32_t outer = thread_state.task;
	uint32_t id = task->id;
	PyObject *result;

	thread_state.task = id;
	tasks__step(id, false);
	result = ((stub_entry)(uintptr_t)task->entry)(thread, frame, exc, entry,
						      (void *)(uintptr_t)next_eval);
	thread_state.task = outer;
	if (*session__generation == generation)
		tasks__step(id, true);
	return result;
}

/* What asyncio says, outside of any exception that is being thrown into the frame. */
__attribute__((noinline)) static const struct task *hook__ask_task(const void *coroutine)
{
	PyObject *type, *value, *traceback;
	const struct task *task;

	if (thread_state.busy)
		return NULL;
	thread_state.busy = true;
	PyErr_Fetch(&type, &value, &traceback);
	task = tasks__current(coroutine);
	PyErr_Restore(type, value, traceback);
	thread_state.busy = false;
	return task;
}

/* The current task, when this call is its step's first; NULL otherwise. */
static const struct task *hook__find_task(struct cpython_frame *frame)
{
	const void *coroutine = cpython__frame_generator(frame);
	const struct task *task;

	if (!coroutine)
		return NULL; /* this call makes the coroutine, it does not resume it */
	task = tasks__recall(coroutine);
	if (!task)
		task = hook__ask_task(coroutine);
	return task && task->id != thread_state.task ? task : NULL;
}

/* A coroutine resumed by something that is no coroutine may be a task's outermost. */
__attribute__((noinline)) static PyObject *
hook__eval_coroutine(PyThreadState *thread, struct cpython_frame *frame, int exc, void *entry)
{
	const PyCodeObject *caller = cpython__caller_code(thread);
	const struct task *task = NULL;

	if (exc || !caller || !(caller->co_flags & CPYTHON_COROUTINE_FLAGS))
		task = hook__find_task(frame);
	if (!task)
		return call_stub(entry, thread, frame, exc);
	return hook__task_step(thread, frame, exc, entry, task);
}

__attribute__((noinline)) static PyObject *hook__eval_slowly(PyThreadState *thread,
							     struct cpython_frame *frame, int exc)
{
	const PyCodeObject *code = cpython__frame_code(frame);
	void *entry = hook__prepare(frame);

	if (!entry)
		return next_eval(thread, frame, exc);
	if ((code->co_flags & CPYTHON_COROUTINE_FLAGS) && session.options.tasks)
		return hook__eval_coroutine(thread, frame, exc, entry);
	return call_stub(entry, thread, frame, exc);
}

/* Looks at the clock and renews the snapshot when it has become old.  Where calls
 * are rare, every one of them looks. */
__attribute__((noinline)) static void hook__tick(void)
{
	uint64_t now = clock__monotonic_ns();
	PyObject *type, *value, *traceback;

	calls_to_clock = now - clock_ns < CLOCK_GAP_NS ? CALLS_PER_CLOCK : 1;
	clock_ns = now;
	if (!session.options.snapshot_ns || thread_state.busy ||
	    now - snapshot__time_ns() < session.options.snapshot_ns)
		return;
	thread_state.busy = true;
	PyErr_Fetch(&type, &value, &traceback);
	snapshot__take(PYFRAMES_SNAPSHOT_PERIODIC);
	PyErr_Restore(type, value, traceback);
	thread_state.busy = false;
}

__attribute__((noinline)) static PyObject *
hook__eval_with_tick(PyThreadState *thread, struct cpython_frame *frame, int exc)
{
	hook__tick();
	return hook__eval(thread, frame, exc);
}

static PyObject *hook__eval(PyThreadState *thread, struct cpython_frame *frame, int exc)
{
	const PyCodeObject *code = cpython__frame_code(frame);
	const struct codeinfo *info = cpython__get_extra(code, code__index);
	uint32_t generation = *session__generation;

	if (__builtin_expect(!info || info->generation != generation ||
				     thread_state.generation != generation,
			     0))
		return hook__eval_slowly(thread, frame, exc);
	if (__builtin_expect(--calls_to_clock < 0, 0))
		return hook__eval_with_tick(thread, frame, exc);
	if (__builtin_expect(code->co_flags & CPYTHON_COROUTINE_FLAGS, 0) && session.options.tasks)
		return hook__eval_coroutine(thread, frame, exc, info->entry);
	return call_stub(info->entry, thread, frame, exc);
}

/* The inline reader of code extras is checked against the interpreter's on a real one. */
static int hook__check(struct errbuf *err)
{
	PyCodeObject *code = PyCode_NewEmpty("pyframes", "check", 1);
	bool right = false;

	if (code && code__findnew(code, NULL))
		right = cpython__check_extra(code, code__index);
	Py_XDECREF(code);
	PyErr_Clear();
	return right ? 0
		     : errbuf__set(err, -ENOTSUP,
				   "this interpreter lays out code objects in a "
				   "way that is not known, or memory is short");
}

/*
 * next_eval stays set for ever: whoever saved our hook as its own next may call it.
 * Where the interpreter's own evaluator is on top, somebody has taken away the whole
 * chain (sys.deactivate_stack_trampoline() does), ours with it.
 */
static void hook__install(PyInterpreterState *interpreter)
{
	cpython_eval top = cpython__get_eval(interpreter);

	if (top != hook__eval && (!installed || top == _PyEval_EvalFrameDefault)) {
		next_eval = top;
		cpython__set_eval(interpreter, hook__eval);
	}
	installed = true;
}

int hook__start(const struct session_options *options, struct errbuf *err)
{
	PyInterpreterState *interpreter = PyInterpreterState_Get();
	bool busy = thread_state.busy;
	int ret;

	if (interpreter != PyInterpreterState_Main())
		return errbuf__set(err, -ENOTSUP, "only the main interpreter can be profiled");
	if (active && session__is_on()) {
		hook__install(interpreter);
		return 0;
	}
	ret = code__init(err);
	if (!ret)
		ret = session__open(options, err);
	if (ret)
		return ret;
	thread_state.busy = true;
	tasks__forget();
	session__resume();
	ret = hook__check(err);
	if (!ret) {
		threads__forget();
		threads__register(NULL);
		threads__register_all();
		hook__install(interpreter);
		active = true;
		snapshot__take(PYFRAMES_SNAPSHOT_START);
	} else {
		session__remove();
	}
	thread_state.busy = busy;
	return ret;
}

void hook__stop(void)
{
	PyInterpreterState *interpreter = PyInterpreterState_Main();
	bool busy = thread_state.busy;

	if (!active)
		return;
	thread_state.busy = true;
	active = false;
	if (session__is_on())
		snapshot__take(PYFRAMES_SNAPSHOT_STOP);
	session__pause();
	if (cpython__get_eval(interpreter) == hook__eval) {
		cpython__set_eval(interpreter, next_eval);
		installed = false;
	}
	thread_state.busy = busy;
}

bool hook__is_active(void)
{
	return active;
}
