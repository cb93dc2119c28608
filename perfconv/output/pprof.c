// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/pprof.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/base/utf8.h"
#include "perfconv/output/facts.h"
#include "perfconv/output/protobuf.h"
#include "perfconv/output/shown.h"
#include "perfconv/output/sums.h"

/* Field numbers of profile.proto. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE,
	PROFILE_MAPPING,
	PROFILE_LOCATION,
	PROFILE_FUNCTION,
	PROFILE_STRING_TABLE,
	PROFILE_TIME_NANOS = 9,
	PROFILE_DURATION_NANOS,
	PROFILE_PERIOD_TYPE,
	PROFILE_PERIOD,
	PROFILE_COMMENT,
	PROFILE_DEFAULT_SAMPLE_TYPE,
};
enum { VALUE_TYPE = 1, VALUE_UNIT };
enum { SAMPLE_LOCATION_ID = 1, SAMPLE_VALUE, SAMPLE_LABEL };
enum { LABEL_KEY = 1, LABEL_STR, LABEL_NUM };
enum { LOCATION_ID = 1, LOCATION_MAPPING_ID, LOCATION_ADDRESS, LOCATION_LINE };
enum { LINE_FUNCTION_ID = 1, LINE_LINE };
enum {
	FUNCTION_ID = 1,
	FUNCTION_NAME,
	FUNCTION_SYSTEM_NAME,
	FUNCTION_FILENAME,
	FUNCTION_START_LINE
};
enum {
	MAPPING_ID = 1,
	MAPPING_FILENAME = 5,
	MAPPING_BUILD_ID,
	MAPPING_HAS_FUNCTIONS,
	MAPPING_HAS_FILENAMES,
	MAPPING_HAS_LINE_NUMBERS,
	MAPPING_HAS_INLINE_FRAMES,
};

struct writer {
	struct sink *sink;
	const struct output_source *from;
	const struct resolved *resolved;
	struct shown shown;
	struct strtab strings;
	struct protobuf message, inner; /* scratch */
	/* A location is a chain of frames, innermost first: (chain so far + 1, frame).  Its
	 * id is that of the chain, plus 1. */
	struct idmap chains;
	VEC(bool) written;	 /* by chain: it is a location in the file */
	VEC(uint64_t) locations; /* scratch: of one stack */
	VEC(uint64_t) values;	 /* scratch: all columns of a sample */
	bool *counted;		 /* by place in the profile's hits: its samples are in the file */
	size_t columns;
};

static uint64_t string(struct writer *w, const char *text)
{
	return strtab__intern(&w->strings, text);
}

static uint64_t shown_string(struct writer *w, uint32_t id)
{
	return string(w, strtab__get(&w->resolved->strings, id));
}

/* One line of the location in the making. */
static void add_line(struct writer *w, uint32_t frame)
{
	const struct frame *f = &w->resolved->frames.data[frame];

	protobuf__number(&w->inner, LINE_FUNCTION_ID, w->shown.function_of[frame] + 1u);
	protobuf__number(&w->inner, LINE_LINE, f->line);
	protobuf__message(&w->message, LOCATION_LINE, &w->inner);
}

/* @stack: of the innermost function of a location. */
static void write_location(struct writer *w, uint32_t stack, uint32_t chain)
{
	const struct resolved *r = w->resolved;
	uint32_t object = r->frames.data[resolved__leaf(r, stack)].object;
	bool inlined;

	protobuf__number(&w->message, LOCATION_ID, chain + 1u);
	if (object)
		protobuf__number(&w->message, LOCATION_MAPPING_ID,
				 idmap__find(&w->shown.objects, object, 0) + 1u);
	do {
		add_line(w, resolved__leaf(r, stack));
		inlined = resolved__inlined(r, stack);
		stack = resolved__parent(r, stack);
	} while (inlined && stack != RESOLVE_NO_STACK);
	protobuf__write(w->sink, PROFILE_LOCATION, &w->message);
}

/* The id of the location that @stack ends in; @stack becomes its caller's. */
static uint64_t take_location(struct writer *w, uint32_t *stack)
{
	const struct resolved *r = w->resolved;
	uint32_t innermost = *stack, chain = IDMAP_NONE;
	bool inlined;

	do {
		chain = idmap__intern(&w->chains, (uint32_t)(chain + 1), resolved__leaf(r, *stack));
		inlined = resolved__inlined(r, *stack);
		*stack = resolved__parent(r, *stack);
	} while (inlined && *stack != RESOLVE_NO_STACK);
	while (w->written.n <= chain)
		vec__push(&w->written, false);
	if (!w->written.data[chain])
		write_location(w, innermost, chain);
	w->written.data[chain] = true;
	return chain + 1u;
}

static void add_label(struct writer *w, const char *key, const char *text, uint64_t number)
{
	protobuf__number(&w->inner, LABEL_KEY, string(w, key));
	if (text)
		protobuf__number(&w->inner, LABEL_STR, string(w, text));
	else
		protobuf__number(&w->inner, LABEL_NUM, number);
	protobuf__message(&w->message, SAMPLE_LABEL, &w->inner);
}

/* The name of the asyncio task that a stack runs, free() it; NULL: none. */
static char *task_of(const struct resolved *r, uint32_t stack)
{
	for (; stack != RESOLVE_NO_STACK; stack = resolved__parent(r, stack)) {
		const struct frame *f = &r->frames.data[resolved__leaf(r, stack)];
		const char *name = strtab__get(&r->strings, f->name);
		size_t n = strlen(name), mark = strlen(TASK_MARK);

		if (f->kind != FRAME_TASK)
			continue;
		if (n > mark && !strcmp(name + n - mark, TASK_MARK))
			n -= mark;
		return mem__format("%.*s", (int)n, name);
	}
	return NULL;
}

/* A sample with the values that the caller has set, which become 0 again. */
static void write_sample(struct writer *w, const struct profile_thread *t, uint32_t stack)
{
	char *task = task_of(w->resolved, stack);

	w->locations.n = 0;
	while (stack != RESOLVE_NO_STACK) {
		uint64_t location = take_location(w, &stack);

		vec__push(&w->locations, location);
	}
	protobuf__numbers(&w->message, SAMPLE_LOCATION_ID, w->locations.data, w->locations.n);
	protobuf__numbers(&w->message, SAMPLE_VALUE, w->values.data, w->columns);
	add_label(w, "thread", t->name, 0);
	add_label(w, "pid", NULL, t->pid);
	add_label(w, "tid", NULL, t->tid);
	if (task)
		add_label(w, "task", task, 0);
	free(task);
	protobuf__write(w->sink, PROFILE_SAMPLE, &w->message);
	memset(w->values.data, 0, w->columns * sizeof(*w->values.data));
}

/* How many samples a stack has, which are told once. */
static uint64_t take_hits(struct writer *w, const struct profile_thread *t, uint32_t stack)
{
	const struct hits *hits = &w->from->profile->hits;
	uint32_t at = hits__of(hits, t->id, stack);

	if (at == IDMAP_NONE)
		return 0;
	w->counted[at] = true;
	return hits->samples.data[at];
}

static void write_thread(struct writer *w, const struct profile *p, const struct profile_thread *t,
			 size_t column)
{
	struct sums sums = { 0 };

	sums__of(&sums, t);
	for (size_t i = 0; i < sums.list.n; i++) {
		const struct sum *sum = &sums.list.data[i];

		if (p == w->from->profile)
			w->values.data[0] = take_hits(w, t, sum->stack);
		w->values.data[column] = sum->on;
		if (p->waits)
			w->values.data[column + 1] = sum->on + sum->off;
		write_sample(w, t, sum->stack);
	}
	sums__release(&sums);
}

static const struct profile_thread *thread_of(const struct profile *p, uint32_t id)
{
	for (size_t i = 0; i < p->threads.n; i++)
		if (p->threads.data[i].id == id)
			return &p->threads.data[i];
	return NULL;
}

/* Samples whose stacks have no time: what is known of switches leaves them none. */
static void write_timeless(struct writer *w)
{
	const struct profile *p = w->from->profile;

	for (size_t i = 0; i < p->hits.keys.n; i++) {
		uint32_t stack = (uint32_t)p->hits.keys.keys[i].b;
		const struct profile_thread *t =
			w->counted[i] ? NULL : thread_of(p, (uint32_t)p->hits.keys.keys[i].a);

		if (!t || stack == RESOLVE_NO_STACK)
			continue;
		w->values.data[0] = p->hits.samples.data[i];
		write_sample(w, t, stack);
	}
}

static void add_column(struct writer *w, uint32_t field, const char *type, const char *unit)
{
	protobuf__number(&w->message, VALUE_TYPE, string(w, type));
	protobuf__number(&w->message, VALUE_UNIT, string(w, unit));
	protobuf__write(w->sink, field, &w->message);
	if (field == PROFILE_SAMPLE_TYPE) {
		vec__push(&w->values, 0);
		w->columns++;
	}
}

static const char *unit_of(const struct profile *p)
{
	return p->timed ? "nanoseconds" : "count";
}

/* What the profile's own column is called. */
static const char *type_of(const struct writer *w, const struct profile *p)
{
	return p->timed && p == w->from->profile ? "cpu" : output_source__event(w->from, p);
}

static void write_columns(struct writer *w)
{
	const struct profile *p = w->from->profile;
	const struct perfdata_event *e = perfdata__event(w->from->meta->data, p->event);

	add_column(w, PROFILE_SAMPLE_TYPE, "samples", "count");
	add_column(w, PROFILE_SAMPLE_TYPE, type_of(w, p), unit_of(p));
	if (p->waits)
		add_column(w, PROFILE_SAMPLE_TYPE, "wall", "nanoseconds");
	for (size_t i = 0; i < w->from->others_n; i++)
		add_column(w, PROFILE_SAMPLE_TYPE, type_of(w, w->from->others[i]),
			   unit_of(w->from->others[i]));
	protobuf__write_number(w->sink, PROFILE_DEFAULT_SAMPLE_TYPE, string(w, type_of(w, p)));
	add_column(w, PROFILE_PERIOD_TYPE, type_of(w, p), unit_of(p));
	if (!e->freq)
		protobuf__write_number(w->sink, PROFILE_PERIOD, e->period_or_freq);
	else if (p->timed && e->period_or_freq)
		protobuf__write_number(w->sink, PROFILE_PERIOD, 1000000000u / e->period_or_freq);
}

static void write_functions(struct writer *w)
{
	for (size_t i = 0; i < w->shown.functions.n; i++) {
		const struct frame *f = &w->resolved->frames.data[w->shown.functions.data[i]];
		uint64_t name = shown_string(w, f->name);

		protobuf__number(&w->message, FUNCTION_ID, i + 1);
		protobuf__number(&w->message, FUNCTION_NAME, name);
		protobuf__number(&w->message, FUNCTION_SYSTEM_NAME, name);
		protobuf__number(&w->message, FUNCTION_FILENAME, shown_string(w, f->file));
		protobuf__number(&w->message, FUNCTION_START_LINE, f->first_line);
		protobuf__write(w->sink, PROFILE_FUNCTION, &w->message);
	}
}

static void write_mappings(struct writer *w)
{
	for (size_t i = 0; i < w->shown.objects.n; i++) {
		uint32_t path = (uint32_t)w->shown.objects.keys[i].a;
		char build_id[OUTPUT_BUILD_ID_CHARS];

		output_source__build_id(w->from, path, build_id);
		protobuf__number(&w->message, MAPPING_ID, i + 1);
		protobuf__number(&w->message, MAPPING_FILENAME, shown_string(w, path));
		protobuf__number(&w->message, MAPPING_BUILD_ID, string(w, build_id));
		protobuf__number(&w->message, MAPPING_HAS_FUNCTIONS, true);
		protobuf__number(&w->message, MAPPING_HAS_FILENAMES, true);
		protobuf__number(&w->message, MAPPING_HAS_LINE_NUMBERS, true);
		protobuf__number(&w->message, MAPPING_HAS_INLINE_FRAMES, true);
		protobuf__write(w->sink, PROFILE_MAPPING, &w->message);
	}
}

static void write_run(struct writer *w)
{
	const struct profile *p = w->from->profile;
	struct facts facts = { 0 };

	protobuf__write_number(w->sink, PROFILE_TIME_NANOS, output_source__start_ns(w->from));
	if (p->timed)
		protobuf__write_number(w->sink, PROFILE_DURATION_NANOS, p->duration);
	facts__of(&facts, w->from);
	for (size_t i = 0; i < facts.list.n; i++) {
		char *text =
			mem__format("%s: %s", facts.list.data[i].label, facts.list.data[i].value);

		protobuf__write_number(w->sink, PROFILE_COMMENT, string(w, text));
		free(text);
	}
	facts__release(&facts);
}

static void write_strings(struct writer *w)
{
	for (size_t i = 0; i < w->strings.n; i++) {
		char *text = utf8__clean(strtab__get(&w->strings, (uint32_t)i));

		protobuf__write_text(w->sink, PROFILE_STRING_TABLE, text, strlen(text));
		free(text);
	}
}

static void show(struct writer *w, const struct profile *p)
{
	for (size_t t = 0; t < p->threads.n; t++)
		for (size_t i = 0; i < p->threads.data[t].slices.n; i++)
			shown__add(&w->shown, p->threads.data[t].slices.data[i].stack);
	for (size_t i = 0; i < p->hits.keys.n; i++)
		shown__add(&w->shown, (uint32_t)p->hits.keys.keys[i].b);
}

static void write_threads(struct writer *w, const struct profile *p, size_t column)
{
	for (size_t t = 0; t < p->threads.n; t++)
		write_thread(w, p, &p->threads.data[t], column);
}

static void release(struct writer *w)
{
	shown__release(&w->shown);
	strtab__release(&w->strings);
	protobuf__release(&w->message);
	protobuf__release(&w->inner);
	idmap__release(&w->chains);
	vec__release(&w->written);
	vec__release(&w->locations);
	vec__release(&w->values);
	free(w->counted);
}

uint64_t pprof__write(struct sink *sink, const struct output_source *from)
{
	struct writer w = { .sink = sink, .from = from, .resolved = from->profile->resolved };
	size_t first_other = from->profile->waits ? 3 : 2;

	string(&w, "");
	w.counted = mem__alloc(from->profile->hits.samples.n, sizeof(*w.counted));
	shown__init(&w.shown, w.resolved);
	show(&w, from->profile);
	for (size_t i = 0; i < from->others_n; i++)
		show(&w, from->others[i]);
	shown__functions(&w.shown);
	write_columns(&w);
	write_threads(&w, from->profile, 1);
	write_timeless(&w);
	for (size_t i = 0; i < from->others_n; i++)
		write_threads(&w, from->others[i], first_other + i);
	write_mappings(&w);
	write_functions(&w);
	write_run(&w);
	write_strings(&w);
	release(&w);
	return 0;
}
