// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/page.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"
#include "perfconv/base/version.h"
#include "perfconv/output/html.h"

#define THREADS_OPEN 3u	  /* whose stacks are shown at once */
#define RUNS_LEAST 0.0005 /* of its time, below which a thread's stacks are not shown */
#define TABLE_ROWS 25u
#define REASON_LEAST 0.0005 /* of a thread's time, below which a reason is not named */

struct page {
	struct sink *out;
	const struct report *report;
	const struct profile *profile;
	VEC(uint32_t) order; /* threads, busiest first */
};

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static void element(struct page *p, const char *before, const char *text, const char *after)
{
	html__raw(p->out, before);
	html__text(p->out, text);
	html__raw(p->out, after);
}

static void function(struct page *p, const struct report_frame *f)
{
	uint32_t line = f->line ? f->line : f->first_line;

	html__text(p->out, *f->name ? f->name : "native code");
	if (!*f->file)
		return;
	element(p, " <small>", file__base(f->file), "");
	if (line)
		html__numbers(p->out, ":%u", line);
	html__raw(p->out, "</small>");
}

/* --- the top ---------------------------------------------------------------- */

static void write_head(struct page *p)
{
	html__raw(p->out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
			  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
			  "'none'; style-src 'unsafe-inline'; img-src data:; script-src '");
	html__raw(p->out, page_script_hash);
	html__raw(p->out, "'\">\n<meta name=\"viewport\" content=\"width=device-width, "
			  "initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n");
	element(p, "<title>", p->report->title, " - perfconv report</title>\n<style>\n");
	html__raw(p->out, page_style);
	html__raw(p->out, "</style></head><body>\n");
}

static void write_quality(struct page *p)
{
	const struct report_quality *q = &p->report->quality;

	html__numbers(p->out, "<p class=\"dim\">%.1f s, %zu threads, %llu stacks: ",
		      seconds(p->report->duration_ns), p->report->threads.n,
		      (unsigned long long)q->samples);
	if (q->has_dumps)
		html__numbers(p->out, "complete %.1f %%, lines %.0f %%", 100 * q->complete,
			      100 * q->lines);
	else
		html__raw(p->out, "no stack dumps");
	if (q->has_waits)
		html__numbers(p->out, ", waits with stack %.0f %%", 100 * q->waits_with_stack);
	if (q->lost)
		html__numbers(p->out, ", <b>%llu records lost</b></p>\n",
			      (unsigned long long)q->lost);
	else
		html__raw(p->out, ", nothing lost</p>\n");
}

static void write_unlooked(struct page *p)
{
	const struct report *r = p->report;

	if (!r->unlooked.n)
		return;
	html__raw(p->out, "<details class=\"dim\"><summary>not looked for</summary><ul>");
	for (size_t i = 0; i < r->unlooked.n; i++) {
		element(p, "<li>", r->unlooked.data[i].rule, ": ");
		element(p, "", r->unlooked.data[i].because, "</li>");
	}
	html__raw(p->out, "</ul></details>\n");
}

static void write_title(struct page *p)
{
	element(p, "<h1>", p->report->title, "</h1>\n");
	if (*p->report->scenario)
		element(p, "<p class=\"dim\">scenario ", p->report->scenario, "</p>\n");
	write_quality(p);
	write_unlooked(p);
}

/* --- findings --------------------------------------------------------------- */

static void write_evidence(struct page *p, const struct finding *f)
{
	if (!f->stack.n)
		return;
	html__raw(p->out, "<details><summary>evidence</summary><pre>");
	for (size_t i = 0; i < f->stack.n; i++) {
		const struct report_frame *frame = &f->stack.data[i];
		uint32_t line = frame->line ? frame->line : frame->first_line;

		html__text(p->out, frame->name);
		element(p, "  ", frame->file, "");
		html__numbers(p->out, line ? ":%u\n" : "\n", line);
	}
	html__raw(p->out, "</pre></details>\n");
}

static void write_where(struct page *p, const struct finding *f)
{
	if (f->thread >= p->report->threads.n)
		return;
	html__numbers(p->out, "<p>See: <a href=\"#t%zu\" data-search=\"", f->thread);
	html__text(p->out, f->search);
	element(p, "\">", p->report->threads.data[f->thread].name, "</a>");
	if (*f->search)
		element(p, ", search <code>", f->search, "</code>");
	if (f->has_worst)
		html__numbers(p->out, "; the worst at %.3f s, for %.1f ms",
			      seconds(f->worst_begin_ns), (double)f->worst_ns / 1e6);
	html__raw(p->out, "</p>\n");
}

static void write_finding(struct page *p, const struct finding *f)
{
	html__raw(p->out, "<div class=\"finding ");
	html__raw(p->out, severity__name(f->severity));
	html__raw(p->out, "\"><h3><span class=\"severity\">");
	html__raw(p->out, severity__name(f->severity));
	element(p, "</span>", f->title, "");
	if (f->thread < p->report->threads.n)
		element(p, ", ", p->report->threads.data[f->thread].name, "");
	element(p, " <small>", f->headline, "</small></h3>\n");
	if (*f->function.name) {
		html__raw(p->out, "<p><code>");
		function(p, &f->function);
		html__raw(p->out, "</code></p>\n");
	}
	element(p, "<p>", f->text, "</p>\n");
	element(p, "<p><b>Do:</b> ", f->advice, "</p>\n");
	write_where(p, f);
	write_evidence(p, f);
	html__raw(p->out, "</div>\n");
}

static void write_findings(struct page *p)
{
	html__numbers(p->out, "<h2 id=\"findings\">%zu finding%s</h2>\n", p->report->findings.n,
		      p->report->findings.n == 1 ? "" : "s");
	for (size_t i = 0; i < p->report->findings.n; i++)
		write_finding(p, &p->report->findings.data[i]);
	if (!p->report->findings.n)
		html__raw(p->out, "<p>Nothing stands out.</p>\n");
}

/* --- threads ---------------------------------------------------------------- */

static enum page_state state_of_name(const char *name)
{
	char *bracketed = mem__format("[%s]", name);
	enum page_state state = page_state__of(reason__by_name(bracketed));

	free(bracketed);
	return state;
}

static void write_bar(struct page *p, const struct report_thread *t)
{
	double parts[PAGE_STATES] = { [PAGE_CPU] = share(t->on_cpu_ns, t->present_ns) };

	for (size_t i = 0; i < t->reasons.n; i++)
		parts[state_of_name(t->reasons.data[i].name)] +=
			share(t->reasons.data[i].ns, t->present_ns);
	html__raw(p->out, "<div class=\"bar\">");
	for (int state = 0; state < PAGE_STATES; state++) {
		if (!(parts[state] > 0))
			continue;
		html__raw(p->out, "<i class=\"");
		html__raw(p->out, page_state__class((enum page_state)state));
		html__numbers(p->out, "\" style=\"width:%.2f%%\" title=\"", 100 * parts[state]);
		html__raw(p->out, page_state__name((enum page_state)state));
		html__numbers(p->out, " %.1f %%\"></i>", 100 * parts[state]);
	}
	html__raw(p->out, "</div>\n");
}

static void write_figures(struct page *p, const struct report_thread *t)
{
	html__numbers(p->out, "<p class=\"figures\">CPU %.1f %%",
		      100 * share(t->on_cpu_ns, t->present_ns));
	for (size_t i = 0; i < t->reasons.n; i++) {
		double part = share(t->reasons.data[i].ns, t->present_ns);

		if (part < REASON_LEAST)
			continue;
		element(p, ", ", t->reasons.data[i].name, "");
		html__numbers(p->out, " %.1f %%", 100 * part);
	}
	if (t->has_waits && t->present_ns)
		html__numbers(p->out, "; %.0f switches a second, %.0f %% of them against its will",
			      (double)(t->voluntary + t->involuntary) / seconds(t->present_ns),
			      100 * share(t->involuntary, t->voluntary + t->involuntary));
	html__raw(p->out, "</p>\n");
	if (t->verdict == VERDICT_OVER)
		element(p, "<p class=\"figures over\">Misses its goal: ", t->target, "</p>\n");
}

static const struct profile_thread *timeline_of(const struct page *p, const struct report_thread *t)
{
	for (size_t i = 0; p->profile && i < p->profile->threads.n; i++) {
		const struct profile_thread *one = &p->profile->threads.data[i];

		if (one->tid == t->tid && one->pid == t->pid && !strcmp(one->name, t->name))
			return one;
	}
	return NULL;
}

static void write_thread(struct page *p, uint32_t index, bool open)
{
	const struct report_thread *t = &p->report->threads.data[index];
	const struct profile_thread *timeline = timeline_of(p, t);

	html__numbers(p->out, "<section class=\"thread\" id=\"t%u\">", index);
	element(p, "<h3>", t->name, " <small>");
	element(p, "", t->group, *t->group ? ", " : "");
	html__numbers(p->out, "tid %u</small></h3>\n", t->tid);
	write_bar(p, t);
	write_figures(p, t);
	if (timeline) {
		page_strip__write(p->out, p->profile, timeline);
		html__numbers(p->out,
			      "<div class=\"axis\"><span>0 s</span><span class=\"at\"></span>"
			      "<span>%.1f s</span></div>\n",
			      seconds(p->profile->duration));
		if (share(timeline->weight, p->profile->duration) >= RUNS_LEAST)
			page_flame__write(p->out, p->profile, timeline, false, open);
		page_flame__write(p->out, p->profile, timeline, true, false);
	}
	html__raw(p->out, "</section>\n");
}

static void write_legend(struct page *p)
{
	html__raw(p->out, "<ul class=\"legend\">");
	for (int state = 0; state < PAGE_STATES; state++) {
		html__raw(p->out, "<li><i class=\"");
		html__raw(p->out, page_state__class((enum page_state)state));
		html__raw(p->out, "\"></i>");
		html__raw(p->out, page_state__name((enum page_state)state));
		html__raw(p->out, "</li>");
	}
	html__raw(p->out,
		  "</ul>\n<ul class=\"legend\"><li>stacks:</li><li><i class=\"p\"></i>Python"
		  "</li><li><i class=\"n\"></i>native</li><li><i class=\"k\"></i>kernel"
		  "</li></ul>\n");
}

static bool has_targets(const struct report *r)
{
	for (size_t i = 0; i < r->threads.n; i++)
		if (*r->threads.data[i].target)
			return true;
	return false;
}

/* What is asked of a thread; a narrow page says it in the thread's section only. */
static void write_goal(struct page *p, const struct report_thread *t)
{
	html__raw(p->out, t->verdict == VERDICT_OVER ? "<td class=\"wide over\">misses: "
						     : "<td class=\"wide\">");
	html__text(p->out, t->target);
	html__raw(p->out, "</td>");
}

static void write_overview(struct page *p)
{
	bool targets = has_targets(p->report);

	html__raw(p->out, "<h2>Threads</h2>\n");
	write_legend(p);
	html__raw(p->out, "<div class=\"scroll\"><table><tr><th>thread</th><th class=\"number\">CPU"
			  "</th><th>where its time went</th>");
	html__raw(p->out, targets ? "<th class=\"wide\">goal</th></tr>\n" : "</tr>\n");
	for (size_t i = 0; i < p->order.n; i++) {
		const struct report_thread *t = &p->report->threads.data[p->order.data[i]];

		html__numbers(p->out, "<tr><td class=\"name\"><a href=\"#t%u\">", p->order.data[i]);
		element(p, "", t->name, "</a></td>");
		html__numbers(p->out, "<td class=\"number\">%.1f %%</td><td class=\"bars\">",
			      100 * share(t->on_cpu_ns, t->present_ns));
		write_bar(p, t);
		html__raw(p->out, "</td>");
		if (targets)
			write_goal(p, t);
		html__raw(p->out, "</tr>\n");
	}
	html__raw(p->out, "</table></div>\n");
}

static int busier(const void *a, const void *b, void *report)
{
	const struct report_thread *x =
		&((struct report *)report)->threads.data[*(const uint32_t *)a];
	const struct report_thread *y =
		&((struct report *)report)->threads.data[*(const uint32_t *)b];

	if (x->on_cpu_ns != y->on_cpu_ns)
		return x->on_cpu_ns > y->on_cpu_ns ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void write_threads(struct page *p)
{
	for (uint32_t i = 0; i < p->report->threads.n; i++)
		vec__push(&p->order, i);
	if (p->order.n)
		qsort_r(p->order.data, p->order.n, sizeof(*p->order.data), busier,
			(void *)p->report);
	write_overview(p);
	html__raw(p->out, "<div class=\"find\" hidden><input id=\"find\" type=\"search\" "
			  "placeholder=\"search a function\" aria-label=\"search a function\">"
			  "<span id=\"found\" class=\"dim\"></span></div>\n");
	if (!p->profile)
		html__raw(p->out, "<p>Timelines and stacks need the capture or its profile.</p>\n");
	for (uint32_t i = 0; i < p->order.n; i++)
		write_thread(p, p->order.data[i], i < THREADS_OPEN);
}

/* --- tables ----------------------------------------------------------------- */

static void begin_table(struct page *p, const char *title, const char *head)
{
	html__raw(p->out, "<h2>");
	html__raw(p->out, title);
	html__raw(p->out, "</h2>\n<div class=\"scroll\"><table><tr>");
	html__raw(p->out, head);
	html__raw(p->out, "</tr>\n");
}

static void end_table(struct page *p, size_t rows)
{
	html__raw(p->out, "</table></div>\n");
	if (rows > TABLE_ROWS)
		html__numbers(p->out, "<p class=\"dim\">%zu more: --format json has all</p>\n",
			      rows - TABLE_ROWS);
}

static void thread_cell(struct page *p, size_t thread)
{
	bool known = thread < p->report->threads.n;

	element(p, "<td class=\"name\">", known ? p->report->threads.data[thread].name : "",
		"</td>");
}

static void function_cell(struct page *p, const struct report_frame *f)
{
	html__raw(p->out, "<td class=\"name\">");
	function(p, f);
	html__raw(p->out, "</td>");
}

static void number_cell(struct page *p, const char *fmt, double value)
{
	html__raw(p->out, "<td class=\"number\">");
	html__numbers(p->out, fmt, value);
	html__raw(p->out, "</td>");
}

static double of_a_core(const struct page *p, uint64_t ns)
{
	return 100 * share(ns, p->report->duration_ns);
}

static void write_tasks(struct page *p)
{
	const struct report *r = p->report;

	if (!r->tasks.n)
		return;
	begin_table(p, "asyncio tasks",
		    "<th>task</th><th>thread</th><th class=\"number\">CPU</th><th "
		    "class=\"number\">steps</th><th class=\"number\">longest</th>");
	for (size_t i = 0; i < r->tasks.n && i < TABLE_ROWS; i++) {
		const struct report_task *t = &r->tasks.data[i];

		element(p, "<tr><td class=\"name\">", *t->coroutine ? t->coroutine : t->name,
			"</td>");
		thread_cell(p, t->thread);
		number_cell(p, "%.2f %%", of_a_core(p, t->on_cpu_ns));
		number_cell(p, t->exact ? "%.0f" : "", (double)t->steps);
		number_cell(p, t->exact ? "%.1f ms" : "", (double)t->longest_ns / 1e6);
		html__raw(p->out, "</tr>\n");
	}
	end_table(p, r->tasks.n);
}

static void write_periodic(struct page *p)
{
	const struct report *r = p->report;

	if (!r->periodic.n)
		return;
	begin_table(p, "What waits again and again",
		    "<th>function</th><th>thread</th><th>for</th><th class=\"number\">rate</th><th "
		    "class=\"number\">period</th><th class=\"number\">jitter</th>");
	for (size_t i = 0; i < r->periodic.n && i < TABLE_ROWS; i++) {
		const struct report_periodic *t = &r->periodic.data[i];

		html__raw(p->out, "<tr>");
		function_cell(p, &t->function);
		thread_cell(p, t->thread);
		element(p, "<td>", t->reason, "</td>");
		number_cell(p, "%.1f/s", t->rate_hz);
		number_cell(p, "%.1f ms", (double)t->period_ns / 1e6);
		number_cell(p, "%.1f ms", (double)t->jitter_ns / 1e6);
		html__raw(p->out, "</tr>\n");
	}
	end_table(p, r->periodic.n);
}

static void write_messages(struct page *p)
{
	const struct report *r = p->report;

	if (!r->messages.n)
		return;
	begin_table(
		p, "Messages",
		"<th>work</th><th>asked for by</th><th>thread</th><th class=\"number\">CPU</th>");
	for (size_t i = 0; i < r->messages.n && i < TABLE_ROWS; i++) {
		const struct report_share *t = &r->messages.data[i];

		element(p, "<tr><td>", t->kind, "</td>");
		function_cell(p, &t->function);
		thread_cell(p, t->thread);
		number_cell(p, "%.2f %%", of_a_core(p, t->ns));
		html__raw(p->out, "</tr>\n");
	}
	end_table(p, r->messages.n);
}

static void write_natives(struct page *p)
{
	const struct report *r = p->report;

	if (!r->natives.n)
		return;
	begin_table(
		p, "Native code by its Python caller",
		"<th>library</th><th>called by</th><th>thread</th><th class=\"number\">CPU</th>");
	for (size_t i = 0; i < r->natives.n && i < TABLE_ROWS; i++) {
		const struct report_native *t = &r->natives.data[i];

		element(p, "<tr><td>", t->library, "</td>");
		function_cell(p, &t->caller);
		thread_cell(p, t->thread);
		number_cell(p, "%.2f %%", of_a_core(p, t->ns));
		html__raw(p->out, "</tr>\n");
	}
	end_table(p, r->natives.n);
}

static void write_phases(struct page *p)
{
	const struct report *r = p->report;

	if (!r->phases.n)
		return;
	begin_table(
		p, "Phases",
		"<th>phase</th><th class=\"number\">from</th><th class=\"number\">for</th><th>most "
		"of it</th>");
	for (size_t i = 0; i < r->phases.n && i < TABLE_ROWS; i++) {
		element(p, "<tr><td>", r->phases.data[i].name, "</td>");
		number_cell(p, "%.2f s", seconds(r->phases.data[i].begin_ns));
		number_cell(p, "%.2f s", seconds(r->phases.data[i].ns));
		function_cell(p, &r->phases.data[i].function);
		html__raw(p->out, "</tr>\n");
	}
	end_table(p, r->phases.n);
}

static void write_machine(struct page *p)
{
	const struct report *r = p->report;

	if (!r->machine.n)
		return;
	begin_table(p, "The machine's part", "<th>what</th><th class=\"number\">how much</th>");
	for (size_t i = 0; i < r->machine.n; i++) {
		element(p, "<tr><td>", r->machine.data[i].name, "</td>");
		html__numbers(p->out, "<td class=\"number\">%.4g ", r->machine.data[i].value);
		element(p, "", r->machine.data[i].unit, "</td></tr>\n");
	}
	end_table(p, 0);
}

void page__write(struct sink *s, const struct report *r, const struct profile *profile)
{
	struct page p = { .out = s, .report = r, .profile = profile };

	write_head(&p);
	write_title(&p);
	write_findings(&p);
	write_threads(&p);
	write_tasks(&p);
	write_periodic(&p);
	write_messages(&p);
	write_natives(&p);
	write_phases(&p);
	page_usage__write(s, r);
	write_machine(&p);
	html__raw(s, "<p class=\"dim\">perfconv " PERFCONV_VERSION "</p>\n<script>");
	html__raw(s, page_script);
	html__raw(s, "</script>\n</body></html>\n");
	vec__release(&p.order);
}
