// SPDX-License-Identifier: GPL-2.0
/*
 * Stacks of all runs become stacks of common frames, each with what it took before and
 * after.  A change that compare tells of is divided among the stacks that make it up.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/json.h"
#include "perfconv/output/diff.h"
#include "perfconv/output/speedscope.h"

#define SCHEMA "https://www.speedscope.app/file-format-schema.json"
#define UNCHANGED "[no change beyond noise]"

/* Frames: the tally's functions first, then its groups, then notes by their names. */
struct shown_stack {
	double share[TALLY_SIDES]; /* of a core */
	uint32_t row;		   /* of the tally, that its time counts in, or TALLY_NOTHING */
};

struct writing {
	struct json json;
	const struct diff *diff;
	struct strtab notes;
	struct idmap stacks;	       /* (parent + 1, frame) */
	VEC(struct shown_stack) shown; /* by stack */
	VEC(uint32_t) path;	       /* scratch */
	double *row_scale;	       /* by row: how much of its stacks' growth is told */
};

static uint32_t push(struct writing *w, uint32_t parent, uint32_t frame)
{
	uint32_t id = idmap__intern(&w->stacks, (uint64_t)parent + 1, frame);

	if (id == w->shown.n)
		vec__push(&w->shown, ((struct shown_stack){ { 0, 0 }, TALLY_NOTHING }));
	return id;
}

static uint32_t note_frame(struct writing *w, const char *name)
{
	const struct tally *t = w->diff->tally;

	return (uint32_t)(t->functions.n + t->groups.n) + strtab__intern(&w->notes, name);
}

static uint32_t frame_of(struct writing *w, const struct tally_run *run, uint32_t frame)
{
	const struct resolved *r = run->profile->resolved;

	if (run->functions[frame] != TALLY_NOTHING)
		return run->functions[frame];
	return note_frame(w, strtab__get(&r->strings, r->frames.data[frame].name));
}

/* The common stack of a run's stack. */
static uint32_t common_stack(struct writing *w, const struct tally_run *run, uint32_t group,
			     uint32_t stack)
{
	const struct resolved *r = run->profile->resolved;
	uint32_t at = push(w, RESOLVE_NO_STACK, (uint32_t)w->diff->tally->functions.n + group);

	w->path.n = 0;
	for (uint32_t s = stack; s != RESOLVE_NO_STACK; s = resolved__parent(r, s))
		vec__push(&w->path, resolved__leaf(r, s));
	for (size_t i = w->path.n; i-- > 0;) {
		uint32_t frame = frame_of(w, run, w->path.data[i]);

		at = push(w, at, frame);
	}
	return at;
}

static void add_slice(struct writing *w, const struct tally_run *run, uint32_t group,
		      const struct profile_slice *slice)
{
	const struct tally *t = w->diff->tally;
	uint32_t at = common_stack(w, run, group, slice->stack);
	uint32_t owner = tally__owner(run->profile->resolved, slice->stack);
	struct shown_stack *s = &w->shown.data[at];

	s->share[run->side] += (double)slice->weight / 1e9 / tally__seconds(t, run->side);
	if (owner != TALLY_NOTHING)
		s->row = tally__find(t, TALLY_OWN, group, run->functions[owner], REASON_NONE);
}

static void add_runs(struct writing *w)
{
	const struct tally *t = w->diff->tally;

	for (size_t i = 0; i < t->runs.n; i++) {
		const struct tally_run *run = &t->runs.data[i];

		for (size_t k = 0; k < run->profile->threads.n; k++) {
			const struct profile_thread *thread = &run->profile->threads.data[k];

			for (size_t m = 0; m < thread->slices.n; m++) {
				const struct profile_slice *slice = &thread->slices.data[m];

				if (slice->stack != RESOLVE_NO_STACK && !slice->off)
					add_slice(w, run, run->groups[k], slice);
			}
		}
	}
}

/* --- what changed ----------------------------------------------------------- */

/* How a stack grew, beyond what the machine's speed explains; 0 where no change is told. */
static double growth(const struct writing *w, const struct shown_stack *s)
{
	const struct comparison *c = compare__of_row(w->diff->compare, s->row);
	double expected;

	if (!c || (c->verdict != COMPARE_MORE && c->verdict != COMPARE_LESS))
		return 0;
	expected = c->before > 0 ? s->share[TALLY_BEFORE] * c->expected / c->before : 0;
	return s->share[TALLY_AFTER] - expected;
}

static bool counts(const struct comparison *c, double grown)
{
	return c && grown != 0 && (grown > 0) == (c->verdict == COMPARE_MORE);
}

/* Of a function that is slower, stacks that shrank are left out, and the others scaled
 * so that they add up to its change. */
static void scale_rows(struct writing *w)
{
	const struct tally *t = w->diff->tally;

	w->row_scale = mem__alloc(t->rows.n, sizeof(*w->row_scale));
	for (size_t i = 0; i < w->shown.n; i++) {
		const struct shown_stack *s = &w->shown.data[i];
		double grown = growth(w, s);

		if (counts(compare__of_row(w->diff->compare, s->row), grown))
			w->row_scale[s->row] += grown;
	}
	for (uint32_t row = 0; row < t->rows.n; row++) {
		const struct comparison *c = compare__of_row(w->diff->compare, row);

		if (c && w->row_scale[row] != 0)
			w->row_scale[row] = (c->after - c->expected) / w->row_scale[row];
	}
}

static double told(const struct writing *w, const struct shown_stack *s,
		   enum compare_verdict verdict)
{
	const struct comparison *c = compare__of_row(w->diff->compare, s->row);
	double grown = growth(w, s);

	if (!c || c->verdict != verdict || !counts(c, grown))
		return 0;
	return fabs(grown * w->row_scale[s->row]);
}

/* --- writing ---------------------------------------------------------------- */

static void write_frames(struct writing *w)
{
	const struct tally *t = w->diff->tally;
	struct json *j = &w->json;

	for (uint32_t i = 0; i < t->functions.n; i++) {
		const struct tally_function *f = &t->functions.data[i];

		json__newline(j);
		json__object(j);
		json__key_string(j, "name", diff__function(w->diff, i));
		if (f->place)
			json__key_string(j, "file", strtab__get(&t->strings, f->place));
		if (f->line)
			json__key_u64(j, "line", f->line);
		json__object_end(j);
	}
	for (uint32_t i = 0; i < t->groups.n + w->notes.n; i++) {
		uint32_t note = i - (uint32_t)t->groups.n;

		json__newline(j);
		json__object(j);
		json__key_string(j, "name",
				 i < t->groups.n ? diff__group(w->diff, i)
						 : strtab__get(&w->notes, note));
		json__object_end(j);
	}
}

/* Root first; beyond the depth limit the innermost frames are left out. */
static void write_stack(struct writing *w, uint32_t stack)
{
	size_t deepest;

	w->path.n = 0;
	for (uint32_t s = stack; s != RESOLVE_NO_STACK; s = (uint32_t)w->stacks.keys[s].a - 1)
		vec__push(&w->path, (uint32_t)w->stacks.keys[s].b);
	deepest = w->path.n > SPEEDSCOPE_MAX_DEPTH ? w->path.n - SPEEDSCOPE_MAX_DEPTH : 0;
	json__array(&w->json);
	for (size_t i = w->path.n; i-- > deepest;)
		json__u64(&w->json, w->path.data[i]);
	json__array_end(&w->json);
}

/* @values: by stack, shares of a core; all 0: @otherwise stands for them. */
static void write_profile(struct writing *w, const char *name, const double *values,
			  uint32_t otherwise)
{
	struct json *j = &w->json;
	uint64_t end = 0;

	for (size_t i = 0; i < w->shown.n; i++)
		end += (uint64_t)llround(values[i] * 1e9);
	json__newline(j);
	json__object(j);
	json__key_string(j, "type", "sampled");
	json__key_string(j, "name", name);
	json__key_string(j, "unit", "nanoseconds");
	json__key_u64(j, "startValue", 0);
	json__key_u64(j, "endValue", end ? end : 1);
	json__key(j, "samples");
	json__array(j);
	for (uint32_t i = 0; i < w->shown.n; i++)
		if (llround(values[i] * 1e9) || (!end && i == otherwise))
			write_stack(w, i);
	json__array_end(j);
	json__key(j, "weights");
	json__array(j);
	for (uint32_t i = 0; i < w->shown.n; i++)
		if (llround(values[i] * 1e9) || (!end && i == otherwise))
			json__u64(j, end ? (uint64_t)llround(values[i] * 1e9) : 1);
	json__array_end(j);
	json__object_end(j);
}

static void write_profiles(struct writing *w, uint32_t otherwise)
{
	double *values = mem__alloc(w->shown.n, sizeof(*values));

	for (int side = 0; side < TALLY_SIDES; side++) {
		for (size_t i = 0; i < w->shown.n; i++)
			values[i] = w->shown.data[i].share[side];
		write_profile(w,
			      side == TALLY_BEFORE ? "before (each second)" : "after (each second)",
			      values, otherwise);
	}
	for (size_t i = 0; i < w->shown.n; i++)
		values[i] = told(w, &w->shown.data[i], COMPARE_MORE);
	write_profile(w, "slower (by, each second)", values, otherwise);
	for (size_t i = 0; i < w->shown.n; i++)
		values[i] = told(w, &w->shown.data[i], COMPARE_LESS);
	write_profile(w, "faster (by, each second)", values, otherwise);
	free(values);
}

/* slower, else faster, else after. */
static uint64_t first_shown(const struct diff *d)
{
	bool more = false, less = false;

	for (size_t i = 0; i < d->compare->rows.n; i++) {
		const struct comparison *c = &d->compare->rows.data[i];
		bool function = d->tally->rows.data[c->row].kind == TALLY_OWN;

		more = more || (function && c->verdict == COMPARE_MORE);
		less = less || (function && c->verdict == COMPARE_LESS);
	}
	return more ? 2 : less ? 3 : 1;
}

void diff_speedscope__write(struct sink *sink, const struct diff *d)
{
	struct writing w = { .diff = d };
	struct json *j = &w.json;
	uint32_t otherwise;

	otherwise = push(&w, RESOLVE_NO_STACK, note_frame(&w, UNCHANGED));
	add_runs(&w);
	scale_rows(&w);
	json__init(j, sink);
	json__object(j);
	json__key_string(j, "$schema", SCHEMA);
	json__key_string(j, "name", "before and after");
	json__key_string(j, "exporter", "perfconv diff");
	json__key_u64(j, "activeProfileIndex", first_shown(d));
	json__newline(j);
	json__key(j, "shared");
	json__object(j);
	json__key(j, "frames");
	json__array(j);
	write_frames(&w);
	json__array_end(j);
	json__object_end(j);
	json__newline(j);
	json__key(j, "profiles");
	json__array(j);
	write_profiles(&w, otherwise);
	json__array_end(j);
	json__object_end(j);
	json__newline(j);
	free(w.row_scale);
	strtab__release(&w.notes);
	idmap__release(&w.stacks);
	vec__release(&w.shown);
	vec__release(&w.path);
}
