// SPDX-License-Identifier: GPL-2.0
/*
 * A filter for perf script: writes the speedscope file while perf reads, or passes on
 * only the samples of some threads, functions or a part of the time.
 *
 *     perf script --dlfilter perfconv-speedscope.so --dlarg output=X.speedscope.json
 *     perf script --dlfilter perfconv-speedscope.so --dlarg function='Loop.*' [...]
 *
 * perf gives filters no user registers and no stack copies, so captures of
 * --call-graph dwarf are refused; and no switches, so only time on a CPU is shown.
 *
 * Everything perf calls is here; one filter is loaded per perf, so state may be global
 * where perf's interface has no place for it.
 */
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dlfilter/places.h"
#include "perfconv/cmd/cmd.h"
#include "perfconv/cmd/message.h"

#define EXPORTED __attribute__((visibility("default")))
#define PYTHON_PREFIX "py::" /* how trampolines are named: py::function:file */

/* What of a sample must be there: perf 5.14 has it all. */
#define SAMPLE_BYTES (offsetof(struct perf_dlfilter_sample, event) + sizeof(const char *))

struct filter {
	const char *output; /* NULL: only filter */
	VEC(const char *) threads, functions;
	double from_s, to_s; /* since the first sample; to_s 0: to the end */
	VEC(char *) convert; /* arguments */
	bool started, refused;
	uint64_t first_ns;
	struct capture_file file;
	struct places places;
};

EXPORTED struct perf_dlfilter_fns perf_dlfilter_fns;

EXPORTED const char *filter_description(const char **long_description)
{
	if (long_description)
		*long_description =
			"Arguments, each behind its own --dlarg:\n"
			"  output=FILE      write the samples as a speedscope profile; perf prints none\n"
			"  function=NAME    only samples with this function, Python's or native, in their\n"
			"                   stack; * and ? stand for any characters\n"
			"  thread=NAME      only this thread, by the kernel's name or its number\n"
			"  from=SECONDS, to=SECONDS   since the first sample\n"
			"  anything else    with output=: an option of perfconv convert, such as\n"
			"                   frames=python, lines, format=pprof, scenario=NAME\n"
			"All that are given must hold; of several threads or functions one.\n"
			"Frame pointers and LBR only: perf gives filters no stack dumps, no registers\n"
			"and no switches. For those use: perfconv convert -i perf.data";
	return "perfconv: a speedscope profile, or the samples of some threads and functions";
}

static int bad_argument(const char *text)
{
	message__error("--dlarg %s makes no sense here; perf script --list-dlfilters -v, or "
		       "docs/dlfilter.md, tells what does",
		       text);
	return -EINVAL;
}

static int set_seconds(double *out, const char *argument, const char *value)
{
	char *end;

	*out = strtod(value, &end);
	return end == value || *end || !(*out >= 0 && *out < 1e9) ? bad_argument(argument) : 0;
}

/* The value of @argument if it is KEY=value, else NULL. */
static const char *value_of(const char *argument, const char *key)
{
	size_t n = strlen(key);

	return !strncmp(argument, key, n) && argument[n] == '=' ? argument + n + 1 : NULL;
}

static int take_argument(struct filter *f, const char *argument)
{
	const char *value;

	if ((value = value_of(argument, "output")))
		f->output = value;
	else if ((value = value_of(argument, "function")))
		vec__push(&f->functions, value);
	else if ((value = value_of(argument, "thread")))
		vec__push(&f->threads, value);
	else if ((value = value_of(argument, "from")))
		return set_seconds(&f->from_s, argument, value);
	else if ((value = value_of(argument, "to")))
		return set_seconds(&f->to_s, argument, value);
	else if (value_of(argument, "input") || !strcmp(argument, "help"))
		return bad_argument(argument);
	else
		vec__push(&f->convert, mem__format("--%s", argument));
	return 0;
}

static int take_arguments(struct filter *f, void *ctx)
{
	int n = 0, code = 0;
	char **arguments = perf_dlfilter_fns.args(ctx, &n);

	for (int i = 0; i < n && !code; i++)
		code = take_argument(f, arguments[i]);
	if (!code && f->convert.n && !f->output)
		return bad_argument(f->convert.data[0] + 2);
	return code;
}

static void release(struct filter *f)
{
	for (size_t i = 0; i < f->convert.n; i++)
		free(f->convert.data[i]);
	vec__release(&f->convert);
	vec__release(&f->threads);
	vec__release(&f->functions);
	places__release(&f->places);
	capture_file__close(&f->file);
	free(f);
}

EXPORTED int start(void **data, void *ctx)
{
	struct filter *f = mem__alloc(1, sizeof(*f));
	struct errbuf err;
	int code = take_arguments(f, ctx);

	if (!code && f->output) {
		code = capture_file__open(&f->file, &err);
		if (code)
			message__error("%s", err.text);
	}
	if (code) {
		release(f);
		return code;
	}
	f->places = (struct places){ .fns = &perf_dlfilter_fns, .file = &f->file };
	*data = f;
	return 0;
}

static bool thread_passes(const struct filter *f, const struct perf_dlfilter_sample *s, void *ctx)
{
	const struct perf_dlfilter_al *al = f->threads.n ? perf_dlfilter_fns.resolve_ip(ctx) : NULL;
	char *tid = mem__format("%d", s->tid);
	bool passes = !f->threads.n;

	for (size_t i = 0; i < f->threads.n && !passes; i++)
		passes = !strcmp(f->threads.data[i], tid) ||
			 (al && al->comm && !fnmatch(f->threads.data[i], al->comm, 0));
	free(tid);
	return passes;
}

static bool time_passes(struct filter *f, uint64_t time_ns)
{
	double at;

	if (!f->started)
		f->first_ns = time_ns;
	f->started = true;
	at = (double)(time_ns - f->first_ns) / 1e9;
	return at >= f->from_s && (!(f->to_s > 0) || at < f->to_s);
}

/* "py::Loop.run:/app/loop.py" is Loop.run. */
static char *function_name(const char *symbol)
{
	size_t n = strlen(PYTHON_PREFIX);

	if (strncmp(symbol, PYTHON_PREFIX, n))
		return mem__strdup(symbol);
	return mem__format("%.*s", (int)strcspn(symbol + n, ":"), symbol + n);
}

static bool is_function(const struct filter *f, uint64_t ip, void *ctx)
{
	struct perf_dlfilter_al al;
	bool found = false;
	char *name;

	if (places__is_marker(ip) || !places__resolve(&perf_dlfilter_fns, ctx, ip, &al) || !al.sym)
		return false;
	name = function_name(al.sym);
	for (size_t i = 0; i < f->functions.n && !found; i++)
		found = !fnmatch(f->functions.data[i], name, 0);
	free(name);
	return found;
}

static bool stack_passes(const struct filter *f, const struct perf_dlfilter_sample *s, void *ctx)
{
	if (!f->functions.n || is_function(f, s->ip, ctx))
		return true;
	for (uint64_t i = 0; i < s->raw_callchain_nr; i++)
		if (is_function(f, s->raw_callchain[i], ctx))
			return true;
	for (uint64_t i = 0; i < s->brstack_nr; i++)
		if (is_function(f, s->brstack[i].from, ctx))
			return true;
	return false;
}

/* Events that say when threads switch: their samples are no time. */
static bool is_switch(const struct perf_event_attr *attr)
{
	return attr->type == PERF_TYPE_TRACEPOINT ||
	       (attr->type == PERF_TYPE_SOFTWARE && attr->config == PERF_COUNT_SW_CONTEXT_SWITCHES);
}

static void collect(struct filter *f, const struct perf_dlfilter_sample *s,
		    const struct perf_event_attr *attr, void *ctx)
{
	struct capture_file_sample sample = {
		.misc = (uint16_t)((s->misc & ~PERF_RECORD_MISC_CPUMODE_MASK) | s->cpumode),
		.pid = (uint32_t)s->pid,
		.tid = (uint32_t)s->tid,
		.ip = s->ip,
		.time_ns = s->time,
		.period = s->period,
		.callchain = (const uint64_t *)s->raw_callchain,
		.callchain_n = s->raw_callchain_nr,
		.branches = s->brstack,
		.branches_n = s->brstack_nr,
	};

	sample.event = capture_file__event(&f->file, attr, s->event);
	places__of(&f->places, s, ctx);
	capture_file__sample(&f->file, &sample);
}

/* Whether this perf and this capture have what is needed; said once. */
static int check(struct filter *f, const struct perf_dlfilter_sample *s,
		 const struct perf_event_attr *attr)
{
	if (s->size >= SAMPLE_BYTES && attr &&
	    !(f->output && attr->sample_type & PERF_SAMPLE_STACK_USER))
		return 0;
	if (f->refused)
		return -ENOTSUP;
	f->refused = true;
	if (s->size < SAMPLE_BYTES || !attr)
		message__error(
			"this perf gives its filters %u bytes of each sample, %zu are needed; "
			"use perf 5.14 or newer",
			s->size, SAMPLE_BYTES);
	else
		message__error("the capture has stack dumps (--call-graph dwarf), which perf does "
			       "not give its filters; use: perfconv convert -i perf.data");
	return -ENOTSUP;
}

EXPORTED int filter_event(void *data, const struct perf_dlfilter_sample *sample, void *ctx)
{
	struct filter *f = data;
	const struct perf_event_attr *attr = perf_dlfilter_fns.attr(ctx);
	int code = check(f, sample, attr);

	if (code)
		return code;
	if (!time_passes(f, sample->time) || !thread_passes(f, sample, ctx) ||
	    !stack_passes(f, sample, ctx))
		return 1;
	if (!f->output)
		return 0;
	if (!is_switch(attr))
		collect(f, sample, attr, ctx);
	return 1;
}

/* As the command line would: perfconv convert -i FILE -o OUTPUT [OPTION]... */
static int convert(struct filter *f)
{
	char *fixed[] = { "convert",	"-i", f->file.path, "-o", (char *)f->output,
			  "--side-dir", ".",  "--view",	    "cpu" };
	size_t n = sizeof(fixed) / sizeof(*fixed);
	char **argv = mem__alloc(n + f->convert.n + 1, sizeof(*argv));
	int index = optind, status;

	memcpy(argv, fixed, sizeof(fixed));
	for (size_t i = 0; i < f->convert.n; i++)
		argv[n + i] = f->convert.data[i];
	status = cmd__convert((int)(n + f->convert.n), argv);
	optind = index;
	free(argv);
	return status == EXIT_DONE ? 0 : -EIO;
}

EXPORTED int stop(void *data, void *ctx)
{
	struct filter *f = data;
	struct errbuf err;
	int code = 0;

	(void)ctx;
	if (f->output && !f->refused) {
		if (!f->file.events.n) {
			message__error("no sample passed, so %s was not written", f->output);
			code = -ENODATA;
		} else {
			places__name_kernel(&f->places, f->first_ns);
			code = capture_file__finish(&f->file, &err);
			if (code)
				message__error("%s", err.text);
			else
				code = convert(f);
		}
	}
	release(f);
	return code;
}
