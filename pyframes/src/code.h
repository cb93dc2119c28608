/* SPDX-License-Identifier: MIT */
/*
 * code.h - what pyframes knows about a code object: its trampoline and its id.
 *
 * The knowledge hangs on the code object itself (PEP 523's extra places), so the
 * hook finds it with two loads and it dies with the code object.
 */
#ifndef PYFRAMES_CODE_H
#define PYFRAMES_CODE_H

#include "cpython.h"
#include "errbuf.h"

/**
 * struct codeinfo
 * @generation: session in which the hook may use @entry at once, or SESSION_NEVER: it must ask
 * @owner:      session in which it is registered
 * @id:         pyframes_code.id
 * @special:    enum thread_event to be noticed when the code is called, or 0
 * @entry:      trampoline, or a function that calls the evaluator; never NULL
 */
struct codeinfo {
	uint32_t generation;
	uint32_t owner;
	uint32_t id;
	uint32_t special;
	void *entry;
};

/* Index of the codeinfo on code objects; -1 before code__init(). */
extern Py_ssize_t code__index;

/**
 * code__init() - takes a place on code objects, once per process
 *
 * Return: 0, or -errno with @err set.
 */
int code__init(struct errbuf *err);

/**
 * code__findnew() - the info of a code object, registered in this session at need
 * @frame: a frame about to run it, which may help to name it; or NULL
 *
 * No exception may be set on entry, and none is left.
 *
 * Return: the info, owned by the code object; NULL without memory.
 */
struct codeinfo *code__findnew(PyCodeObject *code, const struct cpython_frame *frame);

/**
 * code__symbol() - builds a symbol name: prefix, name, and ":file" if there is one
 * @symbol: receives at most @capacity bytes without '\n', '@', NUL; over-long names
 *          are cut at their end, over-long files at their beginning
 *
 * Return: its length.
 */
size_t code__symbol(char *symbol, size_t capacity, const char *prefix, const char *name,
		    const char *file);

/** code__add_task() - a trampoline under a task's name; like code__findnew()'s entry, or NULL */
void *code__add_task(PyObject *name);

#endif
