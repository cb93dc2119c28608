/* SPDX-License-Identifier: GPL-2.0 */
/*
 * view - profiles in a browser on this machine: a list of them with their metadata,
 * speedscope, and the report of each, served on 127.0.0.1 only.
 *
 *     http://127.0.0.1:PORT/TOKEN/               the list
 *                                 speedscope/    the release that npm fetched
 *                                 profile/N/NAME the files, as they are
 *                                 report/N       the report of one
 *
 * Nobody else gets at them: the token is 128 random bits; a request has to name this
 * machine as its host, so that a foreign page cannot come in by a name that it gave
 * 127.0.0.1; one that the browser says another site's page makes is refused, but for links
 * that are followed, and no other origin may read an answer; and no page of ours may load
 * anything from elsewhere.
 */
#ifndef PERFCONV_VIEW_VIEW_H
#define PERFCONV_VIEW_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/base/sink.h"

#define VIEW_TOKEN_CHARS 32u

struct view;

/* All borrowed. */
struct view_options {
	const char *const *files; /* speedscope files, each may be gzip'd */
	size_t files_n;
	const char *speedscope; /* folder of the release; NULL: looked for */
	uint16_t port;		/* 0: any that is free */
	/* The report of the profile at @path, as a page.  Return: 0, or -errno with a message. */
	int (*report)(struct sink *sink, const char *path, struct errbuf *err);
};

/**
 * view__new - read what there is to list, and serve it from now on
 * Return: 0 with *@out set, freed by view__free(); -ENOSYS if perfconv was built without
 * a server; another -errno; with a message.
 */
int view__new(struct view **out, const struct view_options *options, struct errbuf *err);
void view__free(struct view *v);

/** view__url - of the list; lives with @v. */
const char *view__url(const struct view *v);

#endif
