// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/report_json.h"

static void write_known(struct json *j, const char *key, const char *value)
{
	if (*value)
		json__key_string(j, key, value);
}

static void write_bool(struct json *j, const char *key, bool value)
{
	json__key(j, key);
	json__bool(j, value);
}

static void write_function(struct json *j, const struct report_frame *f)
{
	json__object(j);
	json__key_string(j, "name", f->name);
	write_known(j, "file", f->file);
	if (f->line)
		json__key_u64(j, "line", f->line);
	if (f->first_line)
		json__key_u64(j, "firstLine", f->first_line);
	json__key_string(j, "kind", f->python ? "python" : "native");
	json__object_end(j);
}

static void write_known_function(struct json *j, const char *key, const struct report_frame *f)
{
	if (!*f->name)
		return;
	json__key(j, key);
	write_function(j, f);
}

static void write_number(struct json *j, const struct report_number *n)
{
	json__object(j);
	json__key_string(j, "name", n->name);
	json__key_double(j, "value", n->value);
	json__key_string(j, "unit", n->unit);
	json__object_end(j);
}

static void write_evidence(struct json *j, const struct finding *f)
{
	json__key(j, "stack");
	json__array(j);
	for (size_t i = 0; i < f->stack.n; i++)
		write_function(j, &f->stack.data[i]);
	json__array_end(j);
	json__key(j, "numbers");
	json__array(j);
	for (size_t i = 0; i < f->numbers.n; i++)
		write_number(j, &f->numbers.data[i]);
	json__array_end(j);
	if (!f->has_worst)
		return;
	json__key(j, "worst");
	json__object(j);
	json__key_u64(j, "beginNs", f->worst_begin_ns);
	json__key_u64(j, "ns", f->worst_ns);
	json__object_end(j);
}

static void write_finding(struct json *j, const struct finding *f)
{
	json__newline(j);
	json__object(j);
	json__key_string(j, "rule", f->rule);
	json__key_string(j, "severity", severity__name(f->severity));
	json__key_string(j, "title", f->title);
	json__key_string(j, "headline", f->headline);
	json__key_string(j, "text", f->text);
	json__key_string(j, "advice", f->advice);
	if (f->thread != REPORT_NO_THREAD)
		json__key_u64(j, "thread", f->thread);
	write_known_function(j, "function", &f->function);
	write_evidence(j, f);
	write_known(j, "profile", f->profile);
	write_known(j, "search", f->search);
	json__key_double(j, "amount", f->amount);
	json__object_end(j);
}

static void write_findings(struct json *j, const struct report *r)
{
	json__key(j, "findings");
	json__array(j);
	for (size_t i = 0; i < r->findings.n; i++)
		write_finding(j, &r->findings.data[i]);
	json__array_end(j);
}

static void write_quality(struct json *j, const struct report_quality *q)
{
	json__key(j, "quality");
	json__object(j);
	json__key_u64(j, "samples", q->samples);
	json__key_u64(j, "lost", q->lost);
	write_bool(j, "hasWaits", q->has_waits);
	write_bool(j, "hasLines", q->has_lines);
	write_bool(j, "hasSteps", q->has_steps);
	write_bool(j, "hasDumps", q->has_dumps);
	json__key_double(j, "complete", q->complete);
	json__key_double(j, "stitched", q->stitched);
	json__key_double(j, "truncated", q->truncated);
	json__key_double(j, "waitsWithStack", q->waits_with_stack);
	json__key_double(j, "lines", q->lines);
	json__object_end(j);
}

static void write_unlooked(struct json *j, const struct report *r)
{
	json__key(j, "notLookedFor");
	json__array(j);
	for (size_t i = 0; i < r->unlooked.n; i++) {
		json__object(j);
		json__key_string(j, "rule", r->unlooked.data[i].rule);
		json__key_string(j, "because", r->unlooked.data[i].because);
		json__object_end(j);
	}
	json__array_end(j);
}

static void write_reasons(struct json *j, const struct report_thread *t)
{
	json__key(j, "reasonsNs");
	json__object(j);
	for (size_t i = 0; i < t->reasons.n; i++)
		json__key_u64(j, t->reasons.data[i].name, t->reasons.data[i].ns);
	json__object_end(j);
}

static void write_thread(struct json *j, const struct report_thread *t)
{
	json__newline(j);
	json__object(j);
	json__key_string(j, "name", t->name);
	json__key_string(j, "group", t->group);
	json__key_u64(j, "pid", t->pid);
	json__key_u64(j, "tid", t->tid);
	write_bool(j, "hasWaits", t->has_waits);
	json__key_u64(j, "presentNs", t->present_ns);
	json__key_u64(j, "onCpuNs", t->on_cpu_ns);
	json__key_u64(j, "asleepNs", t->asleep_ns);
	json__key_u64(j, "unknownNs", t->unknown_ns);
	json__key_u64(j, "voluntary", t->voluntary);
	json__key_u64(j, "involuntary", t->involuntary);
	write_reasons(j, t);
	if (t->verdict != VERDICT_NONE) {
		json__key_string(j, "verdict", t->verdict == VERDICT_OK ? "ok" : "over");
		json__key_string(j, "target", t->target);
	}
	json__object_end(j);
}

static void write_of_thread(struct json *j, size_t thread)
{
	if (thread != REPORT_NO_THREAD)
		json__key_u64(j, "thread", thread);
}

static void write_task(struct json *j, const struct report_task *t)
{
	json__newline(j);
	json__object(j);
	json__key_string(j, "name", t->name);
	write_known(j, "coroutine", t->coroutine);
	write_of_thread(j, t->thread);
	write_bool(j, "exact", t->exact);
	json__key_u64(j, "onCpuNs", t->on_cpu_ns);
	if (t->exact) {
		json__key_u64(j, "tasks", t->tasks);
		json__key_u64(j, "steps", t->steps);
		json__key_u64(j, "inStepsNs", t->in_steps_ns);
		json__key_u64(j, "longestNs", t->longest_ns);
		json__key_u64(j, "longestBeginNs", t->longest_begin_ns);
	}
	json__object_end(j);
}

static void write_one_periodic(struct json *j, const struct report_periodic *p)
{
	json__newline(j);
	json__object(j);
	write_known_function(j, "function", &p->function);
	write_of_thread(j, p->thread);
	json__key_string(j, "reason", p->reason);
	json__key_u64(j, "waits", p->waits);
	json__key_double(j, "rateHz", p->rate_hz);
	json__key_u64(j, "periodNs", p->period_ns);
	json__key_u64(j, "jitterNs", p->jitter_ns);
	json__key_u64(j, "waitNs", p->wait_ns);
	json__key_double(j, "regular", p->regular);
	json__object_end(j);
}

static void write_message(struct json *j, const struct report_share *s)
{
	json__newline(j);
	json__object(j);
	json__key_string(j, "kind", s->kind);
	write_of_thread(j, s->thread);
	json__key_u64(j, "onCpuNs", s->ns);
	write_known_function(j, "function", &s->function);
	json__object_end(j);
}

static void write_native(struct json *j, const struct report_native *n)
{
	json__newline(j);
	json__object(j);
	json__key_string(j, "library", n->library);
	write_known_function(j, "caller", &n->caller);
	write_of_thread(j, n->thread);
	json__key_u64(j, "onCpuNs", n->ns);
	json__object_end(j);
}

static void write_phase(struct json *j, const struct report_phase *p)
{
	json__newline(j);
	json__object(j);
	json__key_string(j, "name", p->name);
	json__key_u64(j, "beginNs", p->begin_ns);
	json__key_u64(j, "ns", p->ns);
	write_known_function(j, "function", &p->function);
	if (p->function_ns)
		json__key_u64(j, "functionNs", p->function_ns);
	json__object_end(j);
}

static void write_one_look(struct json *j, const struct report_usage *u)
{
	json__object(j);
	json__key_u64(j, "timeNs", u->time_ns);
	json__key_double(j, "cpuPercent", u->cpu_percent);
	json__key_u64(j, "memoryBytes", u->memory_bytes);
	json__object_end(j);
}

/* write_LIST(j, r): the array of one of the report's tables */
#define DEFINE_LIST(list, key, write_one)                                                          \
	static void write_##list(struct json *j, const struct report *r)                           \
	{                                                                                          \
		json__key(j, key);                                                                 \
		json__array(j);                                                                    \
		for (size_t i = 0; i < r->list.n; i++)                                             \
			write_one(j, &r->list.data[i]);                                            \
		json__array_end(j);                                                                \
	}

DEFINE_LIST(threads, "threads", write_thread)
DEFINE_LIST(tasks, "tasks", write_task)
DEFINE_LIST(periodic, "periodic", write_one_periodic)
DEFINE_LIST(messages, "messages", write_message)
DEFINE_LIST(natives, "natives", write_native)
DEFINE_LIST(phases, "phases", write_phase)
DEFINE_LIST(machine, "machine", write_number)
DEFINE_LIST(usage, "usage", write_one_look)

static void write_tables(struct json *j, const struct report *r)
{
	json__key_u64(j, "schema", REPORT_SCHEMA);
	json__key_string(j, "title", r->title);
	write_known(j, "scenario", r->scenario);
	json__key_u64(j, "durationNs", r->duration_ns);
	write_quality(j, &r->quality);
	write_unlooked(j, r);
	json__newline(j);
	write_threads(j, r);
	write_tasks(j, r);
	write_periodic(j, r);
	write_messages(j, r);
	write_natives(j, r);
	write_phases(j, r);
	write_machine(j, r);
	if (r->usage.n)
		write_usage(j, r);
}

void report_json__write(struct json *j, const struct report *r)
{
	json__object(j);
	write_findings(j, r);
	write_tables(j, r);
	json__object_end(j);
	json__newline(j);
}

void report_json__embed(struct json *j, const struct report *r)
{
	write_findings(j, r);
	json__newline(j);
	json__key(j, "report");
	json__object(j);
	write_tables(j, r);
	json__object_end(j);
	json__newline(j);
}
