/* SPDX-License-Identifier: GPL-2.0 */
/* release - where speedscope is on this machine: its folder dist/release, as npm has it. */
#ifndef PERFCONV_VIEW_RELEASE_H
#define PERFCONV_VIEW_RELEASE_H

#include "perfconv/base/errbuf.h"

/**
 * release__find - @given, else PERFCONV_SPEEDSCOPE of the environment, else where it is
 * installed with perfconv or by npm install -g
 * Return: 0 with *@out set, free() it; -ENOENT with a message.
 */
int release__find(char **out, const char *given, struct errbuf *err);

/** release__file - a file of it; @name is a stranger's.  Return: its descriptor, or -errno. */
int release__file(const char *release, const char *name);

/** release__type - for Content-Type, by the file's name. */
const char *release__type(const char *name);

#endif
