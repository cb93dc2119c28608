// SPDX-License-Identifier: GPL-2.0
#include "perfconv/resolve/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"
#include "perfconv/machine/codemap.h"
#include "perfconv/resolve/lines.h"

enum role { /* what a location is to a Python program */
	    ROLE_NATIVE,
	    ROLE_PYTHON,      /* a trampoline: stands for a Python function */
	    ROLE_INTERPRETER, /* the evaluator's object, pyframes itself, unnamed trampolines */
	    ROLE_KERNEL,
};

/* A location's frames in expanded: the function, then what is inlined in it. */
struct expansion {
	uint32_t first, n; /* n 0: not yet looked up */
};

struct resolver {
	const struct store *store;
	const struct machine *machine;
	struct symbols *symbols;
	struct python *python;
	struct resolve_options options;
	VEC(bool) interpreter;		  /* by dso id */
	VEC(struct expansion) expansions; /* by location id */
	VEC(uint32_t) expanded;		  /* frame ids, see struct expansion */
	VEC(uint32_t) done[2];		  /* store stack -> resolved stack, by cut; see NOT_DONE */
	VEC(uint32_t) path;		  /* scratch: locations of one stack, root first */
	VEC(uint32_t) path_lines;	  /* their Python functions' current lines */
	const struct lines *lines;	  /* NULL: not known */
	struct idmap lined_keys;	  /* (stack and cut, positions) */
	VEC(uint32_t) lined;		  /* by key: resolved stack */
	VEC(uint32_t) folded;		  /* by resolved stack: without lines, or NOT_DONE */
	VEC(uint64_t) weights;		  /* by resolved stack: of what was shown */
	size_t first_python, last_python; /* in path, or NO_PYTHON */
	struct idmap sources;		  /* (file and object, lines) of frames */
	uint32_t cut_frame, no_python_frame;
	struct resolved out;
};

#define NO_PYTHON SIZE_MAX
#define NOT_DONE (UINT32_MAX - 1)

static enum dso_kind kind_of(const struct resolver *r, uint32_t dso)
{
	return dsos__get(&r->machine->dsos, dso)->kind;
}

static struct place place_of(const struct resolver *r, uint32_t location)
{
	return store__get_location(r->store, location).place;
}

/* The ELF file that trampolines call into holds the evaluator.  A stack that was
 * unwound wrongly must not make another file one, so a share of the calls is asked for. */
#define INTERPRETER_SHARE 10u /* at least one of so many */

/* A trampoline of pyframes, or of CPython's own. */
static bool is_trampoline(struct resolver *r, uint32_t location)
{
	struct store_location l = store__get_location(r->store, location);
	struct place at = { l.place.dso, l.place.address - l.return_address };
	struct python_frame py;

	return kind_of(r, at.dso) == DSO_TRAMPOLINE || python__frame(r->python, at, &py);
}

static void find_interpreters(struct resolver *r)
{
	bool *trampoline = mem__alloc(r->store->locations.n, sizeof(*trampoline));
	uint64_t *calls = mem__alloc(r->machine->dsos.list.n, sizeof(*calls)), all = 0;
	const struct store *s = r->store;

	for (size_t i = 0; i < r->machine->dsos.list.n; i++) {
		const struct dso *dso = &r->machine->dsos.list.data[i];

		vec__push(&r->interpreter, !strncmp(dso__short_name(dso), "_pyframes.", 10));
	}
	for (uint32_t i = 0; i < s->locations.n; i++)
		trampoline[i] = is_trampoline(r, i);
	for (uint32_t i = 0; i < s->stacks.n; i++) {
		uint32_t parent = store__parent(s, i), dso;

		if (parent == STORE_NO_STACK || !trampoline[store__leaf(s, parent)])
			continue;
		dso = place_of(r, store__leaf(s, i)).dso;
		if (kind_of(r, dso) == DSO_ELF) {
			calls[dso]++;
			all++;
		}
	}
	for (size_t i = 0; i < r->machine->dsos.list.n; i++)
		if (calls[i] && calls[i] * INTERPRETER_SHARE >= all)
			r->interpreter.data[i] = true;
	free(calls);
	free(trampoline);
}

static uint32_t string(struct resolver *r, const char *text)
{
	return strtab__intern(&r->out.strings, text);
}

static uint32_t add_frame(struct resolver *r, const struct frame *f)
{
	uint64_t source = idmap__intern(&r->sources, (uint64_t)f->file << 32 | f->object,
					(uint64_t)f->first_line << 32 | f->line);
	uint32_t id = idmap__intern(&r->out.frame_keys, source,
				    (uint64_t)f->name << 32 | (uint64_t)f->kind << 1 | f->named);

	if (id < r->out.frames.n)
		return id;
	vec__push(&r->out.frames, *f);
	r->out.frames.data[id].base = id;
	if (f->line) {
		struct frame all = *f;
		uint32_t base;

		all.line = 0;
		base = add_frame(r, &all);
		r->out.frames.data[id].base = base;
	}
	return id;
}

struct resolver *resolver__new(const struct store *store, const struct machine *machine,
			       struct symbols *symbols, struct python *python,
			       const struct resolve_options *options)
{
	struct resolver *r = mem__alloc(1, sizeof(*r));

	r->store = store;
	r->machine = machine;
	r->symbols = symbols;
	r->python = python;
	r->options = *options;
	string(r, "");
	r->cut_frame = resolver__label(r, FRAME_NOTE, "[stack cut]");
	r->no_python_frame = resolver__label(r, FRAME_NOTE, "[no Python]");
	find_interpreters(r);
	return r;
}

void resolver__free(struct resolver *r)
{
	if (!r)
		return;
	vec__release(&r->interpreter);
	vec__release(&r->expansions);
	vec__release(&r->expanded);
	idmap__release(&r->sources);
	vec__release(&r->done[0]);
	vec__release(&r->done[1]);
	vec__release(&r->path);
	vec__release(&r->path_lines);
	idmap__release(&r->lined_keys);
	vec__release(&r->lined);
	vec__release(&r->folded);
	vec__release(&r->weights);
	strtab__release(&r->out.strings);
	vec__release(&r->out.frames);
	idmap__release(&r->out.stacks);
	idmap__release(&r->out.frame_keys);
	vec__release(&r->out.inlined);
	free(r);
}

const struct resolved *resolver__resolved(const struct resolver *r)
{
	return &r->out;
}

uint32_t resolver__label(struct resolver *r, enum frame_kind kind, const char *text)
{
	struct frame f = { .kind = kind, .named = true };

	f.name = string(r, text);
	return add_frame(r, &f);
}

void resolver__set_lines(struct resolver *r, const struct lines *lines)
{
	r->lines = lines;
}

const struct lines *resolver__lines(const struct resolver *r)
{
	return r->lines;
}

uint32_t resolver__python(struct resolver *r, const struct python_frame *py, uint32_t line)
{
	struct frame f = { .named = true, .line = line };
	/* A task often has its coroutine's name, whose frame follows. */
	char *name = py->task ? mem__format("%s" TASK_MARK, py->name) : mem__strdup(py->name);

	f.kind = py->task ? FRAME_TASK : FRAME_PYTHON;
	f.name = string(r, name);
	free(name);
	f.file = string(r, py->file);
	f.first_line = py->first_line;
	return add_frame(r, &f);
}

uint32_t resolver__push(struct resolver *r, uint32_t parent, uint32_t frame)
{
	return idmap__intern(&r->out.stacks, (uint64_t)(uint32_t)(parent + 1), frame);
}

enum frames_mode resolver__mode(const struct resolver *r)
{
	return r->options.mode;
}

/* The function at a place without debug information, or only the object's name. */
static struct frame function_frame(struct resolver *r, struct place at)
{
	const struct dso *dso = dsos__get(&r->machine->dsos, at.dso);
	const char *name = symbols__find(r->symbols, at);
	struct codemap_code code;
	struct frame f = {
		.kind = dso->kind == DSO_KERNEL ? FRAME_KERNEL : FRAME_NATIVE,
		.named = name != NULL,
		.interpreter = r->interpreter.data[at.dso],
	};
	const char *module = dso->kind == DSO_KERNEL ? machine__module(r->machine, at.address)
						     : NULL;

	if (name) {
		f.name = string(r, name);
	} else if (module) {
		f.name = string(r, module);
	} else if (*dso__short_name(dso) == '[') {
		f.name = string(r, dso__short_name(dso));
	} else {
		char *text = mem__format("[%s]", dso__short_name(dso));

		f.name = string(r, text);
		free(text);
	}
	f.object = f.file = string(r, module ? module : dso->path);
	if (r->machine->codemap && codemap__find(r->machine->codemap, at, &code) && *code.file) {
		f.file = string(r, code.file);
		f.first_line = code.line;
	}
	return f;
}

static void add_source(struct resolver *r, struct frame *f, const struct inline_frame *source)
{
	if (source->name && !f->named) {
		f->name = string(r, source->name);
		f->named = true;
	}
	if (source->file)
		f->file = string(r, source->file);
	f->line = source->line;
}

static void expand_native(struct resolver *r, struct place at)
{
	struct inline_frame sources[INLINES_MAX];
	size_t n = r->options.inlines ? symbols__sources(r->symbols, at, sources) : 0;
	struct frame function = function_frame(r, at), f = function;

	if (n)
		add_source(r, &f, &sources[n - 1]);
	vec__push(&r->expanded, add_frame(r, &f));
	for (size_t i = n ? n - 1 : 0; i-- > 0;) {
		f = (struct frame){ .object = function.object,
				    .file = function.object,
				    .kind = function.kind,
				    .interpreter = function.interpreter };
		add_source(r, &f, &sources[i]);
		if (f.named)
			vec__push(&r->expanded, add_frame(r, &f));
	}
}

static void expand(struct resolver *r, uint32_t location)
{
	struct store_location l = store__get_location(r->store, location);
	struct place at = { l.place.dso, l.place.address - l.return_address };
	struct python_frame py;

	if (python__frame(r->python, at, &py))
		vec__push(&r->expanded, resolver__python(r, &py, 0));
	else
		expand_native(r, at);
}

static struct expansion expansion_of(struct resolver *r, uint32_t location)
{
	while (r->expansions.n <= location)
		(void)vec__add(&r->expansions);
	if (!r->expansions.data[location].n) {
		uint32_t first = (uint32_t)r->expanded.n;

		expand(r, location);
		r->expansions.data[location] =
			(struct expansion){ first, (uint32_t)r->expanded.n - first };
	}
	return r->expansions.data[location];
}

/* The function that has the machine code. */
static uint32_t frame_of(struct resolver *r, uint32_t location)
{
	struct expansion e = expansion_of(r, location);

	return r->expanded.data[e.first];
}

static enum role role_of(struct resolver *r, uint32_t location)
{
	uint32_t dso = place_of(r, location).dso, frame = frame_of(r, location);
	const struct frame *f = &r->out.frames.data[frame];

	if (f->kind == FRAME_PYTHON || f->kind == FRAME_TASK)
		return ROLE_PYTHON;
	if (f->kind == FRAME_KERNEL)
		return ROLE_KERNEL;
	if (r->interpreter.data[dso] || kind_of(r, dso) == DSO_TRAMPOLINE)
		return ROLE_INTERPRETER;
	return ROLE_NATIVE;
}

static bool is_c_library(const char *path)
{
	const char *base = file__base(path);

	return !strncmp(base, "libc.so", 7) || !strncmp(base, "libc-2.", 7) ||
	       !strncmp(base, "libpthread", 10) || !strncmp(base, "ld-", 3);
}

/* What the C library does before the first function of a program or thread.  In a
 * stripped library these functions have no names. */
static bool is_start_up(const struct resolver *r, uint32_t id)
{
	static const char *const names[] = {
		"_start",
		"__libc_start_main",
		"__libc_start_call_main",
		"start_thread",
		"clone",
		"clone3",
		"__clone",
		"__clone3",
		"_dl_start_user",
		"thread_start",
	};
	const struct frame *f = &r->out.frames.data[id];
	const char *name = strtab__get(&r->out.strings, f->name);
	size_t n = strcspn(name, "@");

	if (!f->named)
		return is_c_library(strtab__get(&r->out.strings, f->file));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == n && !strncmp(names[i], name, n))
			return true;
	return false;
}

/* The frame of all lines of a frame's function. */
static uint32_t base_of(const struct resolver *r, uint32_t frame)
{
	return r->out.frames.data[frame].base;
}

static void note_inlined(struct resolver *r, uint32_t stack)
{
	while (r->out.inlined.n <= stack)
		vec__push(&r->out.inlined, false);
	r->out.inlined.data[stack] = true;
}

/* What a location stands for: its function and what is inlined there. */
static uint32_t push_all(struct resolver *r, uint32_t stack, size_t at, bool lined)
{
	struct expansion e = expansion_of(r, r->path.data[at]);

	for (uint32_t i = 0; i < e.n; i++) {
		uint32_t frame = r->expanded.data[e.first + i];

		if (r->path_lines.data[at]) {
			struct frame f = r->out.frames.data[frame];

			f.line = r->path_lines.data[at];
			frame = add_frame(r, &f);
		}
		stack = resolver__push(r, stack, lined ? frame : base_of(r, frame));
		if (i)
			note_inlined(r, stack);
	}
	return stack;
}

/* Root first into r->path, and where its Python frames begin and end. */
static void collect_path(struct resolver *r, uint32_t stack)
{
	size_t n = 0;

	for (uint32_t s = stack; s != STORE_NO_STACK; s = store__parent(r->store, s))
		n++;
	r->path.n = 0;
	vec__reserve(&r->path, n);
	r->path.n = n;
	r->path_lines.n = 0;
	for (size_t i = 0; i < r->path.n; i++)
		vec__push(&r->path_lines, 0);
	for (uint32_t s = stack; s != STORE_NO_STACK; s = store__parent(r->store, s))
		r->path.data[--n] = store__leaf(r->store, s);
	r->first_python = r->last_python = NO_PYTHON;
	for (size_t i = 0; i < r->path.n; i++) {
		if (role_of(r, r->path.data[i]) != ROLE_PYTHON)
			continue;
		if (r->first_python == NO_PYTHON)
			r->first_python = i;
		r->last_python = i;
	}
}

/* The path's Python functions get the lines of @positions, which tells of the inner ones. */
static void find_lines(struct resolver *r, uint32_t positions)
{
	const struct positions *p = &r->store->positions;

	for (size_t i = r->path.n; r->lines && i-- > 0 && positions != POSITIONS_NONE;) {
		uint32_t id = positions__observation(p, positions);

		if (kind_of(r, place_of(r, r->path.data[i]).dso) != DSO_TRAMPOLINE)
			continue;
		if (positions__get(p, id).trampoline != r->path.data[i])
			return;
		r->path_lines.data[i] = lines__of(r->lines, id);
		positions = positions__caller(p, positions);
	}
}

/*
 * Merged: before and between Python frames the interpreter's own frames are
 * machinery.  Past the last one they are where the time goes, so only the
 * evaluator's frame (the first after the trampoline) is left out, and runs of
 * frames without a name become one.
 */
static bool merged_keeps(struct resolver *r, size_t i, uint32_t leaf)
{
	uint32_t frame = frame_of(r, r->path.data[i]);
	enum role role = role_of(r, r->path.data[i]);

	if (r->first_python == NO_PYTHON)
		return true;
	if (i < r->first_python && is_start_up(r, frame))
		return false;
	if (i < r->last_python)
		return role == ROLE_PYTHON || role == ROLE_NATIVE;
	if (i == r->last_python + 1 && role == ROLE_INTERPRETER)
		return false;
	return r->out.frames.data[frame].named || leaf == RESOLVE_NO_STACK ||
	       base_of(r, resolved__leaf(&r->out, leaf)) != base_of(r, frame);
}

static bool keeps(struct resolver *r, size_t i, uint32_t leaf)
{
	enum role role = role_of(r, r->path.data[i]);

	switch (r->options.mode) {
	case FRAMES_PYTHON:
		return role == ROLE_PYTHON;
	case FRAMES_NATIVE:
		return role != ROLE_PYTHON;
	case FRAMES_MERGED:
		return merged_keeps(r, i, leaf);
	case FRAMES_ALL:
	default:
		return true;
	}
}

static uint32_t resolve_stack(struct resolver *r, uint32_t stack, bool cut, bool lined,
			      uint32_t positions)
{
	uint32_t out = cut ? resolver__push(r, RESOLVE_NO_STACK, r->cut_frame) : RESOLVE_NO_STACK;

	collect_path(r, stack);
	find_lines(r, positions);
	for (size_t i = 0; i < r->path.n; i++)
		if (keeps(r, i, out))
			out = push_all(r, out, i, lined);
	if (r->options.mode == FRAMES_PYTHON && r->first_python == NO_PYTHON)
		out = resolver__push(r, out, r->no_python_frame);
	return out;
}

uint32_t resolver__stack(struct resolver *r, uint32_t stack, bool cut)
{
	if (stack == STORE_NO_STACK)
		return RESOLVE_NO_STACK;
	while (r->done[cut].n <= stack)
		vec__push(&r->done[cut], NOT_DONE);
	if (r->done[cut].data[stack] == NOT_DONE) {
		uint32_t resolved = resolve_stack(r, stack, cut, r->options.lines, POSITIONS_NONE);

		r->done[cut].data[stack] = resolved;
	}
	return r->done[cut].data[stack];
}

uint32_t resolver__lined(struct resolver *r, uint32_t stack, bool cut, uint32_t positions)
{
	uint32_t key, resolved;

	if (stack == STORE_NO_STACK)
		return RESOLVE_NO_STACK;
	key = idmap__intern(&r->lined_keys, (uint64_t)stack << 1 | cut, positions);
	if (key == r->lined.n) {
		resolved = resolve_stack(r, stack, cut, true, positions);
		vec__push(&r->lined, resolved);
	}
	return r->lined.data[key];
}

uint32_t resolver__sample(struct resolver *r, const struct store_sample *s)
{
	uint32_t index = (uint32_t)(s - r->store->samples.data);
	bool cut = s->ending == STACK_TRUNCATED || s->ending == STACK_LOST;

	return resolver__lined(r, s->stack, cut, positions__of(&r->store->positions, index));
}

/* The same stack of frames that are of all lines. */
static uint32_t fold(struct resolver *r, uint32_t stack)
{
	uint32_t parent, folded;

	if (stack == RESOLVE_NO_STACK)
		return stack;
	while (r->folded.n <= stack)
		vec__push(&r->folded, NOT_DONE);
	if (r->folded.data[stack] != NOT_DONE)
		return r->folded.data[stack];
	parent = fold(r, resolved__parent(&r->out, stack));
	folded = resolver__push(r, parent, base_of(r, resolved__leaf(&r->out, stack)));
	if (resolved__inlined(&r->out, stack))
		note_inlined(r, folded);
	r->folded.data[stack] = folded;
	return folded;
}

uint32_t resolver__show(struct resolver *r, uint32_t stack, uint64_t weight)
{
	if (stack == RESOLVE_NO_STACK || r->options.lines)
		return stack;
	while (r->weights.n <= stack)
		vec__push(&r->weights, 0);
	r->weights.data[stack] += weight;
	return fold(r, stack);
}

/* A callee's id is higher than its caller's, so what stands above is counted before. */
static void sum_up(const struct resolver *r, uint64_t *stacks, uint64_t *frames)
{
	memcpy(stacks, r->weights.data, r->weights.n * sizeof(*stacks));
	for (uint32_t s = (uint32_t)r->weights.n; s-- > 0;) {
		uint32_t parent = resolved__parent(&r->out, s);

		if (parent != RESOLVE_NO_STACK)
			stacks[parent] += stacks[s];
		frames[resolved__leaf(&r->out, s)] += stacks[s];
	}
}

void resolver__note_lines(struct resolver *r)
{
	uint64_t *stacks, *frames, *most;

	if (!r->weights.n)
		return;
	stacks = mem__alloc(r->weights.n, sizeof(*stacks));
	frames = mem__alloc(r->out.frames.n, sizeof(*frames));
	most = mem__alloc(r->out.frames.n, sizeof(*most));
	sum_up(r, stacks, frames);
	for (size_t i = 0; i < r->out.frames.n; i++) {
		const struct frame *f = &r->out.frames.data[i];

		if (!f->line || frames[i] <= most[f->base])
			continue;
		most[f->base] = frames[i];
		r->out.frames.data[f->base].hot_line = f->line;
	}
	free(stacks);
	free(frames);
	free(most);
}
