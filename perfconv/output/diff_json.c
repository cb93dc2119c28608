// SPDX-License-Identifier: GPL-2.0
/* All shares are in per cent of a core, as people read them. */
#include <string.h>

#include "perfconv/base/json.h"
#include "perfconv/output/diff.h"
#include "perfconv/output/output.h"

const char *diff__group(const struct diff *d, uint32_t group)
{
	return strtab__get(&d->tally->strings, d->tally->groups.data[group].name);
}

const char *diff__function(const struct diff *d, uint32_t function)
{
	if (function == TALLY_NOTHING)
		return "";
	return strtab__get(&d->tally->strings, d->tally->functions.data[function].name);
}

static const char *verdict_name(enum compare_verdict verdict)
{
	switch (verdict) {
	case COMPARE_MORE:
		return "more";
	case COMPARE_LESS:
		return "less";
	case COMPARE_UNJUDGED:
		return "unknown";
	case COMPARE_SAME:
	default:
		return "same";
	}
}

static void write_side(struct json *j, const struct diff *d, enum tally_side side)
{
	json__object(j);
	json__key(j, "files");
	json__array(j);
	for (size_t i = 0; i < d->sides[side].n; i++)
		json__string(j, d->sides[side].paths[i]);
	json__array_end(j);
	json__key_double(j, "seconds", tally__seconds(d->tally, side));
	json__key_double(j, "waitedForCpu", 100 * d->compare->machine[side]);
	json__object_end(j);
}

static void write_numbers(struct json *j, const struct comparison *c)
{
	json__key_double(j, "before", 100 * c->before);
	json__key_double(j, "expected", 100 * c->expected);
	json__key_double(j, "after", 100 * c->after);
	json__key_double(j, "change", 100 * (c->after - c->expected));
	if (c->verdict != COMPARE_UNJUDGED) {
		json__key_double(j, "noise", 100 * c->noise);
		json__key_double(j, "p", c->p);
	}
	json__key_string(j, "verdict", verdict_name(c->verdict));
	json__key(j, "tested");
	json__bool(j, c->judged);
}

static void write_function(struct json *j, const struct diff *d, uint32_t function)
{
	const struct tally_function *f;

	if (function == TALLY_NOTHING)
		return;
	f = &d->tally->functions.data[function];
	json__key_string(j, "function", diff__function(d, function));
	json__key_string(j, "kind", frame_kind__name(f->kind));
	if (f->place)
		json__key_string(j, "file", strtab__get(&d->tally->strings, f->place));
	if (f->line)
		json__key_u64(j, "line", f->line);
}

static const char *what_of(enum tally_kind kind)
{
	switch (kind) {
	case TALLY_THREAD:
		return "thread";
	case TALLY_OWN:
		return "function";
	default:
		return "wait";
	}
}

static void write_change(struct json *j, const struct diff *d, const struct comparison *c)
{
	const struct tally_row *row = &d->tally->rows.data[c->row];

	json__newline(j);
	json__object(j);
	json__key_string(j, "what", what_of(row->kind));
	json__key(j, "regression");
	json__bool(j, c->regression);
	json__key_string(j, "thread", diff__group(d, row->group));
	write_function(j, d, row->function);
	if (row->kind == TALLY_WAIT)
		json__key_string(j, "reason", reason__name(row->reason));
	write_numbers(j, c);
	json__object_end(j);
}

static void write_changes(struct json *j, const struct diff *d)
{
	json__key(j, "changes");
	json__array(j);
	for (int regressions = 1; regressions >= 0; regressions--)
		for (size_t i = 0; i < d->compare->rows.n; i++) {
			const struct comparison *c = &d->compare->rows.data[i];

			if ((c->verdict == COMPARE_MORE || c->verdict == COMPARE_LESS) &&
			    c->regression == regressions)
				write_change(j, d, c);
		}
	json__array_end(j);
}

static void write_waits_of_group(struct json *j, const struct diff *d, uint32_t group)
{
	json__key(j, "waits");
	json__array(j);
	for (int reason = 0; reason < REASONS; reason++) {
		const struct comparison *c = compare__of_row(
			d->compare, tally__find(d->tally, TALLY_THREAD_WAIT, group, TALLY_NOTHING,
						(enum reason)reason));

		if (!c)
			continue;
		json__object(j);
		json__key_string(j, "reason", reason__name((enum reason)reason));
		write_numbers(j, c);
		json__object_end(j);
	}
	json__array_end(j);
}

static void write_threads(struct json *j, const struct diff *d)
{
	json__key(j, "threads");
	json__array(j);
	for (uint32_t i = 0; i < d->tally->groups.n; i++) {
		const struct tally_group *g = &d->tally->groups.data[i];
		const struct comparison *c =
			compare__of_row(d->compare, tally__find(d->tally, TALLY_THREAD, i,
								TALLY_NOTHING, REASON_NONE));

		json__newline(j);
		json__object(j);
		json__key_string(j, "thread", diff__group(d, i));
		json__key_u64(j, "threadsBefore", g->threads[TALLY_BEFORE]);
		json__key_u64(j, "threadsAfter", g->threads[TALLY_AFTER]);
		if (c) {
			json__key(j, "cpu");
			json__object(j);
			write_numbers(j, c);
			json__object_end(j);
		}
		write_waits_of_group(j, d, i);
		json__object_end(j);
	}
	json__array_end(j);
}

static void write_total(struct json *j, const struct diff *d, const struct tally_row *own)
{
	const struct comparison *c =
		compare__of_row(d->compare, tally__find(d->tally, TALLY_TOTAL, own->group,
							own->function, REASON_NONE));

	if (!c)
		return;
	json__key(j, "total");
	json__object(j);
	write_numbers(j, c);
	json__object_end(j);
}

/* Functions with time of their own, or waits, largest change first. */
static void write_rows(struct json *j, const struct diff *d, const char *key, enum tally_kind kind)
{
	json__key(j, key);
	json__array(j);
	for (size_t i = 0; i < d->compare->rows.n; i++) {
		const struct comparison *c = &d->compare->rows.data[i];
		const struct tally_row *row = &d->tally->rows.data[c->row];

		if (row->kind != kind)
			continue;
		json__newline(j);
		json__object(j);
		json__key_string(j, "thread", diff__group(d, row->group));
		write_function(j, d, row->function);
		if (kind == TALLY_WAIT)
			json__key_string(j, "reason", reason__name(row->reason));
		json__key(j, kind == TALLY_WAIT ? "time" : "own");
		json__object(j);
		write_numbers(j, c);
		json__object_end(j);
		if (kind == TALLY_OWN)
			write_total(j, d, row);
		json__object_end(j);
	}
	json__array_end(j);
}

static const char *answer(const struct compare *c)
{
	if (!c->known)
		return "unknown";
	if (compare__regressions(c))
		return "regression";
	return compare__changes(c) ? "changed" : "same";
}

void diff_json__write(struct sink *sink, const struct diff *d)
{
	struct json json, *j = &json;

	json__init(j, sink);
	json__object(j);
	json__key_u64(j, "schema", DIFF_SCHEMA);
	json__key_string(j, "answer", answer(d->compare));
	json__key(j, "before");
	write_side(j, d, TALLY_BEFORE);
	json__key(j, "after");
	write_side(j, d, TALLY_AFTER);
	json__key_double(j, "threshold", 100 * d->options->threshold);
	json__key_double(j, "minChange", 100 * d->options->least);
	json__key(j, "speed");
	json__object(j);
	json__key_double(j, "factor", d->compare->speed);
	json__object_end(j);
	json__key(j, "waitsJudged");
	json__bool(j, !compare__is_busy(d->compare));
	write_changes(j, d);
	write_threads(j, d);
	write_rows(j, d, "functions", TALLY_OWN);
	write_rows(j, d, "waits", TALLY_WAIT);
	json__object_end(j);
	json__newline(j);
}
