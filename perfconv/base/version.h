/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PERFCONV_BASE_VERSION_H
#define PERFCONV_BASE_VERSION_H

#define PERFCONV_VERSION "0.1.0"

#endif
