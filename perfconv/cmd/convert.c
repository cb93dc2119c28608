// SPDX-License-Identifier: GPL-2.0
/* perfconv convert - a capture becomes a profile file, and a summary on stderr. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	VEC(struct meta_value) values;
	struct option_texts events, inputs, threads, processes;
	VEC(char *) owned; /* keys, cut from their values */
	const struct output_format *format;
	const char *rules_file;
	bool gzip, no_inline, quiet;
};

static const char *const frames_names[] = {
	[FRAMES_MERGED] = "merged",
	[FRAMES_PYTHON] = "python",
	[FRAMES_NATIVE] = "native",
	[FRAMES_ALL] = "all",
};

static const char *const view_names[] = {
	[VIEW_WALL] = "wall",
	[VIEW_CPU] = "cpu",
};

static int set_format(void *target, const char *value)
{
	const struct output_format *format = output_format__find(value);

	if (!format) {
		message__error("--format takes speedscope, firefox, pprof or collapsed, not %s",
			       value);
		return -EINVAL;
	}
	((struct convert *)target)->format = format;
	return 0;
}

static int set_frames(void *target, const char *value)
{
	int mode = options__choice("frames", frames_names,
				   sizeof(frames_names) / sizeof(*frames_names), value);

	if (mode < 0)
		return mode;
	((struct convert *)target)->capture.resolve.mode = (enum frames_mode)mode;
	return 0;
}

static int set_view(void *target, const char *value)
{
	int view = options__choice("view", view_names, sizeof(view_names) / sizeof(*view_names),
				   value);

	if (view < 0)
		return view;
	((struct convert *)target)->capture.view = (enum capture_view)view;
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

static int set_max_dump(void *target, const char *value)
{
	return options__number("max-stack-dump", "bytes", value,
			       &((struct convert *)target)->capture.max_dump);
}

static const struct option_spec options[] = {
	{ "input", 'i', "FILE",
	  "the capture, as an argument, or a bundle; - is\n"
	  "standard input; several are a series of perf record\n--switch-output",
	  OPTION_TEXTS(struct convert, inputs) },
	{ "output", 'o', "FILE",
	  "the profile; - is standard output\n(default: FILE.speedscope.json)",
	  OPTION_TEXT(struct convert, output) },
	{ "format", 0, "WHICH",
	  "speedscope (default); firefox: for the Firefox\n"
	  "Profiler; pprof; collapsed: for flame graphs",
	  OPTION_CALL(set_format) },
	{ "gzip", 0, NULL, "compress the profile; pprof always is",
	  OPTION_FLAG(struct convert, gzip) },
	{ "event", 0, "NAME",
	  "the event to show (default: one that measures time);\n"
	  "given several times, or as all: profiles of each",
	  OPTION_TEXTS(struct convert, events) },
	{ "frames", 0, "WHICH",
	  "merged: Python functions and what they call, without\n"
	  "the interpreter's frames between them (default);\n"
	  "python, native: those only; all: everything",
	  OPTION_CALL(set_frames) },
	{ "view", 0, "WHICH",
	  "wall: all time, waits with their reasons (default\n"
	  "where switches were recorded); cpu: running only",
	  OPTION_CALL(set_view) },
	{ "from", 0, "SECONDS", "begin so long after the capture's start", OPTION_CALL(set_from) },
	{ "to", 0, "SECONDS", "end so long after the capture's start", OPTION_CALL(set_to) },
	{ "thread", 0, "NAME",
	  "only threads with this name or number; * and ? stand\n"
	  "for any characters; may be given several times",
	  OPTION_TEXTS(struct convert, threads) },
	{ "process", 0, "NAME", "the same for processes", OPTION_TEXTS(struct convert, processes) },
	{ "gil", 0, NULL, "only threads that run Python code or wait for the GIL",
	  OPTION_FLAG(struct convert, capture.filter.gil) },
	{ "max-samples", 0, "N",
	  "merge stacks in buckets of time until no more than\n"
	  "N are left in the file (default: 100000)",
	  OPTION_CALL(set_max_samples) },
	{ "lines", 0, NULL, "a frame for each line of a function, not one for all",
	  OPTION_FLAG(struct convert, capture.resolve.lines) },
	{ "no-inline", 0, NULL, "do not look for inlined functions and source lines",
	  OPTION_FLAG(struct convert, no_inline) },
	{ "scenario", 0, "NAME", "what the program was doing, for the metadata",
	  OPTION_TEXT(struct convert, capture.scenario) },
	{ "meta", 0, "KEY=VALUE", "more metadata; may be given several times",
	  OPTION_CALL(add_meta) },
	{ "rules", 0, "FILE", "thresholds, groups, targets for the findings (report)",
	  OPTION_TEXT(struct convert, rules_file) },
	SOURCES_OPTIONS,
	{ "no-stitch", 0, NULL, "stacks that did not fit their dump stay cut",
	  OPTION_FLAG(struct convert, capture.no_stitch) },
	{ "max-stack-dump", 0, "BYTES",
	  "use so much of each stack dump, as if no more had\n"
	  "been recorded; calibration events keep theirs",
	  OPTION_CALL(set_max_dump) },
	{ "strict", 0, NULL, "a capture with anything odd in it is an error",
	  OPTION_FLAG(struct convert, capture.strict) },
	{ "quiet", 'q', NULL, "no summary, only warnings and errors",
	  OPTION_FLAG(struct convert, quiet) },
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
		.scenario = capture->options.scenario,
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
	const char *title = capture->options.scenario ? capture->options.scenario
						      : file__base(capture->options.path);
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
	const char *scenario = c->capture.scenario ? c->capture.scenario : "";
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
	int code = sources__check_output(&c->inputs, c->output, "profile", err);

	if (!code)
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

/* What several options say together. */
static int settle(struct convert *c, int argc, char **argv)
{
	struct capture_options *o = &c->capture;

	sources__files(o, &c->inputs, argc, argv);
	o->events = c->events.data;
	o->events_n = c->events.n;
	o->filter.threads = c->threads.data;
	o->filter.threads_n = c->threads.n;
	o->filter.processes = c->processes.data;
	o->filter.processes_n = c->processes.n;
	o->resolve.inlines = !c->no_inline;
	o->resolve.lines |= c->format->lines;
	o->hits = c->format->hits;
	if (o->to_s > 0 && o->from_s >= o->to_s) {
		message__error("--from %g is not before --to %g", o->from_s, o->to_s);
		return -EINVAL;
	}
	return 0;
}

static int run(void *target, int argc, char **argv)
{
	struct convert *c = target;
	struct errbuf err;

	if (settle(c, argc, argv))
		return EXIT_USAGE;
	return options__status(convert(c, &err), &err);
}

static const struct command_spec spec = {
	.name = "convert",
	.usage = "[OPTION]... [FILE]...",
	.about = "Write a perf capture (default: perf.data) as a profile that speedscope opens:\n"
		 "one timeline per thread, Python and native frames in one stack.  Or for other\n"
		 "viewers, see --format.",
	.options = options,
	.options_n = sizeof(options) / sizeof(*options),
	.run = run,
};

int cmd__convert(int argc, char **argv)
{
	struct convert c = { .format = output_format__find("speedscope"),
			     .capture.max_samples = DEFAULT_MAX_SAMPLES };
	int status = options__run(&spec, argc, argv, &c);

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
