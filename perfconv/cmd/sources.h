/* SPDX-License-Identifier: GPL-2.0 */
/* sources - options of every command that reads captures: where their files are. */
#ifndef PERFCONV_CMD_SOURCES_H
#define PERFCONV_CMD_SOURCES_H

#include "perfconv/cmd/options.h"
#include "perfconv/pipeline/capture.h"

/* Their target is a struct that begins with a struct capture_options.
 * Return: 0, or -EINVAL after they told the user what is wrong. */
int sources__set_side_dir(void *target, const char *value);
int sources__set_symfs(void *target, const char *value);

/**
 * sources__files - the captures that --input and the arguments name; if none, perf.data
 * @inputs: of --input; the arguments are added, and @capture borrows it
 */
void sources__files(struct capture_options *capture, struct option_texts *inputs, int argc,
		    char **argv);

/**
 * sources__check_output - that what is read is not written over
 * @output: NULL: standard output
 * @what: is written: "profile"
 * Return: 0, or -EINVAL if @output is one of @inputs.
 */
int sources__check_output(const struct option_texts *inputs, const char *output, const char *what,
			  struct errbuf *err);

/* Entries of a table of struct option_spec. */
#define SOURCES_OPTIONS                                                                            \
	{ "side-dir", 0, "DIR",                                                                    \
	  "where pyframes' files are, if not beside the capture\n"                                 \
	  "or where they were recorded",                                                           \
	  OPTION_CALL(sources__set_side_dir) },                                                    \
		{ "symfs", 0, "DIR",                                                               \
		  "look for programs and libraries below DIR, as if it\n"                          \
		  "were the recorded machine's root; a build-id that was\n"                        \
		  "recorded has to agree",                                                         \
		  OPTION_CALL(sources__set_symfs) },                                               \
	{                                                                                          \
		"debuginfod", 0, NULL,                                                             \
			"ask the servers in DEBUGINFOD_URLS for files that are\n"                  \
			"not here; opens the network",                                             \
			OPTION_FLAG(struct capture_options, debuginfod)                            \
	}

#endif
