/* SPDX-License-Identifier: MIT */
/*
 * cpython.c - see cpython.h.
 */
#include "cpython.h"

#if PY_VERSION_HEX < 0x030c0000
#define PyUnstable_Eval_RequestCodeExtraIndex _PyEval_RequestCodeExtraIndex
#define PyUnstable_Code_SetExtra _PyCode_SetExtra
#define PyUnstable_Code_GetExtra _PyCode_GetExtra
#endif

Py_ssize_t cpython__request_index(freefunc release)
{
	return PyUnstable_Eval_RequestCodeExtraIndex(release);
}

/*
 * The interpreter would make room for every user of extras that there is, and later call
 * each one's release function for this code object, with NULL, also at its very end, when
 * a function written in Python is gone.  So room is made for the users up to us only.
 */
static void cpython__make_room(PyCodeObject *code, Py_ssize_t index)
{
	size_t bytes = sizeof(struct cpython_code_extra) + (size_t)(index + 1) * sizeof(void *);
	struct cpython_code_extra *extra = code->co_extra ? NULL : PyMem_Calloc(1, bytes);

	if (!extra)
		return;
	extra->size = index + 1;
	code->co_extra = (void *)extra;
}

int cpython__set_extra(PyCodeObject *code, Py_ssize_t index, void *value)
{
	cpython__make_room(code, index);
	if (PyUnstable_Code_SetExtra((PyObject *)code, index, value) == 0)
		return 0;
	PyErr_Clear();
	return -1;
}

bool cpython__check_extra(PyCodeObject *code, Py_ssize_t index)
{
	void *value = NULL;

	if (PyUnstable_Code_GetExtra((PyObject *)code, index, &value) < 0) {
		PyErr_Clear();
		return false;
	}
	return value && cpython__get_extra(code, index) == value;
}

cpython_eval cpython__get_eval(PyInterpreterState *interpreter)
{
	return _PyInterpreterState_GetEvalFrameFunc(interpreter);
}

void cpython__set_eval(PyInterpreterState *interpreter, cpython_eval eval)
{
	_PyInterpreterState_SetEvalFrameFunc(interpreter, eval);
}

#if PY_VERSION_HEX >= 0x030b0000

PyObject *cpython__qualname(PyCodeObject *code, const struct cpython_frame *frame)
{
	(void)frame;
	Py_INCREF(code->co_qualname);
	return code->co_qualname;
}

int cpython__position(PyFrameObject *frame)
{
	return PyFrame_GetLasti(frame);
}

PyObject *cpython__line_table(PyCodeObject *code)
{
	return code->co_linetable;
}

/* The interpreter keeps the copy it makes; one that we caused is given back. */
PyObject *cpython__bytecode(PyCodeObject *code, uint64_t *address)
{
	PyObject *copy;
#if PY_VERSION_HEX >= 0x030c0000
	bool kept = code->_co_cached && code->_co_cached->_co_code;
#else
	bool kept = code->_co_code != NULL;
#endif

	*address = (uint64_t)(uintptr_t)_PyCode_CODE(code);
	copy = PyCode_GetCode(code);
	if (!copy || kept)
		return copy;
#if PY_VERSION_HEX >= 0x030c0000
	if (code->_co_cached)
		Py_CLEAR(code->_co_cached->_co_code);
#else
	Py_CLEAR(code->_co_code);
#endif
	return copy;
}

#else

/* Whether a function, or what a property, classmethod or staticmethod holds, has the code. */
static bool holds_code(PyObject *object, PyCodeObject *code)
{
	static const char *const attributes[] = { "__func__", "fget", "fset", "fdel" };
	bool is_wrapper = Py_TYPE(object) == &PyProperty_Type ||
			  Py_TYPE(object) == &PyClassMethod_Type ||
			  Py_TYPE(object) == &PyStaticMethod_Type;
	bool found = PyFunction_Check(object) && PyFunction_GET_CODE(object) == (PyObject *)code;
	size_t i;

	for (i = 0; is_wrapper && !found && i < sizeof(attributes) / sizeof(*attributes); i++) {
		PyObject *inner = PyObject_GetAttrString(object, attributes[i]);

		PyErr_Clear();
		found = inner && PyFunction_Check(inner) &&
			PyFunction_GET_CODE(inner) == (PyObject *)code;
		Py_XDECREF(inner);
	}
	return found;
}

/* "Class.name" when a class that the first argument is made of has the code; else NULL. */
static PyObject *method_qualname(PyCodeObject *code, PyObject *self)
{
	PyTypeObject *type = PyType_Check(self) ? (PyTypeObject *)self : Py_TYPE(self);
	PyObject *mro = type->tp_mro;
	Py_ssize_t i;

	for (i = 0; mro && i < PyTuple_GET_SIZE(mro); i++) {
		PyTypeObject *class = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
		PyObject *found, *name, *qualname;

		found = class->tp_dict ? PyDict_GetItem(class->tp_dict, code->co_name) : NULL;
		if (!found || !holds_code(found, code))
			continue;
		name = PyObject_GetAttrString((PyObject *)class, "__qualname__");
		if (!name || !PyUnicode_Check(name)) {
			PyErr_Clear();
			Py_XDECREF(name);
			return NULL;
		}
		qualname = PyUnicode_FromFormat("%U.%U", name, code->co_name);
		Py_DECREF(name);
		return qualname;
	}
	return NULL;
}

PyObject *cpython__qualname(PyCodeObject *code, const struct cpython_frame *frame)
{
	PyObject *name = NULL, *self;

	if (frame && frame->f_gen)
		name = ((PyGenObject *)frame->f_gen)->gi_qualname;
	if (!name && frame && code->co_argcount > 0) {
		self = cpython__frame_argument(frame, 0);
		if (self)
			name = method_qualname(code, self);
		if (name)
			return name;
		PyErr_Clear();
	}
	if (!name)
		name = code->co_name;
	Py_INCREF(name);
	return name;
}

int cpython__position(PyFrameObject *frame)
{
	int unit = PY_VERSION_HEX >= 0x030a0000 ? 2 : 1; /* 3.10 counts instructions */

	return frame->f_lasti < 0 ? -1 : frame->f_lasti * unit;
}

PyObject *cpython__line_table(PyCodeObject *code)
{
#if PY_VERSION_HEX >= 0x030a0000
	return code->co_linetable;
#else
	return code->co_lnotab;
#endif
}

PyObject *cpython__bytecode(PyCodeObject *code, uint64_t *address)
{
	*address = (uint64_t)(uintptr_t)PyBytes_AS_STRING(code->co_code);
	Py_INCREF(code->co_code);
	return code->co_code;
}

#endif
