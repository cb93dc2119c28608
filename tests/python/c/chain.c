/* SPDX-License-Identifier: GPL-2.0 */
/*
 * chain.c - another tool's frame evaluator (PEP 523), for tests: counts and passes on.
 */
#include <Python.h>

#if PY_VERSION_HEX >= 0x030b0000
struct _PyInterpreterFrame;
typedef struct _PyInterpreterFrame *frame_pointer;
#else
typedef PyFrameObject *frame_pointer;
#endif

static _PyFrameEvalFunction next;
static long calls;

static PyObject *chain_eval(PyThreadState *thread, frame_pointer frame, int exc)
{
	calls++;
	return next(thread, frame, exc);
}

void chain_install(void)
{
	PyInterpreterState *interpreter = PyInterpreterState_Get();

	next = _PyInterpreterState_GetEvalFrameFunc(interpreter);
	_PyInterpreterState_SetEvalFrameFunc(interpreter, chain_eval);
}

void chain_remove(void)
{
	_PyInterpreterState_SetEvalFrameFunc(PyInterpreterState_Get(), next);
}

/* As sys.deactivate_stack_trampoline() does it: the whole chain is gone. */
void chain_reset(void)
{
	_PyInterpreterState_SetEvalFrameFunc(PyInterpreterState_Get(), _PyEval_EvalFrameDefault);
}

long chain_calls(void)
{
	return calls;
}
