// SPDX-License-Identifier: GPL-2.0
#include "perfconv/output/report_read.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perfconv/analyze/rules.h"
#include "perfconv/analyze/usage.h"
#include "perfconv/base/file.h"
#include "perfconv/output/json_member.h"
#include "perfconv/sidefile/threads_file.h"

static const char *text(struct report *r, const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? report__string(r, value) : "";
}

static uint64_t number(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}

static uint32_t small_number(const json_t *object, const char *key)
{
	uint64_t value = number(object, key);

	return value <= UINT32_MAX ? (uint32_t)value : 0;
}

static double real(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static bool flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

/* Of a table that was read before. */
static size_t thread_index(const struct report *r, const json_t *object)
{
	const json_t *value = json_object_get(object, "thread");
	json_int_t i = json_integer_value(value);

	if (!json_is_integer(value) || i < 0 || (uint64_t)i >= r->threads.n)
		return REPORT_NO_THREAD;
	return (size_t)i;
}

static struct report_frame function(struct report *r, const json_t *f)
{
	return (struct report_frame){
		.name = text(r, f, "name"),
		.file = text(r, f, "file"),
		.line = small_number(f, "line"),
		.first_line = small_number(f, "firstLine"),
		.python = !strcmp(text(r, f, "kind"), "python"),
	};
}

static struct report_number figure(struct report *r, const json_t *n)
{
	return (struct report_number){ text(r, n, "name"), text(r, n, "unit"), real(n, "value") };
}

static enum severity severity(const char *name)
{
	for (size_t i = 0; i < SEVERITIES; i++)
		if (!strcmp(name, severity__name((enum severity)i)))
			return (enum severity)i;
	return SEVERITY_INFO;
}

static void read_finding(struct report *r, const json_t *o)
{
	struct finding *f = report__finding(r);
	const json_t *list = json_object_get(o, "stack"), *worst = json_object_get(o, "worst");

	f->rule = text(r, o, "rule");
	f->title = text(r, o, "title");
	f->severity = severity(text(r, o, "severity"));
	f->thread = thread_index(r, o);
	f->headline = text(r, o, "headline");
	f->text = text(r, o, "text");
	f->advice = text(r, o, "advice");
	f->function = function(r, json_object_get(o, "function"));
	for (size_t i = 0; i < json_array_size(list); i++)
		vec__push(&f->stack, function(r, json_array_get(list, i)));
	list = json_object_get(o, "numbers");
	for (size_t i = 0; i < json_array_size(list); i++)
		vec__push(&f->numbers, figure(r, json_array_get(list, i)));
	f->has_worst = json_is_object(worst);
	f->worst_begin_ns = number(worst, "beginNs");
	f->worst_ns = number(worst, "ns");
	f->profile = text(r, o, "profile");
	f->search = text(r, o, "search");
	f->amount = real(o, "amount");
}

static void read_thread(struct report *r, const json_t *o)
{
	struct report_thread t = {
		.name = text(r, o, "name"),
		.group = text(r, o, "group"),
		.pid = small_number(o, "pid"),
		.tid = small_number(o, "tid"),
		.has_waits = flag(o, "hasWaits"),
		.present_ns = number(o, "presentNs"),
		.on_cpu_ns = number(o, "onCpuNs"),
		.asleep_ns = number(o, "asleepNs"),
		.unknown_ns = number(o, "unknownNs"),
		.voluntary = number(o, "voluntary"),
		.involuntary = number(o, "involuntary"),
		.target = text(r, o, "target"),
	};
	const char *verdict = text(r, o, "verdict"), *reason;
	json_t *reasons = json_object_get(o, "reasonsNs"), *ns;

	t.verdict = !strcmp(verdict, "ok")     ? VERDICT_OK
		    : !strcmp(verdict, "over") ? VERDICT_OVER
					       : VERDICT_NONE;
	json_object_foreach(reasons, reason, ns)
	{
		uint64_t value = number(reasons, reason);

		vec__push(&t.reasons, ((struct report_time){ report__string(r, reason), value }));
	}
	vec__push(&r->threads, t);
}

static void read_task(struct report *r, const json_t *o)
{
	vec__push(&r->tasks, ((struct report_task){
				     .name = text(r, o, "name"),
				     .coroutine = text(r, o, "coroutine"),
				     .thread = thread_index(r, o),
				     .exact = flag(o, "exact"),
				     .tasks = number(o, "tasks"),
				     .steps = number(o, "steps"),
				     .on_cpu_ns = number(o, "onCpuNs"),
				     .in_steps_ns = number(o, "inStepsNs"),
				     .longest_ns = number(o, "longestNs"),
				     .longest_begin_ns = number(o, "longestBeginNs"),
			     }));
}

static void read_periodic(struct report *r, const json_t *o)
{
	vec__push(&r->periodic, ((struct report_periodic){
					.function = function(r, json_object_get(o, "function")),
					.thread = thread_index(r, o),
					.reason = text(r, o, "reason"),
					.waits = number(o, "waits"),
					.rate_hz = real(o, "rateHz"),
					.period_ns = number(o, "periodNs"),
					.jitter_ns = number(o, "jitterNs"),
					.wait_ns = number(o, "waitNs"),
					.regular = real(o, "regular"),
				}));
}

static void read_message(struct report *r, const json_t *o)
{
	vec__push(&r->messages,
		  ((struct report_share){ text(r, o, "kind"), thread_index(r, o),
					  number(o, "onCpuNs"),
					  function(r, json_object_get(o, "function")) }));
}

static void read_native(struct report *r, const json_t *o)
{
	vec__push(&r->natives, ((struct report_native){ function(r, json_object_get(o, "caller")),
							text(r, o, "library"), thread_index(r, o),
							number(o, "onCpuNs") }));
}

static void read_phase(struct report *r, const json_t *o)
{
	vec__push(&r->phases,
		  ((struct report_phase){ text(r, o, "name"), number(o, "beginNs"), number(o, "ns"),
					  function(r, json_object_get(o, "function")),
					  number(o, "functionNs") }));
}

static void read_machine(struct report *r, const json_t *o)
{
	vec__push(&r->machine, figure(r, o));
}

static bool is_count(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) && json_integer_value(value) >= 0;
}

/* By time and of the capture's, as they are written: one that is not is left out. */
static void read_look(struct report *r, const json_t *o)
{
	struct report_usage u = { number(o, "timeNs"), real(o, "cpuPercent"),
				  number(o, "memoryBytes") };

	if (is_count(o, "timeNs") && is_count(o, "memoryBytes") &&
	    json_is_number(json_object_get(o, "cpuPercent")) &&
	    usage_look__is_possible(u.cpu_percent, u.memory_bytes) &&
	    u.time_ns <= r->duration_ns + USAGE_LAST_LOOK_NS &&
	    (!r->usage.n || u.time_ns >= r->usage.data[r->usage.n - 1].time_ns))
		vec__push(&r->usage, u);
}

static void read_quality(struct report_quality *q, const json_t *o)
{
	q->samples = number(o, "samples");
	q->lost = number(o, "lost");
	q->has_waits = flag(o, "hasWaits");
	q->has_lines = flag(o, "hasLines");
	q->has_steps = flag(o, "hasSteps");
	q->has_dumps = flag(o, "hasDumps");
	q->complete = real(o, "complete");
	q->stitched = real(o, "stitched");
	q->truncated = real(o, "truncated");
	q->waits_with_stack = real(o, "waitsWithStack");
	q->lines = real(o, "lines");
}

/* No rule is there twice. */
static void read_unlooked(struct report *r, const json_t *o)
{
	if (r->unlooked.n < RULES)
		vec__push(&r->unlooked,
			  ((struct report_unlooked){ text(r, o, "rule"), text(r, o, "because") }));
}

static void read_list(struct report *r, const json_t *list,
		      void (*read_one)(struct report *r, const json_t *o))
{
	for (size_t i = 0; i < json_array_size(list); i++)
		read_one(r, json_array_get(list, i));
}

/* Threads first: the rest refers to them. */
static void read_report(struct report *r, const json_t *o, const json_t *findings)
{
	r->title = text(r, o, "title");
	r->scenario = text(r, o, "scenario");
	r->duration_ns = number(o, "durationNs");
	read_quality(&r->quality, json_object_get(o, "quality"));
	read_list(r, json_object_get(o, "notLookedFor"), read_unlooked);
	read_list(r, json_object_get(o, "threads"), read_thread);
	read_list(r, json_object_get(o, "tasks"), read_task);
	read_list(r, json_object_get(o, "periodic"), read_periodic);
	read_list(r, json_object_get(o, "messages"), read_message);
	read_list(r, json_object_get(o, "natives"), read_native);
	read_list(r, json_object_get(o, "phases"), read_phase);
	read_list(r, json_object_get(o, "machine"), read_machine);
	read_list(r, json_object_get(o, "usage"), read_look);
	read_list(r, findings, read_finding);
}

static int check_and_read(struct report *r, const json_t *root, bool embedded, const char *path,
			  struct errbuf *err)
{
	const json_t *report = embedded ? json_object_get(root, "report") : root;
	const json_t *findings = json_object_get(root, "findings");

	if (!json_is_array(findings) || !json_is_object(report))
		return errbuf__set(
			err, -ENODATA,
			"%s: has no findings in it; report the capture it was made from, "
			"or convert that again without --frames and --event",
			path);
	if (number(report, "schema") != REPORT_SCHEMA)
		return errbuf__set(err, -EINVAL,
				   "%s: has findings of version %llu, this perfconv reads %u; use "
				   "the perfconv that wrote it",
				   path, (unsigned long long)number(report, "schema"),
				   REPORT_SCHEMA);
	read_report(r, report, findings);
	return 0;
}

static int parse(struct report *r, struct json_span file, const char *path, struct errbuf *err)
{
	struct json_span json = file;
	bool embedded = json_member__find(file, "perfconv", &json);
	json_error_t error;
	json_t *root;
	int code;

	if (json.n > REPORT_READ_MAX_JSON)
		return errbuf__set(err, -EFBIG, "%s: its findings are larger than %zu bytes", path,
				   REPORT_READ_MAX_JSON);
	root = json_loadb(json.at, json.n, 0, &error);
	if (!json_is_object(root))
		code = errbuf__set(err, -EINVAL, "%s: is no profile: %s in line %d", path,
				   root ? "no JSON object" : error.text, root ? 1 : error.line);
	else
		code = check_and_read(r, root, embedded, path, err);
	json_decref(root);
	return code;
}

int report_read(struct report *r, const char *path, struct errbuf *err)
{
	struct json_span file;
	char *bytes;
	size_t n;
	int code = file__read(path, REPORT_READ_MAX_BYTES, &bytes, &n, err);

	if (code)
		return code;
	file = (struct json_span){ bytes, n };
	code = parse(r, file, path, err);
	free(bytes);
	return code;
}

bool report_read__is_json(const char *path)
{
	int fd = file__open(path, NULL, NULL);
	char c = '\0';
	bool found = fd >= 0 && !file__read_at(fd, &c, 1, 0) && c == '{';

	if (fd >= 0)
		close(fd);
	return found;
}
