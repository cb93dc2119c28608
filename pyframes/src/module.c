/* SPDX-License-Identifier: MIT */
/*
 * module.c - the Python module pyframes._pyframes: arguments in, results out.
 *
 * Single-phase initialisation on purpose: there is one hook per process, and
 * sub-interpreters that insist on isolation are refused by the import system.
 */
#include "cpython.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "hook.h"
#include "privdir.h"
#include "session.h"
#include "snapshot.h"

static char *directory_kept; /* session options point to it */

static PyObject *raise_error(int error, const struct errbuf *err)
{
	PyObject *args = Py_BuildValue("(iN)", -error, PyUnicode_DecodeFSDefault(err->text));

	if (args)
		PyErr_SetObject(PyExc_OSError, args);
	Py_XDECREF(args);
	return NULL;
}

PyDoc_STRVAR(start_doc,
	     "start(directory, slots, side_bytes, ring_entries, snapshot_ns, tasks)\n--\n\n"
	     "Put the hook in place; the directory is bytes, b'' is the default one.\n\n"
	     "Raises OSError when that is not possible.");

static PyObject *module_start(PyObject *module, PyObject *args)
{
	struct session_options options = { 0 };
	unsigned int slots;
	unsigned long long side_bytes, ring_entries, snapshot_ns;
	const char *directory;
	struct errbuf err;
	char *copy;
	int tasks, ret;

	(void)module;
	if (!PyArg_ParseTuple(args, "yIKKKp", &directory, &slots, &side_bytes, &ring_entries,
			      &snapshot_ns, &tasks))
		return NULL;
	copy = strdup(directory);
	if (!copy)
		return PyErr_NoMemory();
	options.directory = copy;
	options.slots = slots;
	options.side_bytes = side_bytes;
	options.ring_entries = ring_entries;
	options.snapshot_ns = snapshot_ns;
	options.tasks = tasks;
	ret = hook__start(&options, &err);
	if (session.options.directory != copy) {
		free(copy);
	} else {
		free(directory_kept);
		directory_kept = copy;
	}
	if (ret)
		return raise_error(ret, &err);
	Py_RETURN_NONE;
}

PyDoc_STRVAR(stop_doc, "stop(remove)\n--\n\nTake the hook away; delete the files if asked to.");

static PyObject *module_stop(PyObject *module, PyObject *remove)
{
	int wanted = PyObject_IsTrue(remove);

	(void)module;
	if (wanted < 0)
		return NULL;
	hook__stop();
	if (wanted)
		session__remove();
	Py_RETURN_NONE;
}

PyDoc_STRVAR(finish_doc, "finish(remove)\n--\n\nThe interpreter ends: stop and close the files.");

static PyObject *module_finish(PyObject *module, PyObject *remove)
{
	PyObject *stopped = module_stop(module, remove);

	session__finish();
	return stopped;
}

PyDoc_STRVAR(snapshot_doc, "snapshot()\n--\n\n"
			   "Write every thread's Python stack into the side file.\n\n"
			   "Returns whether that was possible.");

static PyObject *module_snapshot(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	if (!hook__is_active() || hook__renew())
		Py_RETURN_FALSE;
	return PyBool_FromLong(snapshot__take(PYFRAMES_SNAPSHOT_REQUEST) == 0);
}

PyDoc_STRVAR(status_doc, "status()\n--\n\nWhat is going on, as a dict.");

static PyObject *module_status(PyObject *module, PyObject *unused)
{
	const struct pyframes_header *header = session__is_ours() ? session.side.header : NULL;
	unsigned int slots = 0, i;

	(void)module;
	(void)unused;
	for (i = 0; header && i < session.arenas_open; i++)
		slots += session.arenas[i].next_slot - 1;
	return Py_BuildValue("{sOsNsssNsIsIsKsKsKsO}", "active",
			     hook__is_active() && session__is_on() ? Py_True : Py_False,
			     "directory", PyUnicode_DecodeFSDefault(session.dir.path), "token",
			     header ? session.token : "", "side_file",
			     PyUnicode_DecodeFSDefault(header ? session.side.path : ""), "arenas",
			     header ? session.arenas_open : 0, "trampolines", slots, "used_bytes",
			     header ? header->used_bytes : (uint64_t)0, "dropped_records",
			     header ? header->dropped_records : (uint64_t)0, "task_steps",
			     header ? header->ring_head : (uint64_t)0, "full",
			     session.arenas_full ? Py_True : Py_False);
}

PyDoc_STRVAR(is_main_doc, "is_main_interpreter()\n--\n\nWhether this is the only one profiled.");

static PyObject *module_is_main(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	return PyBool_FromLong(PyInterpreterState_Get() == PyInterpreterState_Main());
}

PyDoc_STRVAR(gil_doc, "gil_stops_all()\n--\n\nWhether no other interpreter may run beside us.");

static PyObject *module_gil_stops_all(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	return PyBool_FromLong(cpython__gil_stops_all());
}

PyDoc_STRVAR(directory_doc, "directory(wanted)\n--\n\n"
			    "Find or make the private directory (bytes, b'': the default one).\n\n"
			    "Raises OSError when it is not safe.");

static PyObject *module_directory(PyObject *module, PyObject *args)
{
	struct privdir dir;
	struct errbuf err;
	const char *wanted;
	int ret;

	(void)module;
	if (!PyArg_ParseTuple(args, "y", &wanted))
		return NULL;
	ret = privdir__init(&dir, wanted, &err);
	return ret ? raise_error(ret, &err) : PyUnicode_DecodeFSDefault(dir.path);
}

PyDoc_STRVAR(wrap_doc, "agent_wrap(signum)\n--\n\nMake a Python signal handler the agent's.");
PyDoc_STRVAR(request_doc, "agent_request()\n--\n\nThe newest request, -1 when there is none.");
PyDoc_STRVAR(send_doc, "agent_send(pid, signum, request)\n--\n\nAsk the agent of a process.");

static PyMethodDef methods[] = {
	{ "agent_wrap", agent__wrap, METH_O, wrap_doc },
	{ "agent_request", agent__request, METH_NOARGS, request_doc },
	{ "agent_send", agent__send, METH_VARARGS, send_doc },
	{ "is_main_interpreter", module_is_main, METH_NOARGS, is_main_doc },
	{ "gil_stops_all", module_gil_stops_all, METH_NOARGS, gil_doc },
	{ "directory", module_directory, METH_VARARGS, directory_doc },
	{ "start", module_start, METH_VARARGS, start_doc },
	{ "stop", module_stop, METH_O, stop_doc },
	{ "finish", module_finish, METH_O, finish_doc },
	{ "snapshot", module_snapshot, METH_NOARGS, snapshot_doc },
	{ "status", module_status, METH_NOARGS, status_doc },
	{ NULL, NULL, 0, NULL },
};

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, .m_name = "pyframes._pyframes", .m_doc = "The C half of pyframes.",
	.m_size = -1,	       .m_methods = methods,
};

PyMODINIT_FUNC PyInit__pyframes(void);

PyMODINIT_FUNC PyInit__pyframes(void)
{
	return PyModule_Create(&definition);
}
