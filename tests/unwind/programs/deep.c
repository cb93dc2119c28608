// SPDX-License-Identifier: GPL-2.0
/* C that is stopped at random: recursion, call-backs from libc, system calls, a PLT. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile double sink;
static int numbers[4096];

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	sink += sin(x) + (double)strlen("compare");
	return (x > y) - (x < y);
}

static __attribute__((noinline)) void sort_them(unsigned int seed)
{
	for (size_t i = 0; i < 4096; i++)
		numbers[i] = (int)(seed = seed * 1103515245u + 12345u);
	qsort(numbers, 4096, sizeof(*numbers), compare);
}

static __attribute__((noinline)) void write_text(void)
{
	char text[200];

	for (int i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "%d %f %s", i, sqrt(i), "text");
		sink += (double)strlen(text);
		if (write(1, text, 0))
			return;
	}
}

static __attribute__((noinline)) int descend(int depth, unsigned int seed)
{
	char *some = malloc(64 + (size_t)depth);
	int result = 0;

	if (depth)
		result = descend(depth - 1, seed) + 1;
	else if (seed % 3)
		sort_them(seed);
	else
		write_text();
	free(some);
	return result;
}

int main(void)
{
	for (unsigned int seed = 1;; seed++)
		sink += descend((int)(seed % 40), seed);
}
