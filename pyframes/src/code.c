/* SPDX-License-Identifier: MIT */
/*
 * code.c - see code.h.
 */
#include "code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "threads.h"

#define SYMBOL_BYTES 512u
#define SYMBOL_NAME_BYTES 256u

Py_ssize_t code__index = -1;

/* Stands in for a trampoline where there is none to be had. */
static PyObject *pass_through(PyThreadState *thread, struct cpython_frame *frame, int exc,
			      cpython_eval next)
{
	return next(thread, frame, exc);
}

/* The interpreter calls this when a code object is freed. */
static void code__release(void *value)
{
	struct codeinfo *info = value;
	struct pyframes_code_death *record;

	if (info && info->owner == session.generation && session__is_ours()) {
		record = sidefile__begin(&session.side, PYFRAMES_RECORD_CODE_DEATH, SIDEFILE_NAMES,
					 sizeof(*record));
		if (record) {
			record->id = info->id;
			sidefile__commit(&session.side);
		}
	}
	free(info);
}

int code__init(struct errbuf *err)
{
	if (code__index < 0)
		code__index = cpython__request_index(code__release);
	if (code__index < 0) {
		PyErr_Clear();
		return errbuf__set(err, -ENOSPC,
				   "the interpreter has no place left on its code "
				   "objects");
	}
	return 0;
}

static size_t symbol__append(char *symbol, size_t used, size_t capacity, const char *text)
{
	for (; *text && used < capacity; text++)
		symbol[used++] = (unsigned char)*text < ' ' || *text == '@' || *text == 127 ? '_'
											    : *text;
	while (*text && used && ((unsigned char)*text & 0xc0) == 0x80) {
		used--; /* do not end inside a character */
		text--;
	}
	return used;
}

size_t code__symbol(char *symbol, size_t capacity, const char *prefix, const char *name,
		    const char *file)
{
	size_t limit = capacity < SYMBOL_NAME_BYTES ? capacity : SYMBOL_NAME_BYTES;
	size_t used = symbol__append(symbol, 0, limit, prefix);
	size_t file_bytes;

	used = symbol__append(symbol, used, limit, name);
	if (!file || used + 2 > capacity)
		return used;
	symbol[used++] = ':';
	file_bytes = strlen(file);
	if (file_bytes > capacity - used) {
		file += file_bytes - (capacity - used);
		while (((unsigned char)*file & 0xc0) == 0x80)
			file++;
	}
	return symbol__append(symbol, used, capacity, file);
}

/* A trampoline under "py::qualname:file"; slot 0 where there is none left. */
static void *code__slot(PyObject *qualname, PyObject *file, uint32_t *arena, uint32_t *slot)
{
	PyObject *name_holder = NULL, *file_holder = NULL;
	const char *name_text, *file_text;
	char symbol[SYMBOL_BYTES];
	void *entry = NULL;
	Py_ssize_t bytes;

	*arena = 0;
	*slot = PYFRAMES_NO_SLOT;
	name_text = session__text(qualname, &bytes, &name_holder);
	file_text = session__text(file, &bytes, &file_holder);
	if (name_text && file_text)
		entry = session__slot(
			symbol, code__symbol(symbol, sizeof(symbol), "py::", name_text, file_text),
			arena, slot);
	Py_XDECREF(name_holder);
	Py_XDECREF(file_holder);
	return entry;
}

static uint32_t code__write(const struct pyframes_code *fields, PyObject *bytecode,
			    PyObject *line_table)
{
	size_t code_bytes = (size_t)PyBytes_GET_SIZE(bytecode);
	size_t line_bytes = (size_t)PyBytes_GET_SIZE(line_table);
	struct pyframes_code *record;

	record = sidefile__begin(&session.side, PYFRAMES_RECORD_CODE, SIDEFILE_NAMES,
				 sizeof(*record) + ((code_bytes + 7) & ~(size_t)7) + line_bytes);
	if (!record)
		return session.side.next_code++;
	*record = *fields;
	record->id = session.side.next_code++;
	record->bytecode_bytes = (uint32_t)code_bytes;
	record->line_table_bytes = (uint32_t)line_bytes;
	memcpy(record + 1, PyBytes_AS_STRING(bytecode), code_bytes);
	memcpy((char *)(record + 1) + ((code_bytes + 7) & ~(size_t)7),
	       PyBytes_AS_STRING(line_table), line_bytes);
	sidefile__commit(&session.side);
	return record->id;
}

/* Everything that can fail has been got; what follows runs no Python code. */
static void code__enter(struct codeinfo *info, PyCodeObject *code, PyObject *qualname,
			PyObject *bytecode, uint64_t bytecode_addr)
{
	struct pyframes_code fields = {
		.kind = PYFRAMES_CODE_FUNCTION,
		.first_line = (uint32_t)code->co_firstlineno,
		.flags = (uint32_t)code->co_flags,
		.code_addr = (uint64_t)(uintptr_t)code,
		.bytecode_addr = bytecode_addr,
	};
	void *entry = code__slot(qualname, code->co_filename, &fields.arena, &fields.slot);

	fields.name = session__string(qualname);
	fields.file = session__string(code->co_filename);
	info->id = code__write(&fields, bytecode, cpython__line_table(code));
	info->entry = entry ? entry : (void *)(uintptr_t)pass_through;
	info->special = threads__event_of(code);
	info->owner = session.generation;
	info->generation = info->special ? SESSION_NEVER : session.generation;
}

static struct codeinfo *code__own_info(PyCodeObject *code)
{
	struct codeinfo *info = cpython__get_extra(code, code__index);

	if (info)
		return info;
	info = calloc(1, sizeof(*info));
	if (info && cpython__set_extra(code, code__index, info)) {
		free(info);
		info = NULL;
	}
	return info;
}

struct codeinfo *code__findnew(PyCodeObject *code, const struct cpython_frame *frame)
{
	struct codeinfo *info = cpython__get_extra(code, code__index);
	PyObject *qualname, *bytecode = NULL;
	uint64_t bytecode_addr = 0;

	if (info && info->owner == session.generation)
		return info;
	qualname = cpython__qualname(code, frame);
	if (qualname)
		bytecode = cpython__bytecode(code, &bytecode_addr);
	info = bytecode ? code__own_info(code) : NULL;
	if (info && info->owner != session.generation)
		code__enter(info, code, qualname, bytecode, bytecode_addr);
	Py_XDECREF(qualname);
	Py_XDECREF(bytecode);
	PyErr_Clear();
	return info;
}

void *code__add_task(PyObject *name)
{
	struct pyframes_code fields = { .kind = PYFRAMES_CODE_TASK };
	struct pyframes_code *record;
	char symbol[SYMBOL_BYTES];
	PyObject *holder;
	Py_ssize_t bytes;
	const char *text = session__text(name, &bytes, &holder);
	void *entry;

	if (!text)
		return NULL;
	entry = session__slot(symbol, code__symbol(symbol, sizeof(symbol), "task:", text, NULL),
			      &fields.arena, &fields.slot);
	Py_DECREF(holder);
	if (!entry)
		return NULL;
	fields.name = session__string(name);
	record = sidefile__begin(&session.side, PYFRAMES_RECORD_CODE, SIDEFILE_NAMES,
				 sizeof(*record));
	if (record) {
		*record = fields;
		record->id = session.side.next_code++;
		sidefile__commit(&session.side);
	}
	return entry;
}
