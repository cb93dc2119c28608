/* SPDX-License-Identifier: MIT */
/*
 * threads.c - see threads.h.
 */
#include "threads.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "procinfo.h"
#include "session.h"
#include "stackpages.h"

#define TOUCH_BYTES (256u * 1024u)
#define MAX_THREADS 65536u

/* A thread that is alive, as far as one knows. */
struct thread_entry {
	unsigned long ident;
	uint32_t tid;
	uint32_t name; /* string id written last */
};

static struct thread_entry *entries;
static size_t entry_count, entry_capacity;

__thread struct thread_state thread_state __attribute__((tls_model("initial-exec")));

void threads__forget(void)
{
	entry_count = 0;
}

static struct thread_entry *entry__find(unsigned long ident)
{
	size_t i;

	for (i = 0; i < entry_count; i++)
		if (entries[i].ident == ident)
			return &entries[i];
	return NULL;
}

static struct thread_entry *entry__findnew(unsigned long ident)
{
	struct thread_entry *entry = entry__find(ident);
	size_t capacity;

	if (entry)
		return entry;
	if (entry_count == entry_capacity) {
		capacity = entry_capacity ? 2 * entry_capacity : 16;
		entry = capacity > MAX_THREADS ? NULL
					       : realloc(entries, capacity * sizeof(*entries));
		if (!entry)
			return NULL;
		entries = entry;
		entry_capacity = capacity;
	}
	entry = &entries[entry_count++];
	memset(entry, 0, sizeof(*entry));
	entry->ident = ident;
	return entry;
}

uint32_t threads__tid_of(unsigned long ident)
{
	const struct thread_entry *entry = entry__find(ident);

	return entry ? entry->tid : 0;
}

static void thread__write_end(uint32_t tid)
{
	struct pyframes_thread_end *record;

	record = sidefile__begin(&session.side, PYFRAMES_RECORD_THREAD_END, SIDEFILE_NAMES,
				 sizeof(*record));
	if (record) {
		record->tid = tid;
		sidefile__commit(&session.side);
	}
}

/* Writes a thread down, unless that name of it already is. */
static void thread__write(unsigned long ident, uint32_t tid, PyObject *name, uint32_t flags)
{
	struct thread_entry *entry = entry__findnew(ident);
	uint32_t name_id = name ? session__string(name) : 0;
	struct pyframes_thread *record;
	PyObject *holder;
	Py_ssize_t bytes;
	const char *text;

	if (!entry || (entry->tid == tid && entry->name == name_id))
		return;
	if (entry->tid && entry->tid != tid)
		thread__write_end(entry->tid); /* idents are used again */
	entry->tid = tid;
	entry->name = name_id;
	if ((pid_t)tid == getpid())
		flags |= PYFRAMES_THREAD_MAIN;
	record = sidefile__begin(&session.side, PYFRAMES_RECORD_THREAD, SIDEFILE_NAMES,
				 sizeof(*record));
	if (record) {
		record->tid = tid;
		record->outer_tid = procinfo__outer_tid((pid_t)tid, session.host_namespace);
		record->name = name_id;
		record->flags = flags;
		sidefile__commit(&session.side);
	}
	text = name ? session__text(name, &bytes, &holder) : NULL;
	if (text) {
		procinfo__set_comm((pid_t)tid, text);
		Py_DECREF(holder);
	}
}

/* An attribute as an exact str, or NULL; no exception is left. */
static PyObject *thread__name(PyObject *thread)
{
	PyObject *name = PyObject_GetAttrString(thread, "_name");

	if (name && !PyUnicode_CheckExact(name))
		Py_CLEAR(name);
	PyErr_Clear();
	return name;
}

static unsigned long thread__number(PyObject *thread, const char *attribute)
{
	PyObject *value = PyObject_GetAttrString(thread, attribute);
	unsigned long number = 0;

	if (value && PyLong_Check(value))
		number = PyLong_AsUnsignedLong(value);
	Py_XDECREF(value);
	if (PyErr_Occurred()) {
		PyErr_Clear();
		number = 0;
	}
	return number;
}

/* threading._active: ident -> Thread; borrowed, NULL when threading is not imported. */
static PyObject *threading__active(void)
{
	PyObject *modules = PyImport_GetModuleDict();
	PyObject *module = PyDict_GetItemString(modules, "threading");
	PyObject *active = module ? PyObject_GetAttrString(module, "_active") : NULL;

	PyErr_Clear();
	if (active && !PyDict_CheckExact(active))
		Py_CLEAR(active);
	Py_XDECREF(active); /* the module keeps it */
	return active;
}

/* The Thread of the calling thread, borrowed, or NULL. */
static PyObject *threading__current(void)
{
	PyObject *active = threading__active();
	PyObject *ident = active ? PyLong_FromUnsignedLong(PyThread_get_thread_ident()) : NULL;
	PyObject *thread = ident ? PyDict_GetItemWithError(active, ident) : NULL;

	Py_XDECREF(ident);
	PyErr_Clear();
	return thread;
}

static void thread__write_self(PyObject *thread)
{
	PyObject *name = thread ? thread__name(thread) : NULL;

	if (!name && (pid_t)thread_state.tid == getpid()) {
		name = PyUnicode_FromString("MainThread");
		PyErr_Clear();
	}
	thread__write(PyThread_get_thread_ident(), thread_state.tid, name, 0);
	Py_XDECREF(name);
}

void threads__register(PyObject *thread)
{
	if (!thread_state.generation)
		cpython__deepen(PyThreadState_Get());
	thread_state.generation = session.generation;
	thread_state.tid = (uint32_t)syscall(SYS_gettid);
	thread_state.task = 0;
	stackpages__touch(TOUCH_BYTES);
	thread__write_self(thread ? thread : threading__current());
}

void threads__register_all(void)
{
	PyObject *active = threading__active();
	PyObject *threads = active ? PyDict_Values(active) : NULL;
	Py_ssize_t i;

	for (i = 0; threads && i < PyList_GET_SIZE(threads); i++) {
		PyObject *thread = PyList_GET_ITEM(threads, i);
		PyObject *name = thread__name(thread);
		unsigned long ident = thread__number(thread, "_ident");
		unsigned long tid = thread__number(thread, "_native_id");

		if (ident && tid)
			thread__write(ident, (uint32_t)tid, name, PYFRAMES_THREAD_BEFORE);
		Py_XDECREF(name);
	}
	Py_XDECREF(threads);
	PyErr_Clear();
}

enum thread_event threads__event_of(const PyCodeObject *code)
{
	static const char module[] = "threading.py";
	const char *name, *file;
	Py_ssize_t bytes;

	if (code->co_argcount < 1 || code->co_argcount > 2)
		return THREAD_EVENT_NONE;
	name = PyUnicode_AsUTF8(code->co_name);
	file = name ? PyUnicode_AsUTF8AndSize(code->co_filename, &bytes) : NULL;
	if (!file) {
		PyErr_Clear();
		return THREAD_EVENT_NONE;
	}
	if (bytes < (Py_ssize_t)sizeof(module) - 1 ||
	    strcmp(file + bytes - (sizeof(module) - 1), module))
		return THREAD_EVENT_NONE;
	if (code->co_argcount == 2)
		return strcmp(name, "name") ? THREAD_EVENT_NONE : THREAD_EVENT_RENAME;
	if (!strcmp(name, "_bootstrap"))
		return THREAD_EVENT_START;
	return strcmp(name, "_delete") && strcmp(name, "_stop") ? THREAD_EVENT_NONE
								: THREAD_EVENT_END;
}

/* Both functions of an end may be called; the first one counts.  The main thread goes on. */
static void thread__ended(unsigned long ident, uint32_t tid)
{
	struct thread_entry *entry = entry__find(ident);

	if (!entry || entry->tid != tid || (pid_t)tid == getpid())
		return;
	*entry = entries[--entry_count];
	thread__write_end(tid);
}

void threads__notice(enum thread_event event, const struct cpython_frame *frame)
{
	PyObject *thread = cpython__frame_argument(frame, 0);
	unsigned long ident, tid;
	PyObject *name;

	if (!thread)
		return;
	if (event == THREAD_EVENT_START) {
		thread__write_self(thread);
		return;
	}
	ident = thread__number(thread, "_ident");
	tid = thread__number(thread, "_native_id");
	if (!ident || !tid)
		return;
	if (event == THREAD_EVENT_END) {
		thread__ended(ident, (uint32_t)tid);
		return;
	}
	name = cpython__frame_argument(frame, 1);
	if (name && PyUnicode_CheckExact(name))
		thread__write(ident, (uint32_t)tid, name, 0);
}
