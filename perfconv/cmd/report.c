// SPDX-License-Identifier: GPL-2.0
/* perfconv report - what a capture or a profile shows, and what to do about it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perfconv/base/file.h"
#include "perfconv/base/mem.h"
#include "perfconv/base/sink.h"
#include "perfconv/cmd/cmd.h"
#include "perfconv/cmd/findings_markdown.h"
#include "perfconv/cmd/findings_text.h"
#include "perfconv/cmd/message.h"
#include "perfconv/cmd/options.h"
#include "perfconv/cmd/report_text.h"
#include "perfconv/cmd/rules_text.h"
#include "perfconv/cmd/sources.h"
#include "perfconv/output/page.h"
#include "perfconv/output/report_json.h"
#include "perfconv/output/report_read.h"
#include "perfconv/pipeline/capture.h"
#include "perfconv/profile/profile_file.h"

enum format { FORMAT_TEXT, FORMAT_MARKDOWN, FORMAT_JSON, FORMAT_HTML, FORMATS };

struct report_command {
	struct capture_options capture; /* first: cmd/sources.h */
	enum format format;
	const char *output, *rules_file;
	struct option_texts off, threads;
	bool list_rules, is_short;
};

static const char *const format_names[FORMATS] = { "text", "markdown", "json", "html" };

static int set_format(void *target, const char *value)
{
	int format = options__choice("format", format_names, FORMATS, value);

	if (format < 0)
		return format;
	((struct report_command *)target)->format = (enum format)format;
	return 0;
}

static int add_off(void *target, const char *value)
{
	if (rule__find(value) == RULES) {
		message__error("--no-rule takes the id of a rule, not %s; --list-rules shows them",
			       value);
		return -EINVAL;
	}
	vec__push(&((struct report_command *)target)->off, value);
	return 0;
}

static const struct option_spec options[] = {
	{ "format", 'f', "FORMAT",
	  "text (default), markdown, json, or html: one page\nthat opens anywhere, with timelines and stacks",
	  OPTION_CALL(set_format) },
	{ "output", 'o', "FILE", "where to (default: standard output)",
	  OPTION_TEXT(struct report_command, output) },
	{ "scenario", 0, "NAME",
	  "what the program was doing; targets and thresholds\ndepend on it (profile_pam.py's captures know)",
	  OPTION_TEXT(struct report_command, capture.scenario) },
	{ "rules", 0, "FILE", "thresholds, groups of threads and targets of your own",
	  OPTION_TEXT(struct report_command, rules_file) },
	{ "no-rule", 0, "ID", "do not look for this; may be given several times",
	  OPTION_CALL(add_off) },
	{ "list-rules", 0, NULL, "the rules with their thresholds, as markdown",
	  OPTION_FLAG(struct report_command, list_rules) },
	{ "short", 0, NULL, "a line for each finding, nothing else",
	  OPTION_FLAG(struct report_command, is_short) },
	{ "thread", 0, "NAME",
	  "of a capture: only threads with this name or number;\n"
	  "* and ? stand for any characters; several times",
	  OPTION_TEXTS(struct report_command, threads) },
	SOURCES_OPTIONS,
};

/* @profile: whose report it is; NULL: not known */
static int write_report(const struct report_command *c, const struct report *r,
			const struct profile *profile, const char *path, struct errbuf *err)
{
	struct sink *sink;
	struct json json;
	int code = sink__open(&sink, c->output ? c->output : "-", err);

	if (code)
		return code;
	if (c->is_short) {
		findings_text__short(sink, r);
	} else if (c->format == FORMAT_TEXT) {
		findings_text__write(sink, r, path);
	} else if (c->format == FORMAT_MARKDOWN) {
		findings_markdown__write(sink, r);
	} else if (c->format == FORMAT_HTML) {
		page__write(sink, r, profile);
	} else {
		json__init(&json, sink);
		report_json__write(&json, r);
	}
	return sink__commit(sink, err);
}

static bool is_off(const struct report_command *c, const char *rule)
{
	for (size_t i = 0; i < c->off.n; i++)
		if (!strcmp(rule, c->off.data[i]))
			return true;
	return false;
}

/* Findings of a profile were made with its own rules; they can only be left out. */
static void leave_out(struct report *r, const struct report_command *c)
{
	size_t n = 0, unlooked = 0;

	for (size_t i = 0; i < r->unlooked.n; i++)
		if (!is_off(c, r->unlooked.data[i].rule))
			r->unlooked.data[unlooked++] = r->unlooked.data[i];
	r->unlooked.n = unlooked;
	for (size_t i = 0; i < r->findings.n; i++) {
		if (is_off(c, r->findings.data[i].rule)) {
			vec__release(&r->findings.data[i].stack);
			vec__release(&r->findings.data[i].numbers);
		} else {
			r->findings.data[n++] = r->findings.data[i];
		}
	}
	r->findings.n = n;
}

static int report_profile(const struct report_command *c, const char *path, struct errbuf *err)
{
	struct profile_file *file = NULL;
	struct report r;
	int code;

	report__init(&r);
	code = report_read(&r, path, err);
	if (!code && (c->rules_file || c->threads.n || c->capture.scenario))
		code = errbuf__set(err, -EINVAL,
				   "%s: a profile's findings are made; %s needs the capture, or "
				   "give it to convert",
				   path,
				   c->rules_file  ? "--rules"
				   : c->threads.n ? "--thread"
						  : "--scenario");
	if (!code) {
		leave_out(&r, c);
		if (c->format == FORMAT_HTML)
			(void)profile_file__open(&file, path, NULL); /* a report's JSON is none */
		code = write_report(c, &r, file ? file->profile : NULL, path, err);
	}
	profile_file__free(file);
	report__release(&r);
	return code;
}

static int report_capture(const struct report_command *c, struct rules *rules, const char *path,
			  struct errbuf *err)
{
	struct capture_options options_of_it = c->capture;
	struct capture *capture;
	int code;

	options_of_it.path = path;
	options_of_it.rules = rules;
	code = capture__read(&capture, &options_of_it, err);
	if (code)
		return code;
	if (c->threads.n && !capture->profile->threads.n)
		code = errbuf__set(err, -ENOENT,
				   "%s: no thread passes --thread; perfconv info lists them", path);
	else if (!capture->analyzed)
		code = errbuf__set(err, -ENODATA,
				   "%s: holds no samples that measure time, so there is nothing to "
				   "report; record with -e cpu-clock",
				   path);
	if (!code) {
		capture->report.title =
			report__string(&capture->report, file__base(capture->options.path));
		code = write_report(c, &capture->report, capture->profile, path, err);
	}
	if (!code)
		report_text__warnings(capture, path);
	capture__free(capture);
	return code;
}

static int report(const struct report_command *c, const char *path, struct errbuf *err)
{
	const char *scenario = c->capture.scenario ? c->capture.scenario : "";
	const struct option_texts input = { .data = &path, .n = 1 };
	struct rules rules;
	int code = sources__check_output(&input, c->output, "report", err);

	if (code)
		return code;
	if (report_read__is_json(path))
		return report_profile(c, path, err);
	rules__init(&rules);
	if (c->rules_file)
		code = rules__read(&rules, c->rules_file, scenario, err);
	for (size_t i = 0; i < c->off.n; i++)
		rules.left_out[rule__find(c->off.data[i])] = true;
	if (!code)
		code = report_capture(c, &rules, path, err);
	rules__release(&rules);
	return code;
}

static int run(void *target, int argc, char **argv)
{
	struct report_command *c = target;
	struct errbuf err;

	if (c->list_rules) {
		rules_text__print();
		return EXIT_DONE;
	}
	if (argc != 1) {
		message__error("report takes one capture or profile; see perfconv report --help");
		return EXIT_USAGE;
	}
	c->capture.filter.threads = c->threads.data;
	c->capture.filter.threads_n = c->threads.n;
	return options__status(report(c, argv[0], &err), &err);
}

static const struct command_spec spec = {
	.name = "report",
	.usage = "[OPTION]... CAPTURE|BUNDLE|PROFILE",
	.about = "Say what stands out in a capture, a bundle or a profile, with the\n"
		 "evidence, what to do, and where to look.",
	.options = options,
	.options_n = sizeof(options) / sizeof(*options),
	.run = run,
};

int cmd__report(int argc, char **argv)
{
	struct report_command c = {
		.capture.resolve = { FRAMES_MERGED, .inlines = true },
	};
	int status = options__run(&spec, argc, argv, &c);

	vec__release(&c.off);
	vec__release(&c.threads);
	return status;
}
