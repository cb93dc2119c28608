// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/firefox_tables.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"

enum category {
	CATEGORY_OTHER,
	CATEGORY_PYTHON,
	CATEGORY_NATIVE,
	CATEGORY_KERNEL,
	CATEGORY_INTERPRETER,
	CATEGORY_WAITING,
	CATEGORIES,
};

/* The profiler has a list of colours; the category without a colour of its own is grey,
 * and it leaves "Idle" out where it speaks of activity. */
static const struct {
	const char *name, *color;
} categories[CATEGORIES] = {
	[CATEGORY_OTHER] = { "Other", "grey" },
	[CATEGORY_PYTHON] = { "Python", "yellow" },
	[CATEGORY_NATIVE] = { "Native", "blue" },
	[CATEGORY_KERNEL] = { "Kernel", "orange" },
	[CATEGORY_INTERPRETER] = { "Interpreter", "purple" },
	[CATEGORY_WAITING] = { "Idle", "transparent" },
};

#define RESOURCE_LIBRARY 1u
#define NONE (-1)

static const char *text_of(const struct firefox_tables *t, uint32_t id)
{
	return strtab__get(&t->resolved->strings, id);
}

static const struct frame *frame_at(const struct firefox_tables *t, size_t i)
{
	return &t->resolved->frames.data[t->shown.frames.data[i]];
}

static const struct frame *function_at(const struct firefox_tables *t, size_t i)
{
	return &t->resolved->frames.data[t->shown.functions.data[i]];
}

static enum category category_of(const struct firefox_tables *t, const struct frame *f)
{
	enum reason reason;

	switch (f->kind) {
	case FRAME_PYTHON:
	case FRAME_TASK:
		return CATEGORY_PYTHON;
	case FRAME_KERNEL:
		return CATEGORY_KERNEL;
	case FRAME_NATIVE:
		return f->interpreter ? CATEGORY_INTERPRETER : CATEGORY_NATIVE;
	case FRAME_NOTE:
		reason = reason__by_name(text_of(t, f->name));
		if (reason == REASON_SWITCHING)
			return CATEGORY_KERNEL;
		return reason == REASONS ? CATEGORY_OTHER : CATEGORY_WAITING;
	case FRAME_THREAD:
	default:
		return CATEGORY_OTHER;
	}
}

uint32_t firefox_tables__string(struct firefox_tables *t, const char *text)
{
	return strtab__intern(&t->strings, text);
}

uint32_t firefox_tables__waiting(void)
{
	return CATEGORY_WAITING;
}

/* Where a function's source is, if more is known than its object. */
static bool has_source(const struct frame *f)
{
	return f->file && f->file != f->object;
}

void firefox_tables__init(struct firefox_tables *t, const struct output_source *from)
{
	const struct profile *p = from->profile;

	memset(t, 0, sizeof(*t));
	t->from = from;
	t->resolved = p->resolved;
	shown__init(&t->shown, t->resolved);
	for (size_t i = 0; i < p->threads.n; i++)
		for (size_t k = 0; k < p->threads.data[i].slices.n; k++)
			shown__add(&t->shown, p->threads.data[i].slices.data[k].stack);
	shown__functions(&t->shown);
	t->stack_number = mem__alloc(t->resolved->stacks.n, sizeof(*t->stack_number));
	for (size_t i = 0; i < t->resolved->stacks.n; i++)
		if (t->shown.stacks[i])
			t->stack_number[i] = t->stacks++;
	for (size_t i = 0; i < t->shown.functions.n; i++)
		if (has_source(function_at(t, i)))
			idmap__intern(&t->sources, function_at(t, i)->file, 0);
}

void firefox_tables__release(struct firefox_tables *t)
{
	shown__release(&t->shown);
	free(t->stack_number);
	idmap__release(&t->sources);
	strtab__release(&t->strings);
}

void firefox_tables__write_categories(struct json *j)
{
	json__key(j, "categories");
	json__array(j);
	for (size_t i = 0; i < CATEGORIES; i++) {
		json__object(j);
		json__key_string(j, "name", categories[i].name);
		json__key_string(j, "color", categories[i].color);
		json__key(j, "subcategories");
		json__array(j);
		json__string(j, "Other");
		json__array_end(j);
		json__object_end(j);
	}
	json__array_end(j);
}

/* A GUID of the build-id's first 16 bytes, its first numbers little-endian, and an age of
 * 0: so the profiler's world calls an ELF file. */
static void write_debug_id(struct json *j, const char *build_id)
{
	static const unsigned char order[16] = { 3, 2, 1,  0,  5,  4,  7,  6,
						 8, 9, 10, 11, 12, 13, 14, 15 };
	char id[16 * 2 + 2];

	if (strlen(build_id) < sizeof(id) - 2) {
		json__key_string(j, "breakpadId", "");
		return;
	}
	for (size_t i = 0; i < sizeof(order); i++)
		memcpy(id + 2 * i, build_id + 2 * order[i], 2);
	memcpy(id + 2 * sizeof(order), "0", 2);
	for (char *c = id; *c; c++)
		if (*c >= 'a' && *c <= 'f')
			*c = (char)(*c - 'a' + 'A');
	json__key_string(j, "breakpadId", id);
}

void firefox_tables__write_libs(struct firefox_tables *t, struct json *j)
{
	const char *arch = perfdata__info(t->from->meta->data)->arch;

	json__key(j, "libs");
	json__array(j);
	for (size_t i = 0; i < t->shown.objects.n; i++) {
		uint32_t path = (uint32_t)t->shown.objects.keys[i].a;
		const char *text = text_of(t, path), *name = file__base(text);
		char build_id[OUTPUT_BUILD_ID_CHARS];

		output_source__build_id(t->from, path, build_id);
		json__newline(j);
		json__object(j);
		json__key_string(j, "arch", arch);
		json__key_string(j, "name", name);
		json__key_string(j, "path", text);
		json__key_string(j, "debugName", name);
		json__key_string(j, "debugPath", text);
		write_debug_id(j, build_id);
		json__key(j, "codeId");
		if (*build_id)
			json__string(j, build_id);
		else
			json__null(j);
		json__object_end(j);
	}
	json__array_end(j);
}

/* A value of a column; @i: the row. */
typedef void (*value_writer)(struct firefox_tables *t, struct json *j, size_t i);

struct column {
	const char *key;
	value_writer write;
};

static void write_table(struct firefox_tables *t, struct json *j, const char *key, size_t rows,
			const struct column *columns, size_t n)
{
	json__newline(j);
	json__key(j, key);
	json__object(j);
	json__key_u64(j, "length", rows);
	for (size_t c = 0; c < n; c++) {
		json__key(j, columns[c].key);
		json__array(j);
		for (size_t i = 0; i < rows; i++)
			columns[c].write(t, j, i);
		json__array_end(j);
	}
	json__object_end(j);
}

#define TABLE(t, j, key, rows, columns)                                                            \
	write_table(t, j, key, rows, columns, sizeof(columns) / sizeof(*(columns)))

static void write_zero(struct firefox_tables *t, struct json *j, size_t i)
{
	(void)t, (void)i;
	json__u64(j, 0);
}

static void write_null(struct firefox_tables *t, struct json *j, size_t i)
{
	(void)t, (void)i;
	json__null(j);
}

static void write_none(struct firefox_tables *t, struct json *j, size_t i)
{
	(void)t, (void)i;
	json__i64(j, NONE);
}

static void write_false(struct firefox_tables *t, struct json *j, size_t i)
{
	(void)t, (void)i;
	json__bool(j, false);
}

static void write_number(struct json *j, uint32_t number)
{
	if (number)
		json__u64(j, number);
	else
		json__null(j);
}

static void write_source_name(struct firefox_tables *t, struct json *j, size_t i)
{
	json__u64(j, firefox_tables__string(t, text_of(t, (uint32_t)t->sources.keys[i].a)));
}

static void write_frame_category(struct firefox_tables *t, struct json *j, size_t i)
{
	json__u64(j, category_of(t, frame_at(t, i)));
}

static void write_frame_function(struct firefox_tables *t, struct json *j, size_t i)
{
	json__u64(j, t->shown.function_of[t->shown.frames.data[i]]);
}

static void write_frame_line(struct firefox_tables *t, struct json *j, size_t i)
{
	write_number(j, frame_at(t, i)->line);
}

static void write_function_name(struct firefox_tables *t, struct json *j, size_t i)
{
	json__u64(j, firefox_tables__string(t, text_of(t, function_at(t, i)->name)));
}

static void write_function_resource(struct firefox_tables *t, struct json *j, size_t i)
{
	uint32_t object = function_at(t, i)->object;

	if (object)
		json__u64(j, idmap__find(&t->shown.objects, object, 0));
	else
		json__i64(j, NONE);
}

static void write_function_source(struct firefox_tables *t, struct json *j, size_t i)
{
	if (has_source(function_at(t, i)))
		json__u64(j, idmap__find(&t->sources, function_at(t, i)->file, 0));
	else
		json__null(j);
}

static void write_function_line(struct firefox_tables *t, struct json *j, size_t i)
{
	write_number(j, function_at(t, i)->first_line);
}

static void write_index(struct firefox_tables *t, struct json *j, size_t i)
{
	(void)t;
	json__u64(j, i);
}

static void write_resource_name(struct firefox_tables *t, struct json *j, size_t i)
{
	const char *path = text_of(t, (uint32_t)t->shown.objects.keys[i].a);

	json__u64(j, firefox_tables__string(t, file__base(path)));
}

static void write_resource_type(struct firefox_tables *t, struct json *j, size_t i)
{
	(void)t, (void)i;
	json__u64(j, RESOURCE_LIBRARY);
}

static void write_stacks(struct firefox_tables *t, struct json *j)
{
	const struct resolved *r = t->resolved;

	json__newline(j);
	json__key(j, "stackTable");
	json__object(j);
	json__key_u64(j, "length", t->stacks);
	json__key(j, "frame");
	json__array(j);
	for (uint32_t i = 0; i < r->stacks.n; i++)
		if (t->shown.stacks[i])
			json__u64(j, t->shown.number[resolved__leaf(r, i)]);
	json__array_end(j);
	json__key(j, "prefix");
	json__array(j);
	for (uint32_t i = 0; i < r->stacks.n; i++) {
		uint32_t parent = resolved__parent(r, i);

		if (t->shown.stacks[i] && parent == RESOLVE_NO_STACK)
			json__null(j);
		else if (t->shown.stacks[i])
			json__u64(j, t->stack_number[parent]);
	}
	json__array_end(j);
	json__object_end(j);
}

static void write_strings(struct firefox_tables *t, struct json *j)
{
	json__newline(j);
	json__key(j, "stringArray");
	json__array(j);
	for (size_t i = 0; i < t->strings.n; i++)
		json__string(j, strtab__get(&t->strings, (uint32_t)i));
	json__array_end(j);
}

void firefox_tables__write(struct firefox_tables *t, struct json *j)
{
	static const struct column frames[] = {
		{ "address", write_none },
		{ "inlineDepth", write_zero },
		{ "category", write_frame_category },
		{ "subcategory", write_zero },
		{ "func", write_frame_function },
		{ "nativeSymbol", write_null },
		{ "innerWindowID", write_null },
		{ "line", write_frame_line },
		{ "column", write_null },
	};
	static const struct column functions[] = {
		{ "name", write_function_name },     { "isJS", write_false },
		{ "relevantForJS", write_false },    { "resource", write_function_resource },
		{ "source", write_function_source }, { "lineNumber", write_function_line },
		{ "columnNumber", write_null },
	};
	static const struct column resources[] = {
		{ "lib", write_index },
		{ "name", write_resource_name },
		{ "host", write_null },
		{ "type", write_resource_type },
	};
	static const struct column sources[] = {
		{ "uuid", write_null },
		{ "filename", write_source_name },
	};
	static const struct column symbols[] = {
		{ "libIndex", NULL },
		{ "address", NULL },
		{ "name", NULL },
		{ "functionSize", NULL },
	};

	json__key(j, "shared");
	json__object(j);
	write_stacks(t, j);
	TABLE(t, j, "frameTable", t->shown.frames.n, frames);
	TABLE(t, j, "funcTable", t->shown.functions.n, functions);
	TABLE(t, j, "resourceTable", t->shown.objects.n, resources);
	TABLE(t, j, "nativeSymbols", 0, symbols);
	TABLE(t, j, "sources", t->sources.n, sources);
	write_strings(t, j);
	json__object_end(j);
}
