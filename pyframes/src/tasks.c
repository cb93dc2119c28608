/* SPDX-License-Identifier: MIT */
/*
 * tasks.c - see tasks.h.
 *
 * Tasks are kept in an open-addressed table keyed by address.  An entry whose
 * weak reference is dead is free; a table that fills up is swept or doubled.
 *
 * Asking asyncio for the current task costs as much as the rest of a step.  But a
 * task keeps its outermost coroutine for life, so from a task's second step on the
 * coroutine tells the task.  (Not from the first: an eager task that ends in it
 * drops its coroutine, whose address is then another's.)
 */
#include "tasks.h"

#include <stdlib.h>
#include <string.h>

#include "code.h"
#include "session.h"
#include "threads.h"

#define MAX_NAMES 1024 /* distinct names given by the program */
#define MIN_CAPACITY 64u
#define MAX_CAPACITY (1u << 20)
#define RECALLED 1024u /* coroutines remembered, a power of two */

/* What asyncio offers, found when it is loaded; all owned. */
static PyObject *get_running_loop;
#if PY_VERSION_HEX >= 0x030c0000
static PyObject *current_task;
#else
static PyObject *current_tasks;
#endif

static struct task *table;
static size_t table_capacity, table_used;

/* Where a coroutine's task was in the table; right if a living task of that coroutine is there. */
static struct {
	const void *coroutine;
	size_t place;
} recalled[RECALLED];

static PyObject *name_entries; /* dict of name -> int, the trampoline's address */

/* asyncio's C accelerator, once the program has imported asyncio itself. */
static bool asyncio__find(void)
{
	PyObject *modules = PyImport_GetModuleDict();
	PyObject *module;

	if (get_running_loop)
		return true;
	if (!PyDict_GetItemString(modules, "asyncio"))
		return false;
	module = PyDict_GetItemString(modules, "_asyncio");
	if (!module)
		return false;
#if PY_VERSION_HEX >= 0x030c0000
	if (!current_task)
		current_task = PyObject_GetAttrString(module, "current_task");
	if (current_task)
		get_running_loop = PyObject_GetAttrString(module, "_get_running_loop");
#else
	if (!current_tasks)
		current_tasks = PyObject_GetAttrString(module, "_current_tasks");
	if (current_tasks)
		get_running_loop = PyObject_GetAttrString(module, "_get_running_loop");
#endif
	PyErr_Clear();
	return get_running_loop != NULL;
}

/* The task object, a new reference, or NULL. */
static PyObject *asyncio__current_task(void)
{
	PyObject *loop, *task = NULL;

	if (!asyncio__find())
		return NULL;
	loop = PyObject_CallNoArgs(get_running_loop);
	if (loop && loop != Py_None) {
#if PY_VERSION_HEX >= 0x030c0000
		task = PyObject_CallOneArg(current_task, loop);
#else
		task = PyDict_GetItemWithError(current_tasks, loop);
		Py_XINCREF(task);
#endif
	}
	Py_XDECREF(loop);
	PyErr_Clear();
	if (task == Py_None)
		Py_CLEAR(task);
	return task;
}

void tasks__forget(void)
{
	size_t i;

	for (i = 0; i < table_capacity; i++)
		Py_CLEAR(table[i].weakref);
	free(table);
	table = NULL;
	table_capacity = table_used = 0;
	if (name_entries)
		PyDict_Clear(name_entries);
}

static bool task__alive(const struct task *task)
{
	return task->weakref && cpython__weakref_is(task->weakref, task->object);
}

static size_t hash_of(const void *object, size_t capacity)
{
	return ((size_t)object >> 4) * 0x9e3779b1u & (capacity - 1);
}

static struct task *table__place(struct task *tasks, size_t capacity, const PyObject *object)
{
	size_t at = hash_of(object, capacity);

	while (tasks[at].weakref && tasks[at].object != object)
		at = (at + 1) & (capacity - 1);
	return &tasks[at];
}

/* Makes room for one more: the living move to a table that is at most half full. */
static bool table__grow(void)
{
	size_t alive = 0, capacity = MIN_CAPACITY, i;
	struct task *tasks;

	if (2 * (table_used + 1) <= table_capacity)
		return true;
	for (i = 0; i < table_capacity; i++)
		alive += task__alive(&table[i]);
	while (capacity < 4 * (alive + 1))
		capacity *= 2;
	tasks = capacity > MAX_CAPACITY ? NULL : calloc(capacity, sizeof(*tasks));
	if (!tasks)
		return false;
	for (i = 0; i < table_capacity; i++) {
		if (task__alive(&table[i]))
			*table__place(tasks, capacity, table[i].object) = table[i];
		else
			Py_XDECREF(table[i].weakref);
	}
	free(table);
	table = tasks;
	table_capacity = capacity;
	table_used = alive;
	return true;
}

/* "Task-12" is what asyncio calls a task that nobody named. */
static bool is_default_name(const char *name)
{
	if (strncmp(name, "Task-", 5) || !name[5])
		return false;
	return strspn(name + 5, "0123456789") == strlen(name + 5);
}

/* An attribute, or what a method returns, as an exact str; NULL without exception otherwise. */
static PyObject *string_of(PyObject *object, const char *method, const char *attribute)
{
	PyObject *value = object;
	PyObject *string;

	Py_INCREF(value);
	if (method) {
		Py_DECREF(value);
		value = PyObject_CallMethod(object, method, NULL);
	}
	string = value && attribute ? PyObject_GetAttrString(value, attribute) : Py_XNewRef(value);
	Py_XDECREF(value);
	if (string && !PyUnicode_CheckExact(string))
		Py_CLEAR(string);
	PyErr_Clear();
	return string;
}

/* The trampoline of a name; each name gets one. */
static void *name__entry(PyObject *name)
{
	PyObject *known;
	void *entry;

	if (!name_entries)
		name_entries = PyDict_New();
	known = name_entries ? PyDict_GetItemWithError(name_entries, name) : NULL;
	if (known)
		return PyLong_AsVoidPtr(known);
	entry = name_entries ? code__add_task(name) : NULL;
	known = entry ? PyLong_FromVoidPtr(entry) : NULL;
	if (known)
		PyDict_SetItem(name_entries, name, known);
	Py_XDECREF(known);
	PyErr_Clear();
	return entry;
}

/* The name that the task's frame bears; a new reference or NULL. */
static PyObject *task__frame_name(PyObject *object, PyObject *coroutine)
{
	PyObject *name = string_of(object, "get_name", NULL);
	const char *text = name ? PyUnicode_AsUTF8(name) : NULL;
	bool usable = text && !is_default_name(text);

	PyErr_Clear();
	if (usable && name_entries && PyDict_GET_SIZE(name_entries) >= MAX_NAMES)
		usable = PyDict_Contains(name_entries, name) == 1;
	if (usable)
		return name;
	Py_XDECREF(name);
	Py_XINCREF(coroutine);
	return coroutine;
}

static void task__write(struct task *task, PyObject *name, PyObject *coroutine)
{
	uint32_t name_id = session__string(name);
	uint32_t coroutine_id = coroutine ? session__string(coroutine) : 0;
	struct pyframes_task *record;

	task->id = session.side.next_task++;
	record = sidefile__begin(&session.side, PYFRAMES_RECORD_TASK, SIDEFILE_EVENTS,
				 sizeof(*record));
	if (!record)
		return;
	record->id = task->id;
	record->name = name_id;
	record->coroutine = coroutine_id;
	record->tid = thread_state.tid;
	sidefile__commit(&session.side);
}

static const struct task *task__new(PyObject *object)
{
	struct task fresh = { .object = object };
	PyObject *coroutine, *name;
	struct task *place;

	coroutine = PyObject_CallMethod(object, "get_coro", NULL);
	fresh.coroutine = coroutine; /* the task keeps it */
	PyErr_Clear();
	if (coroutine)
		Py_SETREF(coroutine, string_of(coroutine, NULL, "__qualname__"));
	name = task__frame_name(object, coroutine);
	fresh.entry = name ? name__entry(name) : NULL;
	fresh.weakref = fresh.entry ? PyWeakref_NewRef(object, NULL) : NULL;
	PyErr_Clear();
	place = fresh.weakref && table__grow() ? table__place(table, table_capacity, object) : NULL;
	if (place) {
		task__write(&fresh, name, coroutine);
		table_used += place->weakref == NULL;
		Py_XSETREF(place->weakref, NULL);
		*place = fresh;
	} else {
		Py_XDECREF(fresh.weakref);
	}
	Py_XDECREF(name);
	Py_XDECREF(coroutine);
	return place;
}

const struct task *tasks__recall(const void *coroutine)
{
	size_t at = hash_of(coroutine, RECALLED);
	size_t place = recalled[at].place;

	if (recalled[at].coroutine != coroutine || place >= table_capacity ||
	    table[place].coroutine != coroutine || !task__alive(&table[place]))
		return NULL;
	return &table[place];
}

static void tasks__remember(const struct task *task)
{
	size_t at = hash_of(task->coroutine, RECALLED);

	recalled[at].coroutine = task->coroutine;
	recalled[at].place = (size_t)(task - table);
}

const struct task *tasks__current(const void *coroutine)
{
	PyObject *object = asyncio__current_task();
	const struct task *task = NULL;

	if (!object)
		return NULL;
	if (table)
		task = table__place(table, table_capacity, object);
	if (!task || !task__alive(task))
		task = task__new(object);
	else if (task->coroutine == coroutine)
		tasks__remember(task);
	Py_DECREF(object); /* the event loop keeps it while it runs */
	return task;
}

void tasks__step(uint32_t task, bool end)
{
	struct pyframes_header *header = session.side.header;
	struct pyframes_step *ring = sidefile__ring(&session.side);
	struct pyframes_step *step;

	if (!ring)
		return;
	step = &ring[header->ring_head & (header->ring_entries - 1)];
	step->time_and_end = 2 * clock__monotonic_ns() + end;
	step->task = task;
	step->tid = thread_state.tid;
	__atomic_store_n(&header->ring_head, header->ring_head + 1, __ATOMIC_RELEASE);
}
