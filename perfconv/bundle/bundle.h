/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bundle - a capture with all that its conversion needs, in one file, unpacked
 * for as long as it is read.
 *
 *     X.tar.zst --> a private folder:  0, 1, 2 ... (one file for each entry wanted)
 *                                      c3/data, c3/data.0 ... (a capture that is a folder)
 *
 * Names in the archive become no paths, so nothing can come to lie elsewhere.
 */
#ifndef PERFCONV_BUNDLE_BUNDLE_H
#define PERFCONV_BUNDLE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "perfconv/base/errbuf.h"
#include "perfconv/bundle/manifest.h"

struct bundle;

/** bundle__is - whether the file at @path begins like a bundle. */
bool bundle__is(const char *path);

/**
 * bundle__open - unpack the bundle at @path
 * Return: 0 with *@out set, freed by bundle__free(), which removes the files; -errno
 * with a message.
 */
int bundle__open(struct bundle **out, const char *path, struct errbuf *err);
void bundle__free(struct bundle *b);

/** bundle__manifest - what it says; its answers have paths.  Lives with @b. */
struct manifest *bundle__manifest(struct bundle *b);

/** bundle__captures - paths of the capture's files, in order; live with @b. */
const char *const *bundle__captures(const struct bundle *b, size_t *n);

/** bundle__rename - in a message, say the bundle's name for its folder's. */
void bundle__rename(const struct bundle *b, struct errbuf *err);

#endif
