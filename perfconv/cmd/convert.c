// SPDX-License-Identifier: GPL-2.0
/* perfconv convert - a capture becomes a profile file, and a summary on stderr. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "perfconv/base/file.h"
#include "perfconv/base/mem.h"
#include "perfconv/base/sink.h"
#include "perfconv/cmd/cmd.h"
#include "perfconv/cmd/message.h"
#include "perfconv/cmd/options.h"
#include "perfconv/cmd/report_text.h"
#include "perfconv/cmd/sources.h"
#include "perfconv/output/output.h"
#include "perfconv/output/speedscope.h"
#include "perfconv/pipeline/capture.h"

#define DEFAULT_MAX_SAMPLES 100000u /* speedscope stays quick with that */

struct convert {
	struct capture_options capture; /* first: cmd/sources.h */
	const char *output;		/* NULL: made from the input's name */
	const char *scenario;
	VEC(struct meta_value) values;
	VEC(const char *) events, inputs, threads, processes;
	VEC(char *) owned; /* keys, cut from their values */
	const struct output_format *format;
	bool gzip;
	const char *rules_file;
	bool quiet;
};

static const char *const frames_names[] = {
	[FRAMES_MERGED] = "merged",
	[FRAMES_PYTHON] = "python",
	[FRAMES_NATIVE] = "native",
	[FRAMES_ALL] = "all",
};

static int add_input(void *target, const char *value)
{
	struct convert *c = target;

	vec__push(&c->inputs, value);
	c->capture.path = c->inputs.data[0];
	c->capture.files = c->inputs.data;
	c->capture.files_n = c->inputs.n;
	return 0;
}

static int set_output(void *target, const char *value)
{
	((struct convert *)target)->output = value;
	return 0;
}

static int set_format(void *target, const char *value)
{
	const struct output_format *format = output_format__find(value);

	if (!format) {
		message__error("--format takes speedscope, firefox, pprof or collapsed, not %s",
			       value);
		return -EINVAL;
	}
	((struct convert *)target)->format = format;
	((struct convert *)target)->capture.hits = format->hits;
	return 0;
}

static int set_gzip(void *target, const char *value)
{
	(void)value;
	((struct convert *)target)->gzip = true;
	return 0;
}

static int add_event(void *target, const char *value)
{
	struct convert *c = target;

	vec__push(&c->events, value);
	c->capture.events = c->events.data;
	c->capture.events_n = c->events.n;
	return 0;
}

static int set_frames(void *target, const char *value)
{
	for (size_t i = 0; i < sizeof(frames_names) / sizeof(*frames_names); i++)
		if (!strcmp(value, frames_names[i])) {
			((struct convert *)target)->capture.resolve.mode = (enum frames_mode)i;
			return 0;
		}
	message__error("--frames takes merged, python, native or all, not %s", value);
	return -EINVAL;
}

static int set_view(void *target, const char *value)
{
	enum capture_view *view = &((struct convert *)target)->capture.view;

	if (!strcmp(value, "wall"))
		*view = VIEW_WALL;
	else if (!strcmp(value, "cpu"))
		*view = VIEW_CPU;
	else {
		message__error("--view takes wall or cpu, not %s", value);
		return -EINVAL;
	}
	return 0;
}

static int set_seconds(double *out, const char *option, const char *value)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end || !(seconds >= 0 && seconds < 1e9)) {
		message__error("--%s takes seconds since the capture's start, not %s", option,
			       value);
		return -EINVAL;
	}
	*out = seconds;
	return 0;
}

static int set_from(void *target, const char *value)
{
	return set_seconds(&((struct convert *)target)->capture.from_s, "from", value);
}

static int set_to(void *target, const char *value)
{
	struct convert *c = target;
	int code = set_seconds(&c->capture.to_s, "to", value);

	if (!code && !(c->capture.to_s > 0)) {
		message__error("--to takes more than 0 seconds, not %s", value);
		return -EINVAL;
	}
	return code;
}

static int add_thread(void *target, const char *value)
{
	struct convert *c = target;

	vec__push(&c->threads, value);
	c->capture.filter.threads = c->threads.data;
	c->capture.filter.threads_n = c->threads.n;
	return 0;
}

static int add_process(void *target, const char *value)
{
	struct convert *c = target;

	vec__push(&c->processes, value);
	c->capture.filter.processes = c->processes.data;
	c->capture.filter.processes_n = c->processes.n;
	return 0;
}

static int set_gil(void *target, const char *value)
{
	(void)value;
	((struct convert *)target)->capture.filter.gil = true;
	return 0;
}

static int set_max_samples(void *target, const char *value)
{
	char *end;
	unsigned long long n = strtoull(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || !n) {
		message__error("--max-samples takes a number of 1 or more, not %s", value);
		return -EINVAL;
	}
	((struct convert *)target)->capture.max_samples = n;
	return 0;
}

static int set_lines(void *target, const char *value)
{
	(void)value;
	((struct convert *)target)->capture.resolve.lines = true;
	return 0;
}

static int set_no_inline(void *target, const char *value)
{
	(void)value;
	((struct convert *)target)->capture.resolve.inlines = false;
	return 0;
}

static int set_scenario(void *target, const char *value)
{
	((struct convert *)target)->scenario = value;
	((struct convert *)target)->capture.scenario = value;
	return 0;
}

static int add_meta(void *target, const char *value)
{
	struct convert *c = target;
	const char *equals = strchr(value, '=');
	char *key;

	if (!equals || equals == value) {
		message__error("--meta takes KEY=VALUE, not %s", value);
		return -EINVAL;
	}
	key = mem__format("%.*s", (int)(equals - value), value);
	vec__push(&c->owned, key);
	for (size_t i = 0; i < c->values.n; i++)
		if (!strcmp(c->values.data[i].key, key)) { /* the last one given counts */
			c->values.data[i].value = equals + 1;
			return 0;
		}
	vec__push(&c->values, ((struct meta_value){ key, equals + 1 }));
	return 0;
}

static int set_rules(void *target, const char *value)
{
	((struct convert *)target)->rules_file = value;
	return 0;
}

static int set_strict(void *target, const char *value)
{
	(void)value;
	((struct convert *)target)->capture.strict = true;
	return 0;
}

static int set_no_stitch(void *target, const char *value)
{
	(void)value;
	((struct convert *)target)->capture.no_stitch = true;
	return 0;
}

static int set_max_dump(void *target, const char *value)
{
	return options__number("max-stack-dump", "bytes", value,
			       &((struct convert *)target)->capture.max_dump);
}

static int set_quiet(void *target, const char *value)
{
	(void)value;
	((struct convert *)target)->quiet = true;
	return 0;
}

static const struct option_spec options[] = {
	{ "input", 'i', "FILE",
	  "the capture, as an argument, or a bundle; - is\n"
	  "standard input; several are a series of perf record\n--switch-output",
	  add_input },
	{ "output", 'o', "FILE",
	  "the profile; - is standard output\n(default: FILE.speedscope.json)", set_output },
	{ "format", 0, "WHICH",
	  "speedscope (default); firefox: for the Firefox\n"
	  "Profiler; pprof; collapsed: for flame graphs",
	  set_format },
	{ "gzip", 0, NULL, "compress the profile; pprof always is", set_gzip },
	{ "event", 0, "NAME",
	  "the event to show (default: one that measures time);\n"
	  "given several times, or as all: profiles of each",
	  add_event },
	{ "frames", 0, "WHICH",
	  "merged: Python functions and what they call, without\n"
	  "the interpreter's frames between them (default);\n"
	  "python, native: those only; all: everything",
	  set_frames },
	{ "view", 0, "WHICH",
	  "wall: all time, waits with their reasons (default\n"
	  "where switches were recorded); cpu: running only",
	  set_view },
	{ "from", 0, "SECONDS", "begin so long after the capture's start", set_from },
	{ "to", 0, "SECONDS", "end so long after the capture's start", set_to },
	{ "thread", 0, "NAME",
	  "only threads with this name or number; * and ? stand\n"
	  "for any characters; may be given several times",
	  add_thread },
	{ "process", 0, "NAME", "the same for processes", add_process },
	{ "gil", 0, NULL, "only threads that run Python code or wait for the GIL", set_gil },
	{ "max-samples", 0, "N",
	  "merge stacks in buckets of time until no more than\n"
	  "N are left in the file (default: 100000)",
	  set_max_samples },
	{ "lines", 0, NULL, "a frame for each line of a function, not one for all", set_lines },
	{ "no-inline", 0, NULL, "do not look for inlined functions and source lines",
	  set_no_inline },
	{ "scenario", 0, "NAME", "what the program was doing, for the metadata", set_scenario },
	{ "meta", 0, "KEY=VALUE", "more metadata; may be given several times", add_meta },
	{ "rules", 0, "FILE", "thresholds, groups, targets for the findings (report)", set_rules },
	SOURCES_OPTIONS,
	{ "no-stitch", 0, NULL, "stacks that did not fit their dump stay cut", set_no_stitch },
	{ "max-stack-dump", 0, "BYTES",
	  "use so much of each stack dump, as if no more had\n"
	  "been recorded; calibration events keep theirs",
	  set_max_dump },
	{ "strict", 0, NULL, "a capture with anything odd in it is an error", set_strict },
	{ "quiet", 'q', NULL, "no summary, only warnings and errors", set_quiet },
};

static const struct command_spec spec = {
	.name = "convert",
	.usage = "[OPTION]... [FILE]...",
	.about = "Write a perf capture (default: perf.data) as a profile that speedscope opens:\n"
		 "one timeline per thread, Python and native frames in one stack.  Or for other\n"
		 "viewers, see --format.",
	.options = options,
	.options_n = sizeof(options) / sizeof(*options),
};

static bool is_gzipped(const struct convert *c)
{
	return c->gzip || c->format->gzip;
}

/* X.data, X.tar.zst and X become X.speedscope.json. */
static char *default_output(const struct convert *c)
{
	static const char *const suffixes[] = { ".data", ".tar.zst" };
	const char *input = strcmp(c->capture.path, "-") ? c->capture.path : "perf";
	size_t n = strlen(input);

	while (n > 1 && input[n - 1] == '/') /* of a folder of perf record --threads */
		n--;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		size_t m = strlen(suffixes[i]);

		if (n > m && !strncmp(input + n - m, suffixes[i], m)) {
			n -= m;
			break;
		}
	}
	return mem__format("%.*s%s%s", (int)n, input, c->format->suffix,
			   is_gzipped(c) ? ".gz" : "");
}

static struct meta make_meta(const struct convert *c, const struct capture *capture,
			     const char *title)
{
	struct meta m = {
		.title = title,
		.scenario = c->scenario,
		.values = c->values.data,
		.values_n = c->values.n,
		.data = capture->data,
		.event = capture->profile->event,
		.frames_mode = frames_names[c->capture.resolve.mode],
		.python_hex = python__version(capture->python),
		.side_files = python__files(capture->python),
		.report = capture->analyzed ? &capture->report : NULL,
		.lines = lines__counts(capture->lines),
		.files_missing = capture->images.missing,
		.files_mismatched = capture->images.mismatched,
		.dsos = &capture->machine.dsos,
	};

	return m;
}

static int write_profile(const struct convert *c, struct capture *capture, const char *path,
			 uint64_t *bytes, struct errbuf *err)
{
	const char *title = c->scenario ? c->scenario : file__base(capture->options.path);
	struct meta meta = make_meta(c, capture, title);
	struct output_source from = {
		.profile = capture->profile,
		.others = (const struct profile *const *)capture->others.data,
		.others_n = capture->others.n,
		.meta = &meta,
	};
	struct sink *sink;
	uint64_t deep;
	int code = sink__open(&sink, path, err);

	if (code)
		return code;
	capture->report.title = report__string(&capture->report, title);
	if (is_gzipped(c))
		sink__gzip(sink);
	deep = c->format->write(sink, &from);
	sink__finish(sink);
	*bytes = sink__bytes(sink);
	code = sink__commit(sink, err);
	if (!code && deep)
		message__warning("%llu stacks were deeper than %u frames, which speedscope cannot "
				 "open; their innermost frames were left out",
				 (unsigned long long)deep, SPEEDSCOPE_MAX_DEPTH);
	return code;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* NULL: none. */
static const char *input_that_is_output(const struct convert *c)
{
	const char *const *inputs = c->inputs.n ? c->inputs.data : &c->capture.path;
	size_t n = c->inputs.n ? c->inputs.n : 1;

	for (size_t i = 0; i < n; i++)
		if (c->output && is_same_file(c->output, inputs[i]))
			return inputs[i];
	return NULL;
}

static int check_content(const struct convert *c, const struct capture *capture, struct errbuf *err)
{
	const struct profile_filter *f = &c->capture.filter;

	if (c->format->one_event && capture->others.n)
		return errbuf__set(err, -EINVAL,
				   "%s: --format %s holds one event; give one --event, or write "
				   "speedscope",
				   c->capture.path, c->format->name);
	if (capture->profile->threads.n || !(f->threads_n || f->processes_n || f->gil))
		return 0;
	return errbuf__set(err, -ENOENT,
			   "%s: no thread passes --thread, --process and --gil; perfconv info "
			   "lists them",
			   c->capture.path);
}

static int read_capture(const struct convert *c, struct capture **out, struct errbuf *err)
{
	const char *scenario = c->scenario ? c->scenario : "";
	struct capture_options options_of_it = c->capture;
	struct rules rules;
	int code = 0;

	rules__init(&rules);
	options_of_it.rules = &rules;
	if (c->rules_file)
		code = rules__read(&rules, c->rules_file, scenario, err);
	if (!code)
		code = capture__read(out, &options_of_it, err);
	rules__release(&rules);
	return code;
}

static int convert(struct convert *c, struct errbuf *err)
{
	struct capture *capture;
	uint64_t bytes;
	char *path;
	int code;

	if (input_that_is_output(c))
		return errbuf__set(err, -EINVAL,
				   "%s: is the capture itself; give the profile another name",
				   c->output);
	if (c->format->lines)
		c->capture.resolve.lines = true;
	code = read_capture(c, &capture, err);
	if (code)
		return code;
	code = check_content(c, capture, err);
	if (code) {
		capture__free(capture);
		return code;
	}
	if (c->format->sums) /* what was merged in time lines makes no difference to them */
		capture->profile->bucket_ns = capture->profile->merged = 0;
	path = c->output ? mem__strdup(c->output) : default_output(c);
	code = write_profile(c, capture, path, &bytes, err);
	if (!code) {
		report_text__warnings(capture, c->capture.path);
		if (!c->quiet)
			report_text__summary(capture);
		if (!c->quiet && strcmp(path, "-"))
			report_text__file(path, bytes, c->format);
	}
	free(path);
	capture__free(capture);
	return code;
}

int cmd__convert(int argc, char **argv)
{
	struct convert c = { .capture.path = "perf.data",
			     .format = output_format__find("speedscope"),
			     .capture.resolve = { FRAMES_MERGED, .inlines = true },
			     .capture.max_samples = DEFAULT_MAX_SAMPLES };
	struct errbuf err;
	int first, status = EXIT_USAGE;

	switch (options__parse(&spec, argc, argv, &c, &first)) {
	case OPTIONS_HELP:
		status = EXIT_DONE;
		break;
	case OPTIONS_OK:
		for (int i = first; i < argc; i++)
			(void)add_input(&c, argv[i]);
		if (c.capture.to_s > 0 && c.capture.from_s >= c.capture.to_s) {
			message__error("--from %g is not before --to %g", c.capture.from_s,
				       c.capture.to_s);
			break;
		}
		status = convert(&c, &err) ? EXIT_FAILED : EXIT_DONE;
		if (status == EXIT_FAILED)
			message__error("%s", err.text);
		break;
	case OPTIONS_BAD:
	default:
		break;
	}
	for (size_t i = 0; i < c.owned.n; i++)
		free(c.owned.data[i]);
	vec__release(&c.owned);
	vec__release(&c.values);
	vec__release(&c.events);
	vec__release(&c.inputs);
	vec__release(&c.threads);
	vec__release(&c.processes);
	return status;
}
