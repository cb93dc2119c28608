// SPDX-License-Identifier: GPL-2.0
/* perfconv view - profiles and their reports in the browser, without the network. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perfconv/base/file.h"
#include "perfconv/base/mem.h"
#include "perfconv/cmd/cmd.h"
#include "perfconv/cmd/message.h"
#include "perfconv/cmd/options.h"
#include "perfconv/output/page.h"
#include "perfconv/output/report_read.h"
#include "perfconv/profile/profile_file.h"
#include "perfconv/view/list.h"
#include "perfconv/view/view.h"

static int set_port(void *target, const char *value)
{
	uint32_t port;
	int code = options__number("port", "of TCP", value, &port);

	if (!code && port > UINT16_MAX) {
		message__error("--port takes up to %u, not %s", UINT16_MAX, value);
		return -EINVAL;
	}
	if (!code)
		((struct view_options *)target)->port = (uint16_t)port;
	return code;
}

static const struct option_spec options[] = {
	{ "port", 0, "NUMBER", "of 127.0.0.1 (default: any that is free)", OPTION_CALL(set_port) },
	{ "speedscope", 0, "DIR",
	  "the folder dist/release of npm's package (default:\n"
	  "that installed with perfconv, or by npm install -g)",
	  OPTION_TEXT(struct view_options, speedscope) },
};

static int write_report(struct sink *sink, const char *path, struct errbuf *err)
{
	struct profile_file *file = NULL;
	struct report r;
	int code;

	report__init(&r);
	code = report_read(&r, path, err);
	if (!code) {
		(void)profile_file__open(&file, path, NULL);
		page__write(sink, &r, file ? file->profile : NULL);
	}
	profile_file__free(file);
	report__release(&r);
	return code;
}

static int check_file(const char *path, struct errbuf *err)
{
	int fd = file__open(path, NULL, err);

	if (fd < 0)
		return fd;
	close(fd);
	if (profile_file__is_one(path) || list__is_packed(path))
		return 0;
	return errbuf__set(err, -EINVAL,
			   "%s: is no profile; make one of a capture with perfconv convert -i %s",
			   path, path);
}

/* Until a signal ends it.  The server's thread inherits that they wait for us. */
static int serve(const struct view_options *o, struct errbuf *err)
{
	struct view *view;
	sigset_t ends;
	int code, number;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	code = view__new(&view, o, err);
	if (!code) {
		puts(view__url(view));
		fflush(stdout);
		message__line("Ctrl+C ends it");
		sigwait(&ends, &number);
		view__free(view);
	}
	sigprocmask(SIG_UNBLOCK, &ends, NULL);
	return code;
}

static int run(void *target, int argc, char **argv)
{
	struct view_options *o = target;
	struct errbuf err;
	int code = 0;

	if (!argc) {
		message__error("view takes one or more profiles; see perfconv view --help");
		return EXIT_USAGE;
	}
	o->files = (const char *const *)argv;
	o->files_n = (size_t)argc;
	o->report = write_report;
	for (size_t i = 0; i < o->files_n && !code; i++)
		code = check_file(o->files[i], &err);
	if (!code)
		code = serve(o, &err);
	return options__status(code, &err);
}

static const struct command_spec spec = {
	.name = "view",
	.usage = "[OPTION]... FILE...",
	.about = "Show profiles in the browser: a list with their metadata, speedscope, and the\n"
		 "report of each. Prints the address, and serves until Ctrl+C. Only this machine\n"
		 "gets an answer, and only under that address; nothing is loaded from elsewhere.",
	.options = options,
	.options_n = sizeof(options) / sizeof(*options),
	.run = run,
};

int cmd__view(int argc, char **argv)
{
	struct view_options o = { 0 };

	return options__run(&spec, argc, argv, &o);
}
