// SPDX-License-Identifier: GPL-2.0
#include "perfconv/resolve/python.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"

#define SYMBOL_PREFIX "py::"
#define TASK_PREFIX "task:"

struct python {
	const struct machine *machine;
	struct symbols *symbols;
	struct sidefiles *sidefiles;
	VEC(const struct sidefile *) by_dso;	 /* NULL: no trampoline, or no side file */
	VEC(const struct sidefile *) by_process; /* NULL: none was read */
	struct strtab names;			 /* of frames known by symbol only */
	uint64_t arenas_missing;
};

/* Of what a process has mapped in the end. */
static const struct sidefile *find_side_file(const struct python *py, const struct maps *maps)
{
	struct maps_position at = maps__end(maps);
	const struct map *map;

	while ((map = maps__before(maps, &at)))
		if (py->by_dso.data[map->dso])
			return py->by_dso.data[map->dso];
	return NULL;
}

struct python *python__new(const struct machine *machine, struct images *images,
			   struct symbols *symbols, struct sidefiles *sidefiles)
{
	struct python *py = mem__alloc(1, sizeof(*py));

	py->machine = machine;
	py->symbols = symbols;
	py->sidefiles = sidefiles;
	for (uint32_t i = 0; i < machine->dsos.list.n; i++) {
		const struct dso *dso = dsos__get(&machine->dsos, i);
		const struct sidefile *file = sidefiles__get(sidefiles, dso);

		if (dso->kind == DSO_TRAMPOLINE)
			py->arenas_missing += !images__get(images, &machine->dsos, i);
		vec__push(&py->by_dso, file);
	}
	for (size_t i = 0; i < machine->processes.n; i++)
		vec__push(&py->by_process, find_side_file(py, &machine->processes.data[i].maps));
	return py;
}

void python__free(struct python *py)
{
	if (!py)
		return;
	vec__release(&py->by_dso);
	vec__release(&py->by_process);
	strtab__release(&py->names);
	free(py);
}

/* "py::qualname:file" or "task:name", as the trampoline file's symbol table has it. */
static bool frame_of_symbol(struct python *py, const char *symbol, struct python_frame *out)
{
	const char *colon;
	char *name;

	memset(out, 0, sizeof(*out));
	out->file = "";
	if (!strncmp(symbol, TASK_PREFIX, strlen(TASK_PREFIX))) {
		out->name = symbol + strlen(TASK_PREFIX);
		out->task = true;
		return true;
	}
	if (strncmp(symbol, SYMBOL_PREFIX, strlen(SYMBOL_PREFIX)))
		return false;
	symbol += strlen(SYMBOL_PREFIX);
	colon = strchr(symbol, ':');
	if (colon)
		out->file = colon + 1;
	name = mem__format("%.*s", (int)strcspn(symbol, ":"), symbol);
	out->name = strtab__get(&py->names, strtab__intern(&py->names, name));
	free(name);
	return true;
}

/* May it have CPython's own trampolines: generated code, or what perf inject makes of it? */
static bool is_generated(const struct dso *dso)
{
	const char *name = file__base(dso->path);
	size_t n = strlen(name);

	return dso->kind == DSO_MEMORY || dso->kind == DSO_JITDUMP ||
	       (dso->kind == DSO_ELF && !strncmp(name, "jitted-", 7) && n > 10 &&
		!strcmp(name + n - 3, ".so"));
}

bool python__frame(struct python *py, struct place place, struct python_frame *out)
{
	const struct dso *dso = dsos__get(&py->machine->dsos, place.dso);
	const struct sidefile_code *code;
	const char *symbol;

	if (is_generated(dso)) {
		symbol = symbols__find(py->symbols, place);
		return symbol && !strncmp(symbol, SYMBOL_PREFIX, strlen(SYMBOL_PREFIX)) &&
		       frame_of_symbol(py, symbol, out);
	}
	if (dso->kind != DSO_TRAMPOLINE)
		return false;
	code = sidefiles__code(py->sidefiles, dso, place.address);
	if (code) {
		*out = (struct python_frame){ code->name, code->file, code->first_line,
					      code->task };
		return true;
	}
	symbol = symbols__find(py->symbols, place);
	return symbol && frame_of_symbol(py, symbol, out);
}

const struct sidefile_code *python__code(struct python *py, struct place place,
					 uint32_t *python_hex)
{
	const struct dso *dso = dsos__get(&py->machine->dsos, place.dso);
	const struct sidefile_code *code = sidefiles__code(py->sidefiles, dso, place.address);

	if (!code || code->task)
		return NULL;
	*python_hex = py->by_dso.data[place.dso]->python_hex;
	return code;
}

const char *python__thread_name(const struct python *py, uint32_t id)
{
	const struct thread *t = &py->machine->threads.data[id];
	const struct maps *maps = &py->machine->processes.data[t->process].maps;
	struct maps_position at = maps__end(maps);
	const struct map *map;

	while ((map = maps__before(maps, &at))) {
		const struct sidefile *file = py->by_dso.data[map->dso];
		const char *name = file ? sidefile__thread_name(file, t->tid) : NULL;

		if (name)
			return name;
	}
	return NULL;
}

const struct sidefile *python__side_file(const struct python *py, uint32_t id)
{
	return py->by_process.data[py->machine->threads.data[id].process];
}

uint32_t python__version(const struct python *py)
{
	for (size_t i = 0; i < py->sidefiles->list.n; i++)
		if (py->sidefiles->list.data[i].file)
			return py->sidefiles->list.data[i].file->python_hex;
	return 0;
}

struct python_files python__files(const struct python *py)
{
	struct sidefiles_counts n = sidefiles__counts(py->sidefiles);

	return (struct python_files){ n, py->arenas_missing };
}

const char *python__broken(const struct python *py)
{
	return py->sidefiles->broken.text;
}
