// SPDX-License-Identifier: GPL-2.0
#include "perfconv/cmd/findings_markdown.h"

#include <stdlib.h>
#include <string.h>

#include "perfconv/analyze/usage.h"
#include "perfconv/base/file.h"
#include "perfconv/base/mem.h"
#include "perfconv/cmd/lines.h"

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100 * (double)part / (double)whole : 0;
}

static double milliseconds(uint64_t ns)
{
	return (double)ns / 1e6;
}

/* Names are foreign text: nothing in them becomes markup. */
static char *escaped(const char *text)
{
	char *out = mem__alloc(2 * strlen(text) + 1, 1), *to = out;

	for (; *text; text++) {
		if (strchr("\\`*_{}[]<>#|~!&", *text))
			*to++ = '\\';
		*to++ = *text;
	}
	return out;
}

static char *where(const struct report_frame *f)
{
	uint32_t line = f->line ? f->line : f->first_line;
	char *name = escaped(*f->name ? f->name : "native code");
	char *file = escaped(f->python ? file__base(f->file) : ""), *out;

	if (*file)
		out = mem__format("%s (%s:%u)", name, file, line);
	else
		out = mem__strdup(name);
	free(name);
	free(file);
	return out;
}

static char *thread_name(const struct report *r, size_t thread)
{
	return escaped(thread < r->threads.n ? r->threads.data[thread].name : "");
}

static void print_stack(struct sink *s, const struct finding *f)
{
	if (!f->stack.n)
		return;
	lines__print(s, "%s", "");
	for (size_t i = 0; i < f->stack.n; i++) {
		const struct report_frame *frame = &f->stack.data[i];
		uint32_t line = frame->line ? frame->line : frame->first_line;

		if (line)
			lines__print(s, "    %s  %s:%u", frame->name, frame->file, line);
		else
			lines__print(s, "    %s  %s", frame->name, frame->file);
	}
}

static void print_number(struct sink *s, const struct report_number *n)
{
	char *name = escaped(n->name), *number = lines__number(n->value, n->unit);
	char *value = escaped(number);

	lines__print(s, "- %s: %s", name, value);
	free(name);
	free(number);
	free(value);
}

static void print_finding(struct sink *s, const struct report *r, const struct finding *f)
{
	char *thread = thread_name(r, f->thread), *text = escaped(f->text);
	char *headline = escaped(f->headline), *search = escaped(f->search);
	char *advice = escaped(f->advice);

	lines__print(s, "%s", "");
	lines__print(s, "### %s: %s%s%s", severity__name(f->severity), f->rule, *thread ? ", " : "",
		     thread);
	lines__print(s, "%s", "");
	lines__print(s, "%s: %s.", headline, text);
	print_stack(s, f);
	lines__print(s, "%s", "");
	lines__print(s, "- do: %s", advice);
	if (*f->profile)
		lines__print(s, "- see: speedscope, thread %s%s%s", thread,
			     *search ? ", search " : "", search);
	if (f->has_worst)
		lines__print(s, "- worst: at %.3f s, %.1f ms", (double)f->worst_begin_ns / 1e9,
			     milliseconds(f->worst_ns));
	for (size_t i = 0; i < f->numbers.n; i++)
		print_number(s, &f->numbers.data[i]);
	free(thread);
	free(text);
	free(headline);
	free(advice);
	free(search);
}

static void print_quality(struct sink *s, const struct report *r)
{
	const struct report_quality *q = &r->quality;
	char *complete;

	lines__print(s, "%s", "");
	lines__print(s,
		     "| stacks | complete | stitched | lines | waits with stack | events lost |");
	lines__print(s, "|---|---|---|---|---|---|");
	if (q->has_dumps)
		complete = mem__format("%.1f %%", 100 * q->complete);
	else
		complete = mem__strdup("no stack dumps");
	lines__print(s, "| %llu | %s | %.1f %% | %.1f %% | %.1f %% | %llu |",
		     (unsigned long long)q->samples, complete, 100 * q->stitched, 100 * q->lines,
		     100 * q->waits_with_stack, (unsigned long long)q->lost);
	free(complete);
	if (!r->unlooked.n)
		return;
	lines__print(s, "%s", "");
	lines__print(s, "Not looked for:");
	lines__print(s, "%s", "");
	for (size_t i = 0; i < r->unlooked.n; i++) {
		char *rule = escaped(r->unlooked.data[i].rule);
		char *because = escaped(r->unlooked.data[i].because);

		lines__print(s, "- %s: %s", rule, because);
		free(rule);
		free(because);
	}
}

static char *reasons_of(const struct report_thread *t)
{
	char *out = mem__strdup("");

	for (size_t i = 0; i < t->reasons.n; i++) {
		char *longer = mem__format("%s%s%s %.1f %%", out, i ? ", " : "",
					   t->reasons.data[i].name,
					   percent(t->reasons.data[i].ns, t->present_ns));

		free(out);
		out = longer;
	}
	return out;
}

static void print_threads(struct sink *s, const struct report *r)
{
	lines__print(s, "%s", "");
	lines__print(s, "## Threads");
	lines__print(s, "%s", "");
	lines__print(s, "| thread | group | wall s | CPU | asleep | waits | switches: voluntary, "
			"involuntary | verdict |");
	lines__print(s, "|---|---|---|---|---|---|---|---|");
	for (size_t i = 0; i < r->threads.n; i++) {
		const struct report_thread *t = &r->threads.data[i];
		char *name = escaped(t->name), *group = escaped(t->group), *reasons = reasons_of(t);

		lines__print(s, "| %s | %s | %.1f | %.1f %% | %.1f %% | %s | %llu, %llu | %s |",
			     name, group, (double)t->present_ns / 1e9,
			     percent(t->on_cpu_ns, t->present_ns),
			     percent(t->asleep_ns, t->present_ns), reasons,
			     (unsigned long long)t->voluntary, (unsigned long long)t->involuntary,
			     t->verdict == VERDICT_OK	  ? "ok"
			     : t->verdict == VERDICT_OVER ? "misses its target"
							  : "");
		free(name);
		free(group);
		free(reasons);
	}
}

static void print_tasks(struct sink *s, const struct report *r)
{
	if (!r->tasks.n)
		return;
	lines__print(s, "%s", "");
	lines__print(s, "## Tasks");
	lines__print(s, "%s", "");
	lines__print(s, "| task | coroutine | thread | CPU | tasks | steps | longest step |");
	lines__print(s, "|---|---|---|---|---|---|---|");
	for (size_t i = 0; i < r->tasks.n; i++) {
		const struct report_task *t = &r->tasks.data[i];
		char *name = escaped(t->name), *coroutine = escaped(t->coroutine);
		char *thread = thread_name(r, t->thread);

		lines__print(s, "| %s | %s | %s | %.2f %% | %llu | %llu | %.2f ms at %.3f s |",
			     name, coroutine, thread, percent(t->on_cpu_ns, r->duration_ns),
			     (unsigned long long)t->tasks, (unsigned long long)t->steps,
			     milliseconds(t->longest_ns), (double)t->longest_begin_ns / 1e9);
		free(name);
		free(coroutine);
		free(thread);
	}
}

static void print_periodic(struct sink *s, const struct report *r)
{
	if (!r->periodic.n)
		return;
	lines__print(s, "%s", "");
	lines__print(s, "## What waits again and again");
	lines__print(s, "%s", "");
	lines__print(s,
		     "| function | thread | waits for | rate | period | jitter | wait | regular |");
	lines__print(s, "|---|---|---|---|---|---|---|---|");
	for (size_t i = 0; i < r->periodic.n; i++) {
		const struct report_periodic *p = &r->periodic.data[i];
		char *function = where(&p->function), *thread = thread_name(r, p->thread);

		lines__print(s, "| %s | %s | %s | %.1f/s | %.2f ms | %.2f ms | %.2f ms | %.0f %% |",
			     function, thread, p->reason, p->rate_hz, milliseconds(p->period_ns),
			     milliseconds(p->jitter_ns), milliseconds(p->wait_ns),
			     100 * p->regular);
		free(function);
		free(thread);
	}
}

static void print_shares(struct sink *s, const struct report *r)
{
	if (!r->messages.n && !r->natives.n)
		return;
	lines__print(s, "%s", "");
	lines__print(s, "## Messages and native code");
	lines__print(s, "%s", "");
	lines__print(s, "| what | asked for by | thread | CPU |");
	lines__print(s, "|---|---|---|---|");
	for (size_t i = 0; i < r->messages.n + r->natives.n; i++) {
		bool message = i < r->messages.n;
		const struct report_share *m = message ? &r->messages.data[i] : NULL;
		const struct report_native *n = message ? NULL
							: &r->natives.data[i - r->messages.n];
		char *function = where(message ? &m->function : &n->caller);
		char *thread = thread_name(r, message ? m->thread : n->thread);
		char *what = escaped(message ? m->kind : n->library);

		lines__print(s, "| %s | %s | %s | %.2f %% |", what, function, thread,
			     percent(message ? m->ns : n->ns, r->duration_ns));
		free(function);
		free(thread);
		free(what);
	}
}

static void print_rest(struct sink *s, const struct report *r)
{
	if (r->phases.n + r->machine.n) {
		lines__print(s, "%s", "");
		lines__print(s, "## Phases and machine");
		lines__print(s, "%s", "");
	}
	for (size_t i = 0; i < r->phases.n; i++) {
		char *function = where(&r->phases.data[i].function);

		lines__print(s, "- %s: %.2f s%s%s", r->phases.data[i].name,
			     (double)r->phases.data[i].ns / 1e9,
			     *r->phases.data[i].function.name ? ", most of it in " : "",
			     *r->phases.data[i].function.name ? function : "");
		free(function);
	}
	for (size_t i = 0; i < r->machine.n; i++)
		print_number(s, &r->machine.data[i]);
}

static void print_figures(struct sink *s, const char *what, const struct usage_figures *f,
			  const char *unit)
{
	lines__print(s, "| %s | %.1f %s | %.1f %s | %.1f %s | %.1f %s |", what, f->first, unit,
		     f->mean, unit, f->most, unit, f->last, unit);
}

static void print_usage(struct sink *s, const struct report *r)
{
	struct usage_summary u;

	if (!usage__sum(r, &u))
		return;
	lines__print(s, "%s", "");
	lines__print(s, "## All threads over time");
	lines__print(s, "%s", "");
	lines__print(s, "| | first | mean | most | last |");
	lines__print(s, "|---|---|---|---|---|");
	print_figures(s, "CPU", &u.cpu_percent, "%");
	print_figures(s, "memory", &u.memory_mb, "MB");
	lines__print(s, "%s", "");
	lines__print(s, "Memory %+.1f MB in %.1f s, %+.1f MB a minute.",
		     u.memory_mb.last - u.memory_mb.first, u.seconds, u.growth_mb_a_minute);
}

void findings_markdown__write(struct sink *s, const struct report *r)
{
	char *name = escaped(*r->scenario ? r->scenario : r->title);

	lines__print(s, "# %s, %.1f s", name, (double)r->duration_ns / 1e9);
	print_quality(s, r);
	lines__print(s, "%s", "");
	lines__print(s, "## Findings");
	if (!r->findings.n) {
		lines__print(s, "%s", "");
		lines__print(s, "None.");
	}
	for (size_t i = 0; i < r->findings.n; i++)
		print_finding(s, r, &r->findings.data[i]);
	print_threads(s, r);
	print_tasks(s, r);
	print_periodic(s, r);
	print_shares(s, r);
	print_usage(s, r);
	print_rest(s, r);
	free(name);
}
