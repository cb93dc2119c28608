// SPDX-License-Identifier: GPL-2.0
/* perfconv diff - what changed between runs of a program, beyond noise. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/mem.h"
#include "perfconv/base/sink.h"
#include "perfconv/cmd/cmd.h"
#include "perfconv/cmd/diff_text.h"
#include "perfconv/cmd/message.h"
#include "perfconv/cmd/options.h"
#include "perfconv/cmd/sources.h"
#include "perfconv/output/diff.h"
#include "perfconv/pipeline/profiled.h"

enum diff_format { FORMAT_TEXT, FORMAT_MARKDOWN, FORMAT_JSON, FORMAT_SPEEDSCOPE };

static const char *const format_names[] = {
	[FORMAT_TEXT] = "text",
	[FORMAT_MARKDOWN] = "markdown",
	[FORMAT_JSON] = "json",
	[FORMAT_SPEEDSCOPE] = "speedscope",
};

struct compared {
	struct capture_options capture; /* first: cmd/sources.h */
	struct compare_options options;
	const char *output;
	enum diff_format format;
	bool fail;
	struct option_texts paths[TALLY_SIDES];
};

static int set_percent(double *out, const char *option, const char *value)
{
	char *end;
	double percent = strtod(value, &end);

	if (end == value || *end || !(percent >= 0 && percent <= 1e6)) {
		message__error("--%s takes a percentage, not %s", option, value);
		return -EINVAL;
	}
	*out = percent / 100;
	return 0;
}

static int set_threshold(void *target, const char *value)
{
	return set_percent(&((struct compared *)target)->options.threshold, "threshold", value);
}

static int set_min_change(void *target, const char *value)
{
	return set_percent(&((struct compared *)target)->options.least, "min-change", value);
}

static int set_format(void *target, const char *value)
{
	int format = options__choice("format", format_names,
				     sizeof(format_names) / sizeof(*format_names), value);

	if (format < 0)
		return format;
	((struct compared *)target)->format = (enum diff_format)format;
	return 0;
}

static const struct option_spec options[] = {
	{ "before", 0, "FILE", "one more run before; with several, the noise is\nbetter known",
	  OPTION_TEXTS(struct compared, paths[TALLY_BEFORE]) },
	{ "after", 0, "FILE", "one more run after",
	  OPTION_TEXTS(struct compared, paths[TALLY_AFTER]) },
	{ "threshold", 0, "PCT",
	  "a change of less than PCT % of the time before is\nnone (default: 5)",
	  OPTION_CALL(set_threshold) },
	{ "min-change", 0, "PCT", "nor is one of less than PCT % of a core (default: 0.3)",
	  OPTION_CALL(set_min_change) },
	{ "same-speed", 0, NULL,
	  "the machine was equally fast in all runs: what all\nfunctions have in common counts too",
	  OPTION_FLAG(struct compared, options.same_speed) },
	{ "fail-on-regression", 0, NULL,
	  "exit status 3 if something is slower, 4 if too little\nwas recorded to know",
	  OPTION_FLAG(struct compared, fail) },
	{ "format", 0, "WHICH",
	  "text (default), markdown, json, or speedscope:\nprofiles before, after, slower, faster",
	  OPTION_CALL(set_format) },
	{ "output", 'o', "FILE", "where to (default: standard output)",
	  OPTION_TEXT(struct compared, output) },
	SOURCES_OPTIONS,
};

/* One run. */
struct opened {
	VEC(struct profiled) list;
};

static int check(const struct profiled *p, struct errbuf *err)
{
	if (!p->profile->timed)
		return errbuf__set(err, -EINVAL, "%s: measures no time; record cpu-clock or cycles",
				   p->path);
	if (!p->profile->duration || !p->profile->threads.n)
		return errbuf__set(err, -EINVAL, "%s: is empty; record for longer", p->path);
	if (p->file && strcmp(p->file->frames, "merged"))
		message__warning(
			"%s has --frames %s; convert it without, so that functions are the "
			"same on both sides",
			p->path, p->file->frames);
	return 0;
}

static int open_runs(const struct compared *c, struct opened *opened, struct tally *tally,
		     struct errbuf *err)
{
	int code = 0;

	for (int side = 0; side < TALLY_SIDES && !code; side++)
		code = sources__check_output(&c->paths[side], c->output, "comparison", err);
	for (int side = 0; side < TALLY_SIDES && !code; side++)
		for (size_t i = 0; i < c->paths[side].n && !code; i++) {
			struct capture_options capture = c->capture;
			struct profiled p;

			capture.path = c->paths[side].data[i];
			capture.resolve.mode = FRAMES_MERGED;
			capture.resolve.inlines = true;
			code = profiled__open(&p, &capture, err);
			if (code)
				return code;
			vec__push(&opened->list, p);
			code = check(&p, err);
			if (!code)
				tally__add(tally, (enum tally_side)side, p.profile, p.period_ns);
		}
	return code;
}

static void write_format(struct sink *sink, const struct compared *c, const struct diff *d)
{
	switch (c->format) {
	case FORMAT_JSON:
		diff_json__write(sink, d);
		break;
	case FORMAT_SPEEDSCOPE:
		diff_speedscope__write(sink, d);
		break;
	case FORMAT_TEXT:
	case FORMAT_MARKDOWN:
	default:
		diff_text__write(sink, d, c->format == FORMAT_MARKDOWN);
		break;
	}
}

/* What is worth a word on stderr: what went into a file, and why a check of ours fails. */
static void say_answer(const struct compared *c, const struct diff *d)
{
	char *answer = diff_text__answer(d);

	if (c->output && strcmp(c->output, "-"))
		message__line("%s: %s", c->output, answer);
	else if (c->fail && !d->compare->known)
		message__error("%s", answer);
	free(answer);
}

static int write_diff(const struct compared *c, const struct diff *d, struct errbuf *err)
{
	struct sink *sink;
	int code = sink__open(&sink, c->output ? c->output : "-", err);

	if (code)
		return code;
	write_format(sink, c, d);
	code = sink__commit(sink, err);
	if (!code)
		say_answer(c, d);
	return code;
}

/* @status: set to what --fail-on-regression ends with */
static int diff(const struct compared *c, enum exit_status *status, struct errbuf *err)
{
	struct opened opened = { 0 };
	struct tally tally = { 0 };
	struct compare compare;
	struct diff d = { .tally = &tally, .compare = &compare, .options = &c->options };
	int code = open_runs(c, &opened, &tally, err);

	if (!code) {
		for (int side = 0; side < TALLY_SIDES; side++) {
			d.sides[side].paths = c->paths[side].data;
			d.sides[side].n = c->paths[side].n;
		}
		tally__finish(&tally);
		compare__init(&compare, &tally, &c->options);
		*status = !compare.known		   ? EXIT_UNKNOWN
			  : compare__regressions(&compare) ? EXIT_REGRESSION
							   : EXIT_DONE;
		code = write_diff(c, &d, err);
		compare__release(&compare);
	}
	tally__release(&tally);
	for (size_t i = 0; i < opened.list.n; i++)
		profiled__release(&opened.list.data[i]);
	vec__release(&opened.list);
	return code;
}

/* BEFORE AFTER, where the options named neither. */
static bool take_arguments(struct compared *c, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		bool before = !c->paths[TALLY_BEFORE].n;

		if (!before && c->paths[TALLY_AFTER].n) {
			message__error("%s is one argument too many; further runs go behind "
				       "--before and --after",
				       argv[i]);
			return false;
		}
		vec__push(&c->paths[before ? TALLY_BEFORE : TALLY_AFTER], argv[i]);
	}
	if (!c->paths[TALLY_BEFORE].n || !c->paths[TALLY_AFTER].n) {
		message__error("diff needs two runs, BEFORE and AFTER; see perfconv diff --help");
		return false;
	}
	if (c->format == FORMAT_SPEEDSCOPE && !c->output) {
		message__error("--format speedscope needs -o FILE.speedscope.json");
		return false;
	}
	return true;
}

static int run(void *target, int argc, char **argv)
{
	struct compared *c = target;
	enum exit_status answer = EXIT_DONE;
	struct errbuf err;
	int status;

	if (!take_arguments(c, argc, argv))
		return EXIT_USAGE;
	status = options__status(diff(c, &answer, &err), &err);
	return status == EXIT_DONE && c->fail ? (int)answer : status;
}

static const struct command_spec spec = {
	.name = "diff",
	.usage = "[OPTION]... BEFORE AFTER",
	.about = "Say what changed between two runs of a program, beyond noise. BEFORE and AFTER\n"
		 "are captures, bundles, or profiles that perfconv convert wrote.",
	.options = options,
	.options_n = sizeof(options) / sizeof(*options),
	.run = run,
};

int cmd__diff(int argc, char **argv)
{
	struct compared c = { .options = { .threshold = 0.05, .least = 0.003 } };
	int status = options__run(&spec, argc, argv, &c);

	for (int side = 0; side < TALLY_SIDES; side++)
		vec__release(&c.paths[side]);
	return status;
}
