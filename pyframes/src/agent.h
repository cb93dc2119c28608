/* SPDX-License-Identifier: MIT */
/*
 * agent.h - how a process is asked from outside to start, stop or dump.
 *
 * The dormant agent costs no thread and no descriptor: it waits for a real-time
 * signal that nobody else uses.  A request is sigqueue()d to the main thread; the
 * kernel admits only the same user and root.  Our handler keeps the number that
 * comes with the signal and passes on to Python's own handler, so that the
 * Python half runs where Python handlers run: in the main thread, between two
 * bytecodes, with asyncio's and uvloop's wake-up descriptors written to.
 *
 * For a process without the agent, a debugger may call pyframes_inject().
 */
#ifndef PYFRAMES_AGENT_H
#define PYFRAMES_AGENT_H

#include "cpython.h"

/**
 * agent__wrap() - Python method: wraps the handler that signal.signal() has installed
 * @signum: int
 *
 * Return: None, or NULL with OSError set when there is no handler.
 */
PyObject *agent__wrap(PyObject *module, PyObject *signum);

/** agent__request() - Python method: the newest request as an int, -1 when there is none */
PyObject *agent__request(PyObject *module, PyObject *unused);

/** agent__send() - Python method: send(pid, signum, request), to the process's main thread */
PyObject *agent__send(PyObject *module, PyObject *args);

/**
 * pyframes_inject() - for debuggers: lets a new thread start or stop pyframes
 * @path: directory that holds the package pyframes
 * @stop: 0 starts, 1 stops
 *
 * Return: 0 when the thread runs; its work is done when it gets the GIL.
 */
__attribute__((visibility("default"))) int pyframes_inject(const char *path, int stop);

#endif
