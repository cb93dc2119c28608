/* SPDX-License-Identifier: GPL-2.0 */
/*
 * debuginfod - programs and what was stripped off them, from servers by build-id.
 *
 * It opens the network, so it is only used when asked for.  elfutils' client does
 * the work, loaded when needed: perfconv runs without it.
 */
#ifndef PERFCONV_MACHINE_DEBUGINFOD_H
#define PERFCONV_MACHINE_DEBUGINFOD_H

#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/errbuf.h"

struct debuginfod;

/**
 * debuginfod__new - the servers that DEBUGINFOD_URLS names
 * Return: 0 with *@out set; -ENOENT with a message if none is named, or there is no client.
 */
int debuginfod__new(struct debuginfod **out, struct errbuf *err);
void debuginfod__free(struct debuginfod *d);

/**
 * debuginfod__executable - the file with a build-id
 * @d: NULL: nobody is asked
 * Return: a descriptor that the caller closes, its content not checked; -1 if no server has it.
 */
int debuginfod__executable(struct debuginfod *d, const uint8_t *id, size_t bytes);

/** debuginfod__debug - what was stripped off it; the same otherwise. */
int debuginfod__debug(struct debuginfod *d, const uint8_t *id, size_t bytes);

#endif
