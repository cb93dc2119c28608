// SPDX-License-Identifier: GPL-2.0
#include "perfconv/cmd/findings_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/usage.h"
#include "perfconv/base/file.h"
#include "perfconv/base/mem.h"
#include "perfconv/cmd/lines.h"

#define INDENT "        "
#define SHOWN_THREADS 14u
#define SHOWN_ROWS 6u
#define SHOWN_EVIDENCE 4u /* frames of a stack */
#define LEAST_NAME 12u	  /* columns of a thread's name in a line that is too long */
#define QUIET_CPU 0.0005  /* of the time, and a switch a second: such a thread is not shown */

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100 * (double)part / (double)whole : 0;
}

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static double milliseconds(uint64_t ns)
{
	return (double)ns / 1e6;
}

/* So many as keep a figure narrow. */
static int decimals(double value)
{
	return value < 1000 ? 1 : 0;
}

static const char *shouted(enum severity severity)
{
	static const char *const names[SEVERITIES] = { "info  ", "LOW   ", "MEDIUM", "HIGH  " };

	return names[severity];
}

static const char *thread_name(const struct report *r, size_t thread)
{
	return thread < r->threads.n ? r->threads.data[thread].name : "";
}

/* "function (file.py:12)" in @out. */
static const char *where(const struct report_frame *f, char *out, size_t size)
{
	uint32_t line = f->line ? f->line : f->first_line;

	if (!*f->name)
		snprintf(out, size, "native code");
	else if (f->python && line)
		snprintf(out, size, "%s (%s:%u)", f->name, file__base(f->file), line);
	else
		snprintf(out, size, "%s", f->name);
	return out;
}

/* The last frames of the evidence; what is native is shown only behind the last Python. */
static char *evidence(const struct finding *f)
{
	size_t begin = 0, python = 0;
	char *line = mem__strdup("");

	if (!f->stack.n)
		return line;
	for (size_t i = 0; i < f->stack.n; i++)
		if (f->stack.data[i].python)
			python = i;
	for (size_t i = python + 1, n = 0; i-- > 0 && n < SHOWN_EVIDENCE; begin = i)
		n += f->stack.data[i].python;
	for (size_t i = begin; i < f->stack.n; i++) {
		const struct report_frame *frame = &f->stack.data[i];
		char *longer;

		if (!frame->python && (i < python || (i > python + 1 && i + 1 < f->stack.n)))
			continue;
		longer = mem__format("%s%s%s", line, *line ? " > " : "", frame->name);
		free(line);
		line = longer;
	}
	return line;
}

static void print_see(struct sink *s, const struct finding *f)
{
	char at[64] = "";
	char *line;

	if (!*f->profile)
		return;
	if (f->has_worst)
		snprintf(at, sizeof(at), ", worst at %.3f s", seconds(f->worst_begin_ns));
	line = mem__format("speedscope, thread %s%s%s%s%s", f->profile,
			   *f->search ? ", search \"" : "", f->search, *f->search ? "\"" : "", at);
	lines__wrap(s, INDENT "see: ", line);
	free(line);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void print_title(struct sink *s, const struct report *r, const struct finding *f)
{
	const char *thread = thread_name(r, f->thread);
	char *left = mem__format("%s  %s%s%s", shouted(f->severity), f->rule, *thread ? "  " : "",
				 thread);
	size_t width = lines__width(left) + lines__width(f->headline);

	if (width + 2 <= LINES_COLUMNS) {
		lines__print(s, "%s%*s%s", left, (int)(LINES_COLUMNS - width), "", f->headline);
	} else {
		lines__print(s, "%s",
			     column(left, smaller(lines__width(left), LINES_COLUMNS)).text);
		lines__wrap(s, INDENT, f->headline);
	}
	free(left);
}

static void print_finding(struct sink *s, const struct report *r, const struct finding *f)
{
	char *stack = evidence(f);

	lines__print(s, "%s", "");
	print_title(s, r, f);
	lines__wrap(s, INDENT, f->text);
	if (*stack)
		lines__wrap(s, INDENT, stack);
	lines__wrap(s, INDENT "do:  ", f->advice);
	print_see(s, f);
	free(stack);
}

static void print_head(struct sink *s, const struct report *r)
{
	size_t counts[SEVERITIES] = { 0 };
	const char *name = *r->scenario ? r->scenario : r->title;

	for (size_t i = 0; i < r->findings.n; i++)
		counts[r->findings.data[i].severity]++;
	if (r->findings.n)
		lines__print(s, "%s, %.1f s: %zu high, %zu medium, %zu low", name,
			     seconds(r->duration_ns), counts[SEVERITY_HIGH],
			     counts[SEVERITY_MEDIUM], counts[SEVERITY_LOW]);
	else
		lines__print(s, "%s, %.1f s: nothing stands out", name, seconds(r->duration_ns));
}

static void print_quality(struct sink *s, const struct report_quality *q)
{
	char waits[64] = "  waits not recorded", lines[48] = "", lost[48] = "nothing lost";
	char complete[48] = "no stack dumps";

	if (q->has_dumps)
		snprintf(complete, sizeof(complete), "complete %.1f %%", 100 * q->complete);
	if (q->has_waits)
		snprintf(waits, sizeof(waits), "  waits with stack %.0f %%",
			 100 * q->waits_with_stack);
	if (q->has_lines)
		snprintf(lines, sizeof(lines), "  lines %.0f %%", 100 * q->lines);
	if (q->lost)
		snprintf(lost, sizeof(lost), "%llu events lost", (unsigned long long)q->lost);
	lines__print(s, "  %llu stacks: %s%s%s  %s", (unsigned long long)q->samples, complete,
		     lines, waits, lost);
}

static void append(char **line, const char *between, const char *more)
{
	char *longer = mem__format("%s%s%s", *line, **line ? between : "", more);

	free(*line);
	*line = longer;
}

/* All rules that miss the same thing as rule @first. */
static void append_unlooked(char **line, const struct report *r, size_t first)
{
	const char *because = r->unlooked.data[first].because, *between = "; ";
	char *words = mem__format("(%s)", because);

	for (size_t i = first; i < r->unlooked.n; i++)
		if (!strcmp(r->unlooked.data[i].because, because)) {
			append(line, between, r->unlooked.data[i].rule);
			between = ", ";
		}
	append(line, " ", words);
	free(words);
}

static void print_unlooked(struct sink *s, const struct report *r)
{
	char *line = mem__strdup("");

	for (size_t i = 0; i < r->unlooked.n; i++) {
		bool told = false;

		for (size_t k = 0; k < i && !told; k++)
			told = !strcmp(r->unlooked.data[k].because, r->unlooked.data[i].because);
		if (!told)
			append_unlooked(&line, r, i);
	}
	if (*line)
		lines__wrap(s, "  not looked for: ", line);
	free(line);
}

static uint64_t of_reason(const struct report_thread *t, const char *const *names)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->reasons.n; i++)
		for (size_t k = 0; names[k]; k++)
			if (!strcmp(t->reasons.data[i].name, names[k]))
				sum += t->reasons.data[i].ns;
	return sum;
}

static void print_thread(struct sink *s, const struct report_thread *t)
{
	static const char *const columns[][6] = {
		{ "sleep" },
		{ "poll" },
		{ "lock" },
		{ "GIL wait" },
		{ "socket", "pipe", "terminal", "disk", "page fault" },
		{ "preempted", "run queue" },
	};
	double rate = (double)(t->voluntary + t->involuntary) / seconds(t->present_ns);
	const char *mark = t->verdict == VERDICT_OVER ? "!" : t->verdict == VERDICT_OK ? "ok" : "";
	char line[160];
	int n = 0;

	if (!t->has_waits) {
		lines__print(s, "%s %6.1f", column(t->name, 26).text,
			     percent(t->on_cpu_ns, t->present_ns));
		return;
	}
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " %5.1f",
			      percent(of_reason(t, columns[i]), t->present_ns));
	lines__print(s, "%s %5.1f%s %5.0f  %s", column(t->name, 26).text,
		     percent(t->on_cpu_ns, t->present_ns), line, rate, mark);
}

static bool is_quiet(const struct report_thread *t)
{
	return !t->present_ns || ((double)t->on_cpu_ns < QUIET_CPU * (double)t->present_ns &&
				  (double)(t->voluntary + t->involuntary) < seconds(t->present_ns));
}

static int by_cpu(const void *a, const void *b)
{
	const struct report_thread *const *x = a, *const *y = b;

	if ((*x)->on_cpu_ns != (*y)->on_cpu_ns)
		return (*x)->on_cpu_ns > (*y)->on_cpu_ns ? -1 : 1;
	return strcmp((*x)->name, (*y)->name);
}

static void print_threads(struct sink *s, const struct report *r)
{
	const struct report_thread **order = mem__alloc(r->threads.n, sizeof(*order));
	size_t n = 0;

	for (size_t i = 0; i < r->threads.n; i++)
		if (!is_quiet(&r->threads.data[i]))
			order[n++] = &r->threads.data[i];
	if (n)
		qsort(order, n, sizeof(*order), by_cpu);
	lines__print(s, "%s", "");
	lines__print(s, "%-26s %5s%s", "thread, % of its time", "CPU",
		     r->quality.has_waits ? " sleep  poll  lock   GIL   I/O queue  sw/s  goal"
					  : "");
	for (size_t i = 0; i < n && i < SHOWN_THREADS; i++)
		print_thread(s, order[i]);
	if (n > SHOWN_THREADS)
		lines__print(s, "(%zu more)", n - SHOWN_THREADS);
	if (r->threads.n > n)
		lines__print(s, "(%zu more that hardly run)", r->threads.n - n);
	free(order);
}

static void print_tasks(struct sink *s, const struct report *r)
{
	if (!r->tasks.n)
		return;
	lines__print(s, "%s", "");
	lines__print(s, "%-44s %9s %8s %14s", "asyncio task", "CPU", "steps", "longest step");
	for (size_t i = 0; i < r->tasks.n && i < SHOWN_ROWS; i++) {
		const struct report_task *t = &r->tasks.data[i];

		if (t->exact)
			lines__print(s, "%s %6.2f %%  %8llu %11.1f ms", column(t->name, 44).text,
				     percent(t->on_cpu_ns, r->duration_ns),
				     (unsigned long long)t->steps, milliseconds(t->longest_ns));
		else
			lines__print(s, "%s %6.2f %%  %8s %14s", column(t->name, 44).text,
				     percent(t->on_cpu_ns, r->duration_ns), "?", "?");
	}
	if (r->tasks.n > SHOWN_ROWS)
		lines__print(s, "(%zu more)", r->tasks.n - SHOWN_ROWS);
}

static void print_periodic(struct sink *s, const struct report *r)
{
	char name[256];

	if (!r->periodic.n)
		return;
	lines__print(s, "%s", "");
	lines__print(s, "%-33s %-18s %8s %14s", "waits again and again", "thread", "rate",
		     "period");
	for (size_t i = 0; i < r->periodic.n && i < SHOWN_ROWS; i++) {
		const struct report_periodic *p = &r->periodic.data[i];

		where(&p->function, name, sizeof(name));
		lines__print(s, "%s %s %6.*f/s %5.*f +- %.*f ms", column(name, 33).text,
			     column(thread_name(r, p->thread), 18).text, decimals(p->rate_hz),
			     p->rate_hz, decimals(milliseconds(p->period_ns)),
			     milliseconds(p->period_ns), decimals(milliseconds(p->jitter_ns)),
			     milliseconds(p->jitter_ns));
	}
}

static void print_messages(struct sink *s, const struct report *r)
{
	char name[256];

	if (!r->messages.n)
		return;
	lines__print(s, "%s", "");
	lines__print(s, "%-10s %-42s %-16s %s", "messages", "asked for by", "thread", "CPU");
	for (size_t i = 0; i < r->messages.n && i < SHOWN_ROWS; i++) {
		const struct report_share *m = &r->messages.data[i];

		where(&m->function, name, sizeof(name));
		lines__print(s, "%s %s %s %6.2f %%", column(m->kind, 10).text,
			     column(name, 42).text, column(thread_name(r, m->thread), 16).text,
			     percent(m->ns, r->duration_ns));
	}
}

static void print_natives(struct sink *s, const struct report *r)
{
	char name[256];

	if (!r->natives.n)
		return;
	lines__print(s, "%s", "");
	lines__print(s, "%-19s %-33s %-16s %s", "native code", "called by", "thread", "CPU");
	for (size_t i = 0; i < r->natives.n && i < SHOWN_ROWS; i++) {
		const struct report_native *n = &r->natives.data[i];

		where(&n->caller, name, sizeof(name));
		lines__print(s, "%s %s %s %6.2f %%", column(n->library, 19).text,
			     column(name, 33).text, column(thread_name(r, n->thread), 16).text,
			     percent(n->ns, r->duration_ns));
	}
}

static void print_phases(struct sink *s, const struct report *r)
{
	char name[256];

	for (size_t i = 0; i < r->phases.n; i++) {
		const struct report_phase *p = &r->phases.data[i];

		if (!i)
			lines__print(s, "%s", "");
		if (*p->function.name)
			lines__print(s, "%s %.2f s, of it %.2f s in %s", p->name, seconds(p->ns),
				     seconds(p->function_ns),
				     where(&p->function, name, sizeof(name)));
		else
			lines__print(s, "%s %.2f s", p->name, seconds(p->ns));
	}
}

static void print_machine(struct sink *s, const struct report *r)
{
	char *line = mem__strdup("");

	for (size_t i = 0; i < r->machine.n; i++) {
		const struct report_number *n = &r->machine.data[i];
		char *number = lines__number(n->value, n->unit);
		char *words = mem__format("%s %s", n->name, number);

		append(&line, ", ", words);
		free(words);
		free(number);
	}
	if (*line) {
		lines__print(s, "%s", "");
		lines__wrap(s, "machine: ", line);
	}
	free(line);
}

static void print_figures(struct sink *s, const char *what, const struct usage_figures *f,
			  const char *unit)
{
	lines__print(s, "%-28s %8.1f %s %8.1f %s %8.1f %s %8.1f %s", what, f->first, unit, f->mean,
		     unit, f->most, unit, f->last, unit);
}

/* The processes over time, in so few figures that a leak or a burst is seen. */
static void print_usage(struct sink *s, const struct report *r)
{
	struct usage_summary u;
	char *parts = mem__strdup("");

	if (usage__sum(r, &u)) {
		lines__print(s, "%s", "");
		lines__print(s, "%-28s %10s %11s %11s %11s", "all threads over time", "first",
			     "mean", "most", "last");
		print_figures(s, "CPU", &u.cpu_percent, "% ");
		print_figures(s, "memory", &u.memory_mb, "MB");
		lines__print(s, "memory %+.1f MB in %.1f s, %+.1f MB a minute",
			     u.memory_mb.last - u.memory_mb.first, u.seconds, u.growth_mb_a_minute);
		for (size_t i = 0; i < u.parts; i++) {
			char *longer = mem__format("%s %.0f", parts, u.part_percent[i]);

			free(parts);
			parts = longer;
		}
		lines__print(s, "CPU in %zu parts of that time: %s %%", u.parts, parts);
	}
	free(parts);
}

void findings_text__write(struct sink *s, const struct report *r, const char *path)
{
	print_head(s, r);
	print_quality(s, &r->quality);
	print_unlooked(s, r);
	for (size_t i = 0; i < r->findings.n; i++)
		print_finding(s, r, &r->findings.data[i]);
	print_threads(s, r);
	print_tasks(s, r);
	print_periodic(s, r);
	print_messages(s, r);
	print_natives(s, r);
	print_phases(s, r);
	print_usage(s, r);
	print_machine(s, r);
	lines__print(s, "%s", "");
	lines__print(s, "all of it:  perfconv report --format markdown %s", path);
}

/* One line; of what does not fit, the thread's name is cut first. */
static void print_line(struct sink *s, const struct report *r, const struct finding *f)
{
	const char *thread = thread_name(r, f->thread);
	char *rule = mem__format("%s  %.40s  ", shouted(f->severity), f->rule);
	size_t left = LINES_COLUMNS - lines__width(rule) - 2, figures = lines__width(f->headline);
	size_t name = left > figures + LEAST_NAME ? left - figures : LEAST_NAME;

	name = smaller(name, lines__width(thread));
	figures = smaller(figures, left - name);
	lines__print(s, "%s%s  %*s%s", rule, column(thread, name).text,
		     (int)(left - name - figures), "", column(f->headline, figures).text);
	free(rule);
}

void findings_text__short(struct sink *s, const struct report *r)
{
	for (size_t i = 0; i < r->findings.n; i++)
		if (r->findings.data[i].severity > SEVERITY_INFO)
			print_line(s, r, &r->findings.data[i]);
}
