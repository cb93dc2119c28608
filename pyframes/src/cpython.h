/* SPDX-License-Identifier: MIT */
/*
 * cpython.h - all that pyframes knows about single versions of CPython, 3.9 to 3.13.
 *
 * What PEP 523 hands to a frame evaluator differs: a PyFrameObject up to 3.10, an
 * interpreter frame from 3.11 on, whose layout is internal and fixed within a
 * minor version.  The inline functions are the ones the hook calls on every
 * Python call.  Everybody calls with the GIL held.
 */
#ifndef PYFRAMES_CPYTHON_H
#define PYFRAMES_CPYTHON_H

#define PY_SSIZE_T_CLEAN
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <Python.h>
#include <frameobject.h>

#if PY_VERSION_HEX < 0x03090000 || PY_VERSION_HEX >= 0x030e0000
#error "pyframes supports CPython 3.9 to 3.13"
#endif
#ifdef Py_GIL_DISABLED
#error "pyframes does not support free-threaded builds"
#endif

#if PY_VERSION_HEX >= 0x030b0000
#define Py_BUILD_CORE_MODULE
#define Py_BUILD_CORE
#include <internal/pycore_frame.h>
#undef Py_BUILD_CORE
#undef Py_BUILD_CORE_MODULE
#define cpython_frame _PyInterpreterFrame
#else
#define cpython_frame _frame
#endif
#pragma GCC diagnostic pop

#if PY_VERSION_HEX < 0x030a0000
static inline PyObject *Py_XNewRef(PyObject *object)
{
	Py_XINCREF(object);
	return object;
}
#endif

#include <stdbool.h>
#include <stdint.h>

#define CPYTHON_COROUTINE_FLAGS (CO_COROUTINE | CO_ITERABLE_COROUTINE)

typedef PyObject *(*cpython_eval)(PyThreadState *, struct cpython_frame *, int);

/* How every version so far lays out what hangs on co_extra; checked at activation. */
struct cpython_code_extra {
	Py_ssize_t size;
	void *values[];
};

/** cpython__frame_code() - the code object an evaluator is about to run; borrowed */
static inline PyCodeObject *cpython__frame_code(const struct cpython_frame *frame)
{
#if PY_VERSION_HEX >= 0x030d0000
	return (PyCodeObject *)frame->f_executable;
#else
	return frame->f_code;
#endif
}

/**
 * cpython__frame_argument() - an argument of a function that is about to start
 *
 * Return: a borrowed reference; NULL when it is captured by an inner function (up to 3.10).
 */
static inline PyObject *cpython__frame_argument(const struct cpython_frame *frame, int index)
{
#if PY_VERSION_HEX >= 0x030b0000
	return frame->localsplus[index];
#else
	return frame->f_localsplus[index];
#endif
}

/**
 * cpython__caller_code() - whom the frame that an evaluator is about to run will return to
 *
 * Return: the code object of the thread's current Python frame, borrowed, or NULL.
 */
static inline PyCodeObject *cpython__caller_code(const PyThreadState *thread)
{
#if PY_VERSION_HEX >= 0x030d0000
	const struct _PyInterpreterFrame *frame = thread->current_frame;
#elif PY_VERSION_HEX >= 0x030b0000
	const struct _PyInterpreterFrame *frame = thread->cframe->current_frame;
#else
	const PyFrameObject *frame = thread->frame;
#endif

	return frame ? cpython__frame_code(frame) : NULL;
}

/**
 * cpython__frame_generator() - the coroutine or generator that a frame belongs to
 *
 * Return: its address, an identity only; NULL for the call that makes it (from 3.11 on).
 */
static inline const void *cpython__frame_generator(struct cpython_frame *frame)
{
#if PY_VERSION_HEX >= 0x030b0000
	return frame->owner == FRAME_OWNED_BY_GENERATOR ? _PyFrame_GetGenerator(frame) : NULL;
#else
	return frame->f_gen;
#endif
}

/** cpython__get_extra() - the value hung on a code object under @index, or NULL */
static inline void *cpython__get_extra(const PyCodeObject *code, Py_ssize_t index)
{
	const struct cpython_code_extra *extra = code->co_extra;

	return extra && extra->size > index ? extra->values[index] : NULL;
}

/** cpython__weakref_is() - whether a weak reference is alive and refers to @object */
static inline bool cpython__weakref_is(PyObject *reference, PyObject *object)
{
#if PY_VERSION_HEX >= 0x030d0000
	PyObject *referent = NULL;
	bool same = PyWeakref_GetRef(reference, &referent) == 1 && referent == object;

	Py_XDECREF(referent);
	return same;
#else
	return PyWeakref_GET_OBJECT(reference) == object;
#endif
}

/**
 * cpython__deepen() - lets a thread recurse as deep as it could without a frame evaluator
 *
 * 3.12 counts each evaluator call against a limit for C code of 1,500, two for
 * each, which a program hits at depth 750, before its own recursion limit.
 */
static inline void cpython__deepen(PyThreadState *thread)
{
#if PY_VERSION_HEX >= 0x030c0000 && PY_VERSION_HEX < 0x030d0000
	int limit = thread->py_recursion_limit;

	thread->c_recursion_remaining += 2 * (limit < 5000 ? limit : 5000);
#else
	(void)thread;
#endif
}

/**
 * cpython__gil_stops_all() - whether no Python code runs while the caller holds its GIL
 *
 * From 3.12 on an interpreter may have a GIL of its own.  New ones are put in
 * front of the main one, and only a Python thread makes them.
 */
static inline bool cpython__gil_stops_all(void)
{
	return PY_VERSION_HEX < 0x030c0000 ||
	       PyInterpreterState_Head() == PyInterpreterState_Main();
}

/**
 * cpython__request_index() - a place on code objects for a value of ours
 * @release: called with the value when its code object dies
 *
 * Return: the index, or -1 when the interpreter has no more places.
 */
Py_ssize_t cpython__request_index(freefunc release);

/**
 * cpython__set_extra() - hangs a value on a code object
 *
 * Return: 0, or -1 without memory; no exception is left behind.
 */
int cpython__set_extra(PyCodeObject *code, Py_ssize_t index, void *value);

/** cpython__check_extra() - whether the inline reader sees what the interpreter wrote */
bool cpython__check_extra(PyCodeObject *code, Py_ssize_t index);

/**
 * cpython__get_eval() - the interpreter's frame evaluator
 * cpython__set_eval() - replaces it; the interpreter's own one restores full speed
 */
cpython_eval cpython__get_eval(PyInterpreterState *interpreter);
void cpython__set_eval(PyInterpreterState *interpreter, cpython_eval eval);

/**
 * cpython__qualname() - a code object's qualified name
 * @frame: a frame that is about to run it, or NULL.  Up to 3.10 code objects do not
 *         know the qualified name; it is made from the generator, the class of
 *         the first argument, or the module's globals, as far as one knows it.
 *
 * Return: a new reference, or NULL with an exception set.
 */
PyObject *cpython__qualname(PyCodeObject *code, const struct cpython_frame *frame);

/**
 * cpython__bytecode() - the bytecode as compiled, without specialisations
 * @address: where the interpreter runs it
 *
 * Return: a new reference to a bytes object, or NULL with an exception set.
 */
PyObject *cpython__bytecode(PyCodeObject *code, uint64_t *address);

/** cpython__line_table() - co_linetable, or co_lnotab in 3.9; borrowed */
PyObject *cpython__line_table(PyCodeObject *code);

/** cpython__position() - byte offset of the frame's current instruction; -1: not started */
int cpython__position(PyFrameObject *frame);

#endif
