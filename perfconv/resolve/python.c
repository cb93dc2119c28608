// SPDX-License-Identifier: GPL-2.0
#include "perfconv/resolve/python.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"

#define SYMBOL_PREFIX "py::"
#define TASK_PREFIX "task:"

struct tried {		       /* a token, and what came of it */
	const char *token;     /* the dso's */
	struct sidefile *file; /* NULL: not there, or broken */
};

struct python {
	const struct machine *machine;
	struct symbols *symbols;
	VEC(struct sidefile *) by_dso; /* NULL: no trampoline, or no side file; borrowed */
	VEC(struct tried) tried;       /* owns the files */
	struct strtab names;	       /* of frames known by symbol only */
	struct python_files counts;
	struct errbuf broken; /* the first broken file's message, or "" */
};

static struct tried *find_by_token(struct python *py, const char *token)
{
	for (size_t i = 0; i < py->tried.n; i++)
		if (!strcmp(py->tried.data[i].token, token))
			return &py->tried.data[i];
	return NULL;
}

static struct sidefile *open_side_file(struct python *py, struct images *images,
				       const struct dso *dso)
{
	char *recorded = mem__format("%.*spyframes-%s.side",
				     (int)(file__base(dso->path) - dso->path), dso->path,
				     dso->token);
	char *path = images__find_beside(images, &dso->origin, recorded);
	struct sidefile *file = NULL;
	struct errbuf err;

	if (!path) {
		py->counts.missing++;
	} else if (sidefile__open(&file, path, &err)) {
		if (!py->counts.broken++)
			py->broken = err;
	} else {
		py->counts.read++;
		py->counts.dropped += file->dropped;
		py->counts.bad_records += file->bad_records;
		py->counts.unknown_records += file->unknown_types;
	}
	free(path);
	free(recorded);
	return file;
}

static struct sidefile *side_file_of(struct python *py, struct images *images, uint32_t id)
{
	const struct dso *dso = dsos__get(&py->machine->dsos, id);
	struct tried *tried;

	if (dso->kind != DSO_TRAMPOLINE)
		return NULL;
	py->counts.arenas_missing += !images__get(images, &py->machine->dsos, id);
	tried = find_by_token(py, dso->token);
	if (!tried) {
		struct sidefile *file = open_side_file(py, images, dso);

		vec__push(&py->tried, ((struct tried){ dso->token, file }));
		return file;
	}
	return tried->file;
}

struct python *python__new(const struct machine *machine, struct images *images,
			   struct symbols *symbols)
{
	struct python *py = mem__alloc(1, sizeof(*py));

	py->machine = machine;
	py->symbols = symbols;
	for (uint32_t i = 0; i < machine->dsos.list.n; i++) {
		struct sidefile *file = side_file_of(py, images, i);

		vec__push(&py->by_dso, file);
	}
	return py;
}

void python__free(struct python *py)
{
	if (!py)
		return;
	for (size_t i = 0; i < py->tried.n; i++)
		sidefile__free(py->tried.data[i].file);
	vec__release(&py->tried);
	vec__release(&py->by_dso);
	strtab__release(&py->names);
	free(py);
}

static const struct sidefile_code *code_at(const struct python *py, const struct dso *dso,
					   struct place place)
{
	const struct sidefile *file = py->by_dso.data[place.dso];
	const struct sidefile_arena *arena = file ? sidefile__arena(file, dso->arena) : NULL;
	uint64_t address = place.address + dso->mapped_at;

	if (!arena || address < arena->base ||
	    address - arena->base >= (uint64_t)arena->slots * arena->slot_bytes)
		return NULL;
	return sidefile__code(file, dso->arena,
			      (uint32_t)((address - arena->base) / arena->slot_bytes));
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
	code = code_at(py, dso, place);
	if (code) {
		*out = (struct python_frame){ code->name, code->file, code->first_line,
					      code->task };
		return true;
	}
	symbol = symbols__find(py->symbols, place);
	return symbol && frame_of_symbol(py, symbol, out);
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
	const struct maps *maps = &machine__process_of(py->machine, id)->maps;
	struct maps_position at = maps__end(maps);
	const struct map *map;

	while ((map = maps__before(maps, &at)))
		if (py->by_dso.data[map->dso])
			return py->by_dso.data[map->dso];
	return NULL;
}

uint32_t python__version(const struct python *py)
{
	for (size_t i = 0; i < py->tried.n; i++)
		if (py->tried.data[i].file)
			return py->tried.data[i].file->python_hex;
	return 0;
}

struct python_files python__files(const struct python *py)
{
	return py->counts;
}

const char *python__broken(const struct python *py)
{
	return py->broken.text;
}
