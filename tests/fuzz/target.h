/* SPDX-License-Identifier: GPL-2.0 */
/*
 * target - what the fuzz targets share.  Each target_*.c is one program twice
 * over: linked with libFuzzer it looks for new inputs, linked with replay.c it
 * runs the inputs that are kept in tests/fuzz/corpus.
 */
#ifndef PERFCONV_TESTS_FUZZ_TARGET_H
#define PERFCONV_TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/** LLVMFuzzerTestOneInput - run one input.  Return: 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/**
 * target__file - a regular file in memory that holds the @n bytes
 * Return: its path, valid until the next call; the process ends if there is none.
 */
const char *target__file(const uint8_t *bytes, size_t n);

#endif
