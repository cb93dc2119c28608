/* SPDX-License-Identifier: MIT */
/*
 * agent.c - see agent.h.
 */
#include "agent.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void (*python_handler)(int);
static int request = -1; /* atomic: the handler may run between any two instructions */

static void on_signal(int signum, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code != SI_QUEUE)
		return;
	__atomic_store_n(&request, info->si_value.sival_int, __ATOMIC_RELEASE);
	python_handler(signum);
}

PyObject *agent__wrap(PyObject *module, PyObject *signum)
{
	int number = (int)PyLong_AsLong(signum);
	struct sigaction action;

	(void)module;
	if (number == -1 && PyErr_Occurred())
		return NULL;
	if (sigaction(number, NULL, &action) < 0)
		return PyErr_SetFromErrno(PyExc_OSError);
	if ((action.sa_flags & SA_SIGINFO) || action.sa_handler == SIG_DFL ||
	    action.sa_handler == SIG_IGN) {
		errno = EBUSY;
		return PyErr_SetFromErrno(PyExc_OSError);
	}
	python_handler = action.sa_handler;
	action.sa_sigaction = on_signal;
	action.sa_flags |= SA_SIGINFO;
	if (sigaction(number, &action, NULL) < 0)
		return PyErr_SetFromErrno(PyExc_OSError);
	Py_RETURN_NONE;
}

PyObject *agent__request(PyObject *module, PyObject *unused)
{
	(void)module;
	(void)unused;
	return PyLong_FromLong(__atomic_exchange_n(&request, -1, __ATOMIC_ACQ_REL));
}

PyObject *agent__send(PyObject *module, PyObject *args)
{
	int pid, signum, value;
	siginfo_t info;

	(void)module;
	if (!PyArg_ParseTuple(args, "iii", &pid, &signum, &value))
		return NULL;
	memset(&info, 0, sizeof(info));
	info.si_signo = signum;
	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_int = value;
	if (syscall(SYS_rt_tgsigqueueinfo, pid, pid, signum, &info) < 0)
		return PyErr_SetFromErrno(PyExc_OSError);
	Py_RETURN_NONE;
}

struct injection {
	char path[PATH_MAX];
	int stop;
};

static struct injection injection;

/* The package may lie outside of the host's path; the path is lent for the import. */
static void inject__run(void)
{
	PyObject *path = PySys_GetObject("path");
	PyObject *entry = PyUnicode_DecodeFSDefault(injection.path);
	PyObject *module = NULL, *result = NULL;

	if (path && entry && PyList_Append(path, entry) == 0) {
		module = PyImport_ImportModule("pyframes");
		PySequence_DelItem(path, PySequence_Index(path, entry));
	}
	if (module)
		result = PyObject_CallMethod(module, injection.stop ? "stop" : "start", NULL);
	if (!result)
		PyErr_WriteUnraisable(module);
	Py_XDECREF(result);
	Py_XDECREF(module);
	Py_XDECREF(entry);
}

static void *inject__main(void *unused)
{
	PyGILState_STATE state = PyGILState_Ensure();

	inject__run();
	PyGILState_Release(state);
	return unused;
}

int pyframes_inject(const char *path, int stop)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int ret;

	if (!Py_IsInitialized() || strlen(path) >= sizeof(injection.path))
		return -EINVAL;
	strcpy(injection.path, path);
	injection.stop = stop;
	ret = pthread_attr_init(&attributes);
	if (ret)
		return -ret;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	ret = pthread_create(&thread, &attributes, inject__main, NULL);
	pthread_attr_destroy(&attributes);
	return -ret;
}
