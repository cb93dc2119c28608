// SPDX-License-Identifier: GPL-2.0
#include "perfconv/cmd/diff_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"
#include "perfconv/cmd/lines.h"

#define LABEL_COLUMNS 36
#define THREADS_SHOWN 12
#define CHANGES_SHOWN 10
#define THREAD_LEAST 0.001 /* of a core, on CPUs */
#define WAIT_LEAST 0.01	   /* of the time: smaller changes of waits are not shown */

struct text {
	struct sink *out;
	const struct diff *diff;
	bool markdown;
};

/* Rows of a kind that changed in a direction. */
static size_t count(const struct diff *d, bool wait, enum compare_verdict verdict)
{
	size_t n = 0;

	for (size_t i = 0; i < d->compare->rows.n; i++) {
		const struct comparison *c = &d->compare->rows.data[i];

		n += c->verdict == verdict &&
		     (d->tally->rows.data[c->row].kind == TALLY_WAIT) == wait;
	}
	return n;
}

char *diff_text__answer(const struct diff *d)
{
	size_t slower = count(d, false, COMPARE_MORE), faster = count(d, false, COMPARE_LESS);
	size_t longer = count(d, true, COMPARE_MORE), shorter = count(d, true, COMPARE_LESS);

	if (!d->compare->known)
		return mem__strdup("not known: each side needs 2 s to tell noise, better 10 s; "
				   "record for longer");
	if (!slower && !faster && !longer && !shorter)
		return mem__strdup("no change beyond noise");
	if (!longer && !shorter)
		return mem__format("%zu slower, %zu faster, beyond noise and %g %%", slower, faster,
				   100 * d->options->threshold);
	return mem__format("%zu slower, %zu faster, %zu longer and %zu shorter waits, beyond noise "
			   "and %g %%",
			   slower, faster, longer, shorter, 100 * d->options->threshold);
}

/* --- tables ----------------------------------------------------------------- */

/* Marks times that are told as they would be at the speed of after, so that the columns'
 * difference is the change. */
static const char *star(const struct text *t)
{
	return t->diff->options->same_speed ? "" : t->markdown ? "\\*" : "*";
}

static void table_head(struct text *t, const char *title)
{
	char *before = mem__format("before%s", star(t));

	lines__print(t->out, "%s", "");
	if (t->markdown) {
		lines__print(t->out, "| %s | %s %% | after %% | change | | noise |", title, before);
		lines__print(t->out, "|---|---:|---:|---:|---:|---:|");
	} else {
		lines__print(t->out, "%-*s%8s%9s%9s%18s", LABEL_COLUMNS, title, before, "after",
			     "change", "noise");
	}
	free(before);
}

/* Foreign text in a table of Markdown: '|' ends a cell, the others are marks. */
static char *markdown_text(const char *text)
{
	char *out = mem__alloc(2 * strlen(text) + 1, 1), *to = out;

	for (; *text; text++) {
		if (strchr("\\|*_`<>[]#", *text))
			*to++ = '\\';
		*to++ = *text;
	}
	return out;
}

/* The start of what fits in the label's column; a Python name tells most at its end. */
static size_t overhang(const char *text)
{
	size_t n = strlen(text), skip = n > LABEL_COLUMNS - 2 ? n - (LABEL_COLUMNS - 2) : 0;

	while (skip && (text[skip] & 0xc0) == 0x80)
		skip++; /* not into a character of several bytes */
	return skip;
}

static void table_row(struct text *t, const char *label, const struct comparison *c)
{
	double change = c->after - c->expected;
	char noise[32] = "?", relative[32] = "new";
	size_t skip = overhang(label);
	char *shown;

	if (c->noise > 0)
		snprintf(noise, sizeof(noise), "+-%.1f", 100 * c->noise);
	if (c->expected > 0)
		snprintf(relative, sizeof(relative), "%+.0f %%", 100 * change / c->expected);
	if (t->markdown) {
		shown = markdown_text(label);
		lines__print(t->out, "| %s | %.1f | %.1f | %+.1f | %s | %s |", shown,
			     100 * c->expected, 100 * c->after, 100 * change, relative, noise);
		free(shown);
		return;
	}
	lines__print(t->out, "%s%-*s%8.1f%9.1f%+9.1f%9s%9s", skip ? ".." : "  ", LABEL_COLUMNS - 2,
		     label + skip, 100 * c->expected, 100 * c->after, 100 * change, relative,
		     noise);
}

static char *place_of(const struct diff *d, uint32_t function)
{
	const struct tally_function *f;

	if (function == TALLY_NOTHING)
		return mem__strdup("");
	f = &d->tally->functions.data[function];
	if (f->kind == FRAME_PYTHON && f->line)
		return mem__format("%s:%u", file__base(strtab__get(&d->tally->strings, f->place)),
				   f->line);
	return mem__strdup(strtab__get(&d->tally->strings, f->place));
}

/* What changed; and where, for a line of its own. */
static char *label_of(const struct diff *d, const struct tally_row *row)
{
	const char *name = diff__function(d, row->function);

	if (row->kind == TALLY_THREAD)
		return mem__strdup("all of the thread");
	if (row->kind == TALLY_WAIT)
		return mem__format("%s %s", *name ? name : "[stack cut]",
				   reason__name(row->reason));
	return mem__strdup(name);
}

static char *where_of(const struct diff *d, const struct tally_row *row)
{
	char *place = place_of(d, row->function), *where;

	where = mem__format("%s%s%s", place, *place ? ", " : "", diff__group(d, row->group));
	free(place);
	return where;
}

static void change_row(struct text *t, const struct comparison *c)
{
	const struct tally_row *row = &t->diff->tally->rows.data[c->row];
	char *label = label_of(t->diff, row), *where = where_of(t->diff, row), *both;

	if (t->markdown) {
		both = mem__format("%s (%s)", label, where);
		table_row(t, both, c);
		free(both);
	} else {
		table_row(t, label, c);
		lines__print(t->out, "      %s", where);
	}
	free(label);
	free(where);
}

static void change_table(struct text *t, const char *title, bool wait, enum compare_verdict verdict)
{
	const struct diff *d = t->diff;
	size_t shown = 0, all = count(d, wait, verdict);

	if (!all)
		return;
	table_head(t, title);
	for (size_t i = 0; i < d->compare->rows.n && shown < CHANGES_SHOWN; i++) {
		const struct comparison *c = &d->compare->rows.data[i];
		const struct tally_row *row = &d->tally->rows.data[c->row];

		if (c->verdict != verdict || (row->kind == TALLY_WAIT) != wait)
			continue;
		change_row(t, c);
		shown++;
	}
	if (all > shown)
		lines__print(t->out, "%s%zu more: --format json has all", t->markdown ? "\n" : "  ",
			     all - shown);
}

static void thread_table(struct text *t)
{
	const struct diff *d = t->diff;
	size_t shown = 0;

	table_head(t, "threads, % of a core");
	for (size_t i = 0; i < d->compare->rows.n && shown < THREADS_SHOWN; i++) {
		const struct comparison *c = &d->compare->rows.data[i];
		const struct tally_row *row = &d->tally->rows.data[c->row];
		const struct tally_group *g = &d->tally->groups.data[row->group];
		uint32_t most = g->threads[g->threads[0] < g->threads[1]];
		char *label;

		if (row->kind != TALLY_THREAD || fmax(c->before, c->after) < THREAD_LEAST)
			continue;
		label = most > 1 ? mem__format("%s (%u)", diff__group(d, row->group), most)
				 : mem__strdup(diff__group(d, row->group));
		table_row(t, label, c);
		free(label);
		shown++;
	}
}

/* The largest changes, judged or not: what a person asks for next. */
static void wait_table(struct text *t)
{
	const struct diff *d = t->diff;
	size_t shown = 0;

	for (size_t i = 0; i < d->compare->rows.n && shown < THREADS_SHOWN; i++) {
		const struct comparison *c = &d->compare->rows.data[i];
		const struct tally_row *row = &d->tally->rows.data[c->row];
		char *label;

		if (row->kind != TALLY_THREAD_WAIT || fabs(c->after - c->before) < WAIT_LEAST)
			continue;
		if (!shown++)
			table_head(t, "waits that differ, % of the time");
		label = mem__format("%s %s", diff__group(d, row->group), reason__name(row->reason));
		table_row(t, label, c);
		free(label);
	}
}

/* --- around them ------------------------------------------------------------ */

static void side_line(struct text *t, enum tally_side side, const char *name)
{
	const struct diff *d = t->diff;
	char more[32] = "";

	if (d->sides[side].n > 1)
		snprintf(more, sizeof(more), " and %zu more", d->sides[side].n - 1);
	lines__print(t->out, "%s%-7s %s%s, %.1f s", t->markdown ? "- " : "", name,
		     d->sides[side].paths[0], more, tally__seconds(d->tally, side));
}

static void limit_lines(struct text *t)
{
	const struct compare *c = t->diff->compare;
	double more = 100 * (c->speed - 1);

	lines__print(t->out, "%s", "");
	if (fabs(more) >= 2) {
		lines__print(
			t->out,
			"If both did the same work, it took %.0f %% %s CPU time after: the machine, or",
			fabs(more), more > 0 ? "more" : "less");
		lines__print(t->out, "all of the program alike. Changes are what goes beyond; "
				     "--same-speed: count it,");
		lines__print(t->out, "and wherever the runs did not do the same.");
	}
	lines__print(t->out, "%s%schange: after - before%s; noise: 95 %% interval", star(t),
		     *star(t) ? " at the speed of after; " : "", star(t));
	if (compare__is_busy(c))
		lines__print(
			t->out,
			"Threads waited for a CPU: %.0f and %.0f %% of their CPU time. Waits are not "
			"judged.",
			100 * c->machine[TALLY_BEFORE], 100 * c->machine[TALLY_AFTER]);
}

void diff_text__write(struct sink *out, const struct diff *d, bool markdown)
{
	struct text t = { out, d, markdown };
	char *answer = diff_text__answer(d);

	lines__print(t.out, "%s%s%s", markdown ? "**" : "", answer, markdown ? "**" : "");
	free(answer);
	lines__print(t.out, "%s", "");
	side_line(&t, TALLY_BEFORE, "before");
	side_line(&t, TALLY_AFTER, "after");
	change_table(&t, "SLOWER, % of a core", false, COMPARE_MORE);
	change_table(&t, "FASTER, % of a core", false, COMPARE_LESS);
	change_table(&t, "LONGER WAITS, % of the time", true, COMPARE_MORE);
	change_table(&t, "SHORTER WAITS, % of the time", true, COMPARE_LESS);
	thread_table(&t);
	wait_table(&t);
	limit_lines(&t);
}
