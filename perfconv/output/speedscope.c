// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/speedscope.h"

#include <stdlib.h>

#include "perfconv/base/json.h"
#include "perfconv/output/meta_json.h"
#include "perfconv/output/shown.h"

#define SCHEMA "https://www.speedscope.app/file-format-schema.json"

struct writer {
	struct json json;
	const struct output_source *from;
	bool has_dumps;	     /* any of the profiles */
	struct shown shown;  /* only frames that are used are written */
	VEC(uint32_t) stack; /* scratch */
	uint64_t too_deep;
};

static const char *text(const struct writer *w, uint32_t id)
{
	return strtab__get(&w->from->profile->resolved->strings, id);
}

/* The identity of a frame in speedscope is its index.  "line" is the current line, of a
 * frame of all lines the hottest one; where the function begins goes by another name. */
static void write_frame(struct writer *w, const struct frame *f)
{
	struct json *j = &w->json;

	json__object(j);
	json__key_string(j, "name", text(w, f->name));
	if (f->file)
		json__key_string(j, "file", text(w, f->file));
	if (f->line || f->hot_line)
		json__key_u64(j, "line", f->line ? f->line : f->hot_line);
	else if (f->first_line && !w->has_dumps)
		json__key_u64(j, "line", f->first_line);
	if (f->first_line)
		json__key_u64(j, "firstLine", f->first_line);
	if (f->object && f->object != f->file)
		json__key_string(j, "object", text(w, f->object));
	json__key_string(j, "kind", frame_kind__name(f->kind));
	json__object_end(j);
}

static void use_frames(struct writer *w, const struct profile *p)
{
	w->has_dumps = w->has_dumps || p->has_dumps;
	for (size_t t = 0; t < p->threads.n; t++)
		for (size_t i = 0; i < p->threads.data[t].slices.n; i++)
			shown__add(&w->shown, p->threads.data[t].slices.data[i].stack);
	for (size_t i = 0; i < p->total.n; i++)
		shown__add(&w->shown, p->total.data[i].stack);
}

static void write_shared(struct writer *w)
{
	const struct resolved *r = w->from->profile->resolved;

	shown__init(&w->shown, r);
	use_frames(w, w->from->profile);
	for (size_t i = 0; i < w->from->others_n; i++)
		use_frames(w, w->from->others[i]);
	json__key(&w->json, "shared");
	json__object(&w->json);
	json__key(&w->json, "frames");
	json__array(&w->json);
	for (size_t i = 0; i < w->shown.frames.n; i++) {
		json__newline(&w->json);
		write_frame(w, &r->frames.data[w->shown.frames.data[i]]);
	}
	json__array_end(&w->json);
	json__object_end(&w->json);
}

/* Root first; beyond the depth limit the innermost frames are left out. */
static void write_stack(struct writer *w, uint32_t stack)
{
	const struct resolved *r = w->from->profile->resolved;
	size_t n;

	w->stack.n = 0;
	for (uint32_t s = stack; s != RESOLVE_NO_STACK; s = resolved__parent(r, s))
		vec__push(&w->stack, w->shown.number[resolved__leaf(r, s)]);
	n = w->stack.n;
	if (n > SPEEDSCOPE_MAX_DEPTH) {
		w->too_deep++;
		n = SPEEDSCOPE_MAX_DEPTH;
	}
	json__array(&w->json);
	for (size_t i = 0; i < n; i++)
		json__u64(&w->json, w->stack.data[w->stack.n - 1 - i]);
	json__array_end(&w->json);
}

/* With several events: "worker [page-faults]". */
static void write_name(struct writer *w, const struct profile *p, const char *name)
{
	char *shown = w->from->others_n
			      ? mem__format("%s [%s]", name, output_source__event(w->from, p))
			      : mem__strdup(name);

	json__key_string(&w->json, "name", shown);
	free(shown);
}

static void write_slices(struct writer *w, const struct profile_slice *slices, size_t n)
{
	struct json *j = &w->json;

	json__key(j, "samples");
	json__array(j);
	for (size_t i = 0; i < n; i++)
		write_stack(w, slices[i].stack);
	json__array_end(j);
	json__key(j, "weights");
	json__array(j);
	for (size_t i = 0; i < n; i++)
		json__u64(j, slices[i].weight);
	json__array_end(j);
}

/* Up to where speedscope's object of a profile says what it is of. */
static void begin_profile(struct writer *w, const struct profile *p, const char *name, uint64_t end)
{
	struct json *j = &w->json;

	json__newline(j);
	json__object(j);
	json__key_string(j, "type", "sampled");
	write_name(w, p, name);
	json__key_string(j, "unit", p->timed ? "nanoseconds" : "none");
	json__key_u64(j, "startValue", 0);
	json__key_u64(j, "endValue", end);
}

static void write_thread(struct writer *w, const struct profile *p, const struct profile_thread *t)
{
	begin_profile(w, p, t->name, t->end);
	meta_json__write_thread(&w->json, w->from, p, t);
	write_slices(w, t->slices.data, t->slices.n);
	json__object_end(&w->json);
}

/* Sums only: for left-heavy and sandwich views. */
static void write_total(struct writer *w, const struct profile *p)
{
	struct json *j = &w->json;
	uint64_t sum = 0;

	if (!p->total.n)
		return;
	for (size_t i = 0; i < p->total.n; i++)
		sum += p->total.data[i].weight;
	begin_profile(w, p, "all threads", sum);
	json__key(j, "perfconv");
	json__object(j);
	if (w->from->others_n)
		json__key_string(j, "event", output_source__event(w->from, p));
	json__key_u64(j, "threads", p->threads.n);
	json__object_end(j);
	write_slices(w, p->total.data, p->total.n);
	json__object_end(j);
}

static void write_threads(struct writer *w, const struct profile *p)
{
	for (size_t i = 0; i < p->threads.n; i++)
		if (p == w->from->profile || p->threads.data[i].samples)
			write_thread(w, p, &p->threads.data[i]);
	write_total(w, p);
}

uint64_t speedscope__write(struct sink *sink, const struct output_source *from)
{
	struct writer w = { .from = from };
	struct json *j = &w.json;

	json__init(j, sink);
	json__object(j);
	json__key_string(j, "$schema", SCHEMA);
	json__key_string(j, "name", from->meta->title);
	json__key_string(j, "exporter", "perfconv");
	json__key_u64(j, "activeProfileIndex", output_source__busiest(from));
	json__newline(j);
	meta_json__write(j, from);
	json__newline(j);
	write_shared(&w);
	json__newline(j);
	json__key(j, "profiles");
	json__array(j);
	write_threads(&w, from->profile);
	for (size_t i = 0; i < from->others_n; i++)
		write_threads(&w, from->others[i]);
	json__array_end(j);
	json__object_end(j);
	json__newline(j);
	vec__release(&w.stack);
	shown__release(&w.shown);
	return w.too_deep;
}
