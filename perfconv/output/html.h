/* SPDX-License-Identifier: GPL-2.0 */
/*
 * html - text into a page.  Names are foreign: html__text() is the only way by which
 * they get there.
 */
#ifndef PERFCONV_OUTPUT_HTML_H
#define PERFCONV_OUTPUT_HTML_H

#include <stddef.h>
#include <stdint.h>

#include "perfconv/base/sink.h"

/** html__raw - markup of our own. */
void html__raw(struct sink *s, const char *markup);

/** html__numbers - markup of our own with numbers in it; never give it a foreign string. */
void html__numbers(struct sink *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** html__text - any text, as content or within a quoted attribute. */
void html__text(struct sink *s, const char *text);

#endif
